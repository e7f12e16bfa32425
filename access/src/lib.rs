//! Who is asking, what they may do, and the long work that is done for them.
//!
//! Owns the PostgreSQL schema `access`. Every public function of a domain
//! crate takes a [`Caller`]; what that caller may see is decided here and in
//! the domain crates, never in an HTTP handler.

pub mod account;
pub mod assignment;
pub mod audit;
mod bounds;
mod caller;
mod classification;
mod codes;
pub mod database;
pub mod errand;
mod error;
mod gate;
pub mod job;
pub mod key;
pub mod limit;
pub mod link;
pub mod login;
mod municipality;
pub mod outside;
pub mod password;
mod permission;
pub mod review;
pub mod role;
mod scope;
pub mod session;
pub mod throttle;
mod token;

pub use bounds::{Bounds, Day, Minute, OutOfBounds, Window};
pub use caller::{Caller, Credential, Denied, Login, Origin};
pub use classification::{Subject, Visibility};
pub use codes::UnknownCode;
pub use database::Database;
pub use error::AccessError;
pub use gate::Gate;
pub use municipality::{InvalidMunicipality, MunicipalityCode};
pub use permission::{ADMINISTRATOR, BUILT_IN_ROLES, BuiltInRole, Permission, Permissions};
pub use scope::{Reach, Right, Scope};
pub use token::Token;
