//! What the fuzzers (`fuzz/`) reach: compiled with the feature `fuzzing` alone.

use std::sync::Arc;

use access::Visibility;
use bytes::Bytes;
use layers::Layer;
use layers::features::SnapshotRow;

use super::generation::{Generation, Seen};
use crate::frame::Frame;
use crate::generalise::levels;
use crate::index::file::{self, Origin};
use crate::index::{Builder, Scratch};
use crate::{Tile, TileCoord};

/// A layer's index, without a database.
#[derive(Debug)]
pub struct FuzzedIndex(Generation);

impl FuzzedIndex {
    /// Of rows in EPSG:3857, by the layer's description. None where it cannot
    /// be.
    pub fn new(layer: Layer, rows: &[SnapshotRow]) -> Option<Self> {
        let mut builder = Builder::new(&layer, &Scratch::default());
        for row in rows {
            builder.push(row);
        }
        let mut index = builder.finish().ok()?;
        index.levels = levels(&layer, &index, &Scratch::default()).ok()?;
        Some(Self(Generation::new(Arc::new(layer), Arc::new(index))))
    }

    /// From a snapshot file's bytes; none where they are refused.
    pub fn read(layer: Layer, bytes: Vec<u8>) -> Option<Self> {
        let (index, _) = file::read(&Bytes::from(bytes)).ok()?;
        Some(Self(Generation::new(Arc::new(layer), Arc::new(index))))
    }

    /// A snapshot file's bytes.
    pub fn write(&self) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("snapshot");
        let origin = Origin { layer: "x".to_owned(), fingerprint: 1, log: "x".to_owned(), snapshot: "1:1:".to_owned() };
        file::write(&self.0.index, &origin, &path).expect("a file");
        std::fs::read(path).expect("its bytes")
    }

    /// A tile.
    pub fn tile(&self, tile: TileCoord) -> Option<Tile> {
        let seen = Seen { generation: Arc::new(self.0.clone()), level: Visibility::Reservada };
        super::compose::tile(&[seen], &Frame::of(tile).ok()?)
    }
}

/// Makes a snapshot file's checksums those of its content, whatever that is.
pub fn mend(bytes: &mut Vec<u8>) {
    file::mend(bytes);
}
