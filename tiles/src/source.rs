use access::Caller;
use async_trait::async_trait;
use bytes::Bytes;
use layers::catalog::CatalogError;
use layers::crs::CrsError;
use layers::{Layer, LayerId};
use thiserror::Error;

use crate::TileCoord;

/// Units of a tile's side within the tile.
pub const EXTENT: u32 = 4096;

/// With gzip, no tile has more bytes than this.
pub const MOST_BYTES: usize = 500_000;

/// The name of the layer of labels in a tile of one layer.
pub(crate) const LABELS: &str = "labels";

/// The number of features that one stands for, in generalised tiles.
pub(crate) const POINT_COUNT: &str = "point_count";

/// A tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// MVT 2.1, not compressed; not empty.
    pub bytes: Bytes,
    /// Whether it holds less than all features that are there, or not as they
    /// are: as they are, it would have too many bytes.
    pub is_generalised: bool,
}

/// Whatever cuts tiles.
#[async_trait]
pub trait TileSource: Send + Sync {
    /// The tile as MVT 2.1, not compressed: a layer named as the collection,
    /// with the attributes that the caller may see, and `labels` for polygon
    /// layers whose definition names a label. None where it would be empty.
    /// Equal content gives equal bytes, in every process. A layer that the
    /// caller may not read is unknown.
    async fn tile(&self, caller: &Caller, layer: &Layer, tile: TileCoord) -> Result<Option<Tile>, TileError>;
}

/// Why there is no tile.
#[derive(Debug, Error)]
pub enum TileError {
    /// The layer, as far as the caller may know, does not exist.
    #[error("there is no layer {0}")]
    UnknownLayer(LayerId),
    /// As many tiles as may be are being cut, and it stayed so for a while.
    #[error("too many tiles are being cut at once; ask again in a moment")]
    Busy,
    /// The tile took longer than it may.
    #[error("the tile {tile} of layer {layer} took too long to cut")]
    TooSlow {
        /// The layer.
        layer: LayerId,
        /// The tile.
        tile: TileCoord,
    },
    /// However coarsely it is drawn, the tile has too many bytes.
    #[error("the tile {tile} of layer {layer} cannot be made small enough")]
    TooLarge {
        /// The layer.
        layer: LayerId,
        /// The tile.
        tile: TileCoord,
    },
    /// What is said of the layer could not be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The trail cannot be told.
    #[error(transparent)]
    Trail(#[from] access::audit::TrailFull),
    /// PROJ does not know the CRS of the tile's set.
    #[error("tiles of this set cannot be cut: {0}")]
    Crs(#[from] CrsError),
    /// The tile could not be compressed.
    #[error("the tile could not be compressed: {0}")]
    Encoding(std::io::Error),
    /// The database refused or could not be reached.
    #[error("the tile could not be read: {0}")]
    Database(#[from] sqlx::Error),
}
