//! Tiles cut by PostGIS with `ST_AsMVT`.

mod statement;

use std::time::Duration;

use access::{Caller, Database};
use async_trait::async_trait;
use bytes::Bytes;
use layers::{Extent, Layer, crs};
use sqlx::Connection;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::{LABELS, Tile, TileCoord, TileError, TileSource, View};

/// How long a request waits for its turn to cut.
const PATIENCE: Duration = Duration::from_secs(10);

/// Cuts tiles in the database, a bounded number at once.
#[derive(Debug)]
pub struct PostgisTiles {
    database: Database,
    turns: Semaphore,
}

impl PostgisTiles {
    /// Cuts up to `at_once` tiles at a time, each on a connection of the pool
    /// that answers requests: leave some of those for other routes.
    pub fn new(database: Database, at_once: usize) -> Self {
        Self { database, turns: Semaphore::new(at_once.max(1)) }
    }
}

#[async_trait]
impl TileSource for PostgisTiles {
    async fn tile(
        &self,
        caller: Caller,
        layer: &Layer,
        tile: TileCoord,
        view: &View,
    ) -> Result<Option<Tile>, TileError> {
        self.labelled(caller, layer, tile, view, LABELS).await
    }
}

impl PostgisTiles {
    /// The tile, its layer of labels under that name.
    pub(crate) async fn labelled(
        &self,
        caller: Caller,
        layer: &Layer,
        tile: TileCoord,
        view: &View,
        labels: &str,
    ) -> Result<Option<Tile>, TileError> {
        if !caller.may_read(layer.visibility(), layer.subject()) {
            return Err(TileError::UnknownLayer(layer.id.clone()));
        }
        if tile.scale_zoom() < layer.definition.min_zoom {
            return Ok(None);
        }
        let Some(area) = within(tile.extent(statement::margin(layer))?, crs::domain(layer.storage_srid)) else {
            return Ok(None);
        };
        let Ok(Ok(_turn)) = timeout(PATIENCE, self.turns.acquire()).await else {
            return Err(TileError::Busy);
        };
        let mut connection = self.database.app().acquire().await?;
        let mut transaction = connection.begin_with(statement::BEGIN).await?;
        let mut statement = statement::tile(layer, tile, area, view, labels);
        let bytes: Option<Vec<u8>> = statement
            .build_query_scalar()
            .fetch_one(&mut *transaction)
            .await
            .map_err(|error| refusal(error, layer, tile))?;
        transaction.commit().await?;
        let bytes = bytes.filter(|bytes| !bytes.is_empty());
        let is_generalised = tile.scale_zoom() < statement::DETAILED_FROM;
        Ok(bytes.map(|bytes| Tile { bytes: Bytes::from(bytes), is_generalised }))
    }
}

fn within(extent: Extent, domain: Extent) -> Option<Extent> {
    let common = Extent {
        west: extent.west.max(domain.west),
        south: extent.south.max(domain.south),
        east: extent.east.min(domain.east),
        north: extent.north.min(domain.north),
    };
    (common.west < common.east && common.south < common.north).then_some(common)
}

/// 57014, `query_canceled`: the statement's time ran out.
fn refusal(error: sqlx::Error, layer: &Layer, tile: TileCoord) -> TileError {
    let too_slow =
        error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "57014");
    if too_slow { TileError::TooSlow { layer: layer.id.clone(), tile } } else { error.into() }
}
