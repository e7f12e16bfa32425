//! One tile of several layers.

use bytes::Bytes;
use layers::LayerId;

use super::drawing::Style;
use super::generation::{Generation, Seen};
use crate::encode::compress::gzip_len;
use crate::frame::Frame;
use crate::{LABELS, MOST_BYTES, Tile, View};

/// A layer's part of a tile.
struct Part<'a> {
    generation: &'a Generation,
    view: View,
    labels: String,
    tile: Option<Tile>,
    /// From which of its forms it was cut.
    form: usize,
    /// Of how many features one is drawn.
    one_of: usize,
    /// Its bytes with gzip.
    weight: usize,
}

/// The tile of the layers, in their order; none where all are empty.
pub(super) fn tile(seen: &[Seen], frame: &Frame) -> Option<Tile> {
    if let [seen] = seen {
        let Seen { generation, .. } = seen;
        let style = Style { layer: &generation.layer, view: &seen.view(), labels: LABELS, one_of: 1 };
        return generation.tile(frame, style);
    }
    join(parts(seen, frame, MOST_BYTES).into_iter().flatten())
}

/// The layers' parts of one tile, in their order. Where all together have more
/// than `most` bytes with gzip, the heaviest is drawn coarser, until they fit.
pub(super) fn parts(seen: &[Seen], frame: &Frame, most: usize) -> Vec<Option<Tile>> {
    let mut parts: Vec<Part> = seen.iter().map(|seen| Part::new(seen, frame)).collect();
    if parts.iter().map(Part::len).sum::<usize>() > most {
        parts.iter_mut().for_each(Part::weigh);
        let mut aim = most;
        loop {
            while parts.iter().map(|part| part.weight).sum::<usize>() > aim {
                let Some(heaviest) = parts.iter_mut().max_by_key(|part| part.weight) else { break };
                heaviest.coarsen(frame);
                heaviest.weigh();
            }
            // Together they may have some more bytes than one by one: what is
            // compressed shares its codes.
            if parts.len() < 2
                || join(parts.iter().filter_map(|part| part.tile.clone())).is_none_or(|tile| weight(&tile) <= most)
            {
                break;
            }
            aim = less(aim);
        }
    }
    parts.into_iter().map(|part| part.tile).collect()
}

/// What is aimed at where that was not little enough.
pub(super) fn less(bytes: usize) -> usize {
    bytes / 100 * 97
}

/// One tile of tiles with different layers; none of none.
pub(super) fn join(tiles: impl IntoIterator<Item = Tile>) -> Option<Tile> {
    // Tiles are messages of layers: one after the other, they are one message.
    let (mut bytes, mut is_generalised) = (Vec::new(), false);
    for tile in tiles {
        bytes.extend_from_slice(&tile.bytes);
        is_generalised |= tile.is_generalised;
    }
    (!bytes.is_empty()).then(|| Tile { bytes: Bytes::from(bytes), is_generalised })
}

/// A tile's bytes with gzip.
pub(super) fn weight(tile: &Tile) -> usize {
    gzip_len(&tile.bytes).unwrap_or(tile.bytes.len())
}

/// The name of the layer of labels of a layer in a tile of one layer, or of
/// several: a tile has one layer of a name.
pub fn labels(of_several: bool, layer: &LayerId) -> String {
    if of_several { format!("{layer}_{LABELS}") } else { LABELS.to_owned() }
}

impl<'a> Part<'a> {
    fn new(seen: &'a Seen, frame: &Frame) -> Self {
        let generation = &seen.generation;
        let (view, labels) = (seen.view(), labels(true, &generation.layer.id));
        let mut part = Self { generation, view, labels, tile: None, form: 0, one_of: 1, weight: 0 };
        part.cut(0, frame);
        part
    }

    /// Cuts it from that form or a later one; whether there is one.
    fn cut(&mut self, form: usize, frame: &Frame) -> bool {
        let Self { view, labels, one_of, .. } = &*self;
        let style = Style { layer: &self.generation.layer, view, labels, one_of: *one_of };
        let Some((tile, form)) = self.generation.tile_from(form, frame, style) else { return false };
        (self.tile, self.form) = (tile, form);
        true
    }

    /// Draws it coarser: from its next form; from the last one with the
    /// attributes only by which it is drawn; then every second of its features,
    /// every fourth, and so on. In the end, nothing is left.
    fn coarsen(&mut self, frame: &Frame) {
        if self.one_of == 1 && self.cut(self.form + 1, frame) {
            return;
        }
        let plain = View::plain(&self.generation.layer);
        if self.view == plain {
            self.one_of = self.one_of.saturating_mul(2);
        } else {
            self.view = plain;
        }
        self.cut(self.form, frame);
        if self.one_of > MOST_THINNED {
            tracing::warn!(layer = %self.generation.layer.id, tile = %frame.tile, "a layer is left out of a tile of several");
            self.tile = None;
        }
        if let Some(tile) = &mut self.tile {
            tile.is_generalised = true;
        }
    }

    fn len(&self) -> usize {
        self.tile.as_ref().map_or(0, |tile| tile.bytes.len())
    }

    fn weigh(&mut self) {
        self.weight = self.tile.as_ref().map_or(0, weight);
    }
}

/// Where one of so many features is still too much, it is one alone.
const MOST_THINNED: usize = 1 << 24;
