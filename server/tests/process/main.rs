//! The real binary, driven as an operator drives it: with a data folder of
//! its own, signals, and `curl`.

#![allow(missing_docs, clippy::unwrap_used)]

mod bucket;
mod commands;
mod database_url;
mod death;
mod doctor;
mod export;
mod harness;
mod import;
mod layer;
mod network;
mod revocation;
mod shutdown;
mod slow;
mod start;
