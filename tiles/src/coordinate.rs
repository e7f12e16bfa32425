use std::f64::consts::PI;

use layers::Extent;
use thiserror::Error;

/// The highest zoom at which tiles are cut.
pub const HIGHEST_ZOOM: u8 = 22;

/// Pixels of a tile's side in the definition of WebMercatorQuad. Scale
/// denominators and cell sizes are of such pixels.
pub const TILE_SIZE: u32 = 256;

/// Half the side of the Web Mercator square, in metres of EPSG:3857.
pub(crate) const HALF: f64 = 6_378_137.0 * PI;

/// A tile of WebMercatorQuad that exists: zoom, row (from the north) and
/// column (from the west) within its matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileCoord {
    zoom: u8,
    row: u32,
    column: u32,
}

/// There is no such tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no tile {zoom}/{row}/{column}: zooms are 0 to {HIGHEST_ZOOM}, rows and columns 0 to 2^zoom - 1")]
pub struct OutsideMatrix {
    zoom: u64,
    row: u64,
    column: u64,
}

impl TileCoord {
    /// The tile of that zoom, row and column: OGC's order, y before x.
    pub fn new(zoom: u64, row: u64, column: u64) -> Result<Self, OutsideMatrix> {
        let outside = OutsideMatrix { zoom, row, column };
        let level = u8::try_from(zoom).ok().filter(|zoom| *zoom <= HIGHEST_ZOOM).ok_or(outside)?;
        let inside = |index: u64| u32::try_from(index).ok().filter(|index| *index < 1 << level).ok_or(outside);
        Ok(Self { zoom: level, row: inside(row)?, column: inside(column)? })
    }

    /// Its zoom.
    pub fn zoom(self) -> u8 {
        self.zoom
    }

    /// Its row, 0 in the north.
    pub fn row(self) -> u32 {
        self.row
    }

    /// Its column, 0 in the west.
    pub fn column(self) -> u32 {
        self.column
    }

    /// The tile's side in metres of EPSG:3857.
    pub fn side(self) -> f64 {
        2.0 * HALF / f64::from(1_u32 << self.zoom)
    }

    /// The tile in longitude and latitude, with `margin` (a part of its side)
    /// around it, within the Web Mercator square.
    pub fn extent(self, margin: f64) -> Extent {
        let side = self.side();
        let x = |column: f64| (column * side - HALF).clamp(-HALF, HALF) / HALF * 180.0;
        let y = |row: f64| {
            let northing = (HALF - row * side).clamp(-HALF, HALF);
            (northing / 6_378_137.0).sinh().atan().to_degrees()
        };
        let (column, row) = (f64::from(self.column), f64::from(self.row));
        Extent {
            west: x(column - margin),
            south: y(row + 1.0 + margin),
            east: x(column + 1.0 + margin),
            north: y(row - margin),
        }
    }

    /// Whether the tile holds the point. A point on the edge of two tiles is in
    /// the one to its south-east, so that it is in one only.
    pub fn contains(self, longitude: f64, latitude: f64) -> bool {
        Self::holding(self.zoom, longitude, latitude) == Some(self)
    }

    /// The tile of that zoom that holds the point; none where the zoom or the
    /// point lies outside the matrix.
    pub fn holding(zoom: u8, longitude: f64, latitude: f64) -> Option<Self> {
        if zoom > HIGHEST_ZOOM || !longitude.is_finite() || !latitude.is_finite() {
            return None;
        }
        let count = f64::from(1_u32 << zoom);
        let column = ((longitude + 180.0) / 360.0 * count).floor();
        let mercator = latitude.to_radians().tan().asinh() / PI;
        let row = ((1.0 - mercator) / 2.0 * count).floor();
        let inside = |index: f64| (0.0..count).contains(&index);
        (inside(column) && inside(row)).then_some(Self { zoom, row: row as u32, column: column as u32 })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tile_lies_within_its_matrix() {
        assert!(TileCoord::new(0, 0, 0).is_ok());
        assert!(TileCoord::new(22, (1 << 22) - 1, 0).is_ok());
        for (zoom, row, column) in [(0, 0, 1), (1, 2, 0), (23, 0, 0), (3, u64::MAX, 0), (u64::MAX, 0, 0)] {
            assert!(TileCoord::new(zoom, row, column).is_err(), "{zoom}/{row}/{column}");
        }
    }

    #[test]
    fn the_square_is_the_standards() {
        let world = TileCoord::new(0, 0, 0).unwrap().extent(0.0);
        assert!((world.north - 85.051_128_779_806_59).abs() < 1e-9 && (world.south + world.north).abs() < 1e-9);
        assert_eq!((world.west, world.east), (-180.0, 180.0));
        // Ibagué's centre, by the usual formula (x before y): 16/19063/31959.
        let tile = TileCoord::holding(16, -75.2322, 4.4389).unwrap();
        assert_eq!((tile.column(), tile.row()), (19072, 31959));
    }

    proptest! {
        #[test]
        fn a_point_is_in_the_tile_that_holds_it(
            zoom in 0..=HIGHEST_ZOOM, longitude in -179.999..179.999, latitude in -85.0..85.0,
        ) {
            let tile = TileCoord::holding(zoom, longitude, latitude).unwrap();
            let extent = tile.extent(1e-6);
            prop_assert!(extent.contains(longitude, latitude), "{tile:?} {extent:?}");
            prop_assert_eq!(TileCoord::new(zoom.into(), tile.row().into(), tile.column().into()), Ok(tile));
        }
    }
}
