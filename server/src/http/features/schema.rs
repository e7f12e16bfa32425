//! `/collections/{id}/schema`: what a feature is made of (OGC API Features,
//! part 5), as a JSON Schema. Forms are made from it.

use axum::extract::State;
use axum::response::Response;
use layers::Layer;
use serde_json::{Map, Value, json};

use super::queryables::{OFFERS, SCHEMA, attribute, geometry};
use crate::http::asked::{Asked, Format};
use crate::http::extract::Path;
use crate::http::problem::Result;
use crate::http::{AppState, document, pages};

pub(super) async fn get(State(state): State<AppState>, Path(id): Path<String>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    let format = asked.format(OFFERS)?;
    let layer = super::layer(&state, &asked, &id).await?;
    match format {
        Format::Html => Ok(document::html(&asked, pages::queryables(&asked, &layer))),
        _ => document::json(&asked, SCHEMA, &schema(&asked, &layer)),
    }
}

fn schema(asked: &Asked, layer: &Layer) -> Value {
    let language = asked.language.code();
    let mut properties = Map::new();
    for known in &layer.definition.attributes {
        // A document is anything that JSON has.
        let property = attribute(known, language).unwrap_or_else(|| json!({ "title": known.name }));
        properties.insert(known.name.clone(), property);
    }
    properties.insert("geometry".to_owned(), geometry(layer));
    let required = layer.definition.attributes.iter().filter(|attribute| attribute.required);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": asked.base.join(&format!("/collections/{}/schema", layer.id)),
        "type": "object",
        "title": layer.definition.title.in_language(language),
        "description": layer.definition.description.in_language(language),
        "properties": properties,
        "required": required.map(|attribute| &attribute.name).collect::<Vec<_>>(),
        "additionalProperties": false,
    })
}
