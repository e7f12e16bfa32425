use std::f64::consts::PI;

use layers::crs;

/// Pixels of a tile's side in the definition of every set. Scale denominators
/// and cell sizes are of such pixels.
pub const TILE_SIZE: u32 = 256;

/// Half the side of the Web Mercator square, in metres of EPSG:3857.
pub(crate) const HALF: f64 = 6_378_137.0 * PI;

/// A tile matrix set: how the tiles of a CRS lie and are numbered. In each the
/// tiles of a zoom are squares, half as wide as those of the zoom before, with
/// rows from the north and columns from the west.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatrixSet {
    /// OGC's WebMercatorQuad, EPSG:3857: one tile at zoom 0.
    WebMercatorQuad,
    /// OGC's WorldCRS84Quad, longitude and latitude: two tiles at zoom 0.
    WorldCrs84Quad,
    /// Ours, EPSG:9377: one tile at zoom 0, which holds the area of use of the
    /// national CRS, the sea and San Andrés too.
    MagnaOrigenNacional,
}

impl MatrixSet {
    /// All of them, the most used first.
    pub const ALL: [Self; 3] = [Self::WebMercatorQuad, Self::WorldCrs84Quad, Self::MagnaOrigenNacional];

    /// The set of that id.
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.id() == id)
    }

    /// Its id, as paths have it.
    pub fn id(self) -> &'static str {
        match self {
            Self::WebMercatorQuad => "WebMercatorQuad",
            Self::WorldCrs84Quad => "WorldCRS84Quad",
            Self::MagnaOrigenNacional => "MagnaOrigenNacional",
        }
    }

    /// PostGIS's number of its CRS, with axes as x, y.
    pub fn srid(self) -> i32 {
        match self {
            Self::WebMercatorQuad => crs::WEB_MERCATOR,
            Self::WorldCrs84Quad => crs::WGS_84,
            Self::MagnaOrigenNacional => crs::ORIGEN_NACIONAL,
        }
    }

    /// The highest zoom at which there are tiles: in all sets about the same scale.
    pub fn highest_zoom(self) -> u8 {
        crate::HIGHEST_ZOOM - self.ahead()
    }

    /// The zoom at which WebMercatorQuad's `zoom` has about the same scale, or
    /// the lowest or highest that there is.
    pub fn zoom_at_scale(self, zoom: u8) -> u8 {
        zoom.saturating_sub(self.ahead()).min(self.highest_zoom())
    }

    /// By how many zooms WebMercatorQuad is ahead at the same scale, at the
    /// equator: exactly, but for 2 % of the scale in `MagnaOrigenNacional`.
    pub(crate) fn ahead(self) -> u8 {
        match self {
            Self::WebMercatorQuad => 0,
            Self::WorldCrs84Quad => 1,
            Self::MagnaOrigenNacional => 4,
        }
    }

    /// Tiles at that zoom from the west to the east, and from the north to
    /// the south.
    pub fn size(self, zoom: u8) -> [u32; 2] {
        let side = 1 << zoom;
        match self {
            Self::WorldCrs84Quad => [2 * side, side],
            Self::WebMercatorQuad | Self::MagnaOrigenNacional => [side, side],
        }
    }

    /// The north-west corner of all its tiles, x before y, in units of its CRS.
    pub fn corner(self) -> [f64; 2] {
        match self {
            Self::WebMercatorQuad => [-HALF, HALF],
            Self::WorldCrs84Quad => [-180.0, 90.0],
            // The area of use lies 130 km and more within, and the CRS's false
            // origin (5 000 000, 2 000 000) at the corner of tiles from zoom 4 on.
            Self::MagnaOrigenNacional => [3_400_000.0, 3_440_000.0],
        }
    }

    /// The side of a tile of that zoom, in units of its CRS.
    pub fn side(self, zoom: u8) -> f64 {
        let first = match self {
            Self::WebMercatorQuad => 2.0 * HALF,
            Self::WorldCrs84Quad => 180.0,
            // A pixel of 10 km, halved with each zoom.
            Self::MagnaOrigenNacional => 2_560_000.0,
        };
        first / f64::from(1_u32 << zoom)
    }

    /// The side of a pixel at that zoom, in units of its CRS.
    pub fn cell_size(self, zoom: u8) -> f64 {
        self.side(zoom) / f64::from(TILE_SIZE)
    }

    /// Metres of a unit of its CRS: of a degree, along the equator.
    pub fn metres(self) -> f64 {
        match self {
            Self::WorldCrs84Quad => HALF / 180.0,
            Self::WebMercatorQuad | Self::MagnaOrigenNacional => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_found_by_its_id() {
        for set in MatrixSet::ALL {
            assert_eq!(MatrixSet::by_id(set.id()), Some(set));
        }
        assert_eq!(MatrixSet::by_id("worldcrs84quad"), None);
    }

    #[test]
    fn the_scales_of_all_sets_go_together() {
        for set in MatrixSet::ALL {
            for zoom in 0..=set.highest_zoom() {
                let ours = set.cell_size(zoom) * set.metres();
                let mercator = MatrixSet::WebMercatorQuad.cell_size(zoom + set.ahead());
                assert!((ours / mercator - 1.0).abs() < 0.023, "{set:?} {zoom}: {ours} {mercator}");
                assert_eq!(set.zoom_at_scale(zoom + set.ahead()), zoom);
            }
        }
    }

    #[test]
    fn the_national_set_holds_the_area_of_use() {
        // EPSG's box of the CRS, by PROJ, from points along its border.
        let [west, south, east, north] = [3_684_731.0, 1_080_616.0, 5_681_491.0, 3_307_328.0];
        let set = MatrixSet::MagnaOrigenNacional;
        let ([left, top], side) = (set.corner(), set.side(0));
        let least = [west - left, top - north, left + side - east, south - (top - side)].into_iter().reduce(f64::min);
        assert!(least.unwrap() > 130_000.0, "{least:?}");
        let from_corner = [5_000_000.0 - left, top - 2_000_000.0].map(|way| way / set.side(4));
        assert!(from_corner.iter().all(|way| way.fract() == 0.0), "{from_corner:?}");
    }
}
