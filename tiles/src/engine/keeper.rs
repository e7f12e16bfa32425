//! Builds the indexes, and keeps them as the layers are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::{Caller, Database};
use layers::catalog::{self, CatalogError};
use layers::change::{Change, Event, FeedError, Follower, Touched};
use layers::features::{FeatureError, FeatureId, SnapshotRow, Wanted, snapshot};
use layers::{Layer, LayerId, crs};
use thiserror::Error;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::sleep;

use super::IndexedTiles;
use super::generation::Generation;
use crate::index::{Builder, Index};

/// How long the change feed is not looked at when nothing notifies.
const LOOK: Duration = Duration::from_secs(30);
/// How long to wait where the database is away.
const AWAY: Duration = Duration::from_secs(5);
/// A feature takes at least this much of an index, in bytes.
const LEAST_BYTES: usize = 100;
/// So many changed features lie over an index; with more it is built anew.
const MOST_CHANGED: usize = 4096;

/// Why the indexes could not be kept.
#[derive(Debug, Error)]
enum KeepError {
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Features(#[from] FeatureError),
    #[error("an index could not be finished: {0}")]
    Unfinished(#[from] JoinError),
}

/// The changed features of each layer since its index was built: as they are
/// now, or none where they are gone.
type Overlay = BTreeMap<FeatureId, Option<SnapshotRow>>;

pub(super) async fn keep(tiles: &IndexedTiles, caller: Caller, database: &Database) {
    loop {
        let Err(error) = follow(tiles, caller, database).await;
        // An index that follows nothing is soon wrong.
        tiles.drop_all();
        tracing::warn!(%error, "the tile indexes cannot be kept; tiles come from the database");
        sleep(AWAY).await;
    }
}

async fn follow(
    tiles: &IndexedTiles,
    caller: Caller,
    database: &Database,
) -> Result<std::convert::Infallible, KeepError> {
    // First the position, then the layers: what changes between is told.
    let mut follower = Follower::from_now(caller, database.clone(), LOOK).await?;
    let mut overlays = HashMap::new();
    rebuild_all(tiles, caller, database, &mut overlays).await?;
    loop {
        match follower.next().await? {
            Event::Rebuild => {
                tiles.drop_all();
                rebuild_all(tiles, caller, database, &mut overlays).await?;
            }
            Event::Changed(changes) => {
                for (id, changed) in by_layer(changes) {
                    apply(tiles, caller, database, &id, changed, overlays.entry(id.clone()).or_default()).await?;
                }
            }
        }
    }
}

/// What changed in a layer: features by key, or more than can be listed.
enum Changed {
    Keys(BTreeSet<String>),
    Anything,
}

fn by_layer(changes: Vec<Change>) -> BTreeMap<LayerId, Changed> {
    let mut layers = BTreeMap::new();
    for change in changes {
        let known = layers.entry(change.layer).or_insert_with(|| Changed::Keys(BTreeSet::new()));
        match (known, change.touched) {
            (Changed::Keys(keys), Touched::Features(features)) => {
                keys.extend(features.into_iter().map(|feature| feature.key));
            }
            (known, _) => *known = Changed::Anything,
        }
    }
    layers
}

async fn rebuild_all(
    tiles: &IndexedTiles,
    caller: Caller,
    database: &Database,
    overlays: &mut HashMap<LayerId, Overlay>,
) -> Result<(), KeepError> {
    overlays.clear();
    let began = Instant::now();
    for layer in catalog::list(caller, database).await? {
        rebuild(tiles, caller, database, &layer).await?;
    }
    let super::Size { features, bytes, left_out } = tiles.size();
    tracing::info!(features, bytes, left_out, seconds = began.elapsed().as_secs_f64(), "the tile indexes are built");
    Ok(())
}

async fn rebuild(tiles: &IndexedTiles, caller: Caller, database: &Database, layer: &Layer) -> Result<(), KeepError> {
    // Only what the public may see is served as tiles.
    if !Caller::Anonymous.may_read(layer.visibility(), layer.subject()) {
        tiles.drop_index(&layer.id, false);
        return Ok(());
    }
    let room = tiles.room(&layer.id);
    if layer.feature_count.max(0) as usize * LEAST_BYTES > room {
        tracing::warn!(layer = %layer.id, room, "no tile index: it would take more memory than there is for them");
        tiles.drop_index(&layer.id, true);
        return Ok(());
    }
    let mut builder = Builder::new(layer);
    let outcome = snapshot(caller, database, layer, crs::WEB_MERCATOR, Wanted::All, |row| {
        push(&mut builder, layer, &row);
    })
    .await;
    match outcome {
        Ok(_) => {
            let index = spawn_blocking(move || builder.finish()).await?;
            if index.bytes() > room {
                let bytes = index.bytes();
                tracing::warn!(layer = %layer.id, bytes, room, "no tile index: it takes more memory than there is for them");
                tiles.drop_index(&layer.id, true);
                return Ok(());
            }
            tiles.put(layer.id.clone(), Generation::new(Arc::new(index), empty(layer)));
        }
        // A layer that cannot be read as a whole (a table that somebody
        // dropped) is nobody else's fault.
        Err(FeatureError::Database(sqlx::Error::Database(error))) => {
            tracing::warn!(layer = %layer.id, %error, "no tile index: the layer cannot be read");
            tiles.drop_index(&layer.id, false);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn push(builder: &mut Builder, layer: &Layer, row: &SnapshotRow) {
    if let Err(error) = builder.push(&row.feature, row.label.as_deref()) {
        tracing::warn!(layer = %layer.id, %error, "a feature is left out of the tiles");
    }
}

fn empty(layer: &Layer) -> Index {
    Builder::new(layer).finish()
}

async fn apply(
    tiles: &IndexedTiles,
    caller: Caller,
    database: &Database,
    id: &LayerId,
    changed: Changed,
    overlay: &mut Overlay,
) -> Result<(), KeepError> {
    let layer = match catalog::get(caller, database, id).await {
        Ok(layer) => layer,
        Err(CatalogError::Unknown(_)) => {
            overlay.clear();
            tiles.drop_index(id, false);
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let keys: Option<Vec<FeatureId>> = match changed {
        Changed::Keys(keys) => keys.iter().map(|key| FeatureId::of_key(&layer, key)).collect(),
        Changed::Anything => None,
    };
    let (Some(ids), Some(generation)) = (keys, tiles.index(id)) else {
        overlay.clear();
        return rebuild(tiles, caller, database, &layer).await;
    };
    if overlay.len() + ids.len() > MOST_CHANGED {
        overlay.clear();
        return rebuild(tiles, caller, database, &layer).await;
    }
    overlay.extend(ids.iter().map(|id| (id.clone(), None)));
    snapshot(caller, database, &layer, crs::WEB_MERCATOR, Wanted::Only(&ids), |row| {
        overlay.insert(row.feature.id.clone(), Some(row));
    })
    .await?;
    let mut fresh = Builder::new(&layer);
    for row in overlay.values().flatten() {
        push(&mut fresh, &layer, row);
    }
    tiles.put(id.clone(), Generation::with_changes(generation.base().clone(), overlay.keys(), fresh.finish()));
    Ok(())
}
