//! The folder of the snapshot files: one for each layer.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;

use layers::change::Position;
use layers::{Layer, LayerId};
use xxhash_rust::xxh3::xxh3_64;

use super::files::{INDEX, NOTE};
use crate::index::file::{self, Origin, SnapshotError};
use crate::index::{Index, Scratch};

/// A private folder. What is in it can be deleted at any time: it is made anew.
#[derive(Debug, Clone)]
pub(super) struct Folder(Arc<PathBuf>);

impl Folder {
    /// Makes it where it is not there; none where that cannot be done.
    pub(super) fn new(path: PathBuf) -> Option<Self> {
        match fs::DirBuilder::new().recursive(true).mode(0o700).create(&path) {
            Ok(()) => Some(Self(Arc::new(path))),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "no folder for the tile indexes: they are kept in memory");
                None
            }
        }
    }

    /// Where what is too long for the memory is laid out.
    pub(super) fn scratch(&self) -> Scratch {
        Scratch::new(self.0.clone())
    }

    fn file(&self, layer: &LayerId) -> PathBuf {
        self.0.join(format!("{layer}.{INDEX}"))
    }

    fn note_file(&self, layer: &LayerId) -> PathBuf {
        self.0.join(format!("{layer}.{NOTE}"))
    }

    /// The layer's index, and from which position of the change log on it
    /// knows of no change; none where there is no file, or none that is whole
    /// and of this layer as it is described now.
    pub(super) fn open(&self, layer: &Layer) -> Option<(Index, Position)> {
        let path = self.file(&layer.id);
        match file::open(&path) {
            Ok((index, origin)) if origin.layer == layer.id.as_str() && origin.fingerprint == fingerprint(layer) => {
                Some((index, Position::from_parts(origin.log, origin.snapshot)))
            }
            Ok(_) => None,
            Err(SnapshotError::Io(error)) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a tile index is not read from its file: it is built anew");
                None
            }
        }
    }

    /// The index as a file: in memory where it cannot be written.
    pub(super) fn keep(&self, layer: &Layer, index: Index, position: &Position) -> Index {
        let (log, snapshot) = position.parts();
        let (log, snapshot) = (log.to_owned(), snapshot.to_owned());
        let origin = Origin { layer: layer.id.to_string(), fingerprint: fingerprint(layer), log, snapshot };
        let path = self.file(&layer.id);
        let written = file::write(&index, &origin, &path).map_err(SnapshotError::from);
        match written.and_then(|()| file::open(&path)) {
            Ok((mapped, of)) if of == origin => {
                let _ = fs::remove_file(self.note_file(&layer.id));
                mapped
            }
            Ok(_) => {
                tracing::warn!(path = %path.display(), "another server writes into the folder of the tile indexes: this one stays in memory");
                index
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a tile index cannot be kept as a file: it stays in memory");
                index
            }
        }
    }

    /// Removes the layer's file, if there is one.
    pub(super) fn remove(&self, layer: &LayerId) {
        // What is left is not read: its layer is not the one that it was of.
        let _ = fs::remove_file(self.file(layer));
        let _ = fs::remove_file(self.note_file(layer));
    }

    /// Writes why the layer has no index, for who looks into the folder.
    pub(super) fn note(&self, layer: &LayerId, why: &str) {
        if let Err(error) = fs::write(self.note_file(layer), why) {
            tracing::warn!(%layer, %error, "the folder of the tile indexes cannot be written");
        }
    }

    /// Removes the files of other layers than these, notes, and what a killed process
    /// left half-written.
    pub(super) fn keep_only<'a>(&self, layers: impl Iterator<Item = &'a LayerId>) {
        let kept: HashSet<PathBuf> = layers.map(|layer| self.file(layer)).collect();
        let entries = fs::read_dir(&*self.0).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| !kept.contains(path)) {
            let _ = fs::remove_file(path);
        }
    }
}

/// What of a layer's description an index depends on, as a number.
pub(super) fn fingerprint(layer: &Layer) -> u64 {
    let Layer { definition, table, .. } = layer;
    let attributes: Vec<_> =
        definition.attributes.iter().map(|known| (&known.name, known.kind, known.min_zoom)).collect();
    let said = (
        (&table.schema, &table.name, &table.key, &table.key_type, &table.geometry, layer.storage_srid),
        (layer.municipality.as_str(), &definition.label, &definition.classify_by),
        (definition.min_zoom, &definition.zoom_rule, attributes),
    );
    // Strings, numbers and maps with strings as keys: that cannot fail.
    serde_json::to_vec(&said).map_or(0, |bytes| xxh3_64(&bytes))
}
