//! Tiles as they are sent, kept as long as they hold.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::Visibility;
use bytes::Bytes;
use layers::LayerId;
use xxhash_rust::xxh3::xxh3_128;

use super::generation::Seen;
use super::history::Moment;
use crate::world::Rect;
use crate::{Encoding, Tile, TileCoord};

/// A tile as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedTile {
    /// MVT 2.1, encoded; not empty.
    pub bytes: Bytes,
    /// How.
    pub encoding: Encoding,
    /// Made from the bytes, equal in all processes of one version: 32
    /// hexadecimal digits.
    pub tag: String,
    /// As in [`Tile`].
    pub is_generalised: bool,
}

impl EncodedTile {
    /// The tile in that encoding.
    pub(super) fn new(tile: &Tile, encoding: Encoding) -> io::Result<Self> {
        let bytes = encoding.encode(&tile.bytes)?;
        let tag = format!("{:032x}", xxh3_128(&bytes));
        Ok(Self { bytes, encoding, tag, is_generalised: tile.is_generalised })
    }

    /// To be kept: without the room that it was written in.
    pub(super) fn trimmed(self) -> Self {
        match self.encoding {
            Encoding::Gzip => self,
            _ => Self { bytes: Bytes::copy_from_slice(&self.bytes), ..self },
        }
    }
}

/// Which tile: of which layers, up to which classification each, where, how
/// encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) views: Arc<[(LayerId, Visibility)]>,
    pub(super) tile: TileCoord,
    pub(super) encoding: Encoding,
}

/// A tile that is kept, with the moments of its layers at which it is known
/// to hold. None: there is nothing.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) tile: Option<Arc<EncodedTile>>,
    moments: Vec<AtomicU64>,
}

impl Entry {
    /// What was cut of those generations.
    pub(super) fn new(tile: Option<EncodedTile>, seen: &[Seen]) -> Self {
        let moments = seen.iter().map(|seen| AtomicU64::new(seen.generation.moment)).collect();
        Self { tile: tile.map(Arc::new), moments }
    }

    /// Whether it is what would be cut of those generations in `area`.
    pub(super) fn holds(&self, seen: &[Seen], area: Rect) -> bool {
        let is_generalised = self.tile.as_ref().is_some_and(|tile| tile.is_generalised);
        seen.iter().zip(&self.moments).all(|(Seen { generation, .. }, known): (_, &AtomicU64)| {
            let since: Moment = known.load(Ordering::Relaxed);
            if since == generation.moment {
                return true;
            }
            let holds = generation.history.holds(since, area, is_generalised);
            if holds {
                // Looked up once for each moment. Never back: another request
                // may have seen a later one.
                known.fetch_max(generation.moment, Ordering::Relaxed);
            }
            holds
        })
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self, key: &Key) -> u32 {
        let bytes = self.tile.as_ref().map_or(0, |tile| tile.bytes.len() + tile.tag.len());
        let names: usize = key.views.iter().map(|(layer, _)| layer.as_str().len()).sum();
        (bytes + names + self.moments.len() * 8 + 256).try_into().unwrap_or(u32::MAX)
    }
}
