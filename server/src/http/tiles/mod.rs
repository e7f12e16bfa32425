//! OGC API Tiles: vector tiles of collections and of all of them together, and
//! TileJSON.

pub(super) mod dataset;
mod describe;
mod describe_dataset;
mod matrix_set;
mod tile;

use crate::http::routes::{Routes, Rule};
use axum::extract::State;
use axum::response::Response;
use tiles::MatrixSet;

pub(super) use self::tile::GENERALISED;
use self::tile::known_set;
use super::asked::{Asked, Format, JSON_AND_HTML, Offer};
use super::extract::Path;
use super::features::{FILTER_PARAMETERS, datetime, filter, layer, layer_id};
use super::problem::{Kind, Problem, Result};
use super::{AppState, document, pages};

/// The media type of a tile.
pub(super) const MVT: &str = "application/vnd.mapbox-vector-tile";
const TILESET: &[Offer] = &[
    (Format::Json, &["application/json"]),
    (Format::Html, &["text/html"]),
    (Format::TileJson, &["application/tilejson+json"]),
];

pub(super) fn routes() -> Routes {
    Routes::default()
        .get("/tileMatrixSets", Rule::Everybody, matrix_sets)
        .get("/tileMatrixSets/{set}", Rule::Everybody, matrix_set)
        .get("/tiles", Rule::Everybody, dataset::tilesets)
        .get("/tiles/{set}", Rule::Seen, dataset::tileset)
        .get("/tiles/{set}/{zoom}/{row}/{column}", Rule::Seen, dataset::tile)
        .get("/collections/{id}/tiles", Rule::Seen, tilesets)
        .get("/collections/{id}/tiles/{set}", Rule::Seen, tileset)
        .get("/collections/{id}/tiles/{set}/{zoom}/{row}/{column}", Rule::Seen, tile)
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
    let set = known_set(&set)?;
    let format = asked.format(JSON_AND_HTML)?;
    let definition = matrix_set::definition(set, asked.language);
    match format {
        Format::Html => Ok(document::html(&asked, pages::matrix_set(&asked, &definition))),
        _ => document::json(&asked, document::JSON, &definition),
    }
}

async fn tilesets(State(state): State<AppState>, Path(id): Path<String>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    let format = asked.format(JSON_AND_HTML)?;
    let layer = layer(&state, &asked, &id).await?;
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
    let set = known_set(&set)?;
    let format = tileset_format(&asked, set)?;
    let layer = layer(&state, &asked, &id).await?;
    match format {
        Format::Html => Ok(document::html(
            &asked,
            pages::tileset(&asked, &layer, set, &describe::ogc_template(&asked, &layer, set)),
        )),
        Format::TileJson => document::json(&asked, document::JSON, &describe::tilejson(&asked, &layer)),
        _ => document::json(&asked, document::JSON, &describe::tileset(&asked, &layer, set)),
    }
}

/// `TileJSON` knows no tiles but those of Web Mercator.
fn tileset_format(asked: &Asked, set: MatrixSet) -> Result<Format> {
    if set == MatrixSet::WebMercatorQuad {
        return asked.format(TILESET);
    }
    asked.format(JSON_AND_HTML).map_err(|problem| match asked.format(TILESET) {
        Ok(Format::TileJson) => {
            let detail = format!(
                "TileJSON describes tiles of WebMercatorQuad only; those of {} are described in JSON (f=json)",
                set.id()
            );
            // The format is one, only not of this: no fault of the parameter.
            let is_asked_by_name = problem.kind() == Kind::InvalidParameter;
            if is_asked_by_name { Problem::not_found(detail) } else { problem.with_detail(detail) }
        }
        _ => problem,
    })
}

async fn tile(
    State(state): State<AppState>,
    Path((id, set, zoom, row, column)): Path<(String, String, String, String, String)>,
    mut asked: Asked,
) -> Result<Response> {
    let tile = tile::coordinate(&set, &zoom, &row, &column)?;
    if !FILTER_PARAMETERS.iter().chain(&["datetime"]).any(|name| asked.gives(name)) {
        asked.finish()?;
        return tile::answer(&state, &asked, &[layer_id(&id)?], tile).await;
    }
    let layer = layer(&state, &asked, &id).await?;
    let filter = filter(&mut asked, &layer)?;
    let moment = datetime::asked(&mut asked)?;
    let moment = moment.filter(|_| layer.history_since.is_some());
    asked.finish()?;
    if filter.is_none() && moment.is_none() {
        return tile::answer(&state, &asked, &[layer.id], tile).await;
    }
    tile::filtered(&state, &asked, &layer, filter.as_ref(), moment, tile).await
}
