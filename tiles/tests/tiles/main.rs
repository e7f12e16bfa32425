//! Tiles against a real database.
#![allow(clippy::unwrap_used, reason = "a test")]

mod archive;
mod attributes;
mod changes;
mod equal;
mod filtered;
mod generalised;
mod sets;
mod several;
mod snapshot;
mod support;
mod unreadable;
