use access::Caller;
use async_trait::async_trait;
use bytes::Bytes;
use layers::Layer;

use super::blocking;
use crate::{Encoding, TileCoord, TileError, TileSource, View};

/// Where an archive's tiles come from.
#[async_trait]
pub trait Source: Send + Sync {
    /// The tile, compressed with gzip; none where it is empty. Equal content
    /// gives equal bytes.
    async fn tile(&self, tile: TileCoord) -> Result<Option<Bytes>, TileError>;
}

/// The tiles of one layer.
pub struct OneLayer<'a> {
    /// Whatever cuts them.
    pub tiles: &'a dyn TileSource,
    /// The layer.
    pub layer: &'a Layer,
    /// Whose view of it.
    pub caller: Caller,
}

#[async_trait]
impl Source for OneLayer<'_> {
    async fn tile(&self, tile: TileCoord) -> Result<Option<Bytes>, TileError> {
        let Self { tiles, layer, caller } = self;
        match tiles.tile(*caller, layer, tile, &View::whole(layer)).await? {
            Some(tile) => {
                Ok(Some(blocking(move || Encoding::Gzip.encode(&tile.bytes)).await.map_err(TileError::Encoding)?))
            }
            None => Ok(None),
        }
    }
}
