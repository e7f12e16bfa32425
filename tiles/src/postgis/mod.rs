//! Tiles cut by PostGIS with `ST_AsMVT`.

mod sieve;
mod statement;

use std::time::{Duration, Instant};

use access::{Caller, Database};
use async_trait::async_trait;
use bytes::Bytes;
use layers::{Extent, Layer, crs};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Connection, Postgres};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::sieve::{Load, Sieve};
pub(crate) use self::statement::Drawn;
use crate::encode::compress::gzip_len;
use crate::{LABELS, MOST_BYTES, Tile, TileCoord, TileError, TileSource, View};

/// How long a request waits for its turn to cut.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How long the database may take for a tile, however often it is asked.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

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
    async fn tile(&self, caller: &Caller, layer: &Layer, tile: TileCoord) -> Result<Option<Tile>, TileError> {
        let drawn = Drawn { layer, filter: None, moment: None, view: &View::of(caller, layer)?, labels: LABELS };
        self.cut(drawn, tile, Limit::new(MOST_BYTES)).await
    }
}

/// What a tile may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// Bytes, with gzip.
    pub(crate) bytes: usize,
    /// When the database must have answered.
    pub(crate) deadline: Instant,
}

impl Limit {
    /// So many bytes, and [`LONGEST`] from now on.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { bytes, deadline: Instant::now() + LONGEST }
    }
}

impl PostgisTiles {
    /// The tile, as finely drawn as it can be within the limit.
    pub(crate) async fn cut(&self, drawn: Drawn<'_>, tile: TileCoord, limit: Limit) -> Result<Option<Tile>, TileError> {
        let layer = drawn.layer;
        if tile.scale_zoom() < layer.definition.min_zoom {
            return Ok(None);
        }
        let whole = tile.extent(statement::margin(layer))?;
        let Some(area) = within(whole, crs::domain(layer.storage_srid)) else {
            return Ok(None);
        };
        let Ok(Ok(_turn)) = timeout(PATIENCE, self.turns.acquire()).await else {
            return Err(TileError::Busy);
        };
        let mut connection = self.database.app().acquire().await?;
        let mut drawn = drawn;
        let entered = drawn.view.at(layer, tile.scale_zoom());
        drawn.view = &entered;
        let bare = View::bare();
        let mut sieve = Sieve::Detailed;
        loop {
            let left = limit.deadline.saturating_duration_since(Instant::now());
            let (load, bytes) = ask(&mut connection, drawn, tile, [whole, area], sieve, left)
                .await
                .map_err(|error| refusal(error, layer, tile))?;
            let mut excess = load.excess(drawn.view);
            if excess <= 1.0 {
                let (bytes, weight) = weigh(bytes, limit.bytes).await?;
                if weight <= limit.bytes {
                    let is_generalised = !sieve.is_detailed();
                    return Ok((!bytes.is_empty()).then_some(Tile { bytes, is_generalised }));
                }
                excess = weight as f64 / limit.bytes as f64;
            }
            match sieve.coarser(excess) {
                Some(coarser) => sieve = coarser,
                // A handful of features: it is their values that are too large.
                None if drawn.view.len() > 0 => drawn.view = &bare,
                None => {
                    return Err(TileError::TooLarge { layer: layer.id.clone(), tile });
                }
            }
        }
    }
}

/// One attempt: what there is to draw, and the tile, as far as that is not too
/// much.
async fn ask(
    connection: &mut PoolConnection<Postgres>,
    drawn: Drawn<'_>,
    tile: TileCoord,
    [whole, area]: [Extent; 2],
    sieve: Sieve,
    left: Duration,
) -> sqlx::Result<(Load, Vec<u8>)> {
    // At least one: to PostgreSQL, none is no limit.
    let left = left.as_millis().max(1);
    let begin = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {left}");
    let mut transaction = connection.begin_with(AssertSqlSafe(begin)).await?;
    let mut statement = statement::tile(drawn, tile, whole, area, sieve);
    let (features, places, bytes): (i64, i64, Option<Vec<u8>>) =
        statement.build_query_as().fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok((Load { features, places }, bytes.unwrap_or_default()))
}

/// The bytes, and how many they are with gzip, as far as it matters.
async fn weigh(bytes: Vec<u8>, most: usize) -> Result<(Bytes, usize), TileError> {
    let bytes = Bytes::from(bytes);
    if bytes.len() <= most {
        let length = bytes.len();
        return Ok((bytes, length));
    }
    let compressed = tokio::task::spawn_blocking({
        let bytes = bytes.clone();
        move || gzip_len(&bytes)
    });
    // The runtime is going away.
    let length = compressed.await.map_err(|_| TileError::Busy)?.map_err(TileError::Encoding)?;
    Ok((bytes, length))
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
