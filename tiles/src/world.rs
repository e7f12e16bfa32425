//! The Web Mercator square in whole numbers: 2^32 steps a side, each some
//! 9 mm at the equator, x from the west, y from the north.
//!
//! A unit of a tile (4 096 a side) is a power of two of them, so that a
//! coordinate goes into any tile by subtraction and shift.

use crate::coordinate::HALF;
use crate::{EXTENT, TileCoord};

/// Bits of a coordinate.
const BITS: u8 = 32;
/// Bits of a coordinate within a tile.
const TILE_BITS: u8 = EXTENT.ilog2() as u8;

/// A place: x, then y.
pub(crate) type Place = [u32; 2];

/// The place of a coordinate of EPSG:3857 (metres); what lies outside the
/// square is moved to its edge.
pub(crate) fn place(x: f64, y: f64) -> Place {
    // `as` saturates, and makes 0 of what is no number.
    let step = |part: f64| (part * f64::from(2.0_f32.powi(BITS.into()))).round() as u32;
    [step((x + HALF) / (2.0 * HALF)), step((HALF - y) / (2.0 * HALF))]
}

/// Twice the area of a closed ring by the surveyor's formula: exact, from its
/// first point.
pub(crate) fn twice_area(ring: &[Place]) -> i128 {
    let Some(first) = ring.first() else { return 0 };
    let from =
        |place: &Place| [i128::from(place[0]) - i128::from(first[0]), i128::from(place[1]) - i128::from(first[1])];
    ring.windows(2)
        .map(|pair| {
            let ([ax, ay], [bx, by]) = (from(&pair[0]), from(&pair[1]));
            ax * by - bx * ay
        })
        .sum()
}

/// A tile as a window on the world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    west: i64,
    north: i64,
    /// A unit is 2^shift steps; below zero a step is 2^-shift units.
    shift: i8,
}

impl Window {
    pub(crate) fn new(tile: TileCoord) -> Self {
        let side = BITS - tile.zoom();
        let corner = |index: u32| i64::from(index) << side;
        Self { west: corner(tile.column()), north: corner(tile.row()), shift: side as i8 - TILE_BITS as i8 }
    }

    /// The place in units of the tile, from its north-west corner, rounded.
    pub(crate) fn to_units(self, place: Place) -> [i32; 2] {
        [self.units(i64::from(place[0]) - self.west), self.units(i64::from(place[1]) - self.north)]
    }

    fn units(self, steps: i64) -> i32 {
        let units = match self.shift {
            0 => steps,
            more @ 1.. => (steps + (1 << (more - 1))) >> more,
            less => steps << -less,
        };
        // At zoom 22 the far side of the world is 2^34 units away. What is so
        // far is clipped, and its direction is all that counts.
        units.clamp(-FAR, FAR) as i32
    }

    /// Whether the place lies in the tile: on its west and north edges too, not
    /// on the others.
    pub(crate) fn holds(self, place: Place) -> bool {
        let side = if self.shift >= 0 { i64::from(EXTENT) << self.shift } else { i64::from(EXTENT) >> -self.shift };
        (0..side).contains(&(i64::from(place[0]) - self.west))
            && (0..side).contains(&(i64::from(place[1]) - self.north))
    }

    /// The box, in steps, of the tile with `buffer` units around it.
    pub(crate) fn with_buffer(self, buffer: i32) -> (Place, Place) {
        let steps = |units: i64| if self.shift >= 0 { units << self.shift } else { (units >> -self.shift) + 1 };
        let margin = steps(buffer.into());
        let side = steps(EXTENT.into());
        let within = |step: i64| step.clamp(0, u32::MAX.into()) as u32;
        (
            [within(self.west - margin), within(self.north - margin)],
            [within(self.west + side + margin), within(self.north + side + margin)],
        )
    }
}

/// Products of two differences of such coordinates still fit 64 bits.
const FAR: i64 = 1 << 29;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_square_has_corners() {
        assert_eq!(place(-HALF, HALF), [0, 0]);
        assert_eq!(place(0.0, 0.0), [1 << 31, 1 << 31]);
        assert_eq!(place(HALF * 2.0, -HALF * 2.0), [u32::MAX, u32::MAX]);
        assert_eq!(place(f64::NAN, 0.0)[0], 0);
    }

    proptest! {
        #[test]
        fn units_are_those_of_the_tile(zoom in 0..=22_u8, longitude in -179.9..179.9, latitude in -85.0..85.0) {
            let tile = TileCoord::holding(zoom, longitude, latitude).unwrap();
            let x = longitude / 180.0 * HALF;
            let y = latitude.to_radians().tan().asinh() * 6_378_137.0;
            let [column, row] = Window::new(tile).to_units(place(x, y));
            let unit = tile.side() / f64::from(EXTENT);
            let west = f64::from(tile.column()) * tile.side() - HALF;
            let north = HALF - f64::from(tile.row()) * tile.side();
            // Half a unit, and at the highest zooms a step, which is more.
            let most = 0.500_01 + 0.005 / unit;
            prop_assert!((f64::from(column) - (x - west) / unit).abs() <= most, "{column}");
            prop_assert!((f64::from(row) - (north - y) / unit).abs() <= most, "{row}");
        }
    }
}
