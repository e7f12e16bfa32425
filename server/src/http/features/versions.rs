//! `/collections/{id}/items/{feature}/history`: what a feature was, and how it
//! is made that again.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header::IF_MATCH};
use axum::response::Response;
use chrono::SecondsFormat;
use layers::Layer;
use layers::features::{self, FeatureError};
use layers::history::{self, RevertError, Version};
use serde_json::{Value, json};

use super::body::Revert;
use super::edits::{answer, editable, expected, feature_id, problem};
use super::{document_of, layer};
use crate::http::asked::Asked;
use crate::http::document::JSON;
use crate::http::extract::{Json, Path};
use crate::http::links::{self, Link};
use crate::http::problem::{Problem, Result};
use crate::http::{AppState, document};

/// Versions an answer, where nothing is said, and at most.
pub(in crate::http) const DEFAULT_LIMIT: u32 = 20;
pub(in crate::http) const MOST: u32 = 100;

pub(super) async fn list(
    State(state): State<AppState>,
    Path((id, feature)): Path<(String, String)>,
    mut asked: Asked,
) -> Result<Response> {
    let limit = asked.parsed::<u32>("limit", format!("a whole number, 1 to {MOST}"))?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid_parameter("limit", format!("expected a whole number, 1 to {MOST}")));
    }
    let before = asked.parsed::<i32>("before", "a version's number")?;
    asked.finish()?;
    let layer = layer(&state, &asked, &id).await?;
    let feature = feature_id(&feature)?;
    let found = history::versions(&asked.caller, &state.database, &layer, feature, before, limit as usize).await?;
    let mut links = links::own(&asked, JSON);
    if let Some(last) = found.versions.last().filter(|last| last.version > 1) {
        let next = asked.url_with(&[("before", Some(&last.version.to_string()))]);
        links.push(Link::new("next", JSON, next));
    }
    let versions = found.versions.iter().map(|version| told(&layer, version)).collect::<serde_json::Result<Vec<_>>>();
    let document = json!({
        "collection": layer.id,
        "id": feature,
        "numberMatched": found.matched,
        "versions": versions.map_err(|error| Problem::internal(&error))?,
        "links": links,
    });
    document::json(&asked, JSON, &document)
}

pub(super) async fn one(
    State(state): State<AppState>,
    Path((id, feature, version)): Path<(String, String, i32)>,
    asked: Asked,
) -> Result<Response> {
    asked.finish()?;
    let layer = layer(&state, &asked, &id).await?;
    let feature = feature_id(&feature)?;
    let version = history::version_of(&asked.caller, &state.database, &layer, feature, version).await?;
    let mut document = told(&layer, &version).map_err(|error| Problem::internal(&error))?;
    document["collection"] = json!(layer.id);
    document["id"] = json!(feature);
    document::json(&asked, JSON, &document)
}

/// Makes a feature what it was. Which version is there now is said with
/// `If-Match`, where any is.
pub(super) async fn revert(
    State(state): State<AppState>,
    Path((id, feature)): Path<(String, String)>,
    asked: Asked,
    headers: HeaderMap,
    Json(body): Json<Revert>,
) -> Result<Response> {
    asked.finish()?;
    let layer = editable(&state, &asked, &id).await?;
    let feature = feature_id(&feature)?;
    let is_there = match features::get(&asked.caller, &state.database, &layer, &feature.to_string(), None).await {
        Ok(_) => true,
        Err(FeatureError::UnknownFeature { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    let now = if is_there || headers.contains_key(IF_MATCH) { Some(expected(&headers)?) } else { None };
    let status = if now.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let reason = body.reason.as_deref();
    match history::revert(&asked.caller, &state.database, &layer.id, feature, body.version, now, reason).await {
        Ok(edited) => answer(status, &layer, &edited),
        Err(RevertError::Edit(error)) => Err(problem(&asked, &layer, error)),
        Err(RevertError::Feature(error)) => Err(error.into()),
        Err(RevertError::Catalog(error)) => Err(error.into()),
        Err(error @ RevertError::Gone(_)) => Err(Problem::invalid_parameter("version", error)),
    }
}

/// A version as it is told. Who made it is null where the caller may not know.
fn told(layer: &Layer, version: &Version) -> serde_json::Result<Value> {
    let instant = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
    let author = version.author.as_ref();
    let feature = version.feature.as_ref().map(|feature| document_of(layer, feature)).transpose()?;
    Ok(json!({
        "version": version.version,
        "operation": version.operation,
        "since": version.since.map(instant),
        "until": version.until.map(instant),
        "by": author.map(|author| &author.name),
        "source": author.map(|author| &author.source),
        "application": author.and_then(|author| author.application.as_ref()),
        "address": author.and_then(|author| author.address),
        "reason": author.and_then(|author| author.reason.as_ref()),
        "changes": version.changes,
        "feature": feature,
    }))
}
