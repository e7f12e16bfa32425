//! Who is asking, what they may do, and the long work that is done for them.
//!
//! Owns the PostgreSQL schema `access`. Every public function of a domain
//! crate takes a [`Caller`]; what that caller may see is decided here and in
//! the domain crates, never in an HTTP handler.

mod caller;
mod classification;
mod codes;
pub mod database;
pub mod job;
mod municipality;
mod permission;
mod scope;

pub use caller::{Caller, Credential, Denied, Login, Origin};
pub use classification::{Subject, Visibility};
pub use codes::UnknownCode;
pub use database::Database;
pub use municipality::{InvalidMunicipality, MunicipalityCode};
pub use permission::{ADMINISTRATOR, BUILT_IN_ROLES, BuiltInRole, Permission, Permissions};
pub use scope::{Reach, Right, Scope};
