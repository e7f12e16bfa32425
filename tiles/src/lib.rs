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
mod generalise;
mod index;
pub mod postgis;
mod source;
mod world;

pub use coordinate::{HIGHEST_ZOOM, OutsideMatrix, TILE_SIZE, TileCoord};
pub use encode::compress::Encoding;
pub use generalise::generalisation;
pub(crate) use source::LABELS;
pub use source::{EXTENT, MOST_BYTES, Tile, TileError, TileSource, View};
