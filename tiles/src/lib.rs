//! From a layer to a tile.
//!
//! [`TileSource`] is the seam between HTTP and whatever cuts the tiles:
//! PostGIS ([`postgis::PostgisTiles`]).

mod coordinate;
pub mod postgis;
mod source;

pub use coordinate::{HIGHEST_ZOOM, OutsideMatrix, TILE_SIZE, TileCoord};
pub use source::{EXTENT, TileError, TileSource, View};
