//! Tiles cut in this process, from an index of each layer that follows its
//! changes.

mod generation;
mod keeper;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use access::{Caller, Database};
use async_trait::async_trait;
use bytes::Bytes;
use layers::{Layer, LayerId};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use self::generation::Generation;
use crate::postgis::PostgisTiles;
use crate::{TileCoord, TileError, TileSource, View};

/// From this zoom on every feature is in its tiles, as it is: these are cut
/// here. Below, tiles are generalised, by PostGIS.
pub(crate) const DETAILED_FROM: u8 = 15;

/// How long a request waits for its turn to cut.
const PATIENCE: Duration = Duration::from_secs(10);

/// Cuts tiles from an index of each layer, as far as there is one; the others
/// in the database.
#[derive(Debug)]
pub struct IndexedTiles {
    indexes: RwLock<HashMap<LayerId, Arc<Generation>>>,
    turns: Arc<Semaphore>,
    postgis: PostgisTiles,
}

impl IndexedTiles {
    /// Cuts up to `at_once` tiles at a time in the database, and as many here
    /// as the machine has processors. Until [`Self::keep`] runs there are no
    /// indexes.
    pub fn new(database: Database, at_once: usize) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            indexes: RwLock::default(),
            turns: Arc::new(Semaphore::new(processors)),
            postgis: PostgisTiles::new(database, at_once),
        }
    }

    /// Keeps an index of every layer that the public may see, as it changes;
    /// never returns. For the server's operator.
    pub async fn keep(&self, caller: Caller, database: &Database) {
        keeper::keep(self, caller, database).await;
    }

    /// What the indexes hold: features, and bytes of memory, about.
    pub fn size(&self) -> (usize, usize) {
        let indexes = self.indexes.read().unwrap_or_else(PoisonError::into_inner);
        indexes.values().fold((0, 0), |(features, bytes), index| (features + index.len(), bytes + index.bytes()))
    }

    fn index(&self, layer: &LayerId) -> Option<Arc<Generation>> {
        self.indexes.read().unwrap_or_else(PoisonError::into_inner).get(layer).cloned()
    }

    fn put(&self, layer: LayerId, generation: Generation) {
        self.indexes.write().unwrap_or_else(PoisonError::into_inner).insert(layer, Arc::new(generation));
    }

    fn drop_index(&self, layer: &LayerId) {
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
    ) -> Result<Option<Bytes>, TileError> {
        if !caller.may_read(layer.visibility(), layer.subject()) {
            return Err(TileError::UnknownLayer(layer.id.clone()));
        }
        let index = (tile.zoom() >= DETAILED_FROM).then(|| self.index(&layer.id)).flatten();
        let Some(index) = index else {
            return self.postgis.tile(caller, layer, tile, view).await;
        };
        let Ok(Ok(turn)) = timeout(PATIENCE, self.turns.clone().acquire_owned()).await else {
            return Err(TileError::Busy);
        };
        let (layer, view) = (layer.clone(), view.clone());
        let cut = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            index.tile(&layer, tile, &view)
        });
        match cut.await {
            Ok(bytes) => Ok(bytes.map(Bytes::from)),
            // The runtime is going away, or the cutting has a fault, which the
            // log has: the next request may fare better.
            Err(_) => Err(TileError::Busy),
        }
    }
}
