//! The HTTP API, from outside, over a real PostGIS.
#![allow(clippy::unwrap_used, reason = "tests")]

mod features;
mod support;
mod tiles;
