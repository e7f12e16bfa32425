use access::Caller;
use async_trait::async_trait;
use bytes::Bytes;
use layers::{Layer, LayerId};

use super::blocking;
use crate::engine::IndexedTiles;
use crate::{Encoding, TileCoord, TileError, TileSource};

/// Where an archive's tiles come from.
#[async_trait]
pub trait Source: Send + Sync {
    /// The tile, compressed with gzip; none where it is empty. Equal content
    /// gives equal bytes.
    async fn tile(&self, tile: TileCoord) -> Result<Option<Bytes>, TileError>;
}

/// The tiles that an engine answers, of one layer or of several.
pub struct Served<'a> {
    /// The engine.
    pub tiles: &'a IndexedTiles,
    /// The layers.
    pub layers: &'a [LayerId],
    /// Whose view of them.
    pub caller: &'a Caller,
}

#[async_trait]
impl Source for Served<'_> {
    async fn tile(&self, tile: TileCoord) -> Result<Option<Bytes>, TileError> {
        let found = self.tiles.encoded(self.caller, self.layers, tile, Encoding::Gzip).await?;
        Ok(found.map(|found| found.bytes.clone()))
    }
}

/// The tiles of one layer.
pub struct OneLayer<'a> {
    /// Whatever cuts them.
    pub tiles: &'a dyn TileSource,
    /// The layer.
    pub layer: &'a Layer,
    /// Whose view of it.
    pub caller: &'a Caller,
}

#[async_trait]
impl Source for OneLayer<'_> {
    async fn tile(&self, tile: TileCoord) -> Result<Option<Bytes>, TileError> {
        let Self { tiles, layer, caller } = self;
        match tiles.tile(caller, layer, tile).await? {
            Some(tile) => {
                Ok(Some(blocking(move || Encoding::Gzip.encode(&tile.bytes)).await.map_err(TileError::Encoding)?))
            }
            None => Ok(None),
        }
    }
}
