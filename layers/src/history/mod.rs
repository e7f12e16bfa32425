//! What features were: every version of a managed layer's, with who made it,
//! when, from where and why.

mod changeset;
mod revert;
mod version;

pub use changeset::{Source, begin};
pub use revert::{RevertError, revert};
pub use version::{Author, Version, Versions, version_of, versions};
