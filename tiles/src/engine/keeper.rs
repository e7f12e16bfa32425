//! Keeps the indexes as the layers are.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::{Caller, Database};
use layers::catalog::{self, CatalogError};
use layers::change::{self, Change, Envelope, Event, FeedError, Follower, Operation, Position, Touched};
use layers::features::{FeatureError, FeatureId, Told, Wanted, snapshot};
use layers::{Layer, LayerId, crs};
use thiserror::Error;
use tokio::task::{JoinError, JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::IndexedTiles;
use super::build::{BuildError, build};
use super::changes::What;
use super::folder::{Folder, fingerprint};
use super::generation::Generation;
use super::overlay::{self, Levels, Places};
use crate::index::{Index, NotIndexed};
use crate::world::{Rect, place};

/// How long the change feed is not looked at when nothing notifies.
const LOOK: Duration = Duration::from_secs(30);
/// How long to wait where the database is away.
const AWAY: Duration = Duration::from_secs(5);
/// How often levels are made as their features are.
const LEVELS_EVERY: Duration = Duration::from_millis(500);
/// With more changed features over it, an index is built anew.
const MANY_CHANGED: usize = 4096;
/// Meanwhile more may lie over it, up to so many.
const MOST_CHANGED: usize = 16_384;
/// The whole map.
const EVERYWHERE: Rect = [0, 0, u32::MAX, u32::MAX];

/// Why the indexes could not be kept.
#[derive(Debug, Error)]
enum KeepError {
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Features(#[from] FeatureError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("an index could not be finished: {0}")]
    Unfinished(#[from] JoinError),
}

pub(super) async fn keep(tiles: &IndexedTiles, caller: &Caller, database: &Database) {
    loop {
        let Err(error) = follow(tiles, caller, database).await;
        // An index that follows nothing is soon wrong.
        tiles.drop_all();
        tracing::warn!(%error, "the tile indexes cannot be kept; tiles come from the database");
        sleep(AWAY).await;
    }
}

async fn follow(tiles: &IndexedTiles, caller: &Caller, database: &Database) -> Result<Infallible, KeepError> {
    // First the position, then the layers: what changes between is told.
    let mut follower = Follower::from_now(caller, database.clone(), LOOK).await?;
    let mut keeper = Keeper::new(tiles, caller, database);
    keeper.take_up_all().await?;
    // What changed while nobody followed is not known.
    tiles.changes.tell_everything();
    let mut levels = interval(LEVELS_EVERY);
    levels.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = follower.next() => match event? {
                Event::Rebuild => {
                    tiles.drop_all();
                    keeper = Keeper::new(tiles, caller, database);
                    keeper.take_up_all().await?;
                    tiles.changes.tell_everything();
                }
                Event::Changed(changes) => {
                    for (id, changed) in by_layer(changes) {
                        keeper.change(&id, changed).await?;
                    }
                }
            },
            Some(built) = keeper.builds.join_next() => {
                let (layer, outcome) = built?;
                keeper.built(&layer, outcome).await?;
            }
            Some(made) = keeper.levels.join_next() => {
                let (layer, levels) = made?;
                keeper.levelled(&layer, levels.map_err(BuildError::from)?);
            }
            _ = levels.tick(), if keeper.has_dirty() => keeper.make_levels(),
        }
    }
}

/// What changed in a layer.
struct Changed {
    /// Which features, by key; none where they are more than can be listed.
    keys: Option<BTreeSet<String>>,
    /// Where they were and are, in the layer's storage CRS; none where that is
    /// not known.
    places: Option<Vec<Envelope>>,
    /// Whether what is said of the layer did.
    is_described_anew: bool,
}

fn by_layer(changes: Vec<Change>) -> BTreeMap<LayerId, Changed> {
    let mut layers = BTreeMap::new();
    for change in changes {
        let known = layers.entry(change.layer).or_insert_with(|| Changed {
            keys: Some(BTreeSet::new()),
            places: Some(Vec::new()),
            is_described_anew: false,
        });
        match change.touched {
            Touched::Features(features) => {
                let places = features.iter().flat_map(|feature| [feature.old, feature.new]).flatten();
                known.places.iter_mut().for_each(|known| known.extend(places.clone()));
                known.keys.iter_mut().for_each(|keys| keys.extend(features.iter().map(|feature| feature.key.clone())));
            }
            Touched::Extents { old, new } => {
                known.places.iter_mut().for_each(|known| known.extend([old, new].into_iter().flatten()));
                known.keys = None;
            }
            Touched::Everything if change.operation == Operation::Catalog => known.is_described_anew = true,
            Touched::Everything => (known.keys, known.places) = (None, None),
        }
    }
    layers
}

/// Those places on the map.
fn boxes(layer: &Layer, places: Option<&[Envelope]>) -> Vec<Rect> {
    let known = || {
        let to_map = crs::Transformation::new(&format!("EPSG:{}", layer.storage_srid), "EPSG:3857").ok()?;
        let on_map = |envelope: &Envelope| {
            let [west, south, east, north] = to_map.envelope(*envelope).ok()?;
            let ([west, north], [east, south]) = (place(west, north), place(east, south));
            Some([west, north, east, south])
        };
        places?.iter().map(on_map).collect::<Option<Vec<Rect>>>()
    };
    known().unwrap_or_else(|| vec![EVERYWHERE])
}

/// What is known of the layers beside their indexes. What it has set going
/// ends with it.
struct Keeper<'a> {
    tiles: &'a IndexedTiles,
    caller: &'a Caller,
    database: &'a Database,
    layers: HashMap<LayerId, Tracked>,
    /// The layers that the public may see.
    public: BTreeSet<LayerId>,
    /// Those of them that changed in a way that shows when they are built.
    untold: BTreeSet<LayerId>,
    /// Layers to be built, one at a time.
    queue: VecDeque<LayerId>,
    builds: JoinSet<(Arc<Layer>, Result<Index, BuildError>)>,
    levels: JoinSet<(LayerId, Result<Levels, NotIndexed>)>,
    began: Instant,
}

/// What changed of one layer.
#[derive(Default)]
struct Tracked {
    /// The features that did since its index was built.
    changed: BTreeSet<FeatureId>,
    /// Where these features were and are.
    touched: Places,
    /// Those of them that the levels do not show yet.
    dirty: Places,
    /// The index whose levels are being made.
    levelling: Option<Arc<Index>>,
    /// What changed since the index began that is being built; none where none is.
    building: Option<Since>,
}

enum Since {
    Features(BTreeSet<FeatureId>),
    /// More than can be listed: it must be built once more.
    Anything,
}

impl<'a> Keeper<'a> {
    fn new(tiles: &'a IndexedTiles, caller: &'a Caller, database: &'a Database) -> Self {
        Self {
            tiles,
            caller,
            database,
            layers: HashMap::new(),
            public: BTreeSet::new(),
            untold: BTreeSet::new(),
            queue: VecDeque::new(),
            builds: JoinSet::new(),
            levels: JoinSet::new(),
            began: Instant::now(),
        }
    }

    /// Takes up every layer: from its file and what changed since, or built anew.
    async fn take_up_all(&mut self) -> Result<(), KeepError> {
        let mut layers = catalog::list(self.caller, self.database).await?;
        layers.retain(|layer| self.tiles.wants(layer));
        self.public = layers.iter().filter(|layer| is_public(layer)).map(|layer| layer.id.clone()).collect();
        if self.has_no_room() {
            return Ok(());
        }
        if let Some(folder) = self.tiles.folder.clone() {
            folder.keep_only(layers.iter().map(|layer| &layer.id));
            for layer in &layers {
                self.take_up(&folder, layer).await?;
            }
        }
        self.queue.extend(layers.into_iter().map(|layer| layer.id).filter(|layer| !self.tiles.has_index(layer)));
        self.build_next().await
    }

    /// Takes up a layer from its file, if that can be done.
    async fn take_up(&mut self, folder: &Folder, layer: &Layer) -> Result<(), KeepError> {
        let (folder, known) = (folder.clone(), layer.clone());
        let Some((index, position)) = spawn_blocking(move || folder.open(&known)).await? else { return Ok(()) };
        let Some(keys) = self.changed_since(&layer.id, &position).await? else { return Ok(()) };
        let ids: Option<Vec<FeatureId>> = keys.iter().map(|key| FeatureId::of_key(layer, key)).collect();
        let generation = Generation::new(Arc::new(layer.clone()), Arc::new(index));
        match ids {
            Some(ids) if ids.is_empty() => self.tiles.put(generation),
            Some(ids) if ids.len() <= MANY_CHANGED => self.lay_over(layer, &generation, ids).await?,
            _ => {}
        }
        Ok(())
    }

    /// The keys of the layer's features that changed since then; none where
    /// that is not known.
    async fn changed_since(&self, layer: &LayerId, position: &Position) -> Result<Option<BTreeSet<String>>, KeepError> {
        let changes = match change::read(self.caller, self.database, position).await {
            Ok((changes, _)) => changes,
            Err(FeedError::AnotherLog | FeedError::TooOld) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        Ok(by_layer(changes).remove(layer).map_or_else(|| Some(BTreeSet::new()), |changed| changed.keys))
    }

    async fn change(&mut self, id: &LayerId, changed: Changed) -> Result<(), KeepError> {
        let Some(layer) = self.wanted_layer(id).await? else { return Ok(()) };
        if changed.is_described_anew {
            self.describe(&layer);
            self.tiles.changes.tell(&layer, What::Description);
        }
        let keys: Option<Vec<FeatureId>> =
            changed.keys.and_then(|keys| keys.iter().map(|key| FeatureId::of_key(&layer, key)).collect());
        let tracked = self.layers.entry(id.clone()).or_default();
        match (&mut tracked.building, &keys) {
            (Some(Since::Features(since)), Some(ids)) => since.extend(ids.iter().cloned()),
            (Some(since), _) => *since = Since::Anything,
            (None, _) => {}
        }
        let Some(generation) = self.tiles.generation(id) else {
            // Its tiles come from the database, and show it.
            self.tiles.changes.tell(&layer, What::Features(boxes(&layer, changed.places.as_deref())));
            return self.build(id).await;
        };
        let Some(ids) = keys else {
            self.untold.insert(id.clone());
            return self.build(id).await;
        };
        let changed = tracked.changed.len() + ids.len();
        if changed > MANY_CHANGED {
            self.build(id).await?;
        }
        // What is said of the layer changed, and with it what an index holds;
        // or too much did: what is there stays, a little behind.
        if fingerprint(&generation.layer) != fingerprint(&layer) || changed > MOST_CHANGED {
            self.untold.insert(id.clone());
            return self.build(id).await;
        }
        if ids.is_empty() {
            return Ok(());
        }
        self.lay_over(&layer, &generation, ids).await
    }

    /// Takes over what is said of the layer now, and with it who may see what.
    /// An index that does not fit any more, of which others may see something
    /// else, goes at once: the database cuts until another one is built.
    fn describe(&self, layer: &Layer) {
        let Some(generation) = self.tiles.generation(&layer.id) else { return };
        if fingerprint(&generation.layer) == fingerprint(layer) {
            self.tiles.put(generation.described_as(layer.clone()));
        } else if generation.layer.access() != layer.access() {
            self.tiles.drop_index(&layer.id, false);
        }
    }

    /// Reads the features anew and lays them over the generation.
    async fn lay_over(&mut self, layer: &Layer, generation: &Generation, ids: Vec<FeatureId>) -> Result<(), KeepError> {
        let mut rows = Vec::with_capacity(ids.len());
        snapshot(self.caller, self.database, layer, crs::WEB_MERCATOR, Wanted::Only(&ids), |told| match told {
            Told::Row(row) => rows.push(row),
            Told::Again => rows.clear(),
        })
        .await?;
        let tracked = self.layers.entry(layer.id.clone()).or_default();
        tracked.changed.extend(ids.iter().cloned());
        let Ok(detailed) = overlay::detailed(generation, &tracked.changed, &ids, &rows) else {
            return self.build(&layer.id).await;
        };
        let (places, boxes) = overlay::places(&generation.index, &[&generation.detailed, &detailed], &ids);
        let next = generation.with_detailed(detailed, boxes.clone());
        tracked.touched.extend(&places);
        tracked.dirty.extend(&places);
        self.tiles.put(next);
        self.tiles.changes.tell(layer, What::Features(boxes));
        Ok(())
    }

    fn has_dirty(&self) -> bool {
        self.layers.values().any(Tracked::wants_levels)
    }

    /// Begins to make the levels of the layers as their features are.
    fn make_levels(&mut self) {
        for (id, tracked) in self.layers.iter_mut().filter(|(_, tracked)| tracked.wants_levels()) {
            let dirty = std::mem::take(&mut tracked.dirty);
            let Some(generation) = self.tiles.generation(id).filter(|generation| !generation.index.levels.is_empty())
            else {
                continue;
            };
            tracked.levelling = Some(generation.index.clone());
            let (id, touched) = (id.clone(), tracked.touched.clone());
            self.levels.spawn_blocking(move || (id, overlay::levels(&generation, &touched, &dirty)));
        }
    }

    fn levelled(&mut self, id: &LayerId, Levels { index, overlays, boxes }: Levels) {
        if let Some(tracked) = self.layers.get_mut(id) {
            tracked.levelling.take_if(|levelling| Arc::ptr_eq(levelling, &index));
        }
        // Of another index they say nothing.
        let Some(now) = self.tiles.generation(id).filter(|now| Arc::ptr_eq(&now.index, &index)) else { return };
        self.tiles.put(now.with_levels(overlays, boxes.clone()));
        self.tiles.changes.tell(&now.layer, What::Generalised(boxes));
    }

    /// Has the layer's index built anew, when its turn comes.
    async fn build(&mut self, id: &LayerId) -> Result<(), KeepError> {
        if self.has_no_room() {
            return Ok(());
        }
        let is_building = self.layers.get(id).is_some_and(|tracked| tracked.building.is_some());
        if !is_building && !self.queue.contains(id) {
            self.queue.push_back(id.clone());
        }
        self.build_next().await
    }

    /// Begins with the next layer that has an index to be built, unless one is
    /// being built; tells where there is none.
    async fn build_next(&mut self) -> Result<(), KeepError> {
        while self.builds.is_empty() {
            let Some(id) = self.queue.pop_front() else {
                self.tell();
                return Ok(());
            };
            let Some(layer) = self.wanted_layer(&id).await? else { continue };
            self.layers.entry(id.clone()).or_default().building = Some(Since::Features(BTreeSet::new()));
            let (caller, database, room) = (self.caller.clone(), self.database.clone(), self.tiles.room(&id));
            let (layer, folder) = (Arc::new(layer), self.tiles.folder.clone());
            self.builds.spawn(async move {
                let outcome = build(&caller, &database, &layer, room, folder).await;
                (layer, outcome)
            });
        }
        Ok(())
    }

    async fn built(&mut self, layer: &Arc<Layer>, outcome: Result<Index, BuildError>) -> Result<(), KeepError> {
        let tracked = self.layers.entry(layer.id.clone()).or_default();
        let since = tracked.building.take();
        match outcome {
            Ok(index) => {
                *tracked = Tracked::default();
                let Some(now) = self.wanted_layer(&layer.id).await? else { return self.build_next().await };
                let is_same = fingerprint(&now) == fingerprint(layer);
                let generation = Generation::new(Arc::new(now), Arc::new(index));
                match since {
                    Some(Since::Features(ids)) if is_same && ids.is_empty() => self.tiles.put(generation),
                    Some(Since::Features(ids)) if is_same => {
                        self.lay_over(layer, &generation, ids.into_iter().collect()).await?;
                    }
                    // As it is it may be older than what it would replace.
                    _ => self.queue.push_back(layer.id.clone()),
                }
                if !self.queue.contains(&layer.id) {
                    self.tell_untold(layer);
                }
            }
            Err(error @ (BuildError::NoRoom { .. } | BuildError::NotIndexed(NotIndexed::TooLarge))) => {
                self.tiles.leave_out(&layer.id, &error, true);
                self.tell_untold(layer);
            }
            // A layer that cannot be read as a whole (a table that somebody
            // dropped), or for which the disk is too full, is nobody else's fault.
            Err(
                error @ (BuildError::NotIndexed(NotIndexed::SameNumber | NotIndexed::Scratch(_))
                | BuildError::Features(FeatureError::Database(sqlx::Error::Database(_)))),
            ) => {
                self.tiles.leave_out(&layer.id, &error, false);
                self.tell_untold(layer);
            }
            Err(error) => return Err(error.into()),
        }
        self.build_next().await
    }

    /// The layer's tiles show what they did not until now.
    fn tell_untold(&mut self, layer: &Layer) {
        if self.untold.remove(&layer.id) {
            self.tiles.changes.tell(layer, What::Features(vec![EVERYWHERE]));
        }
    }

    fn has_no_room(&self) -> bool {
        self.tiles.limits.index_bytes == 0
    }

    fn tell(&self) {
        let super::Size { features, bytes, file_bytes, left_out, unreadable } = self.tiles.size();
        let seconds = self.began.elapsed().as_secs_f64();
        tracing::info!(features, bytes, file_bytes, left_out, unreadable, seconds, "the tile indexes are ready");
        self.tiles.is_ready.send_replace(true);
    }

    /// The layer as it is in the catalogue. None where there is none of which
    /// there is to be an index: what there is goes.
    async fn wanted_layer(&mut self, id: &LayerId) -> Result<Option<Layer>, KeepError> {
        let layer = match catalog::get(self.caller, self.database, id).await {
            Ok(layer) => Some(layer).filter(|layer| self.tiles.wants(layer)),
            Err(CatalogError::Unknown(_)) => None,
            Err(error) => return Err(error.into()),
        };
        if layer.is_none() {
            self.layers.remove(id);
            self.tiles.drop_index(id, false);
        }
        if layer.as_ref().is_some_and(is_public) {
            self.public.insert(id.clone());
        } else if self.public.remove(id) {
            // Not by its name, which is no longer for everybody.
            self.tiles.changes.tell_everything();
        }
        Ok(layer)
    }
}

fn is_public(layer: &Layer) -> bool {
    layer.is_seen_by(&Caller::ANONYMOUS)
}

impl Tracked {
    fn wants_levels(&self) -> bool {
        !self.dirty.is_empty() && self.levelling.is_none()
    }
}
