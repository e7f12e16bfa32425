//! Tiles that are cut in the process.
#![allow(clippy::unwrap_used, reason = "a test")]

mod changes;
mod equal;
mod generalised;
mod several;
mod snapshot;
mod support;
