//! The binary `lindero`: command line, configuration, HTTP, the private
//! database cluster, observability.

pub mod access_review;
mod audit_csv;
pub mod audit_seal;
pub mod background;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod database;
pub mod doctor;
pub mod freshness;
pub mod http;
pub mod identity;
pub mod telemetry;
