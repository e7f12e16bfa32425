//! Tiles as one file: an archive in PMTiles v3 (WebMercatorQuad, MVT compressed
//! with gzip) of a layer or of several, tile by tile what a [`Source`] answers.

mod file;
mod metadata;
mod pyramid;
mod source;

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use access::audit::{self, Action, Entry};
use access::{Caller, Database};
use bytes::Bytes;
use futures::{StreamExt, stream};
use layers::features::{self, FeatureError};
use layers::{Extent, Layer};
use serde_json::json;
use thiserror::Error;
use tokio::task::spawn_blocking;

use self::file::{ArchiveFile, Summary};
use self::pyramid::Level;
pub use self::source::{OneLayer, Served, Source};
use crate::{HIGHEST_ZOOM, TileCoord, TileError};

/// From this zoom on, tiles hold every feature as it is, but for those that
/// would have too many bytes.
const WHOLE_FROM: u8 = 15;

/// Around a tile, as a part of its side, features are looked for: more than
/// any source draws there.
const MARGIN: f64 = 0.125;

/// Where WebMercatorQuad ends, degrees.
const HIGHEST_LATITUDE: f64 = 85.051_128;

/// What an archive is to hold.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The layers; at least one.
    pub layers: &'a [Layer],
    /// The lowest zoom and the highest.
    pub zooms: RangeInclusive<u8>,
    /// Whose view of it: the tiles are those that this caller is served.
    pub caller: &'a Caller,
    /// Who takes them out: the audit trail has it.
    pub by: &'a Caller,
}

/// Where an archive goes.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The file.
    pub path: &'a Path,
    /// Whether a file of that name is replaced.
    pub overwrite: bool,
}

impl Target<'_> {
    /// The folder that the file is to be in.
    pub fn folder(&self) -> &Path {
        file::folder(self.path)
    }

    /// The file cannot be written, for that reason.
    pub fn failed(&self, source: io::Error) -> ArchiveError {
        ArchiveError::write(self.path, source)
    }
}

/// Who is told how far an archive is.
pub trait Progress: Send + Sync {
    /// The tiles of this zoom are next; so many are looked at.
    fn zoom(&self, zoom: u8, tiles: u64);
    /// One more tile was looked at.
    fn looked(&self);
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Tiles that hold something.
    pub tiles: u64,
    /// The lowest zoom and the highest at which there are any.
    pub zooms: RangeInclusive<u8>,
    /// The file's size.
    pub bytes: u64,
}

/// Why there is no archive. Nothing of it is left.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// There is such a file already.
    #[error("{} exists already; --overwrite replaces it", .0.display())]
    Exists(PathBuf),
    /// The name is that of a folder, a device or a link.
    #[error("{} is not the name of a file; choose another", .0.display())]
    NoFile(PathBuf),
    /// The disk refused.
    #[error("{} cannot be written: {source}; nothing of it is left", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Every tile would be empty.
    #[error("there is nothing in the tiles from zoom {lowest} to {highest}; no archive was written")]
    Empty {
        /// The lowest zoom.
        lowest: u8,
        /// The highest.
        highest: u8,
    },
    /// The zooms are none.
    #[error("there are no zooms from {lowest} to {highest}: they go from 0 to {HIGHEST_ZOOM}, the lower one first")]
    Zooms {
        /// The lowest zoom.
        lowest: u8,
        /// The highest.
        highest: u8,
    },
    /// A tile could not be cut.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The features could not be looked for.
    #[error(transparent)]
    Features(#[from] FeatureError),
}

impl ArchiveError {
    fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}

/// The lowest zoom at which tiles hold every feature of the layers as it is;
/// viewers enlarge the tiles of an archive's highest zoom.
pub fn whole_from(layers: &[Layer]) -> u8 {
    let entering = layers.iter().flat_map(|layer| {
        let rule = layer.definition.zoom_rule.iter();
        let last = rule.flat_map(|rule| rule.values.values().copied().chain([rule.otherwise]));
        let attributes = layer.definition.attributes.iter().map(|attribute| attribute.min_zoom);
        last.chain([layer.definition.min_zoom]).chain(attributes.filter(|zoom| *zoom <= HIGHEST_ZOOM))
    });
    entering.fold(WHOLE_FROM, u8::max).min(HIGHEST_ZOOM)
}

/// Refuses at once what [`write()`] would refuse before its first tile.
pub fn check(zooms: &RangeInclusive<u8>, target: Target<'_>) -> Result<(), ArchiveError> {
    let (lowest, highest) = (*zooms.start(), *zooms.end());
    if lowest > highest || highest > HIGHEST_ZOOM {
        return Err(ArchiveError::Zooms { lowest, highest });
    }
    file::check(target.path, target.overwrite)
}

/// Writes the archive, with `at_once` tiles being cut at a time; it takes its
/// name when it is whole. Dropping the future leaves nothing behind.
///
/// Memory: some hundred bytes for each tile that the archive holds, and the
/// tiles that are being cut.
pub async fn write(
    source: &dyn Source,
    database: &Database,
    contents: &Contents<'_>,
    target: Target<'_>,
    at_once: usize,
    progress: &dyn Progress,
) -> Result<Report, ArchiveError> {
    check(&contents.zooms, target)?;
    let (lowest, highest) = (*contents.zooms.start(), *contents.zooms.end());
    let nothing = || ArchiveError::Empty { lowest, highest };
    let Target { path, overwrite } = target;
    let to = path.to_owned();
    let mut file = blocking(move || ArchiveFile::create(&to, overwrite)).await?;
    let extent = extent(database, contents).await?.ok_or_else(nothing)?;

    let walk = Walk { source, database, contents };
    let mut tiles = 0;
    let mut zooms: Option<RangeInclusive<u8>> = None;
    let mut level = Level::top();
    loop {
        let zoom = level.zoom();
        progress.zoom(zoom, level.len());
        let mut below = level.below();
        let mut looked = stream::iter(level.tiles())
            .map(async |(place, tile)| Ok::<_, ArchiveError>((place, tile, walk.look(tile).await?)))
            .buffered(at_once.max(1));
        while let Some(found) = looked.next().await {
            let (place, tile, found) = found?;
            if let Found::Tile(bytes) = &found {
                let bytes = bytes.clone();
                file = blocking(move || file.add(tile, &bytes).map(|()| file)).await?;
                tiles += 1;
                zooms = Some(zooms.map_or(zoom, |zooms| *zooms.start())..=zoom);
            }
            if !matches!(found, Found::Nothing) {
                below.add_below(place);
            }
            progress.looked();
        }
        drop(looked);
        if zoom == highest {
            break;
        }
        level = below;
    }

    let zooms = zooms.ok_or_else(nothing)?;
    let metadata = metadata::document(contents, &zooms);
    // Before the file takes its name: none is there of which the trail says nothing.
    record(database, contents, tiles).await?;
    let summary = Summary { zooms: zooms.clone(), extent: mercator(extent), metadata };
    let bytes = blocking(move || file.finish(&summary)).await?;
    Ok(Report { tiles, zooms, bytes })
}

/// Tells the audit trail what is taken out, as whose view of it.
async fn record(database: &Database, contents: &Contents<'_>, tiles: u64) -> Result<(), FeatureError> {
    let mut transaction = database.app().begin().await?;
    for layer in contents.layers {
        let seen = layer.seen_by(contents.caller);
        let has_reserve = seen.is_some_and(|layer| layer.has_reserve());
        let detail = json!({ "as": "tiles", "tiles": tiles, "has_reserve": has_reserve });
        let entry = Entry::of_layer(Action::Export, &layer.municipality, layer.id.as_str()).with(detail);
        audit::record(&mut transaction, contents.by, entry).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// What there is at a tile's place.
enum Found {
    /// A tile, compressed.
    Tile(Bytes),
    /// No tile, but features that may be in tiles below.
    Features,
    /// Neither.
    Nothing,
}

/// Going from tile to tile.
struct Walk<'a> {
    source: &'a dyn Source,
    database: &'a Database,
    contents: &'a Contents<'a>,
}

impl Walk<'_> {
    async fn look(&self, tile: TileCoord) -> Result<Found, ArchiveError> {
        let zooms = &self.contents.zooms;
        if zooms.contains(&tile.zoom())
            && let Some(bytes) = self.source.tile(tile).await?
        {
            return Ok(Found::Tile(bytes));
        }
        let area = tile.extent(MARGIN).map_err(TileError::from)?;
        let goes_on = tile.zoom() < *zooms.end() && self.has_features(area).await?;
        Ok(if goes_on { Found::Features } else { Found::Nothing })
    }

    /// Whether there are features where a tile is. That it is empty says
    /// nothing of those below: it may be too early for its features, or they
    /// too small to be seen. So the database is asked.
    async fn has_features(&self, area: Extent) -> Result<bool, FeatureError> {
        for layer in self.contents.layers {
            if features::any_within(self.contents.caller, self.database, layer, area).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The extent of all layers as it is now.
async fn extent(database: &Database, contents: &Contents<'_>) -> Result<Option<Extent>, FeatureError> {
    let mut all = None::<Extent>;
    for layer in contents.layers {
        if let Some(one) = features::extent(contents.caller, database, layer).await? {
            all = Some(all.map_or(one, |all| all.union(one)));
        }
    }
    Ok(all)
}

/// The part of the box that WebMercatorQuad has.
fn mercator(extent: Extent) -> Extent {
    let within = |latitude: f64| latitude.clamp(-HIGHEST_LATITUDE, HIGHEST_LATITUDE);
    Extent { south: within(extent.south), north: within(extent.north), ..extent }
}

/// Does what takes the disk's or the processor's time where that holds up
/// nobody.
async fn blocking<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going away, and whoever waits with it.
            Err(_) => std::future::pending().await,
        },
    }
}
