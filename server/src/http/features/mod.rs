//! OGC API Features: collections and their items.

mod attachments;
mod body;
mod collection;
mod counts;
mod cursor;
pub(super) mod datetime;
mod edits;
mod feature;
mod filter;
pub(super) mod geojson;
mod items;
mod queryables;
mod request;
mod schema;
mod versions;

use crate::http::routes::{Routes, Rule};
use access::Permission;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use layers::features::{Feature, FeatureError, InvalidQuery};
use layers::{Layer, LayerId, catalog, crs};
use serde_json::value::RawValue;

use self::collection::{collection, collections};
pub(super) use self::counts::Counts;
pub(super) use self::filter::{PARAMETERS as FILTER_PARAMETERS, filter};
pub(super) use self::queryables::SCHEMA;
pub(super) use self::request::{DEFAULT_LIMIT, KNOWN_CRS, MOST, RESERVED};
pub(super) use self::versions::{DEFAULT_LIMIT as DEFAULT_VERSIONS, MOST as MOST_VERSIONS};
use super::AppState;
use super::asked::{Asked, Format, JSON_AND_HTML};
use super::document;
use super::extract::Path;
use super::pages;
use super::problem::{Kind, Problem, Result};

pub(super) fn routes() -> Routes {
    Routes::default()
        .get("/collections", Rule::Seen, list)
        .get("/collections/{id}", Rule::Seen, one)
        .get("/collections/{id}/queryables", Rule::Seen, queryables::get)
        .get("/collections/{id}/items", Rule::Seen, items::items)
        .get("/collections/{id}/items/{feature}", Rule::Seen, feature::feature)
        .get("/collections/{id}/schema", Rule::Seen, schema::get)
        .get("/collections/{id}/items/{feature}/history", Rule::Seen, versions::list)
        .get("/collections/{id}/items/{feature}/history/{version}", Rule::Seen, versions::one)
        .merge(edit_routes())
        .merge(attachment_routes())
}

fn attachment_routes() -> Routes {
    let rule = Rule::May(Permission::EditFeatures);
    Routes::default()
        .post("/collections/{id}/items/{feature}/attachments", rule, attachments::add)
        .with_bodies_up_to(attachments::MOST_BYTES)
        .get("/collections/{id}/items/{feature}/attachments", Rule::Seen, attachments::list)
        .get("/collections/{id}/items/{feature}/attachments/{attachment}", Rule::Seen, attachments::whole)
        .get("/collections/{id}/items/{feature}/attachments/{attachment}/preview", Rule::Seen, attachments::preview)
        .delete("/collections/{id}/items/{feature}/attachments/{attachment}", rule, attachments::remove)
}

fn edit_routes() -> Routes {
    let rule = Rule::May(Permission::EditFeatures);
    Routes::default()
        .post("/collections/{id}/items", rule, edits::create)
        .post("/collections/{id}/edits", rule, edits::batch)
        .put("/collections/{id}/items/{feature}", rule, edits::replace)
        .patch("/collections/{id}/items/{feature}", rule, edits::update)
        .delete("/collections/{id}/items/{feature}", rule, edits::delete)
        .post("/collections/{id}/items/{feature}/revert", rule, versions::revert)
        .with_bodies_up_to(MOST_BYTES)
}

/// The bytes of an edit, or a batch of them, at most.
const MOST_BYTES: usize = 10 * 1024 * 1024;

/// A feature as GeoJSON, without links.
fn document_of(layer: &Layer, feature: &Feature) -> serde_json::Result<Box<RawValue>> {
    let names = layer.definition.attributes.iter().map(|attribute| attribute.name.as_str());
    let mut out = Vec::with_capacity(4096);
    geojson::write_feature(&mut out, &geojson::property_keys(names)?, feature)?;
    out.push(b'}');
    serde_json::from_slice(&out)
}

/// Says that a document is GeoJSON, in CRS84.
fn geojson_headers(headers: &mut HeaderMap) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(document::GEOJSON));
    if let Ok(value) = HeaderValue::from_str(&format!("<{}>", crs::CRS84)) {
        headers.insert(HeaderName::from_static("content-crs"), value);
    }
}

async fn list(State(state): State<AppState>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    let format = asked.format(JSON_AND_HTML)?;
    let layers = catalog::list(&asked.caller, &state.database).await?;
    match format {
        Format::Html => Ok(document::html(&asked, pages::catalogue(&asked, &layers))),
        _ => document::json(&asked, document::JSON, &collections(&asked, &layers)),
    }
}

async fn one(State(state): State<AppState>, Path(id): Path<String>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    let format = asked.format(JSON_AND_HTML)?;
    let layer = layer(&state, &asked, &id).await?;
    match format {
        Format::Html => Ok(document::html(&asked, pages::layer(&asked, &layer))),
        _ => document::json(&asked, document::JSON, &collection(&asked, &layer)),
    }
}

/// The layer with that id, as far as who asks may know of it.
pub(super) async fn layer(state: &AppState, asked: &Asked, id: &str) -> Result<Layer> {
    Ok(catalog::get(&asked.caller, &state.database, &layer_id(id)?).await?)
}

/// A collection's id; there is none of another form.
pub(super) fn layer_id(id: &str) -> Result<LayerId> {
    id.parse().map_err(|_| Problem::not_found(format!("there is no collection {id:?}")))
}

impl From<catalog::CatalogError> for Problem {
    fn from(error: catalog::CatalogError) -> Self {
        match error {
            catalog::CatalogError::Unknown(id) => Self::not_found(format!("there is no collection {:?}", id.as_str())),
            catalog::CatalogError::Denied(denied) => denied.into(),
            catalog::CatalogError::Trail(full) => Self::unavailable(full),
            catalog::CatalogError::Database(cause) => of_database(cause),
            catalog::CatalogError::Invalid { field, reason } => Self::invalid_parameter(&field, reason),
            catalog::CatalogError::Definition(cause) => Self::bad_request(cause),
            catalog::CatalogError::Changed(_) => Self::new(Kind::LayerChanged).with_detail(error),
            catalog::CatalogError::Busy(_) => Self::unavailable(error),
            other => Self::internal(&other),
        }
    }
}

impl From<FeatureError> for Problem {
    fn from(error: FeatureError) -> Self {
        match error {
            FeatureError::UnknownLayer(id) => Self::not_found(format!("there is no collection {:?}", id.as_str())),
            FeatureError::UnknownFeature { layer, feature } => {
                Self::not_found(format!("the collection {:?} has no feature {feature:?}", layer.as_str()))
            }
            FeatureError::NoHistory(_) | FeatureError::UnknownVersion { .. } => Self::not_found(error),
            FeatureError::Trail(full) => Self::unavailable(full),
            FeatureError::Database(cause) => of_database(cause),
        }
    }
}

impl From<InvalidQuery> for Problem {
    fn from(error: InvalidQuery) -> Self {
        Self::invalid_parameter(&error.parameter, &error.reason)
    }
}

/// A statement that ran out of its time is a 504; a text that is none of a
/// column's type (an enumeration, a uuid) is the caller's; the rest is ours.
pub(super) fn of_database(cause: sqlx::Error) -> Problem {
    match cause.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("57014") => Problem::new(Kind::Timeout).with_detail("the question took the database too long; narrow it"),
        Some("22P02" | "22003" | "22007" | "22008" | "2201F") => {
            Problem::bad_request("a value is none that the attribute it is compared with can have")
        }
        _ => cause.into(),
    }
}
