use std::f64::consts::PI;
use std::fmt;

use layers::Extent;
use layers::crs::CrsError;
use thiserror::Error;

use crate::MatrixSet;
use crate::frame::Frame;
use crate::matrix_set::HALF;
use crate::world;

/// The highest zoom of WebMercatorQuad at which tiles are cut; those of the
/// other sets go as far in scale ([`MatrixSet::highest_zoom`]).
pub const HIGHEST_ZOOM: u8 = 22;

/// A tile of a tile matrix set that exists: zoom, row (from the north) and
/// column (from the west) within its matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileCoord {
    set: MatrixSet,
    zoom: u8,
    row: u32,
    column: u32,
}

/// There is no such tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no tile {zoom}/{row}/{column} in {}: {}", set.id(), bounds(*set))]
pub struct OutsideMatrix {
    set: MatrixSet,
    zoom: u64,
    row: u64,
    column: u64,
}

fn bounds(set: MatrixSet) -> String {
    let [columns, rows] = set.size(0);
    let last = |first: u32| if first == 1 { "2^zoom - 1".to_owned() } else { format!("{first} × 2^zoom - 1") };
    format!("zooms are 0 to {}, rows 0 to {}, columns 0 to {}", set.highest_zoom(), last(rows), last(columns))
}

impl TileCoord {
    /// The tile of WebMercatorQuad of that zoom, row and column: OGC's order,
    /// y before x.
    pub fn new(zoom: u64, row: u64, column: u64) -> Result<Self, OutsideMatrix> {
        Self::of(MatrixSet::WebMercatorQuad, zoom, row, column)
    }

    /// The tile of that set, zoom, row and column.
    pub fn of(set: MatrixSet, zoom: u64, row: u64, column: u64) -> Result<Self, OutsideMatrix> {
        let outside = OutsideMatrix { set, zoom, row, column };
        let level = u8::try_from(zoom).ok().filter(|zoom| *zoom <= set.highest_zoom()).ok_or(outside)?;
        let [columns, rows] = set.size(level);
        let inside = |index: u64, count| u32::try_from(index).ok().filter(|index| *index < count).ok_or(outside);
        Ok(Self { set, zoom: level, row: inside(row, rows)?, column: inside(column, columns)? })
    }

    /// Its set.
    pub fn set(self) -> MatrixSet {
        self.set
    }

    /// Its zoom.
    pub fn zoom(self) -> u8 {
        self.zoom
    }

    /// The zoom of WebMercatorQuad with about the same scale: by it a layer
    /// says from how far its features are seen.
    pub fn scale_zoom(self) -> u8 {
        self.zoom + self.set.ahead()
    }

    /// Its row, 0 in the north.
    pub fn row(self) -> u32 {
        self.row
    }

    /// Its column, 0 in the west.
    pub fn column(self) -> u32 {
        self.column
    }

    /// The tile's side in units of its set's CRS.
    pub fn side(self) -> f64 {
        self.set.side(self.zoom)
    }

    /// The tile's box in its set's CRS: least x, least y, greatest x, greatest y.
    pub fn bounds(self) -> [f64; 4] {
        let ([left, top], side) = (self.set.corner(), self.side());
        let (column, row) = (f64::from(self.column), f64::from(self.row));
        [left + column * side, top - (row + 1.0) * side, left + (column + 1.0) * side, top - row * side]
    }

    /// The tile in longitude and latitude, with `margin` (a part of its side)
    /// around it, within the world (of Web Mercator where it is of that). The
    /// box around it where it is no box there.
    pub fn extent(self, margin: f64) -> Result<Extent, CrsError> {
        let margin = margin * self.side();
        let [west, south, east, north] = self.bounds();
        let [west, south, east, north] = [west - margin, south - margin, east + margin, north + margin];
        Ok(match self.set {
            MatrixSet::WebMercatorQuad => {
                let longitude = |x: f64| x.clamp(-HALF, HALF) / HALF * 180.0;
                let latitude = |y: f64| (y.clamp(-HALF, HALF) / 6_378_137.0).sinh().atan().to_degrees();
                Extent { west: longitude(west), south: latitude(south), east: longitude(east), north: latitude(north) }
            }
            MatrixSet::WorldCrs84Quad => Extent {
                west: west.max(-180.0),
                south: south.max(-90.0),
                east: east.min(180.0),
                north: north.min(90.0),
            },
            MatrixSet::MagnaOrigenNacional => {
                let units = margin / self.side() * f64::from(crate::EXTENT);
                world::extent(Frame::of(self)?.area(units.ceil() as i32))
            }
        })
    }

    /// Whether the tile, of WebMercatorQuad, holds the point. A point on the
    /// edge of two tiles is in the one to its south-east, so that it is in one
    /// only.
    pub fn contains(self, longitude: f64, latitude: f64) -> bool {
        Self::holding(self.zoom, longitude, latitude) == Some(self)
    }

    /// The tile of WebMercatorQuad of that zoom that holds the point; none
    /// where the zoom or the point lies outside the matrix.
    pub fn holding(zoom: u8, longitude: f64, latitude: f64) -> Option<Self> {
        if zoom > HIGHEST_ZOOM || !longitude.is_finite() || !latitude.is_finite() {
            return None;
        }
        let count = f64::from(1_u32 << zoom);
        let column = ((longitude + 180.0) / 360.0 * count).floor();
        let mercator = latitude.to_radians().tan().asinh() / PI;
        let row = ((1.0 - mercator) / 2.0 * count).floor();
        let inside = |index: f64| (0.0..count).contains(&index);
        let set = MatrixSet::WebMercatorQuad;
        (inside(column) && inside(row)).then_some(Self { set, zoom, row: row as u32, column: column as u32 })
    }
}

/// Set, zoom, row and column, as in its address.
impl fmt::Display for TileCoord {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}/{}/{}/{}", self.set.id(), self.zoom, self.row, self.column)
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
        let world = TileCoord::new(0, 0, 0).unwrap().extent(0.0).unwrap();
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
            let extent = tile.extent(1e-6).unwrap();
            prop_assert!(extent.contains(longitude, latitude), "{tile:?} {extent:?}");
            prop_assert_eq!(TileCoord::new(zoom.into(), tile.row().into(), tile.column().into()), Ok(tile));
        }
    }
}
