use std::fmt::Display;

use access::Denied;
use thiserror::Error;

use crate::{DefinitionError, LayerId};

/// Why the catalogue could not answer or be changed.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// The caller may not do this.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such layer, as far as the caller may know.
    #[error("there is no layer {0}")]
    Unknown(LayerId),
    /// The id belongs to another table.
    #[error("the layer {id} exists already and reads {table}; remove it first, or choose another id")]
    Exists {
        /// The layer.
        id: LayerId,
        /// The table that it reads.
        table: String,
    },
    /// The municipality is not in the catalogue.
    #[error("the municipality {0:?} is not known to this server; add it with `lindero municipality add`")]
    UnknownMunicipality(String),
    /// The definition is wrong.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// A description changes what the table is.
    #[error("the layer {layer} has no attribute {attribute:?} of that type")]
    AttributeDiffers {
        /// The layer.
        layer: LayerId,
        /// The attribute.
        attribute: String,
    },
    /// A member of a change has a value that it cannot have.
    #[error("{field}: {reason}")]
    Invalid {
        /// The member: `attributes[2].legal_reason`.
        field: String,
        /// Why not.
        reason: String,
    },
    /// Somebody else changed what is said of the layer since the caller read it.
    #[error("the layer {0} was changed by somebody else meanwhile: read it anew, then change it")]
    Changed(LayerId),
    /// Somebody else is changing the layer.
    #[error("the layer {0} is being changed by an import or by somebody else: try again in a moment")]
    Busy(LayerId),
    /// The table cannot be published.
    #[error("{table} cannot be published: {reason}")]
    Unpublishable {
        /// `schema.name`.
        table: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The database holds what this program would not have written.
    #[error("the catalogue holds something that this program does not understand: {0}")]
    Corrupt(String),
    /// The trail cannot be told.
    #[error(transparent)]
    Trail(#[from] access::audit::TrailFull),
    /// The database refused or could not be reached.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

impl CatalogError {
    /// A value in the database that should not be there.
    pub fn corrupt(error: impl Display) -> Self {
        Self::Corrupt(error.to_string())
    }
}
