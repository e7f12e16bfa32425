//! What is in the folder of a server's indexes, for who looks from outside.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Files of indexes.
pub(super) const INDEX: &str = "tiles";
/// Files that say why a layer has no index.
pub(super) const NOTE: &str = "none";

/// What a folder of indexes holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Layers with an index.
    pub indexes: usize,
    /// The bytes of all of these files …
    pub bytes: u64,
    /// … and of the largest.
    pub largest: u64,
    /// Layers without, and why, in alphabetical order.
    pub without: Vec<(String, String)>,
}

impl Files {
    /// Looks into the folder; none where there is none.
    pub fn look(folder: &Path) -> io::Result<Option<Self>> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut files = Self::default();
        for entry in entries {
            let path = entry?.path();
            let (Some(layer), Some(kind)) = (path.file_stem(), path.extension()) else { continue };
            if kind == INDEX {
                // A server may have replaced it meanwhile.
                let Ok(metadata) = path.metadata() else { continue };
                files.indexes += 1;
                files.bytes += metadata.len();
                files.largest = files.largest.max(metadata.len());
            } else if kind == NOTE
                && let Ok(why) = fs::read_to_string(&path)
            {
                files.without.push((layer.to_string_lossy().into_owned(), why.trim().to_owned()));
            }
        }
        files.without.sort();
        Ok(Some(files))
    }
}
