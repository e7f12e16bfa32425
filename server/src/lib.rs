//! The binary `lindero`: command line, configuration, HTTP, the private
//! database cluster, observability.

pub mod config;
pub mod http;
