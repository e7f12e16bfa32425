//! What is sent to edit features.

use layers::edit::{Draft, Edit};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::http::precondition::tags;
use crate::http::problem::{Problem, Result};

/// A GeoJSON feature; members that are none of its own are passed over (RFC
/// 7946, 6.1).
#[derive(Debug, Deserialize)]
pub(super) struct Feature {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    geometry: Option<Value>,
    #[serde(default)]
    properties: Option<Map<String, Value>>,
}

/// What changes of a feature (RFC 7396).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patch {
    /// It stays one.
    #[serde(rename = "type", default)]
    _kind: Option<IsFeature>,
    #[serde(default, deserialize_with = "given")]
    geometry: Option<Value>,
    #[serde(default)]
    properties: Map<String, Value>,
}

/// The one type that a feature has.
#[derive(Debug, Deserialize)]
enum IsFeature {
    Feature,
}

/// A batch of edits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    #[serde(default)]
    pub(super) reason: Option<String>,
    pub(super) edits: Vec<BatchEdit>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(super) enum BatchEdit {
    Create { feature: Feature },
    Replace { id: i64, if_match: String, feature: Feature },
    Update { id: i64, if_match: String, patch: Patch },
    Delete { id: i64, if_match: String },
}

/// To which version a feature is to be brought back, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revert {
    pub(super) version: i32,
    #[serde(default)]
    pub(super) reason: Option<String>,
}

impl Feature {
    /// The feature to be, which is the one with that id, if any is said.
    pub(super) fn draft(self, id: Option<i64>) -> Result<Draft> {
        if self.kind != "Feature" {
            return Err(Problem::invalid_parameter("type", "expected \"Feature\""));
        }
        let said = self.id.as_ref().map(|said| said.as_i64().or_else(|| said.as_str()?.parse().ok()));
        if let (Some(said), Some(id)) = (said, id)
            && said != Some(id)
        {
            return Err(Problem::invalid_parameter("id", format!("expected {id}, or no id")));
        }
        Ok(Draft { properties: self.properties.unwrap_or_default(), geometry: self.geometry })
    }
}

impl Patch {
    pub(super) fn draft(self) -> Draft {
        Draft { properties: self.properties, geometry: self.geometry }
    }
}

impl BatchEdit {
    pub(super) fn edit(self) -> Result<Edit> {
        Ok(match self {
            Self::Create { feature } => Edit::Create { id: None, draft: feature.draft(None)? },
            Self::Replace { id, if_match, feature } => {
                Edit::Replace { id, expected: tags(&if_match), draft: feature.draft(Some(id))? }
            }
            Self::Update { id, if_match, patch } => {
                Edit::Update { id, expected: tags(&if_match), draft: patch.draft() }
            }
            Self::Delete { id, if_match } => Edit::Delete { id, expected: tags(&if_match) },
        })
    }

    /// The operation's name, as it was given.
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Replace { .. } => "replace",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
        }
    }
}

/// A member that may be null, which is not the same as not being there.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
