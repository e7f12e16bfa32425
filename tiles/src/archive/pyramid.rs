//! The tiles of a zoom in the order in which an archive has them: along the
//! Hilbert curve, where the four tiles below a tile follow each other.

use std::ops::Range;

use pmtiles::{PYRAMID_SIZE_BY_ZOOM, TileId};

use crate::TileCoord;

/// Some tiles of one zoom, as runs of places along the curve, so that a whole
/// city is a few numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Level {
    zoom: u8,
    runs: Vec<Range<u64>>,
}

impl Level {
    /// The one tile of zoom 0.
    pub(super) fn top() -> Self {
        Self { zoom: 0, runs: vec![Range { start: 0, end: 1 }] }
    }

    /// The level below, without tiles.
    pub(super) fn below(&self) -> Self {
        Self { zoom: self.zoom + 1, runs: Vec::new() }
    }

    pub(super) fn zoom(&self) -> u8 {
        self.zoom
    }

    /// How many tiles it has.
    pub(super) fn len(&self) -> u64 {
        self.runs.iter().map(|run| run.end - run.start).sum()
    }

    /// The tiles, each with its place along the curve of its zoom.
    pub(super) fn tiles(&self) -> impl Iterator<Item = (u64, TileCoord)> + Send + '_ {
        let places = self.runs.iter().cloned().flatten();
        places.filter_map(|place| Some((place, coordinate(self.zoom, place)?)))
    }

    /// Adds the four tiles below the tile at that place of the level above.
    /// Places must come in ascending order.
    pub(super) fn add_below(&mut self, place: u64) {
        let children = place * 4..place * 4 + 4;
        match self.runs.last_mut() {
            Some(run) if run.end == children.start => run.end = children.end,
            _ => self.runs.push(children),
        }
    }
}

/// The tile at that place of a zoom's curve; none where the zoom has no such
/// place.
fn coordinate(zoom: u8, place: u64) -> Option<TileCoord> {
    let first = PYRAMID_SIZE_BY_ZOOM.get(usize::from(zoom))?;
    let tile = pmtiles::TileCoord::from(TileId::new(first + place).ok()?);
    TileCoord::new(tile.z().into(), tile.y().into(), tile.x().into()).ok().filter(|tile| tile.zoom() == zoom)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::HIGHEST_ZOOM;

    #[test]
    fn the_levels_are_whole_pyramids() {
        let mut level = Level::top();
        for zoom in 0..6_u32 {
            assert_eq!(level.len(), 4_u64.pow(zoom));
            let tiles: HashSet<_> = level.tiles().map(|(_, tile)| tile).collect();
            assert_eq!(tiles.len() as u64, level.len());
            let mut below = level.below();
            level.tiles().for_each(|(place, _)| below.add_below(place));
            assert_eq!(below.runs.len(), 1);
            level = below;
        }
    }

    #[test]
    fn there_are_no_tiles_past_a_level_s_end() {
        assert_eq!(coordinate(1, 4), None);
        assert_eq!(coordinate(HIGHEST_ZOOM + 1, 0), None);
    }

    proptest! {
        #[test]
        fn the_four_below_lie_within_the_tile(zoom in 0..HIGHEST_ZOOM, place in 0..1_u64 << (2 * HIGHEST_ZOOM)) {
            let place = place % (1 << (2 * zoom));
            let above = coordinate(zoom, place).unwrap();
            let mut level = Level { zoom: zoom + 1, runs: Vec::new() };
            level.add_below(place);
            let below: HashSet<_> = level.tiles().map(|(_, tile)| (tile.row(), tile.column())).collect();
            let (row, column) = (above.row() * 2, above.column() * 2);
            let expected = HashSet::from([(row, column), (row + 1, column), (row, column + 1), (row + 1, column + 1)]);
            prop_assert_eq!(below, expected);
        }
    }
}
