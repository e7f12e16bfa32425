//! `/collections/{id}/queryables`: what a filter may name (OGC API Features,
//! part 3), as a JSON Schema.

use axum::extract::State;
use axum::response::Response;
use layers::filter::{QueryableKind, queryables};
use layers::{Attribute, AttributeType, Domain, GeometryType, Layer};
use serde_json::{Map, Value, json};

use crate::http::asked::{Asked, Format, Offer};
use crate::http::extract::Path;
use crate::http::problem::Result;
use crate::http::{AppState, document, pages};

/// The media type of a JSON Schema.
pub(in crate::http) const SCHEMA: &str = "application/schema+json";

pub(super) const OFFERS: &[Offer] = &[(Format::Json, &[SCHEMA, "application/json"]), (Format::Html, &["text/html"])];

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
    let properties: Map<String, Value> = queryables(&asked.caller, layer)
        .filter_map(|queryable| {
            let property = match queryable.kind {
                QueryableKind::Geometry => geometry(layer),
                QueryableKind::Attribute(attribute) => self::attribute(attribute, language)?,
            };
            Some((queryable.name.to_owned(), property))
        })
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": asked.base.join(&format!("/collections/{}/queryables", layer.id)),
        "type": "object",
        "title": layer.definition.title.in_language(language),
        "description": layer.definition.description.in_language(language),
        "properties": properties,
        "additionalProperties": false,
    })
}

pub(super) fn geometry(layer: &Layer) -> Value {
    let format = match layer.geometry_type {
        GeometryType::Geometry => "geometry-any".to_owned(),
        known => format!("geometry-{}", known.code().to_lowercase()),
    };
    json!({ "format": format, "x-ogc-role": "primary-geometry" })
}

/// None of a document, which nothing can be compared with.
pub(super) fn attribute(attribute: &Attribute, language: &str) -> Option<Value> {
    let (kind, format) = match attribute.kind {
        AttributeType::Text => ("string", None),
        AttributeType::Integer => ("integer", None),
        AttributeType::Number => ("number", None),
        AttributeType::Boolean => ("boolean", None),
        AttributeType::Date => ("string", Some("date")),
        AttributeType::DateTime => ("string", Some("date-time")),
        AttributeType::Json => return None,
    };
    let title = attribute.title.in_language(language);
    let mut property = json!({
        "title": if title.is_empty() { &attribute.name } else { title },
        "type": kind,
    });
    if let Some(format) = format {
        property["format"] = json!(format);
    }
    if let Some(unit) = &attribute.unit {
        property["x-ogc-unit"] = json!(unit);
    }
    match &attribute.domain {
        Some(Domain::Values(values)) => {
            let value = |text: &str| match attribute.kind {
                AttributeType::Text => json!(text),
                _ => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
            };
            property["enum"] = values.iter().map(|known| value(&known.value)).collect();
        }
        Some(Domain::Range { min, max }) => {
            property["minimum"] = json!(min);
            property["maximum"] = json!(max);
        }
        Some(Domain::Pattern(pattern)) => property["pattern"] = json!(format!("^(?:{pattern})$")),
        None => {}
    }
    Some(property)
}
