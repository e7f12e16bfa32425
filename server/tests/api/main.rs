//! The HTTP API, from outside, over a real PostGIS.
#![allow(clippy::unwrap_used, reason = "tests")]

mod assets;
mod attachments;
mod background;
mod changes;
mod dataset;
mod documents;
mod edits;
mod features;
mod filters;
mod foreign;
mod guessing;
mod hostile;
mod injection;
mod ldap;
mod managing;
mod names;
mod oidc;
mod rates;
mod recorded;
mod reserved;
mod rules;
mod session;
mod support;
mod tile_sets;
mod tiles;
mod trail;
