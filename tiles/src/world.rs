//! The Web Mercator square in whole numbers: 2^32 steps a side, each some
//! 9 mm at the equator, x from the west, y from the north.
//!
//! A unit of a tile (4 096 a side) is a power of two of them, so that a
//! coordinate goes into any tile by subtraction and shift.

use std::f64::consts::TAU;
use std::ops::RangeInclusive;

use layers::Extent;

use crate::matrix_set::HALF;
use crate::{EXTENT, MatrixSet, TileCoord};

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

/// A box: least x, least y, greatest x, greatest y, all of them within.
pub(crate) type Rect = [u32; 4];

/// A box that holds nothing yet.
pub(crate) const NOWHERE: Rect = [u32::MAX, u32::MAX, 0, 0];

/// The box with the place in it.
pub(crate) fn with_place(rect: Rect, [x, y]: Place) -> Rect {
    [rect[0].min(x), rect[1].min(y), rect[2].max(x), rect[3].max(y)]
}

/// The smallest box around both.
pub(crate) fn with_rect(one: Rect, other: Rect) -> Rect {
    [one[0].min(other[0]), one[1].min(other[1]), one[2].max(other[2]), one[3].max(other[3])]
}

/// The place in the middle of the box.
pub(crate) fn centre(rect: Rect) -> Place {
    [rect[0].midpoint(rect[2]), rect[1].midpoint(rect[3])]
}

/// Where on the Hilbert curve through the square a place lies. Its first
/// 2 × zoom bits name the tile of that zoom ([`cell`]): what lies in one tile
/// lies side by side on the curve.
pub(crate) fn hilbert([x, y]: Place) -> u64 {
    fast_hilbert::xy2h(x, y, BITS)
}

/// The number, along the curve, of the tile of that zoom (1 to 32) that holds
/// the position.
pub(crate) fn cell(position: u64, zoom: u8) -> u64 {
    position >> (2 * (BITS - zoom))
}

/// The positions in the cell of that number and zoom: the first, and the last.
pub(crate) fn positions(cell: u64, zoom: u8) -> (u64, u64) {
    let bits = 2 * (BITS - zoom);
    (cell << bits, cell << bits | ((1 << bits) - 1))
}

/// Steps of a pixel's side at that zoom, where a tile is drawn 512 pixels wide,
/// as web maps do.
pub(crate) fn pixel(zoom: u8) -> u32 {
    1 << (BITS - 9 - zoom)
}

/// Twice the area of a ring, closed or open, by the surveyor's formula: exact, from its
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

/// The box in longitude and latitude.
pub(crate) fn extent([west, north, east, south]: Rect) -> Extent {
    let part = |step: u32| f64::from(step) / 2.0_f64.powi(BITS.into());
    let longitude = |x: u32| part(x) * 360.0 - 180.0;
    let latitude = |y: u32| ((0.5 - part(y)) * TAU).sinh().atan().to_degrees();
    Extent { west: longitude(west), south: latitude(south), east: longitude(east), north: latitude(north) }
}

/// A tile as a window on the world; or, where it is of another matrix set, on
/// the square of that set, likewise in 2^32 steps a side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    west: i64,
    north: i64,
    /// A unit is 2^shift steps; below zero a step is 2^-shift units.
    shift: i8,
}

/// With units of up to 2^16 steps, a tile and twice its width have less than
/// 2^31. With those of four and more, a place that lies elsewhere after all, by
/// a file that is wrong, is not more than [`FAR`] away.
const NARROW: RangeInclusive<i8> = 2..=16;

impl Window {
    pub(crate) fn new(tile: TileCoord) -> Self {
        // The square of longitudes and latitudes is one tile at a zoom below 0.
        let side = BITS - tile.zoom() - u8::from(tile.set() == MatrixSet::WorldCrs84Quad);
        let corner = |index: u32| i64::from(index) << side;
        Self { west: corner(tile.column()), north: corner(tile.row()), shift: side as i8 - TILE_BITS as i8 }
    }

    /// The tile of that zoom that holds the place.
    pub(crate) fn holding(zoom: u8, [x, y]: Place) -> Self {
        let side = BITS - zoom;
        let corner = |step: u32| i64::from(step) >> side << side;
        Self { west: corner(x), north: corner(y), shift: side as i8 - TILE_BITS as i8 }
    }

    /// The tile's zoom.
    pub(crate) fn zoom(self) -> u8 {
        (i16::from(BITS) - i16::from(TILE_BITS) - i16::from(self.shift)) as u8
    }

    /// Steps of a unit's side; none where a unit is less than a step.
    pub(crate) fn unit(self) -> Option<u32> {
        (self.shift >= 0).then(|| 1 << self.shift)
    }

    /// The place in units of the tile, from its north-west corner, rounded.
    pub(crate) fn to_units(self, place: Place) -> [i32; 2] {
        self.units_at(place.map(i64::from))
    }

    /// Appends the places in such units, all of which lie in the tile or in a
    /// buffer not wider than it. Four coordinates at once, where a difference
    /// has 32 bits.
    pub(crate) fn extend_units(self, places: &[Place], units: &mut Vec<[i32; 2]>) {
        if !NARROW.contains(&self.shift) {
            units.extend(places.iter().map(|place| self.to_units(*place)));
            return;
        }
        let (west, north, shift) = (self.west as u32, self.north as u32, i32::from(self.shift));
        let half = 1 << (shift - 1);
        let unit = |place: u32, edge: u32| place.wrapping_sub(edge).cast_signed().wrapping_add(half) >> shift;
        units.extend(places.iter().map(|[x, y]| [unit(*x, west), unit(*y, north)]));
    }

    /// The same of a step of the window's square, which may lie outside it.
    pub(crate) fn units_at(self, [x, y]: [i64; 2]) -> [i32; 2] {
        [self.units(x - self.west), self.units(y - self.north)]
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
        self.holds_step(place.map(i64::from))
    }

    /// The same of a step of the window's square.
    pub(crate) fn holds_step(self, [x, y]: [i64; 2]) -> bool {
        let side = if self.shift >= 0 { i64::from(EXTENT) << self.shift } else { i64::from(EXTENT) >> -self.shift };
        (0..side).contains(&(x - self.west)) && (0..side).contains(&(y - self.north))
    }

    /// The edges, in steps, of the tile with `buffer` units around it: west,
    /// north, east, south. They may lie outside the square.
    pub(crate) fn edges(self, buffer: f64) -> [f64; 4] {
        let unit = 2.0_f64.powi(self.shift.into());
        let (west, north) = (self.west as f64, self.north as f64);
        let (margin, side) = (buffer * unit, f64::from(EXTENT) * unit);
        [west - margin, north - margin, west + side + margin, north + side + margin]
    }

    /// The box, in steps, of the tile with `buffer` units around it.
    pub(crate) fn with_buffer(self, buffer: i32) -> Rect {
        let steps = |units: i64| if self.shift >= 0 { units << self.shift } else { (units >> -self.shift) + 1 };
        let margin = steps(buffer.into());
        let side = steps(EXTENT.into());
        let within = |step: i64| step.clamp(0, u32::MAX.into()) as u32;
        [
            within(self.west - margin),
            within(self.north - margin),
            within(self.west + side + margin),
            within(self.north + side + margin),
        ]
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
        fn the_curve_goes_through_one_tile_after_the_other(
            x in any::<u32>(), y in any::<u32>(), within in any::<[u16; 2]>(), zoom in 1..=16_u8,
        ) {
            let side = BITS - zoom;
            let other = [x, y].map(|step| step >> side << side);
            let other = [other[0] | u32::from(within[0]), other[1] | u32::from(within[1])];
            prop_assert_eq!(cell(hilbert([x, y]), zoom), cell(hilbert(other), zoom));
            let (first, last) = positions(cell(hilbert([x, y]), zoom), zoom);
            prop_assert!((first..=last).contains(&hilbert(other)));
        }

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

        #[test]
        fn four_at_once_are_what_they_are_alone(
            zoom in 0..=22_u8, x in any::<u32>(), y in any::<u32>(), parts in prop::collection::vec([-1.0..2.0, -1.0..2.0], 0..9),
        ) {
            let window = Window::holding(zoom, [x, y]);
            let side = 2.0_f64.powi((BITS - zoom).into());
            let at = |corner: i64, part: f64| (corner as f64 + part * side).clamp(0.0, f64::from(u32::MAX)) as u32;
            let places: Vec<Place> = parts.iter().map(|[x, y]| [at(window.west, *x), at(window.north, *y)]).collect();
            let mut units = Vec::new();
            window.extend_units(&places, &mut units);
            prop_assert_eq!(units, places.iter().map(|place| window.to_units(*place)).collect::<Vec<_>>());
        }
    }
}
