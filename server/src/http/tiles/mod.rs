//! OGC API Tiles: vector tiles of collections, and TileJSON.

mod describe;
mod matrix_set;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tiles::{TileCoord, TileError, TileSource, View};

use super::asked::{Asked, Format, JSON_AND_HTML, Offer};
use super::encoding::{Encoding, accepts, gzip};
use super::extract::Path;
use super::features::{CALLER, layer, of_database};
use super::problem::{Kind, Problem, Result};
use super::{AppState, document, pages};

/// The media type of a tile.
pub(super) const MVT: &str = "application/vnd.mapbox-vector-tile";
/// The one tile matrix set that there is.
const MATRIX_SET: &str = "WebMercatorQuad";

const TILE: &[Offer] = &[(Format::Mvt, &[MVT, "application/x-protobuf", "application/octet-stream"])];
const TILESET: &[Offer] = &[
    (Format::Json, &["application/json"]),
    (Format::Html, &["text/html"]),
    (Format::TileJson, &["application/tilejson+json"]),
];

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/tileMatrixSets", get(matrix_sets))
        .route("/tileMatrixSets/{set}", get(matrix_set))
        .route("/collections/{id}/tiles", get(tilesets))
        .route("/collections/{id}/tiles/{set}", get(tileset))
        .route("/collections/{id}/tiles/{set}/{zoom}/{row}/{column}", get(tile))
}

async fn matrix_sets(asked: Asked) -> Result<Response> {
    asked.finish()?;
    match asked.format(JSON_AND_HTML)? {
        Format::Html => Ok(document::html(&asked, pages::matrix_sets(&asked))),
        _ => document::json(&asked, document::JSON, &matrix_set::list(&asked)),
    }
}

async fn matrix_set(Path(set): Path<String>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    known_set(&set)?;
    match asked.format(JSON_AND_HTML)? {
        Format::Html => Ok(document::html(&asked, pages::matrix_set(&asked, &matrix_set::web_mercator_quad()))),
        _ => document::json(&asked, document::JSON, &matrix_set::web_mercator_quad()),
    }
}

async fn tilesets(State(state): State<AppState>, Path(id): Path<String>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    let format = asked.format(JSON_AND_HTML)?;
    let layer = layer(&state, &id).await?;
    match format {
        Format::Html => Ok(document::html(&asked, pages::tilesets(&asked, &layer))),
        _ => document::json(&asked, document::JSON, &describe::tilesets(&asked, &layer)),
    }
}

async fn tileset(
    State(state): State<AppState>,
    Path((id, set)): Path<(String, String)>,
    asked: Asked,
) -> Result<Response> {
    asked.finish()?;
    known_set(&set)?;
    let format = asked.format(TILESET)?;
    let layer = layer(&state, &id).await?;
    match format {
        Format::Html => {
            Ok(document::html(&asked, pages::tileset(&asked, &layer, &describe::ogc_template(&asked, &layer))))
        }
        Format::TileJson => document::json(&asked, document::JSON, &describe::tilejson(&asked, &layer)),
        _ => document::json(&asked, document::JSON, &describe::tileset(&asked, &layer)),
    }
}

async fn tile(
    State(state): State<AppState>,
    Path((id, set, zoom, row, column)): Path<(String, String, String, String, String)>,
    asked: Asked,
) -> Result<Response> {
    asked.finish()?;
    asked.format(TILE)?;
    known_set(&set)?;
    let tile = TileCoord::new(index("zoom", &zoom)?, index("row", &row)?, index("column", &column)?)
        .map_err(Problem::not_found)?;
    let layer = layer(&state, &id).await?;
    let bytes = state.tiles.tile(CALLER, &layer, tile, &View::whole(&layer)).await?;

    let mut headers = HeaderMap::new();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=30, must-revalidate"));
    let Some(bytes) = bytes else {
        return Ok((StatusCode::NO_CONTENT, headers).into_response());
    };
    let accepted = asked.joined(&ACCEPT_ENCODING).unwrap_or_default();
    let encoding = if accepts(&accepted, Encoding::Gzip) { Encoding::Gzip } else { Encoding::Identity };
    let tag = format!("\"{}{}\"", document::digest(&bytes), encoding.suffix());
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, value);
    }
    if asked.has(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MVT));
    if encoding == Encoding::Identity {
        return Ok((headers, Body::from(bytes)).into_response());
    }
    let compressed = tokio::task::spawn_blocking(move || gzip(&bytes))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))?;
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Ok((headers, Body::from(compressed)).into_response())
}

fn known_set(set: &str) -> Result<()> {
    if set == MATRIX_SET {
        Ok(())
    } else {
        Err(Problem::not_found(format!("there is no tile matrix set {set:?}; there is {MATRIX_SET}")))
    }
}

/// A number of the path: what is none is a bad request, what is outside of the
/// matrix is not found.
fn index(name: &str, text: &str) -> Result<u64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::invalid_parameter(name, format!("expected a whole number, not {text:?}")));
    }
    Ok(text.parse().unwrap_or(u64::MAX))
}

impl From<TileError> for Problem {
    fn from(error: TileError) -> Self {
        match error {
            TileError::UnknownLayer(id) => Self::not_found(format!("there is no collection {:?}", id.as_str())),
            TileError::Busy => Self::unavailable(error),
            TileError::TooSlow { .. } => {
                tracing::warn!(%error, "a tile took too long");
                Self::new(Kind::Timeout).with_detail(error)
            }
            TileError::Database(cause) => of_database(cause),
        }
    }
}
