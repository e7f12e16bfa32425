//! The data folder: what lies where, and whose format it is.

use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ClusterError;
use super::user::ClusterUser;
use crate::config::Config;

/// The newest format of the folder that this program knows.
const FORMAT: u32 = 1;

/// Says what the folder is; the first thing that is written in it.
const DESCRIPTION: &str = "lindero-data.json";

/// A data folder that is ours.
#[derive(Debug, Clone)]
pub(super) struct DataFolder {
    root: PathBuf,
}

/// The description's content.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Description {
    /// The folder's format.
    format: u32,
    /// The version of the program that made it.
    made_by: String,
    /// The major version of PostgreSQL that its cluster is of.
    pub(super) postgresql: u32,
}

impl DataFolder {
    /// The folder at `root`, which need not exist.
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// PostgreSQL's own folder.
    pub(super) fn cluster(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// The database's logs.
    pub(super) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    pub(super) fn lock(&self, name: &str) -> PathBuf {
        self.root.join("locks").join(name)
    }

    /// What the folder says it is; `None` where it is absent or empty.
    /// Refuses what is not ours and what is newer than us.
    pub(super) fn describe(&self) -> Result<Option<Description>, ClusterError> {
        let path = self.root.join(DESCRIPTION);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return if self.is_empty()? { Ok(None) } else { Err(ClusterError::ForeignFolder(self.root.clone())) };
            }
            Err(error) => return Err(ClusterError::file("reading", &path)(error)),
        };
        let description: Description =
            serde_json::from_str(&text).map_err(|error| newer_or_broken(self, &path, &text, &error))?;
        if description.format > FORMAT {
            return Err(self.newer(description.made_by, description.format));
        }
        Ok(Some(description))
    }

    fn newer(&self, made_by: String, format: u32) -> ClusterError {
        ClusterError::NewerFolder { folder: self.root.clone(), made_by, format, known: FORMAT }
    }

    fn is_empty(&self) -> Result<bool, ClusterError> {
        match std::fs::read_dir(&self.root) {
            // A file system's root may hold the system's own folder; and a server
            // of another database's keeps its tile indexes and the audit
            // trail's digests here.
            Ok(entries) => Ok(entries.flatten().all(|entry| {
                let name = entry.file_name();
                name == "lost+found" || name == Config::TILES || name == Config::AUDIT || is_scrap(&entry)
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(ClusterError::file("reading", &self.root)(error)),
        }
    }

    /// Makes the folder and its description. Killed half-way, it is still
    /// empty or complete.
    pub(super) fn create(&self, user: &ClusterUser, postgresql: u32) -> Result<(), ClusterError> {
        if !self.root.exists() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.root)
                .map_err(ClusterError::file("making", &self.root))?;
        }
        user.own(&self.root)?;
        user.reaches(&self.root)?;
        let description = Description { format: FORMAT, made_by: env!("CARGO_PKG_VERSION").to_owned(), postgresql };
        let text = serde_json::to_string_pretty(&description).unwrap_or_default();
        self.write(user, &self.root.join(DESCRIPTION), &text)
    }

    /// Makes the folders that lie beside the cluster's.
    pub(super) fn complete(&self, user: &ClusterUser) -> Result<(), ClusterError> {
        for folder in [self.root.join("locks"), self.log()] {
            if !folder.exists() {
                let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
                made.map_err(ClusterError::file("making", &folder))?;
            }
            user.own(&folder)?;
        }
        Ok(())
    }

    /// Writes a file whole or not at all.
    pub(super) fn write(&self, user: &ClusterUser, path: &Path, text: &str) -> Result<(), ClusterError> {
        let folder = path.parent().unwrap_or(&self.root);
        let mut file = tempfile::Builder::new()
            .prefix(SCRAP)
            .tempfile_in(folder)
            .map_err(ClusterError::file("writing in", folder))?;
        user.own(file.path())?;
        file.write_all(text.as_bytes()).map_err(ClusterError::file("writing", path))?;
        file.as_file().sync_all().map_err(ClusterError::file("writing", path))?;
        file.persist(path).map_err(|error| ClusterError::file("writing", path)(error.error))?;
        sync(folder)
    }
}

/// What a file is called while it is written.
const SCRAP: &str = ".lindero-new-";

fn is_scrap(entry: &std::fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with(SCRAP)
}

/// Makes a folder's entries outlive a power cut.
pub(super) fn sync(folder: &Path) -> Result<(), ClusterError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(ClusterError::file("syncing", folder))
}

/// A description that we cannot read may be a newer one.
fn newer_or_broken(folder: &DataFolder, path: &Path, text: &str, error: &serde_json::Error) -> ClusterError {
    #[derive(Deserialize)]
    struct Least {
        format: u32,
        #[serde(default)]
        made_by: String,
    }
    match serde_json::from_str::<Least>(text) {
        Ok(least) if least.format > FORMAT => folder.newer(least.made_by, least.format),
        _ => ClusterError::Description { path: path.to_owned(), reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_or_empty_folder_is_free_and_a_strangers_is_not() {
        let temporary = tempfile::tempdir().expect("a folder");
        assert!(DataFolder::at(&temporary.path().join("new")).describe().expect("free").is_none());
        let folder = DataFolder::at(temporary.path());
        assert!(folder.describe().expect("free").is_none());
        std::fs::create_dir(temporary.path().join(Config::TILES)).expect("a folder");
        assert!(folder.describe().expect("free").is_none(), "tile indexes are copies");
        std::fs::write(temporary.path().join("letter.txt"), "dear").expect("a file");
        assert!(matches!(folder.describe(), Err(ClusterError::ForeignFolder(_))));
    }

    #[test]
    fn a_newer_folder_is_refused_even_where_its_description_has_changed() {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = DataFolder::at(temporary.path());
        for text in [
            r#"{"format":2,"made_by":"9.0.0","postgresql":15}"#,
            r#"{"format":7,"made_by":"9.0.0","engine":{"name":"postgresql"}}"#,
        ] {
            std::fs::write(temporary.path().join(DESCRIPTION), text).expect("a file");
            let error = folder.describe().expect_err("newer");
            assert!(error.to_string().contains("9.0.0"), "{error}");
        }
        std::fs::write(temporary.path().join(DESCRIPTION), "{").expect("a file");
        assert!(matches!(folder.describe(), Err(ClusterError::Description { .. })));
    }
}
