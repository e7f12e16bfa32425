//! The archive's file: written under a temporary name beside its own, which it
//! takes when it is whole.

use std::fs::{File, Permissions};
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use layers::Extent;
use pmtiles::{Compression, PmTilesStreamWriter, PmTilesWriter, PmtError, TileType};
use serde_json::Value;
use tempfile::NamedTempFile;

use super::{ArchiveError, metadata};
use crate::TileCoord;

/// A file that is being written. Dropped before [`ArchiveFile::finish`], it
/// leaves nothing. All of it waits for the disk.
pub(super) struct ArchiveFile {
    path: PathBuf,
    overwrite: bool,
    temporary: NamedTempFile,
    tiles: PmTilesStreamWriter<File>,
}

/// What is known when every tile is in.
pub(super) struct Summary {
    pub(super) zooms: RangeInclusive<u8>,
    pub(super) extent: Extent,
    pub(super) metadata: Value,
}

impl ArchiveFile {
    /// Begins the file that `path` is to be.
    pub(super) fn create(path: &Path, overwrite: bool) -> Result<Self, ArchiveError> {
        let failed = |source| ArchiveError::write(path, source);
        check(path, overwrite)?;
        let name = path.file_name().ok_or_else(|| ArchiveError::NoFile(path.to_owned()))?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push("-");
        let temporary = tempfile::Builder::new()
            .prefix(&prefix)
            // As a file that any program makes: the umask decides.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder(path))
            .map_err(failed)?;
        let file = temporary.as_file().try_clone().map_err(failed)?;
        let tiles = PmTilesWriter::new(TileType::Mvt)
            .precompressed(Compression::Gzip)
            .internal_compression(Compression::Gzip)
            .create(file)
            .map_err(|error| failed(io_error(error)))?;
        Ok(Self { path: path.to_owned(), overwrite, temporary, tiles })
    }

    /// Adds a tile (gzip). Tiles come in the order of their ids; one that is
    /// equal to an earlier one is kept once.
    pub(super) fn add(&mut self, tile: TileCoord, bytes: &[u8]) -> Result<(), ArchiveError> {
        pmtiles::TileCoord::new(tile.zoom(), tile.column(), tile.row())
            .and_then(|tile| self.tiles.add_tile(tile, bytes))
            .map_err(|error| ArchiveError::write(&self.path, io_error(error)))
    }

    /// Writes the directories, and gives the file its name once it is on the
    /// disk. Returns its size in bytes.
    pub(super) fn finish(self, summary: &Summary) -> Result<u64, ArchiveError> {
        let Self { path, overwrite, temporary, mut tiles } = self;
        let failed = |source| ArchiveError::write(&path, source);
        let Summary { zooms, extent, metadata } = summary;
        tiles.set_zoom_range(*zooms.start(), *zooms.end());
        tiles.set_bounds(extent.west, extent.south, extent.east, extent.north);
        let (longitude, latitude) =
            (f64::midpoint(extent.west, extent.east), f64::midpoint(extent.south, extent.north));
        tiles.set_center(longitude, latitude, metadata::centre_zoom(*extent, zooms));
        tiles.set_metadata(metadata.to_string());
        tiles.finalize().map_err(|error| failed(io_error(error)))?;
        temporary.as_file().sync_all().map_err(failed)?;
        let bytes = temporary.as_file().metadata().map_err(failed)?.len();
        let named = if overwrite { temporary.persist(&path) } else { temporary.persist_noclobber(&path) };
        named.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => ArchiveError::Exists(path.clone()),
            _ => failed(error.error),
        })?;
        // The name is the folder's, and reaches the disk with it.
        File::open(folder(&path)).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(bytes)
    }
}

/// Refuses a name that the file cannot have.
pub(super) fn check(path: &Path, overwrite: bool) -> Result<(), ArchiveError> {
    match path.symlink_metadata() {
        Ok(there) if !there.is_file() => Err(ArchiveError::NoFile(path.to_owned())),
        Ok(_) if !overwrite => Err(ArchiveError::Exists(path.to_owned())),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(ArchiveError::write(path, error)),
    }
}

/// The folder of the file.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the disk said, where it was the disk.
fn io_error(error: PmtError) -> io::Error {
    match error {
        PmtError::Reading(error) => error,
        other => io::Error::other(other),
    }
}
