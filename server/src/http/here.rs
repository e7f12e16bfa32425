//! `/here`: what is at a point, across all layers.

use super::routes::{Routes, Rule};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use layers::LayerId;
use layers::position::{Found, Position, find, layers};

use super::asked::{Asked, Format};
use super::document::JSON;
use super::features::geojson;
use super::problem::{Problem, Result};
use super::{AppState, document};

pub(super) fn routes() -> Routes {
    Routes::default().get("/here", Rule::Seen, here)
}

async fn here(State(state): State<AppState>, mut asked: Asked) -> Result<Response> {
    asked.format(&[(Format::Json, &[JSON])])?;
    let missing = |name: &'static str| move || Problem::invalid_parameter(name, "this parameter is needed");
    let longitude = asked.parsed("lon", "a number of degrees")?.ok_or_else(missing("lon"))?;
    let latitude = asked.parsed("lat", "a number of degrees")?.ok_or_else(missing("lat"))?;
    let tolerance = asked.parsed("tolerance", "a number of metres")?.unwrap_or(0.0);
    let only = asked.text("collections")?.map(|list| ids(&list)).transpose()?;
    asked.finish()?;
    let position = Position::new(longitude, latitude, tolerance)?;
    let layers = layers(&asked.caller, &state.database, only.as_deref()).await?;
    let found = find(&asked.caller, &state.database, &layers, position).await?;
    let body = write(&asked, [longitude, latitude], &found).map_err(|error| Problem::internal(&error))?;
    let headers = document::negotiated(&asked, JSON);
    Ok((headers, Body::from(body)).into_response())
}

fn ids(list: &str) -> Result<Vec<LayerId>> {
    list.split(',')
        .map(|id| id.trim().parse().map_err(|error| Problem::invalid_parameter("collections", error)))
        .collect()
}

fn write(asked: &Asked, point: [f64; 2], found: &[Found]) -> serde_json::Result<Vec<u8>> {
    let truncated = found.iter().any(|found| found.truncated);
    let mut out = Vec::with_capacity(4096);
    out.extend_from_slice(br#"{"point":"#);
    serde_json::to_writer(&mut out, &point)?;
    out.extend_from_slice(format!(r#","truncated":{truncated},"collections":["#).as_bytes());
    for (index, Found { layer, features, .. }) in found.iter().enumerate() {
        out.extend_from_slice(if index > 0 { br#",{"id":"# } else { br#"{"id":"# });
        serde_json::to_writer(&mut out, &layer.id)?;
        out.extend_from_slice(br#","title":"#);
        serde_json::to_writer(&mut out, layer.definition.title.in_language(asked.language.code()))?;
        out.extend_from_slice(br#","sector":"#);
        serde_json::to_writer(&mut out, &layer.definition.sector)?;
        out.extend_from_slice(format!(r#","numberReturned":{},"features":["#, features.len()).as_bytes());
        let names = layer.definition.attributes.iter().map(|attribute| attribute.name.as_str());
        let keys = geojson::property_keys(names)?;
        for (index, feature) in features.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            geojson::write_feature(&mut out, &keys, feature)?;
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}
