//! Editing features over HTTP (OGC API Features, part 4): one by its URL, many
//! in a batch.

use axum::extract::State;
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use layers::edit::{self, Conflict, Edit, EditError, Edited, Violation};
use layers::{Expected, Layer, features};
use serde_json::{Value, json};

use super::body::{Batch, BatchEdit, Feature, Patch};
use super::{document_of, layer_id};
use crate::http::asked::{Asked, Language};
use crate::http::extract::{Json, Path};
use crate::http::precondition::{self, quoted, reason};
use crate::http::problem::{Kind, Problem, Result};
use crate::http::{AppState, document};

pub(super) async fn create(
    State(state): State<AppState>,
    Path(id): Path<String>,
    asked: Asked,
    headers: HeaderMap,
    Json(feature): Json<Feature>,
) -> Result<Response> {
    let layer = editable(&state, &asked, &id).await?;
    let edit = Edit::Create { id: None, draft: feature.draft(None)? };
    let edited = one(&state, &asked, &layer, edit, &headers).await?;
    let mut response = answer(StatusCode::CREATED, &layer, &edited)?;
    let location = asked.base.join(&format!("/collections/{}/items/{}", layer.id, edited.id));
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

pub(super) async fn replace(
    State(state): State<AppState>,
    Path((id, feature)): Path<(String, String)>,
    asked: Asked,
    headers: HeaderMap,
    Json(body): Json<Feature>,
) -> Result<Response> {
    let layer = editable(&state, &asked, &id).await?;
    let id = there(&state, &asked, &layer, &feature).await?;
    let edit = Edit::Replace { id, expected: expected(&headers)?, draft: body.draft(Some(id))? };
    answer(StatusCode::OK, &layer, &one(&state, &asked, &layer, edit, &headers).await?)
}

pub(super) async fn update(
    State(state): State<AppState>,
    Path((id, feature)): Path<(String, String)>,
    asked: Asked,
    headers: HeaderMap,
    Json(body): Json<Patch>,
) -> Result<Response> {
    let layer = editable(&state, &asked, &id).await?;
    let id = there(&state, &asked, &layer, &feature).await?;
    let edit = Edit::Update { id, expected: expected(&headers)?, draft: body.draft() };
    answer(StatusCode::OK, &layer, &one(&state, &asked, &layer, edit, &headers).await?)
}

pub(super) async fn delete(
    State(state): State<AppState>,
    Path((id, feature)): Path<(String, String)>,
    asked: Asked,
    headers: HeaderMap,
) -> Result<StatusCode> {
    let layer = editable(&state, &asked, &id).await?;
    let id = there(&state, &asked, &layer, &feature).await?;
    one(&state, &asked, &layer, Edit::Delete { id, expected: expected(&headers)? }, &headers).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Many edits, all or none.
pub(super) async fn batch(
    State(state): State<AppState>,
    Path(id): Path<String>,
    asked: Asked,
    Json(batch): Json<Batch>,
) -> Result<Response> {
    asked.finish()?;
    let layer = editable(&state, &asked, &id).await?;
    let operations: Vec<&str> = batch.edits.iter().map(BatchEdit::operation).collect();
    let edits = batch.edits.into_iter().map(BatchEdit::edit).collect::<Result<Vec<_>>>()?;
    let edited = edit::apply(&asked.caller, &state.database, &layer.id, &edits, batch.reason.as_deref())
        .await
        .map_err(|error| problem(&asked, &layer, error))?;
    let told = operations.iter().zip(&edited).map(|(operation, edited)| {
        let tag = edited.feature.as_ref().map(|feature| quoted(&feature.tag(&layer)));
        json!({ "operation": operation, "id": edited.id, "etag": tag })
    });
    Ok(document::own(StatusCode::OK, &json!({ "edits": told.collect::<Vec<_>>() })))
}

/// The version of the feature that is meant.
pub(super) fn expected(headers: &HeaderMap) -> Result<Expected> {
    precondition::expected(headers, "feature")
}

/// The id in a path: only whole numbers are ids of what is edited here.
pub(super) fn feature_id(feature: &str) -> Result<i64> {
    feature.parse().map_err(|_| Problem::not_found(format!("there is no feature {feature:?}")))
}

/// The id of a feature that there is.
async fn there(state: &AppState, asked: &Asked, layer: &Layer, feature: &str) -> Result<i64> {
    let id = feature_id(feature)?;
    features::get(&asked.caller, &state.database, layer, feature, None).await?;
    Ok(id)
}

/// The layer, for whoever may edit it.
pub(super) async fn editable(state: &AppState, asked: &Asked, id: &str) -> Result<Layer> {
    edit::editable(&asked.caller, &state.database, &layer_id(id)?).await.map_err(|error| match error {
        EditError::Denied(denied) => denied.into(),
        EditError::Catalog(error) => error.into(),
        error => Problem::new(Kind::TableNotWritable).with_detail(error),
    })
}

async fn one(state: &AppState, asked: &Asked, layer: &Layer, edit: Edit, headers: &HeaderMap) -> Result<Edited> {
    asked.finish()?;
    let reason = reason(headers)?;
    let edited = edit::apply(&asked.caller, &state.database, &layer.id, &[edit], reason.as_deref()).await;
    let mut edited = edited.map_err(|error| problem(asked, layer, error))?;
    edited.pop().ok_or_else(|| Problem::new(Kind::Internal))
}

/// The feature as it has become.
pub(super) fn answer(status: StatusCode, layer: &Layer, edited: &Edited) -> Result<Response> {
    let Some(feature) = &edited.feature else { return Ok(status.into_response()) };
    let document = document_of(layer, feature).map_err(|error| Problem::internal(&error))?;
    let mut response = document::own(status, &document);
    let headers = response.headers_mut();
    super::geojson_headers(headers);
    if let Ok(tag) = HeaderValue::from_str(&quoted(&feature.tag(layer))) {
        headers.insert(ETAG, tag);
    }
    Ok(response)
}

/// Why nothing was edited, as it is told.
pub(super) fn problem(asked: &Asked, layer: &Layer, error: EditError) -> Problem {
    match error {
        EditError::Denied(denied) => denied.into(),
        EditError::Catalog(error) => error.into(),
        EditError::NotWritable(_) => Problem::new(Kind::TableNotWritable).with_detail(error),
        EditError::Count(_) => Problem::invalid_parameter("edits", error),
        EditError::Twice { edit, .. } => Problem::invalid_parameter(&format!("edits[{edit}].id"), error),
        EditError::Reason => Problem::invalid_parameter("reason", error),
        EditError::Changed(conflicts) => {
            let told = conflicts.iter().map(|conflict| told_conflict(layer, conflict)).collect::<Vec<_>>();
            Problem::new(Kind::FeatureChanged)
                .with_detail("look at what is there now, and send what shall be with its tag")
                .with_member("conflicts", Value::Array(told))
        }
        EditError::Broken(violations) => {
            let told = violations.iter().map(|violation| told_violation(asked.language, violation));
            let first = told.clone().next().map(|first| format!("{}: {}", first["pointer"], first["detail"]));
            Problem::new(Kind::InvalidFeature)
                .with_detail(first.unwrap_or_default().replace('"', ""))
                .with_member("violations", Value::Array(told.collect()))
        }
        EditError::Database(cause) => super::of_database(cause),
    }
}

fn told_conflict(layer: &Layer, conflict: &Conflict) -> Value {
    let tag = conflict.now.as_ref().map(|now| quoted(&now.tag(layer)));
    let now = conflict.now.as_ref().and_then(|now| document_of(layer, now).ok());
    json!({ "edit": conflict.edit, "id": conflict.id, "etag": tag, "feature": now })
}

fn told_violation(language: Language, violation: &Violation) -> Value {
    let mut told = json!({
        "edit": violation.edit,
        "pointer": violation.pointer,
        "rule": violation.rule.code(),
        "detail": violation.rule.text(language.code()),
    });
    if let Some(position) = violation.position {
        told["position"] = json!(position);
    }
    told
}
