//! Tiles cut in this process, from an index of each layer that follows its
//! changes.

mod build;
mod drawing;
mod generation;
mod keeper;
mod overlay;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use access::{Caller, Database};
use async_trait::async_trait;
use layers::{Layer, LayerId};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::generation::Generation;
use crate::postgis::PostgisTiles;
use crate::{Tile, TileCoord, TileError, TileSource, View};

/// How long a request waits for its turn to cut.
const PATIENCE: Duration = Duration::from_secs(10);

/// A tile of no more places than this is cut where it is asked for: handing
/// it to another thread would cost as much.
const FEW_PLACES: usize = 4_000;

/// Cuts tiles from an index of each layer, as far as there is one; the others
/// in the database.
#[derive(Debug)]
pub struct IndexedTiles {
    indexes: RwLock<HashMap<LayerId, Arc<Generation>>>,
    /// Layers that found no room.
    left_out: RwLock<BTreeSet<LayerId>>,
    turns: Arc<Semaphore>,
    /// Bytes that the indexes may take.
    budget: usize,
    postgis: PostgisTiles,
}

/// What the indexes hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Features.
    pub features: usize,
    /// Bytes of memory, about.
    pub bytes: usize,
    /// Layers that found no room in it.
    pub left_out: usize,
}

impl IndexedTiles {
    /// Cuts up to `at_once` tiles at a time in the database, and as many here
    /// as the machine has processors, from indexes of about `budget` bytes in
    /// all. Until [`Self::keep`] runs there are none.
    pub fn new(database: Database, at_once: usize, budget: usize) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            indexes: RwLock::default(),
            left_out: RwLock::default(),
            turns: Arc::new(Semaphore::new(processors)),
            budget,
            postgis: PostgisTiles::new(database, at_once),
        }
    }

    /// Keeps an index of every layer that the public may see, as it changes;
    /// returns at once where there is no memory for any, else never. For the
    /// server's operator.
    pub async fn keep(&self, caller: Caller, database: &Database) {
        if self.budget == 0 {
            return;
        }
        keeper::keep(self, caller, database).await;
    }

    /// What the indexes hold now.
    pub fn size(&self) -> Size {
        let indexes = self.indexes.read().unwrap_or_else(PoisonError::into_inner);
        let left_out = self.left_out.read().unwrap_or_else(PoisonError::into_inner).len();
        indexes.values().fold(Size { left_out, ..Size::default() }, |size, index| Size {
            features: size.features + index.len(),
            bytes: size.bytes + index.bytes(),
            ..size
        })
    }

    /// Whether the layer's tiles are cut here.
    pub fn has_index(&self, layer: &LayerId) -> bool {
        self.generation(layer).is_some()
    }

    /// Bytes that are left for a layer's index, whatever it takes now.
    fn room(&self, layer: &LayerId) -> usize {
        let own = self.generation(layer).map_or(0, |generation| generation.bytes());
        (self.budget + own).saturating_sub(self.size().bytes)
    }

    fn generation(&self, layer: &LayerId) -> Option<Arc<Generation>> {
        self.indexes.read().unwrap_or_else(PoisonError::into_inner).get(layer).cloned()
    }

    fn put(&self, generation: Generation) {
        let layer = generation.layer.id.clone();
        self.left_out.write().unwrap_or_else(PoisonError::into_inner).remove(&layer);
        self.indexes.write().unwrap_or_else(PoisonError::into_inner).insert(layer, Arc::new(generation));
    }

    /// The layer has no index from now on, for want of room or since there is
    /// no such layer to be seen.
    fn drop_index(&self, layer: &LayerId, want_of_room: bool) {
        let mut left_out = self.left_out.write().unwrap_or_else(PoisonError::into_inner);
        if want_of_room {
            left_out.insert(layer.clone());
        } else {
            left_out.remove(layer);
        }
        self.indexes.write().unwrap_or_else(PoisonError::into_inner).remove(layer);
    }

    fn drop_all(&self) {
        self.indexes.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[async_trait]
impl TileSource for IndexedTiles {
    async fn tile(
        &self,
        caller: Caller,
        layer: &Layer,
        tile: TileCoord,
        view: &View,
    ) -> Result<Option<Tile>, TileError> {
        if !caller.may_read(layer.visibility(), layer.subject()) {
            return Err(TileError::UnknownLayer(layer.id.clone()));
        }
        let Some(generation) = self.generation(&layer.id) else {
            return self.postgis.tile(caller, layer, tile, view).await;
        };
        if generation.cost(tile) <= FEW_PLACES {
            return Ok(generation.tile(tile, view, LABELS));
        }
        let Ok(Ok(turn)) = timeout(PATIENCE, self.turns.clone().acquire_owned()).await else {
            return Err(TileError::Busy);
        };
        let view = view.clone();
        let cut = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            generation.tile(tile, &view, LABELS)
        });
        // The runtime is going away, or the cutting has a fault, which the log
        // has: the next request may fare better.
        cut.await.map_err(|_| TileError::Busy)
    }
}

/// The name of the labels' layer in a tile of one layer.
const LABELS: &str = "labels";
