//! From a layer to a tile.
//!
//! [`TileSource`] is the seam between HTTP and whatever cuts the tiles: an
//! index in memory ([`engine::IndexedTiles`]), or PostGIS
//! ([`postgis::PostgisTiles`]).

pub mod archive;
mod coordinate;
mod cut;
mod encode;
pub mod engine;
mod frame;
mod generalise;
mod index;
mod matrix_set;
pub mod postgis;
mod source;
mod view;
mod world;

pub use coordinate::{HIGHEST_ZOOM, OutsideMatrix, TileCoord};
pub use encode::compress::Encoding;
pub use engine::labels;
pub use generalise::generalisation;
pub use matrix_set::{MatrixSet, TILE_SIZE};
pub use source::{EXTENT, MOST_BYTES, Tile, TileError, TileSource};
pub(crate) use source::{LABELS, POINT_COUNT};
pub(crate) use view::View;
