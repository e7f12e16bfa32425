//! Tiles of several collections at once: the whole dataset, or some of it
//! (OGC API Tiles, dataset tilesets and collections selection).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use access::{Caller, Credential};
use axum::extract::State;
use axum::response::Response;
use layers::{Layer, LayerId, catalog};
use moka::future::Cache;
use tiles::TileError;

use super::describe_dataset::{self, Tiled};
use super::tile::{coordinate, known_set, offered, respond};
use super::tileset_format;
use crate::http::asked::{Asked, Format, JSON_AND_HTML};
use crate::http::extract::Path;
use crate::http::problem::{Problem, Result};
use crate::http::{AppState, document, pages};

/// Collections in one tile at most. The dataset's tiles have the first so
/// many, in the catalogue's order.
pub(in crate::http) const MOST: usize = 64;

/// How long the ids of all collections are remembered: who opens a map asks
/// for many tiles at once.
const REMEMBERED: Duration = Duration::from_secs(1);

/// Of so many, who ask at once.
const MOST_ASKING: u64 = 10_000;

/// The ids of all collections that somebody sees, remembered for a moment.
#[derive(Debug, Clone)]
pub(in crate::http) struct Dataset(Cache<Option<Credential>, Arc<[LayerId]>>);

impl Default for Dataset {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST_ASKING).time_to_live(REMEMBERED).build())
    }
}

impl Dataset {
    async fn ids(&self, state: &AppState, caller: &Caller) -> Result<Arc<[LayerId]>> {
        let read = async {
            let layers = catalog::list(caller, &state.database).await?;
            Ok::<_, catalog::CatalogError>(layers.into_iter().map(|layer| layer.id).take(MOST).collect())
        };
        // Who asks meanwhile waits for the same answer, also where it failed.
        let ids = self.0.try_get_with(credential(caller), read).await;
        ids.map_err(|error| match Arc::into_inner(error) {
            Some(error) => error.into(),
            None => Problem::unavailable("the catalogue could not be read; try again in a few seconds"),
        })
    }

    async fn forget(&self, caller: &Caller) {
        self.0.invalidate(&credential(caller)).await;
    }
}

fn credential(caller: &Caller) -> Option<Credential> {
    caller.login().map(|login| login.by)
}

/// `/tiles`.
pub(super) async fn tilesets(asked: Asked) -> Result<Response> {
    asked.finish()?;
    match asked.format(JSON_AND_HTML)? {
        Format::Html => Ok(document::html(&asked, pages::dataset_tilesets(&asked))),
        _ => document::json(&asked, document::JSON, &describe_dataset::tilesets(&asked)),
    }
}

/// `/tiles/{set}`.
pub(super) async fn tileset(
    State(state): State<AppState>,
    Path(set): Path<String>,
    mut asked: Asked,
) -> Result<Response> {
    let set = known_set(&set)?;
    let chosen = chosen(&mut asked)?;
    asked.finish()?;
    let format = tileset_format(&asked, set)?;
    let mut layers = catalog::list(&asked.caller, &state.database).await?;
    let layers = match &chosen {
        None => {
            layers.truncate(MOST);
            layers
        }
        Some(ids) => ids.iter().map(|id| taken(&mut layers, id)).collect::<Result<_>>()?,
    };
    let tiled = Tiled { set, layers: &layers, chosen: chosen.as_deref() };
    match format {
        Format::Html => {
            Ok(document::html(&asked, pages::dataset_tileset(&asked, set, &layers, &tiled.template(&asked))))
        }
        Format::TileJson => document::json(&asked, document::JSON, &tiled.tilejson(&asked)),
        _ => document::json(&asked, document::JSON, &tiled.tileset(&asked)),
    }
}

/// `/tiles/{set}/{zoom}/{row}/{column}`.
pub(super) async fn tile(
    State(state): State<AppState>,
    Path((set, zoom, row, column)): Path<(String, String, String, String)>,
    mut asked: Asked,
) -> Result<Response> {
    let tile = coordinate(&set, &zoom, &row, &column)?;
    let chosen = chosen(&mut asked)?;
    asked.finish()?;
    let encoding = offered(&asked)?;
    let cut = async |ids: &[LayerId]| state.tiles.encoded(&asked.caller, ids, tile, encoding).await;
    if let Some(ids) = chosen {
        let found = cut(&ids).await.map_err(|error| match error {
            TileError::UnknownLayer(id) => unknown(&id),
            other => other.into(),
        })?;
        return Ok(respond(&asked, found));
    }
    let found = match cut(&*state.dataset.ids(&state, &asked.caller).await?).await {
        // It was withdrawn within the last second.
        Err(TileError::UnknownLayer(_)) => {
            state.dataset.forget(&asked.caller).await;
            cut(&*state.dataset.ids(&state, &asked.caller).await?).await?
        }
        found => found?,
    };
    Ok(respond(&asked, found))
}

/// The parameter `collections`: ids with commas between, each counts once.
fn chosen(asked: &mut Asked) -> Result<Option<Vec<LayerId>>> {
    let Some(list) = asked.text("collections")? else { return Ok(None) };
    if list.split(',').count() > MOST {
        return Err(Problem::invalid_parameter("collections", format!("a tile holds {MOST} collections at most")));
    }
    let mut known = BTreeSet::new();
    let mut ids: Vec<LayerId> = Vec::new();
    for id in list.split(',') {
        let id: LayerId = id.parse().map_err(|error| Problem::invalid_parameter("collections", error))?;
        if known.insert(id.clone()) {
            ids.push(id);
        }
    }
    Ok(Some(ids))
}

fn taken(layers: &mut Vec<Layer>, id: &LayerId) -> Result<Layer> {
    let index = layers.iter().position(|layer| layer.id == *id).ok_or_else(|| unknown(id))?;
    Ok(layers.swap_remove(index))
}

/// What a parameter names and there is not is the parameter's fault.
fn unknown(id: &LayerId) -> Problem {
    Problem::invalid_parameter("collections", format!("there is no collection {:?}", id.as_str()))
}
