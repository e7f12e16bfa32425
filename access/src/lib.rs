//! Who is asking, what they may do, and the long work that is done for them.
//!
//! Owns the PostgreSQL schema `access`. Every public function of a domain
//! crate takes a [`Caller`]; what that caller may see is decided here and in
//! the domain crates, never in an HTTP handler.

mod caller;
mod classification;
pub mod database;
pub mod job;
mod municipality;
mod scope;

pub use caller::{Caller, Denied};
pub use classification::{Subject, UnknownCode, Visibility};
pub use database::Database;
pub use municipality::{InvalidMunicipality, MunicipalityCode};
pub use scope::Scope;
