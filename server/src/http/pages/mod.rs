//! The pages of the API, for people: they carry their content without
//! JavaScript, in Spanish and English.

mod catalogue;
mod dataset;
mod feature;
mod items;
mod landing;
mod layer;
mod layout;
mod queryables;
mod tiles;
mod values;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

pub(super) use self::catalogue::catalogue;
pub(super) use self::dataset::{dataset_tileset, dataset_tilesets};
pub(super) use self::feature::feature;
pub(super) use self::items::{List, items};
pub(super) use self::landing::{api, conformance, landing};
pub(super) use self::layer::layer;
pub(super) use self::queryables::queryables;
pub(super) use self::tiles::{matrix_set, matrix_sets, tileset, tilesets};
use super::AppState;

/// The pages' style sheet.
const STYLE: &str = include_str!("style.css");
/// Where it is, below the base.
const STYLE_PATH: &str = "/pages/style.css";

pub(super) fn routes() -> Router<AppState> {
    Router::new().route(STYLE_PATH, get(style))
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")], STYLE)
}
