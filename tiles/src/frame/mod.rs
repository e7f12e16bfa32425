//! From the index's places, which are of Web Mercator, to the units of a tile
//! of any matrix set.
//!
//! The tiles of a set part a square of 2^32 steps a side, as those of Web
//! Mercator do. A place is first brought onto a step of that square, and by a
//! [`Window`] into a tile. The first is the same whatever the tile, so that
//! neighbours agree on every place that both of them draw.

mod degrees;
mod lattice;
mod national;

use layers::crs::CrsError;

use self::degrees::Degrees;
use self::national::National;
use crate::cut::Clip;
use crate::world::{Place, Rect, Window};
use crate::{EXTENT, MatrixSet, TileCoord};

/// What a tile is cut with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) tile: TileCoord,
    pub(crate) grid: AnyGrid,
}

/// The grids that there are: told apart once a tile, not once a place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AnyGrid {
    Mercator(Window),
    Degrees(Reprojected<Degrees>),
    National(Reprojected<&'static National>),
}

/// How places come into a tile.
pub(crate) trait Grid: Copy {
    /// The place in units of the tile, from its north-west corner, rounded.
    fn to_units(self, place: Place) -> [i32; 2];

    /// Appends the places in such units; all lie in the tile or its buffer.
    fn extend_units(self, places: &[Place], units: &mut Vec<[i32; 2]>) {
        units.extend(places.iter().map(|place| self.to_units(*place)));
    }

    /// Whether the place lies in the tile: on its west and north edges too, not
    /// on the others.
    fn holds(self, place: Place) -> bool;

    /// Whether rings that stay simple in the tiles of Web Mercator from that
    /// zoom on are known to be so in this tile.
    fn is_simple(self, from: u8) -> bool;

    /// To what a feature is clipped whose box lies `inside` the area that was
    /// searched, or not: to nothing where all of it is known to be in the clip.
    fn clip(self, inside: bool, clip: Clip) -> Option<Clip>;

    /// Whether the box, which lies `inside` the area that was searched, or not,
    /// lies in the clip.
    fn has_inside(self, inside: bool, rect: Rect, clip: Clip) -> bool;

    /// Square steps of the index in a square unit of the tile; none where a
    /// unit is less than a step.
    fn square(self) -> Option<i128>;
}

impl Frame {
    /// What the tile is cut with; fails where PROJ does not know its CRS.
    pub(crate) fn of(tile: TileCoord) -> Result<Self, CrsError> {
        let window = Window::new(tile);
        let grid = match tile.set() {
            MatrixSet::WebMercatorQuad => AnyGrid::Mercator(window),
            MatrixSet::WorldCrs84Quad => AnyGrid::Degrees(Reprojected { window, projection: Degrees::get() }),
            MatrixSet::MagnaOrigenNacional => AnyGrid::National(Reprojected { window, projection: National::get()? }),
        };
        Ok(Self { tile, grid })
    }

    /// Its zoom, as the index counts them.
    pub(crate) fn zoom(&self) -> u8 {
        self.tile.scale_zoom()
    }

    /// A box that holds, of the world, all that comes into the tile with
    /// `buffer` units around it: no more than that in Web Mercator.
    pub(crate) fn area(&self, buffer: i32) -> Rect {
        match self.grid {
            AnyGrid::Mercator(window) => window.with_buffer(buffer),
            AnyGrid::Degrees(grid) => grid.area(buffer),
            AnyGrid::National(grid) => grid.area(buffer),
        }
    }
}

impl Grid for Window {
    fn to_units(self, place: Place) -> [i32; 2] {
        Self::to_units(self, place)
    }

    fn extend_units(self, places: &[Place], units: &mut Vec<[i32; 2]>) {
        Self::extend_units(self, places, units);
    }

    fn holds(self, place: Place) -> bool {
        Self::holds(self, place)
    }

    fn is_simple(self, from: u8) -> bool {
        from <= self.zoom()
    }

    fn clip(self, inside: bool, clip: Clip) -> Option<Clip> {
        (!inside).then_some(clip)
    }

    fn has_inside(self, inside: bool, _: Rect, _: Clip) -> bool {
        inside
    }

    fn square(self) -> Option<i128> {
        self.unit().map(|unit| i128::from(unit) * i128::from(unit))
    }
}

/// From places to the steps of another square, and back.
pub(crate) trait Projection: Copy {
    /// The step where the place lies; it may lie outside the square.
    fn project(self, place: Place) -> [i64; 2];

    /// Where a point, in steps, lies in Web Mercator's square, in steps of that.
    fn unproject(self, point: [f64; 2]) -> [f64; 2];
}

/// A tile of a set that is not Web Mercator's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reprojected<P> {
    window: Window,
    projection: P,
}

/// Stretches of a tile's side between whose ends its image is taken to be
/// straight: within a unit, it is.
const STRETCHES: u32 = 16;
/// Added to an area: what rounding a place may move it, and an inexact inverse.
const SLACK: f64 = 4.0;

impl<P: Projection> Reprojected<P> {
    fn area(self, buffer: i32) -> Rect {
        let [west, north, east, south] = self.window.edges(f64::from(buffer) + 1.0);
        let along = |part: u32| f64::from(part) / f64::from(STRETCHES);
        let border = (0..=STRETCHES).flat_map(|part| {
            let (x, y) = (west + (east - west) * along(part), north + (south - north) * along(part));
            [[x, north], [x, south], [west, y], [east, y]]
        });
        let around = border
            .map(|point| self.projection.unproject(point))
            .fold([f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY], |rect, [x, y]| {
                [rect[0].min(x), rect[1].min(y), rect[2].max(x), rect[3].max(y)]
            });
        // `as` saturates.
        [around[0] - SLACK, around[1] - SLACK, around[2] + SLACK, around[3] + SLACK].map(|step| step as u32)
    }
}

impl<P: Projection> Grid for Reprojected<P> {
    fn to_units(self, place: Place) -> [i32; 2] {
        self.window.units_at(self.projection.project(place))
    }

    fn holds(self, place: Place) -> bool {
        self.window.holds_step(self.projection.project(place))
    }

    fn is_simple(self, _: u8) -> bool {
        false
    }

    fn clip(self, _: bool, clip: Clip) -> Option<Clip> {
        Some(clip)
    }

    fn has_inside(self, inside: bool, [west, north, east, south]: Rect, clip: Clip) -> bool {
        let corners = [[west, north], [east, north], [east, south], [west, south]];
        inside && corners.into_iter().all(|corner| clip.holds(self.to_units(corner)))
    }

    fn square(self) -> Option<i128> {
        self.window.unit()?;
        // The tile's middle stands for it.
        let [west, north, east, south] = self.window.edges(-f64::from(EXTENT) / 2.0 + 8.0);
        let at = |point| self.projection.unproject(point);
        let (from, right, down) = (at([west, north]), at([east, north]), at([west, south]));
        let run = |to: [f64; 2]| [to[0] - from[0], to[1] - from[1]];
        let (right, down) = (run(right), run(down));
        Some(((right[0] * down[1] - right[1] * down[0]) / (16.0 * 16.0)).round().max(1.0) as i128)
    }
}

#[cfg(test)]
mod tests;
