//! Tiles cut in this process, from an index of each layer that follows its
//! changes.

mod build;
mod cache;
mod changes;
mod compose;
mod counts;
mod drawing;
mod files;
mod folder;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod generation;
mod history;
mod keeper;
mod numbers;
mod overlay;
mod parts;

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use access::{Caller, Database, audit};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use layers::filter::Filter;
use layers::{Layer, LayerId};
use moka::future::Cache;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use self::build::BuildError;
pub use self::cache::EncodedTile;
use self::cache::{Entry, Key};
use self::changes::{ChangeLog, What};
pub use self::changes::{ChangePosition, Changes, LayerChange, NoPosition, Told};
pub use self::compose::labels;
use self::counts::Counters;
pub use self::counts::Counts;
use self::drawing::Style;
pub use self::files::Files;
use self::folder::Folder;
use self::generation::{Generation, Seen};
use crate::frame::Frame;
use crate::postgis::{Drawn, Limit, PATIENCE, PostgisTiles};
use crate::{Encoding, LABELS, MOST_BYTES, Tile, TileCoord, TileError, TileSource, View};

/// A tile of no more places than this is cut where it is asked for: handing
/// it to another thread would cost as much.
const FEW_PLACES: usize = 10_000;

/// So many features that no tile holds are named in the log at a time.
const MOST_TOLD: usize = 100;

/// Cuts tiles from an index of each layer, as far as there is one; the others
/// in the database.
#[derive(Debug)]
pub struct IndexedTiles {
    indexes: RwLock<HashMap<LayerId, Arc<Generation>>>,
    /// The layers of which there are to be indexes, where that is not all.
    only: Option<BTreeSet<LayerId>>,
    /// Layers that found no room.
    left_out: RwLock<BTreeSet<LayerId>>,
    turns: Arc<Semaphore>,
    limits: Limits,
    /// Where indexes are kept as files.
    folder: Option<Folder>,
    /// Tiles as they are sent; none where there is no memory for them.
    cache: Option<Cache<Key, Arc<Entry>>>,
    /// What changed, for those who show tiles.
    changes: Arc<ChangeLog>,
    is_ready: watch::Sender<bool>,
    counters: Counters,
    database: Database,
    postgis: PostgisTiles,
}

/// What an [`IndexedTiles`] may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Tiles that are cut in the database at once.
    pub at_once: usize,
    /// Bytes of memory for indexes, about; 0 for none.
    pub index_bytes: usize,
    /// Bytes of memory for tiles that are kept, about; 0 for none.
    pub cache_bytes: usize,
}

/// What the indexes hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Features.
    pub features: usize,
    /// Bytes of memory, about.
    pub bytes: usize,
    /// Bytes of the files that are mapped: the kernel keeps of them in memory
    /// what is used, as long as nobody else needs it.
    pub file_bytes: usize,
    /// Layers that found no room in it.
    pub left_out: usize,
    /// Features that no tile holds, though they have a geometry: it cannot be
    /// read, or not be on a map.
    pub unreadable: usize,
}

impl IndexedTiles {
    /// Cuts tiles within those limits, and here as many at a time as the
    /// machine has processors. Indexes are files in that folder, which is
    /// made where it is not there; without one they are in memory. Until
    /// [`Self::keep`] runs there are none.
    pub fn new(database: Database, limits: Limits, folder: Option<PathBuf>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cache = Cache::builder()
            .max_capacity(limits.cache_bytes as u64)
            .weigher(|key: &Key, entry: &Arc<Entry>| entry.weight(key))
            .build();
        Self {
            indexes: RwLock::default(),
            only: None,
            left_out: RwLock::default(),
            turns: Arc::new(Semaphore::new(processors)),
            limits,
            folder: folder.and_then(Folder::new),
            cache: (limits.cache_bytes > 0).then_some(cache),
            changes: Arc::new(ChangeLog::new()),
            is_ready: watch::Sender::new(false),
            counters: Counters::default(),
            postgis: PostgisTiles::new(database.clone(), limits.at_once),
            database,
        }
    }

    /// Of these layers only there are to be indexes; of the others tiles are cut
    /// in the database.
    #[must_use]
    pub fn only(mut self, layers: impl IntoIterator<Item = LayerId>) -> Self {
        self.only = Some(layers.into_iter().collect());
        self
    }

    /// Whether there is to be an index of the layer: it tells nothing of persons,
    /// which stays in the database, and nobody said otherwise.
    fn wants(&self, layer: &Layer) -> bool {
        let is_meant = self.only.as_ref().is_none_or(|only| only.contains(&layer.id));
        is_meant && !layer.subject().is_personal()
    }

    /// Keeps an index of every layer that tells nothing of persons, as it
    /// changes, as far as there is memory for any, and tells [`Self::changes`]. Never
    /// returns. For the server's operator.
    pub async fn keep(&self, caller: &Caller, database: &Database) {
        keeper::keep(self, caller, database).await;
    }

    /// What changes in the layers that the caller may read, from `since` on,
    /// else from now; told once the tiles show it.
    pub fn changes(&self, caller: &Caller, since: Option<ChangePosition>) -> Changes {
        Changes::new(caller, &self.changes, since)
    }

    /// What the tiles that are cut from now on show is told up to here, or
    /// further.
    pub fn change_position(&self) -> ChangePosition {
        self.changes.position()
    }

    /// What the catalogue says of a layer changed in a way that the change feed
    /// does not tell: it was counted and measured anew.
    pub fn tell_measured(&self, layer: &Layer) {
        self.changes.tell(layer, What::Description);
    }

    /// Waits until every layer that can have an index has one, for the first
    /// time since [`Self::keep`] began.
    pub async fn ready(&self) {
        // Never closed: the sender is of this.
        let _ = self.is_ready.subscribe().wait_for(|is_ready| *is_ready).await;
    }

    /// What the indexes hold now.
    pub fn size(&self) -> Size {
        let indexes = self.indexes.read().unwrap_or_else(PoisonError::into_inner);
        let left_out = self.left_out.read().unwrap_or_else(PoisonError::into_inner).len();
        indexes.values().fold(Size { left_out, ..Size::default() }, |size, index| Size {
            features: size.features + index.len(),
            bytes: size.bytes + index.bytes(),
            file_bytes: size.file_bytes + index.index.file_bytes,
            unreadable: size.unreadable + index.unreadable().len(),
            ..size
        })
    }

    /// Tiles that are kept, and the bytes of memory that they take.
    pub async fn kept(&self) -> (u64, u64) {
        let Some(cache) = &self.cache else { return (0, 0) };
        // It counts now and then only.
        cache.run_pending_tasks().await;
        (cache.entry_count(), cache.weighted_size())
    }

    /// How often what happened since this began.
    pub fn counts(&self) -> Counts {
        self.counters.now()
    }

    /// Whether the layer's tiles are cut here.
    pub fn has_index(&self, layer: &LayerId) -> bool {
        self.generation(layer).is_some()
    }

    /// Bytes that are left for a layer's index, whatever it takes now.
    fn room(&self, layer: &LayerId) -> usize {
        let own = self.generation(layer).map_or(0, |generation| generation.bytes());
        (self.limits.index_bytes + own).saturating_sub(self.size().bytes)
    }

    fn generation(&self, layer: &LayerId) -> Option<Arc<Generation>> {
        self.indexes.read().unwrap_or_else(PoisonError::into_inner).get(layer).cloned()
    }

    /// The layer as the caller sees it; none where there is no index.
    fn seen(&self, caller: &Caller, layer: &LayerId) -> Result<Option<Seen>, TileError> {
        let Some(generation) = self.generation(layer) else { return Ok(None) };
        let Some(seen) = Seen::new(caller, Arc::clone(&generation)) else {
            generation.layer.note_denial(caller);
            return Err(TileError::UnknownLayer(layer.clone()));
        };
        if seen.has_reserve() {
            audit::note_tile(caller, &seen.generation.layer.scope())?;
        }
        Ok(Some(seen))
    }

    fn put(&self, generation: Generation) {
        let layer = generation.layer.id.clone();
        self.tell_unreadable(&generation);
        self.left_out.write().unwrap_or_else(PoisonError::into_inner).remove(&layer);
        self.indexes.write().unwrap_or_else(PoisonError::into_inner).insert(layer, Arc::new(generation));
    }

    /// Says of features that no tile holds which they are: of each one once,
    /// unless there are very many.
    fn tell_unreadable(&self, generation: &Generation) {
        let before = self.generation(&generation.layer.id);
        let is_known = |id: &String| before.as_ref().is_some_and(|before| before.unreadable().contains_key(id));
        let mut new = generation.unreadable().iter().filter(|(id, _)| !is_known(id));
        let layer = &generation.layer.id;
        for (feature, reason) in new.by_ref().take(MOST_TOLD) {
            tracing::warn!(%layer, feature, reason, "a feature is left out of the tiles");
        }
        let more = new.count();
        if more > 0 {
            tracing::warn!(%layer, more, "and more features are left out of the tiles");
        }
    }

    /// The layer has no index from now on, since it cannot be built.
    fn leave_out(&self, layer: &LayerId, error: &BuildError, want_of_room: bool) {
        tracing::warn!(%layer, %error, "a layer has no tile index");
        self.drop_index(layer, want_of_room);
        if let Some(folder) = &self.folder {
            folder.note(layer, &error.to_string());
        }
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
        if let Some(folder) = &self.folder {
            folder.remove(layer);
        }
    }

    fn drop_all(&self) {
        self.indexes.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Encoded tiles, of one layer or of several.
impl IndexedTiles {
    /// The tile of the layers as MVT 2.1 in that encoding, each layer named as
    /// its collection; labels in `labels`, or in a tile of several layers in
    /// `{collection}_labels`. None where it is empty. A layer that there is
    /// not, or that the caller may not read, is unknown.
    pub async fn encoded(
        &self,
        caller: &Caller,
        layers: &[LayerId],
        tile: TileCoord,
        encoding: Encoding,
    ) -> Result<Option<Arc<EncodedTile>>, TileError> {
        let seen: Result<Option<Vec<Seen>>, TileError> =
            layers.iter().map(|layer| self.seen(caller, layer).transpose()).collect::<Option<_>>().transpose();
        let Some(seen) = seen? else {
            return Ok(self.in_parts(caller, layers, tile, encoding).await?.map(Arc::new));
        };
        let frame = Frame::of(tile)?;
        let Some(cache) = &self.cache else {
            return Ok(self.cut(seen, frame, encoding).await?.map(Arc::new));
        };
        let views = layers.iter().cloned().zip(seen.iter().map(|seen| seen.level)).collect();
        let key = Key { views, tile, encoding };
        let area = seen.iter().map(|seen| seen.generation.area(&frame)).reduce(crate::world::with_rect);
        let area = area.unwrap_or(crate::world::NOWHERE);
        if let Some(entry) = cache.get(&key).await {
            if entry.holds(&seen, area) {
                self.counters.look(true);
                return Ok(entry.tile.clone());
            }
            cache.invalidate(&key).await;
        }
        self.counters.look(false);
        let cut = async {
            let tile = self.cut(seen.clone(), frame, encoding).await?.map(EncodedTile::trimmed);
            Ok::<_, TileError>(Arc::new(Entry::new(tile, &seen)))
        };
        // Who asks for the same meanwhile waits for it.
        let entry =
            cache.try_get_with(key, cut).await.map_err(|error| Arc::into_inner(error).unwrap_or(TileError::Busy))?;
        if entry.holds(&seen, area) {
            return Ok(entry.tile.clone());
        }
        // It was begun before the last change.
        Ok(self.cut(seen, frame, encoding).await?.map(Arc::new))
    }

    /// The tile of those features of the layer for which the filter is true, or
    /// of the layer as it was at a moment, as [`Self::encoded`] has that of all
    /// as it is: cut in the database.
    pub async fn filtered(
        &self,
        caller: &Caller,
        layer: &Layer,
        filter: Option<&Filter>,
        moment: Option<DateTime<Utc>>,
        tile: TileCoord,
        encoding: Encoding,
    ) -> Result<Option<Arc<EncodedTile>>, TileError> {
        let drawn = Drawn { layer, filter, moment, view: &View::of(caller, layer)?, labels: LABELS };
        self.counters.ask_database();
        let tile = self.postgis.cut(drawn, tile, Limit::new(MOST_BYTES)).await?;
        let Some(tile) = tile else { return Ok(None) };
        let encoded = self.in_turn(move || EncodedTile::new(&tile, encoding)).await?;
        encoded.map(|tile| Some(Arc::new(tile))).map_err(TileError::Encoding)
    }

    /// Cuts the tile, when its turn comes.
    async fn cut(&self, seen: Vec<Seen>, frame: Frame, encoding: Encoding) -> Result<Option<EncodedTile>, TileError> {
        let encoded = move |tile: Option<Tile>| {
            tile.map(|tile| EncodedTile::new(&tile, encoding)).transpose().map_err(TileError::Encoding)
        };
        if let [seen] = &seen[..] {
            let Seen { generation, .. } = seen;
            let style = Style { layer: &generation.layer, view: &seen.view(), labels: LABELS, one_of: 1 };
            if let Ok(tile) = generation.cheap_tile(FEW_PLACES, &frame, style) {
                return self.counted(encoded(tile));
            }
        }
        self.counted(self.in_turn(move || encoded(compose::tile(&seen, &frame))).await?)
    }

    fn counted(&self, tile: Result<Option<EncodedTile>, TileError>) -> Result<Option<EncodedTile>, TileError> {
        self.counters.cut(matches!(&tile, Ok(Some(tile)) if tile.is_generalised));
        tile
    }

    /// Runs what takes long on another thread, when its turn comes.
    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, TileError> {
        let Ok(Ok(turn)) = timeout(PATIENCE, self.turns.clone().acquire_owned()).await else {
            return Err(TileError::Busy);
        };
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        // The runtime is going away, or the work has a fault, which the log
        // has: the next request may fare better.
        work.await.map_err(|_| TileError::Busy)
    }
}

#[async_trait]
impl TileSource for IndexedTiles {
    async fn tile(&self, caller: &Caller, layer: &Layer, tile: TileCoord) -> Result<Option<Tile>, TileError> {
        let Some(seen) = self.seen(caller, &layer.id)? else {
            self.counters.ask_database();
            return self.postgis.tile(caller, layer, tile).await;
        };
        let frame = Frame::of(tile)?;
        let style = Style { layer: &seen.generation.layer, view: &seen.view(), labels: LABELS, one_of: 1 };
        if let Ok(tile) = seen.generation.cheap_tile(FEW_PLACES, &frame, style) {
            return Ok(tile);
        }
        self.in_turn(move || compose::tile(&[seen], &frame)).await
    }
}
