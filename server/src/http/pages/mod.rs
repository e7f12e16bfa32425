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
mod refused;
mod tiles;
mod values;

use crate::http::routes::{Routes, Rule};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;

pub(super) use self::catalogue::catalogue;
pub(super) use self::dataset::{dataset_tileset, dataset_tilesets};
pub(super) use self::feature::feature;
pub(super) use self::items::{List, items};
pub(super) use self::landing::{api, conformance, landing};
pub(super) use self::layer::layer;
pub(super) use self::queryables::queryables;
pub(super) use self::refused::{Refusal, refused};
pub(super) use self::tiles::{matrix_set, matrix_sets, tileset, tilesets};

/// The pages' style sheet.
const STYLE: &str = include_str!("style.css");
/// Where it is, below the base.
const STYLE_PATH: &str = "/pages/style.css";

pub(super) fn routes() -> Routes {
    Routes::default().get(STYLE_PATH, Rule::Everybody, style)
}

async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")], STYLE)
}
