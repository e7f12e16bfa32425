//! Reading a layer's features: pages, one by its id, counts, where they are.

mod moment;
mod place;
mod query;
mod read;
mod snapshot;

use sha2::{Digest, Sha256};
use thiserror::Error;

pub use moment::push_relation;
pub(crate) use place::measure;
pub use place::{any_within, extent};
pub use query::{Bbox, InvalidQuery, Query};
pub use read::{batches, count, get};
pub(crate) use read::{check, feature, projected, push_columns, require, select};
pub use snapshot::{SnapshotRow, Told, Wanted, snapshot};

use crate::{Layer, LayerId, Value};

/// A feature as it leaves the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its id: the key column's value.
    pub id: FeatureId,
    /// Its geometry as ISO WKB in longitude and latitude (CRS84); none where
    /// it has none.
    pub geometry: Option<Vec<u8>>,
    /// Its attributes' values, in the order of the layer's definition.
    pub values: Vec<Value>,
}

impl Feature {
    /// A tag of what it is: equal for two only if they are the same in all that
    /// the caller for whom they were read may see. Equal in all processes.
    pub fn tag(&self, layer: &Layer) -> String {
        let mut digest = Sha256::new();
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        };
        add(self.id.to_string().as_bytes());
        add(self.geometry.as_deref().unwrap_or_default());
        for (attribute, value) in layer.definition.attributes.iter().zip(&self.values) {
            add(attribute.name.as_bytes());
            // A value is written in one way only.
            add(&serde_json::to_vec(value).unwrap_or_default());
        }
        hex::encode(&digest.finalize()[..16])
    }
}

/// The JSON pointer (RFC 6901) to a property in a feature.
pub(crate) fn pointer(property: &str) -> String {
    format!("/properties/{}", property.replace('~', "~0").replace('/', "~1"))
}

/// A feature's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeatureId {
    /// A whole number.
    Number(i64),
    /// Anything else.
    Text(String),
}

impl FeatureId {
    /// The id that a layer's key, as text, is; none where it cannot be one.
    pub fn of_key(layer: &Layer, key: &str) -> Option<Self> {
        if read::is_number(&layer.table.key_type) {
            key.parse().ok().map(Self::Number)
        } else {
            Some(Self::Text(key.to_owned()))
        }
    }
}

impl std::fmt::Display for FeatureId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl serde::Serialize for FeatureId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// Why features could not be read.
#[derive(Debug, Error)]
pub enum FeatureError {
    /// The layer, as far as the caller may know, does not exist.
    #[error("there is no layer {0}")]
    UnknownLayer(LayerId),
    /// The layer has no feature with that id.
    #[error("the layer {layer} has no feature {feature:?}")]
    UnknownFeature {
        /// The layer.
        layer: LayerId,
        /// The id that was asked for.
        feature: String,
    },
    /// The layer's versions are not kept.
    #[error("the layer {0} has no history: its table is kept elsewhere")]
    NoHistory(LayerId),
    /// The feature has no such version.
    #[error("the feature {feature} of the layer {layer} has no version {version}")]
    UnknownVersion {
        /// The layer.
        layer: LayerId,
        /// The feature.
        feature: i64,
        /// The version.
        version: i32,
    },
    /// The trail cannot be told.
    #[error(transparent)]
    Trail(#[from] access::audit::TrailFull),
    /// The database refused or could not be reached.
    #[error("the features could not be read: {0}")]
    Database(#[from] sqlx::Error),
}
