//! The opaque parameter of a `next` link: the id after which to go on.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use layers::Layer;
use layers::features::FeatureId;

use crate::http::problem::{Problem, Result};

/// The cursor after a feature.
pub(super) fn after(id: &FeatureId) -> String {
    URL_SAFE_NO_PAD.encode(match id {
        FeatureId::Number(number) => format!("n{number}"),
        FeatureId::Text(text) => format!("t{text}"),
    })
}

/// The id in a cursor, which must be of the kind that the layer's ids are.
pub(super) fn read(layer: &Layer, cursor: &str) -> Result<FeatureId> {
    let refused = || Problem::invalid_parameter("cursor", "take the cursor from a next link of this collection");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(refused)?;
    let numbered = matches!(layer.table.key_type.as_str(), "bigint" | "integer" | "smallint");
    match text.split_at_checked(1) {
        Some(("n", number)) if numbered => number.parse().map(FeatureId::Number).map_err(|_| refused()),
        Some(("t", text)) if !numbered => Ok(FeatureId::Text(text.to_owned())),
        _ => Err(refused()),
    }
}
