use serde_json::{Map, Value as Json};

use crate::Expected;

/// What is said of a feature that is to be: its properties by the attributes'
/// names, its geometry as GeoJSON in longitude and latitude (CRS84).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// The properties.
    pub properties: Map<String, Json>,
    /// The geometry; none where nothing is said of it.
    pub geometry: Option<Json>,
}

/// One edit (OGC API Features, part 4).
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// A new feature. Attributes that nothing is said of have no value.
    Create {
        /// Its id, of one that was there before; else it is given one.
        id: Option<i64>,
        /// What it is.
        draft: Draft,
    },
    /// A feature becomes another. Attributes that nothing is said of lose their
    /// value.
    Replace {
        /// Its id.
        id: i64,
        /// Which version.
        expected: Expected,
        /// What it becomes.
        draft: Draft,
    },
    /// A feature changes in what is said of it.
    Update {
        /// Its id.
        id: i64,
        /// Which version.
        expected: Expected,
        /// What changes.
        draft: Draft,
    },
    /// A feature goes.
    Delete {
        /// Its id.
        id: i64,
        /// Which version.
        expected: Expected,
    },
}

impl Edit {
    /// The feature that it is of; none of one that is to be given its id.
    pub(super) fn id(&self) -> Option<i64> {
        match self {
            Self::Create { id, .. } => *id,
            Self::Replace { id, .. } | Self::Update { id, .. } | Self::Delete { id, .. } => Some(*id),
        }
    }

    /// Which version of a feature it is of; none of one that must not be there.
    pub(super) fn expected(&self) -> Option<&Expected> {
        match self {
            Self::Create { .. } => None,
            Self::Replace { expected, .. } | Self::Update { expected, .. } | Self::Delete { expected, .. } => {
                Some(expected)
            }
        }
    }
}
