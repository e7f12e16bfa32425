//! A feature becomes what it was.

use access::{Caller, Database};
use geozero::ToJson;
use geozero::wkb::Wkb;
use serde_json::{Map, Value as Json};

use super::version::version_of;
use crate::Expected;
use crate::catalog::{self, CatalogError};
use crate::edit::{self, Draft, Edit, EditError, Edited};
use crate::features::{Feature, FeatureError};
use crate::{Layer, LayerId};

/// Makes a feature what it was in that version: by an edit like any other,
/// under the rules of today. One that is gone comes back with its id; then
/// `expected` says nothing.
pub async fn revert(
    caller: &Caller,
    db: &Database,
    layer: &LayerId,
    id: i64,
    version: i32,
    expected: Option<Expected>,
    reason: Option<&str>,
) -> Result<Edited, RevertError> {
    let layer = catalog::get(caller, db, layer).await?;
    let was = version_of(caller, db, &layer, id, version).await?;
    let Some(feature) = &was.feature else { return Err(RevertError::Gone(version)) };
    let draft = draft(&layer, feature)?;
    let edit = match expected {
        Some(expected) => Edit::Replace { id, expected, draft },
        None => Edit::Create { id: Some(id), draft },
    };
    let known = feature.geometry.clone().zip(was.stored);
    let mut edited = edit::apply_near(caller, db, &layer.id, &[edit], reason, known.as_slice()).await?;
    edited.pop().ok_or(RevertError::Gone(version))
}

/// Why a feature could not become what it was.
#[derive(Debug, thiserror::Error)]
pub enum RevertError {
    /// There is no such version.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// In that version the feature was gone.
    #[error("in the version {0} the feature was gone: delete it instead")]
    Gone(i32),
    /// The layer is none, or cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// What it was cannot be again.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// What a feature was, as an edit says it.
fn draft(layer: &Layer, feature: &Feature) -> Result<Draft, CatalogError> {
    let mut properties = Map::new();
    for (attribute, value) in layer.definition.attributes.iter().zip(&feature.values) {
        properties.insert(attribute.name.clone(), serde_json::to_value(value).map_err(CatalogError::corrupt)?);
    }
    let geometry = match &feature.geometry {
        Some(wkb) => {
            let text = Wkb(wkb.as_slice()).to_json().map_err(CatalogError::corrupt)?;
            Some(serde_json::from_str::<Json>(&text).map_err(CatalogError::corrupt)?)
        }
        None => None,
    };
    Ok(Draft { properties, geometry })
}
