use thiserror::Error;
use uuid::Uuid;

use crate::password::{HashError, WeakPassword};
use crate::{Denied, OutOfBounds};

/// Why something about accounts, keys, roles or sessions could not be done.
#[derive(Debug, Error)]
pub enum AccessError {
    /// The caller may not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is none, or the caller may not know of it.
    #[error("there is no {kind} {id}")]
    Unknown {
        /// What it would be: account, key, session, assignment, role.
        kind: &'static str,
        /// What was asked for.
        id: String,
    },
    /// A field has a value that it cannot have.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// Why not.
        reason: String,
    },
    /// There is one already.
    #[error("there is {0} already")]
    Exists(&'static str),
    /// The password cannot be taken.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// It was used, is too old, or never was.
    #[error("this link is not valid any more: ask an administrator for another one")]
    SpentLink,
    /// The account may not come in now, or not from there.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database refused or could not be reached.
    #[error("the accounts could not be read or written: {0}")]
    Database(#[from] sqlx::Error),
}

impl AccessError {
    pub(crate) fn unknown(kind: &'static str, id: impl Into<String>) -> Self {
        Self::Unknown { kind, id: id.into() }
    }

    pub(crate) fn no_account(id: Uuid) -> Self {
        Self::unknown("account", id)
    }

    pub(crate) fn invalid(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }

    /// Refused since there is `what` with the same key already; else as it is.
    pub(crate) fn of_insert(error: sqlx::Error, what: &'static str) -> Self {
        match error.as_database_error() {
            Some(cause) if cause.is_unique_violation() => Self::Exists(what),
            _ => error.into(),
        }
    }
}
