//! `/search`: features and places by what people type.

use super::routes::{Routes, Rule};
use axum::extract::State;
use axum::response::Response;
use layers::search::{Found, MOST, Search, find};
use serde_json::{Value, json};

use super::asked::{Asked, Format};
use super::document::JSON;
use super::problem::{Problem, Result};
use super::{AppState, document};

/// Results where nothing is said.
const DEFAULT_LIMIT: usize = 10;

pub(super) fn routes() -> Routes {
    Routes::default().get("/search", Rule::Seen, search)
}

async fn search(State(state): State<AppState>, mut asked: Asked) -> Result<Response> {
    asked.format(&[(Format::Json, &[JSON])])?;
    let text = asked.text("q")?.ok_or_else(|| Problem::invalid_parameter("q", "say what to search for: ?q=..."))?;
    let limit = asked.parsed("limit", format!("a number between 1 and {MOST}"))?.unwrap_or(DEFAULT_LIMIT);
    asked.finish()?;
    let search = Search::new(&text, limit)?;
    let found = find(&asked.caller, &state.database, &search).await?;
    let results: Vec<Value> = found.iter().map(|found| result(found, &asked)).collect();
    document::json(&asked, JSON, &json!({ "query": text, "results": results }))
}

fn result(found: &Found, asked: &Asked) -> Value {
    match found {
        Found::Feature { layer, layer_title, id, title, subtitle, bbox } => json!({
            "kind": "feature",
            "collection": layer,
            "collectionTitle": layer_title.in_language(asked.language.code()),
            "id": id.to_string(),
            "title": title,
            "subtitle": subtitle,
            "bbox": bbox.map(layers::Extent::to_array),
        }),
        Found::Coordinate(place) => json!({
            "kind": "coordinate",
            "title": format!("{:.5}, {:.5}", place.latitude, place.longitude),
            "subtitle": place.read_as,
            "bbox": [place.longitude, place.latitude, place.longitude, place.latitude],
        }),
    }
}
