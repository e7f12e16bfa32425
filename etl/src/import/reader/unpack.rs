//! Archives: unpacked by us, within limits, into the reader's own folder.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use crate::import::Limits;

/// Entries of an archive at most: a bomb of names is one too.
const MOST_ENTRIES: usize = 20_000;
/// An entry may be this many times its packed size ...
const MOST_RATIO: u64 = 200;
/// ... once it is larger than this many bytes.
const RATIO_FROM: u64 = 16 << 20;

/// Unpacks a zip into `folder`. Returns the files, in the archive's order.
pub(super) fn zip(path: &Path, folder: &Path, limits: &Limits) -> Result<Vec<PathBuf>, String> {
    let mut archive = open_zip(path)?;
    let mut files = Vec::new();
    let mut left = limits.unpacked_bytes;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| damaged(path, &error))?;
        let Some(name) = entry.enclosed_name() else {
            return Err(format!(
                "the archive holds {:?}, a path that leads out of it; it is not safe to unpack",
                entry.name()
            ));
        };
        if entry.is_symlink() {
            return Err(format!("the archive holds a link ({:?}); it is not safe to unpack", entry.name()));
        }
        if entry.is_dir() {
            continue;
        }
        let target = folder.join(&name);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(|error| scratch(&error))?;
        }
        let most = left.min(RATIO_FROM.max(entry.compressed_size().saturating_mul(MOST_RATIO)));
        let written = copy(entry, &target, most).map_err(|error| damaged(path, &error))?;
        let Some(written) = written else { return Err(bomb(path, limits)) };
        left -= written;
        files.push(target);
    }
    Ok(files)
}

/// Checks a zip that a driver will unpack itself (KMZ, XLSX, ODS): what its
/// entries say and what they really unpack to.
pub(super) fn check_zip(path: &Path, limits: &Limits) -> Result<(), String> {
    let mut archive = open_zip(path)?;
    let mut left = limits.unpacked_bytes;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| damaged(path, &error))?;
        let most = left.min(RATIO_FROM.max(entry.compressed_size().saturating_mul(MOST_RATIO)));
        let size = io::copy(&mut entry.take(most + 1), &mut io::sink()).map_err(|error| damaged(path, &error))?;
        if size > most {
            return Err(bomb(path, limits));
        }
        left -= size;
    }
    Ok(())
}

/// Unpacks a gzip file into `folder`, under its name without `.gz`.
pub(super) fn gzip(path: &Path, folder: &Path, limits: &Limits) -> Result<PathBuf, String> {
    let packed = File::open(path).map_err(|error| format!("{} cannot be opened: {error}", path.display()))?;
    let size = packed.metadata().map_or(0, |metadata| metadata.len());
    let target = folder.join(path.file_stem().unwrap_or(path.as_os_str()));
    let most = limits.unpacked_bytes.min(RATIO_FROM.max(size.saturating_mul(MOST_RATIO)));
    let unpacked = flate2::bufread::MultiGzDecoder::new(BufReader::new(packed));
    match copy(unpacked, &target, most) {
        Ok(Some(_)) => Ok(target),
        Ok(None) => Err(bomb(path, limits)),
        Err(error) => Err(damaged(path, &error)),
    }
}

fn open_zip(path: &Path) -> Result<zip::ZipArchive<impl Read + Seek>, String> {
    let file = File::open(path).map_err(|error| format!("{} cannot be opened: {error}", path.display()))?;
    let archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| damaged(path, &error))?;
    if archive.len() > MOST_ENTRIES {
        return Err(format!("the archive holds {} entries, more than the {MOST_ENTRIES} allowed", archive.len()));
    }
    Ok(archive)
}

/// Copies at most `most` bytes; none where there are more.
fn copy(from: impl Read, target: &Path, most: u64) -> io::Result<Option<u64>> {
    let mut file = File::create(target)?;
    let written = io::copy(&mut from.take(most.saturating_add(1)), &mut file)?;
    Ok((written <= most).then_some(written))
}

fn bomb(path: &Path, limits: &Limits) -> String {
    format!(
        "{} unpacks to far more than its size (more than {MOST_RATIO} times, or than the {} MB allowed): it is refused. \
         If it is what it should be, unpack it yourself and import the file inside",
        name(path),
        limits.unpacked_bytes >> 20
    )
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{} is damaged or no archive of its kind ({error}): copy or download it again", name(path))
}

fn scratch(error: &io::Error) -> String {
    format!("the archive cannot be unpacked: {error}")
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn archive(folder: &Path, entries: &[(&str, &[u8])]) -> PathBuf {
        let path = folder.join("a.zip");
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in entries {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap();
        path
    }

    #[test]
    fn archives_unpack_within_limits() {
        let folder = tempfile::tempdir().unwrap();
        let into = tempfile::tempdir().unwrap();
        let path = archive(folder.path(), &[("capas/a.shp", b"12345")]);
        let files = zip(&path, into.path(), &Limits::default()).unwrap();
        assert_eq!(files, [into.path().join("capas/a.shp")]);
        let tight = Limits { unpacked_bytes: 4, ..Limits::default() };
        assert!(zip(&path, into.path(), &tight).unwrap_err().contains("refused"));
        assert!(check_zip(&path, &tight).is_err());
    }

    #[test]
    fn bombs_and_traversals_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let into = tempfile::tempdir().unwrap();
        let zeros = vec![0; 64 << 20];
        let path = archive(folder.path(), &[("a.shp", &zeros)]);
        assert!(zip(&path, into.path(), &Limits::default()).unwrap_err().contains("far more"));
        let path = archive(folder.path(), &[("../../etc/cron.d/a", b"x")]);
        assert!(zip(&path, into.path(), &Limits::default()).unwrap_err().contains("leads out"));
        fs::write(folder.path().join("b.zip"), b"no archive").unwrap();
        assert!(zip(&folder.path().join("b.zip"), into.path(), &Limits::default()).unwrap_err().contains("damaged"));
    }
}
