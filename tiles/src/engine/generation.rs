use std::sync::Arc;

use access::{Caller, Visibility};
use bytes::Bytes;
use layers::Layer;

use super::drawing::{self, Style};
use super::history::{History, Moment};
use crate::encode::compress::gzip_len;
use crate::frame::Frame;
use crate::index::{Fresh, Index, Layered, Overlay, Search, Unreadable};
use crate::world::Rect;
use crate::{MOST_BYTES, Tile, View};

/// A layer at one moment: an index, and what changed since it was built.
#[derive(Debug, Clone)]
pub(super) struct Generation {
    pub(super) layer: Arc<Layer>,
    pub(super) index: Arc<Index>,
    /// What changed of the features as they are.
    pub(super) detailed: Arc<Overlay>,
    /// What changed of each of the index's levels: seconds later.
    pub(super) levels: Arc<Vec<Overlay>>,
    /// When it came to be.
    pub(super) moment: Moment,
    /// What changed up to then, and since.
    pub(super) history: Arc<History>,
}

/// A layer at one moment, as far as somebody may see it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) generation: Arc<Generation>,
    /// [`Layer::view_level`].
    pub(super) level: Visibility,
}

impl Seen {
    /// None where the caller may not know of the layer.
    pub(super) fn new(caller: &Caller, generation: Arc<Generation>) -> Option<Self> {
        let clearance = generation.layer.clearance(caller)?;
        Some(Self { level: generation.layer.view_level(clearance), generation })
    }

    /// Whether something of it is not for everybody.
    pub(super) fn has_reserve(&self) -> bool {
        self.level.max(self.generation.layer.visibility()) > Visibility::Publica
    }

    pub(super) fn view(&self) -> View {
        View::up_to(self.level, &self.generation.layer)
    }
}

/// More places must be looked at for a tile than was asked.
pub(super) struct TooDear;

/// No tile has more places than this: cutting more would take too long.
const MOST_PLACES: usize = 8_000_000;
/// Bytes that a feature takes in a tile at least, without its values.
const LEAST_BYTES: usize = 12;

impl Generation {
    /// Without changes.
    pub(super) fn new(layer: Arc<Layer>, index: Arc<Index>) -> Self {
        let levels = index.levels.iter().map(|_| Overlay::default()).collect();
        let (history, moment) = History::new();
        Self { layer, index, detailed: Arc::default(), levels: Arc::new(levels), moment, history: Arc::new(history) }
    }

    /// With other features over the index. They differ from the former ones
    /// in these boxes.
    pub(super) fn with_detailed(&self, detailed: Overlay, boxes: Vec<Rect>) -> Self {
        let moment = self.history.record(boxes, false);
        Self { detailed: Arc::new(detailed), moment, ..self.clone() }
    }

    /// With other features over the index's levels, likewise.
    pub(super) fn with_levels(&self, levels: Vec<Overlay>, boxes: Vec<Rect>) -> Self {
        let moment = self.history.record(boxes, true);
        Self { levels: Arc::new(levels), moment, ..self.clone() }
    }

    /// With something else said of the layer that changes nothing of the index.
    /// Where others may see it, or other attributes, no tile that is kept holds.
    pub(super) fn described_as(&self, layer: Layer) -> Self {
        let same = Self { layer: Arc::new(layer), ..self.clone() };
        if same.layer.access() == self.layer.access() {
            return same;
        }
        let (history, moment) = History::new();
        Self { history: Arc::new(history), moment, ..same }
    }

    /// How many features there are, about: those that were changed and lost
    /// their geometry count.
    pub(super) fn len(&self) -> usize {
        let gone: usize = self.detailed.gone.iter().flatten().map(ExactSizeIterator::len).sum();
        self.index.len() - gone + self.detailed.fresh.sheet.len()
    }

    /// The features that no tile holds, though they have a geometry.
    pub(super) fn unreadable(&self) -> &Unreadable {
        self.detailed.unreadable.as_ref().unwrap_or(&self.index.unreadable)
    }

    /// Bytes of memory, about; not those of files.
    pub(super) fn bytes(&self) -> usize {
        let over = std::iter::once(&*self.detailed).chain(&*self.levels);
        self.index.owned_bytes() + over.map(|overlay| overlay.fresh.owned_bytes()).sum::<usize>()
    }

    /// The part of the world that the tile shows, with its buffer.
    pub(super) fn area(&self, frame: &Frame) -> Rect {
        frame.area(drawing::buffer(&self.layer))
    }

    /// The tile; none where it is empty. Features as they are, where the tile
    /// is then small enough; else the finest generalised level with which it is.
    pub(super) fn tile(&self, frame: &Frame, style: Style) -> Option<Tile> {
        self.tile_from(0, frame, style).and_then(|(tile, _)| tile)
    }

    /// The tile, if no more than so many places must be looked at for it.
    pub(super) fn cheap_tile(&self, most: usize, frame: &Frame, style: Style) -> Result<Option<Tile>, TooDear> {
        let found = self.detailed_sheet().search(self.area(frame), frame.zoom());
        if found.weight().1 > most {
            return Err(TooDear);
        }
        Ok(match self.detailed(&found, frame, style) {
            Some(bytes) => Tile::new(bytes, false),
            None => self.tile_from(1, frame, style).and_then(|(tile, _)| tile),
        })
    }

    /// The bytes of the tile of the features as they are, which were found;
    /// none where they are too many, and there are levels to do better.
    fn detailed(&self, found: &Search, frame: &Frame, style: Style) -> Option<Bytes> {
        let is_last = self.index.levels.is_empty();
        if !is_last && self.is_hopeless(found, frame.zoom()) {
            return None;
        }
        let bytes = drawing::draw(style, frame.zoom(), &self.index, self.detailed_sheet(), found, frame.grid);
        (is_last || self.fits(&bytes)).then_some(bytes)
    }

    /// The tile from the first form, `first` or later, with which it is small
    /// enough, or from the last one, and its number. Form 0 are the features
    /// as they are, the others are levels, ever coarser. None where there is
    /// no such form.
    pub(super) fn tile_from(&self, first: usize, frame: &Frame, style: Style) -> Option<(Option<Tile>, usize)> {
        let (area, zoom) = (self.area(frame), frame.zoom());
        if first == 0 {
            let found = self.detailed_sheet().search(area, zoom);
            if let Some(bytes) = self.detailed(&found, frame, style) {
                return Some((Tile::new(bytes, false), 0));
            }
        }
        // Below the coarsest level's zoom, that one holds little enough for all.
        let levels = &self.index.levels;
        let finest = levels.iter().position(|level| level.zoom <= zoom).unwrap_or(levels.len().saturating_sub(1));
        let mut last = None;
        for (number, level) in levels.iter().enumerate().skip(finest + first.saturating_sub(1)) {
            let sheet = Layered { base: &level.sheet, over: &self.levels[number] };
            let bytes = drawing::draw(style, zoom, &self.index, sheet, &sheet.search(area, zoom), frame.grid);
            let fits = self.fits(&bytes);
            last = Some((Tile::new(bytes, true), number - finest + 1));
            if fits {
                break;
            }
        }
        last
    }

    pub(super) fn detailed_sheet(&self) -> Layered<'_> {
        Layered { base: &self.index.detailed, over: &self.detailed }
    }

    /// Whether a tile of these features as they are would surely be too large.
    fn is_hopeless(&self, found: &Search, zoom: u8) -> bool {
        let (features, places) = found.weight();
        let attributes = &self.layer.definition.attributes;
        let late = attributes.iter().filter(|attribute| attribute.min_zoom > zoom).count();
        let bytes = features * (LEAST_BYTES + 3 * self.index.columns.len().saturating_sub(late));
        // Where no ratio was measured: no tile is compressed to a twentieth.
        let ratio = if self.index.gzip_ratio > 0.0 { self.index.gzip_ratio } else { 0.05 };
        places > MOST_PLACES || bytes as f32 * ratio > MOST_BYTES as f32
    }

    /// Whether the tile is small enough with gzip. Compressed, to know, only
    /// where the ratio of others leaves a doubt.
    fn fits(&self, bytes: &[u8]) -> bool {
        let expected = bytes.len() as f32 * self.index.gzip_ratio / MOST_BYTES as f32;
        if bytes.len() <= MOST_BYTES || (expected > 0.0 && expected < SURELY_LESS) {
            return true;
        }
        expected < SURELY_MORE && gzip_len(bytes).is_ok_and(|length| length <= MOST_BYTES)
    }
}

/// The ratio is that of the worst of some tiles: others are not much worse.
const SURELY_LESS: f32 = 0.9;
const SURELY_MORE: f32 = 1.5;

impl Fresh {
    fn owned_bytes(&self) -> usize {
        self.sheet.owned_bytes() + self.values.owned_bytes()
    }
}

/// A tile's bytes, if there are any.
impl Tile {
    fn new(bytes: Bytes, is_generalised: bool) -> Option<Self> {
        (!bytes.is_empty()).then_some(Self { bytes, is_generalised })
    }
}
