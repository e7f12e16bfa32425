//! `/api`: the description of this API, OpenAPI 3.0.3.

mod administration;
mod attachments;
mod audit;
mod editing;
mod identity;
mod managing;
mod parameters;
mod paths;
mod schemas;

use crate::http::routes::{Routes, Rule};
use axum::extract::State;
use axum::response::Response;
use layers::{Layer, catalog};
use openapiv3::OpenAPI;
use serde_json::{Value, json};

use super::asked::{Asked, Format, Offer};
use super::problem::{Problem, Result};
use super::{AppState, document, pages};

/// The media type of an OpenAPI 3.0 document.
pub(super) const MEDIA_TYPE: &str = "application/vnd.oai.openapi+json;version=3.0";

const OFFERS: &[Offer] = &[
    (Format::Json, &[MEDIA_TYPE, "application/vnd.oai.openapi+json", "application/json"]),
    (Format::Html, &["text/html"]),
];

pub(super) fn routes() -> Routes {
    Routes::default().get("/api", Rule::Seen, api)
}

async fn api(State(state): State<AppState>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    let format = asked.format(OFFERS)?;
    let layers = catalog::list(&asked.caller, &state.database).await?;
    let api = describe(&asked, &layers).map_err(|error| Problem::internal(&error))?;
    match format {
        Format::Html => Ok(document::html(&asked, pages::api(&asked, &api))),
        _ => document::json(&asked, MEDIA_TYPE, &api),
    }
}

/// The whole document. It is composed as JSON and read as [`OpenAPI`], which
/// refuses what OpenAPI 3.0 does not have.
fn describe(asked: &Asked, layers: &[Layer]) -> serde_json::Result<OpenAPI> {
    let mut api = json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Lindero",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The municipality's territory: OGC API Features and Tiles, search, and what is here. \
                Errors are problem documents (RFC 9457) with a stable type.",
        },
        "servers": [{ "url": asked.base.join("") }],
        "tags": [
            { "name": "Capabilities", "description": "What this server offers" },
            { "name": "Features", "description": "OGC API Features: collections and their items" },
            { "name": "Editing", "description": "OGC API Features, part 4: adding, changing, deleting features" },
            { "name": "Attachments", "description": "Photos and documents of features" },
            { "name": "Tiles", "description": "OGC API Tiles: vector tiles" },
            { "name": "Session", "description": "Logging in and out" },
            { "name": "Administration", "description": "Accounts, roles, keys; layers, jobs, health" },
            { "name": "Questions", "description": "Search, and what is at a point" },
        ],
        "paths": paths::paths(layers),
        "components": {
            "parameters": parameters::components(layers),
            "responses": schemas::responses(),
            "schemas": all_schemas(),
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "A key that an administrator made." },
            },
        },
        // A key may be shown with every request, and with none it must.
        "security": [{}, { "key": [] }],
    });
    state_rules(&mut api["paths"]);
    serde_json::from_value(api)
}

fn all_schemas() -> Value {
    let more =
        [administration::schemas(), managing::schemas(), editing::schemas(), attachments::schemas(), audit::schemas()];
    more.into_iter().fold(schemas::schemas(), with)
}

/// The members of both, which have no name in common.
fn with(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        debug_assert!(other.keys().all(|name| !one.contains_key(name)), "a name is there twice");
        one.extend(other);
    }
    one
}

/// Says of each operation who may ask.
fn state_rules(paths: &mut Value) {
    let routes = super::routes();
    for (path, operations) in paths.as_object_mut().into_iter().flatten() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            let route =
                routes.iter().find(|route| route.method.as_str().eq_ignore_ascii_case(method) && route.is_of(path));
            if let Some(route) = route {
                operation["x-lindero-access"] = route.rule.text().into();
            }
        }
    }
}
