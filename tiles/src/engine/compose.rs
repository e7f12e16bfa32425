//! One tile of several layers.

use std::sync::Arc;

use bytes::Bytes;
use layers::LayerId;

use super::generation::Generation;
use crate::encode::compress::gzip;
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
    /// Its bytes with gzip.
    weight: usize,
}

/// The tile of the layers, in their order; none where all are empty. Where all
/// together have too many bytes, the heaviest is drawn coarser, until it fits.
pub(super) fn tile(generations: &[Arc<Generation>], frame: &Frame) -> Option<Tile> {
    if let [generation] = generations {
        return generation.tile(frame, &View::whole(&generation.layer), LABELS);
    }
    let mut parts: Vec<Part> = generations
        .iter()
        .map(|generation| {
            let labels = labels(true, &generation.layer.id);
            let view = View::whole(&generation.layer);
            let mut part = Part { generation, view, labels, tile: None, form: 0, weight: 0 };
            part.cut(0, frame);
            part
        })
        .collect();
    if parts.iter().map(Part::len).sum::<usize>() > MOST_BYTES {
        parts.iter_mut().for_each(Part::weigh);
        while parts.iter().map(|part| part.weight).sum::<usize>() > MOST_BYTES {
            parts.sort_by_key(|part| std::cmp::Reverse(part.weight));
            let coarser = parts.iter_mut().find_map(|part| {
                let form = part.form + 1;
                part.cut(form, frame).then(|| part.weigh())
            });
            if coarser.is_none() {
                tracing::warn!(tile = %frame.tile, "a tile of several layers has more bytes than it should");
                break;
            }
        }
        let order = |part: &Part| {
            generations.iter().position(|generation| std::ptr::eq(&raw const **generation, part.generation))
        };
        parts.sort_by_key(order);
    }
    join(parts.into_iter().filter_map(|part| part.tile))
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

/// The name of the layer of labels of a layer in a tile of one layer, or of
/// several: a tile has one layer of a name.
pub(super) fn labels(of_several: bool, layer: &LayerId) -> String {
    if of_several { format!("{layer}_{LABELS}") } else { LABELS.to_owned() }
}

impl Part<'_> {
    /// Cuts it from that form or a later one; whether there is one.
    fn cut(&mut self, form: usize, frame: &Frame) -> bool {
        let Some((tile, form)) = self.generation.tile_from(form, frame, &self.view, &self.labels) else { return false };
        (self.tile, self.form) = (tile, form);
        true
    }

    fn len(&self) -> usize {
        self.tile.as_ref().map_or(0, |tile| tile.bytes.len())
    }

    fn weigh(&mut self) {
        let compressed = self.tile.as_ref().map(|tile| gzip(&tile.bytes));
        self.weight = compressed.map_or(0, |compressed| compressed.map_or(self.len(), |bytes| bytes.len()));
    }
}
