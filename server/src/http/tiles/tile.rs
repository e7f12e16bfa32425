//! One tile, as it is asked for.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use layers::filter::Filter;
use layers::{Layer, LayerId};
use tiles::engine::EncodedTile;
use tiles::{Encoding, MatrixSet, TileCoord, TileError};

use super::MVT;
use crate::http::AppState;
use crate::http::asked::{Asked, Format, Offer};
use crate::http::document::freshness;
use crate::http::encoding::accepts;
use crate::http::features::of_database;
use crate::http::problem::{Kind, Problem, Result};

const TILE: &[Offer] = &[(Format::Mvt, &[MVT, "application/x-protobuf", "application/octet-stream"])];

/// Says that a tile does not hold all that is there as it is.
pub(in crate::http) const GENERALISED: HeaderName = HeaderName::from_static("lindero-generalised");

/// The tile of the layers, encoded as the client likes.
pub(super) async fn answer(state: &AppState, asked: &Asked, layers: &[LayerId], tile: TileCoord) -> Result<Response> {
    let encoding = offered(asked)?;
    Ok(respond(asked, state.tiles.encoded(&asked.caller, layers, tile, encoding).await?))
}

/// The tile of those of the layer's features for which the filter is true.
pub(super) async fn filtered(
    state: &AppState,
    asked: &Asked,
    layer: &Layer,
    filter: Option<&Filter>,
    moment: Option<DateTime<Utc>>,
    tile: TileCoord,
) -> Result<Response> {
    let encoding = offered(asked)?;
    Ok(respond(asked, state.tiles.filtered(&asked.caller, layer, filter, moment, tile, encoding).await?))
}

/// How the client takes a tile, if it does.
pub(super) fn offered(asked: &Asked) -> Result<Encoding> {
    asked.format(TILE)?;
    Ok(encoding(&asked.joined(&ACCEPT_ENCODING).unwrap_or_default()))
}

/// The answer with what was found, or nothing.
pub(super) fn respond(asked: &Asked, found: Option<Arc<EncodedTile>>) -> Response {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(VARY, HeaderValue::from_static("accept-encoding, cookie, authorization"));
    headers.insert(CACHE_CONTROL, freshness(asked));
    let Some(found) = found else {
        return (StatusCode::NO_CONTENT, headers).into_response();
    };
    let tag = format!("\"{}\"", found.tag);
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, value);
    }
    if found.is_generalised {
        headers.insert(GENERALISED, HeaderValue::from_static("true"));
    }
    if asked.has(&tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MVT));
    if let Some(name) = found.encoding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    (headers, Body::from(found.bytes.clone())).into_response()
}

/// The encoding that is cheapest to make, of those that the client takes.
fn encoding(accepted: &str) -> Encoding {
    let taken = |encoding: &Encoding| encoding.name().is_some_and(|name| accepts(accepted, name));
    [Encoding::Zstd, Encoding::Gzip, Encoding::Brotli].into_iter().find(taken).unwrap_or(Encoding::Identity)
}

/// The place of a tile from its path.
pub(super) fn coordinate(set: &str, zoom: &str, row: &str, column: &str) -> Result<TileCoord> {
    let set = known_set(set)?;
    let [Some(z), Some(y), Some(x)] = [index("zoom", zoom)?, index("row", row)?, index("column", column)?] else {
        return Err(Problem::not_found(format!("there is no tile {zoom}/{row}/{column}")));
    };
    TileCoord::of(set, z, y, x).map_err(Problem::not_found)
}

pub(super) fn known_set(id: &str) -> Result<MatrixSet> {
    MatrixSet::by_id(id).ok_or_else(|| {
        let ids = MatrixSet::ALL.map(MatrixSet::id).join(", ");
        Problem::not_found(format!("there is no tile matrix set {id:?}; there are {ids}"))
    })
}

/// A number of the path: what is none is a bad request; none of one that is in
/// no matrix.
fn index(name: &str, text: &str) -> Result<Option<u64>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::invalid_parameter(name, format!("expected a whole number, not {text:?}")));
    }
    Ok(text.parse().ok())
}

impl From<TileError> for Problem {
    fn from(error: TileError) -> Self {
        match error {
            TileError::UnknownLayer(id) => Self::not_found(format!("there is no collection {:?}", id.as_str())),
            TileError::Busy | TileError::Trail(_) => Self::unavailable(error),
            TileError::TooSlow { .. } => {
                tracing::warn!(%error, "a tile took too long");
                Self::new(Kind::Timeout).with_detail(error)
            }
            TileError::Catalog(cause) => cause.into(),
            TileError::Database(cause) => of_database(cause),
            TileError::Encoding(_) | TileError::Crs(_) | TileError::TooLarge { .. } => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_encoding_that_is_taken_is_chosen() {
        assert_eq!(encoding("gzip, deflate, br, zstd"), Encoding::Zstd);
        assert_eq!(encoding("gzip, deflate, br"), Encoding::Gzip);
        assert_eq!(encoding("br, gzip;q=0"), Encoding::Brotli);
        assert_eq!(encoding("identity"), Encoding::Identity);
    }
}
