use access::Caller;
use async_trait::async_trait;
use bytes::Bytes;
use layers::catalog::CatalogError;
use layers::crs::CrsError;
use layers::{AttributeType, Layer, LayerId};
use thiserror::Error;

use crate::TileCoord;
use crate::generalise::always_kept;

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
    /// and `labels` for polygon layers whose definition names a label. None
    /// where it would be empty. Equal content gives equal bytes, in every
    /// process. A layer that the caller may not read is unknown.
    async fn tile(
        &self,
        caller: &Caller,
        layer: &Layer,
        tile: TileCoord,
        view: &View,
    ) -> Result<Option<Tile>, TileError>;
}

/// What a class of callers sees of a layer's features: which attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct View {
    attributes: Vec<String>,
}

impl View {
    /// Every attribute that a tile can hold: all but documents, which no map
    /// draws.
    pub fn whole(layer: &Layer) -> Self {
        let shown = layer.definition.attributes.iter().filter(|attribute| attribute.kind != AttributeType::Json);
        Self { attributes: shown.map(|attribute| attribute.name.clone()).collect() }
    }

    /// The attributes by which a feature is drawn and named.
    pub(crate) fn plain(layer: &Layer) -> Self {
        let mut plain = Self::whole(layer);
        let kept = always_kept(&layer.definition);
        plain.attributes.retain(|attribute| kept.contains(&attribute.as_str()));
        plain
    }

    /// No attribute.
    pub(crate) fn bare() -> Self {
        Self { attributes: Vec::new() }
    }

    /// How many attributes it has.
    pub(crate) fn len(&self) -> usize {
        self.attributes.len()
    }

    /// What of it tiles of that zoom hold: attributes enter where the layer's
    /// definition says.
    pub(crate) fn at(&self, layer: &Layer, zoom: u8) -> Self {
        let enters = |name: &&String| layer.definition.attribute(name).is_none_or(|known| known.min_zoom <= zoom);
        Self { attributes: self.attributes.iter().filter(enters).cloned().collect() }
    }

    /// Whether the attribute is in the view.
    pub fn shows(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|shown| shown == attribute)
    }
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
