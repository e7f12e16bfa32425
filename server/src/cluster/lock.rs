//! File locks, which the kernel releases by whatever death their holder dies.
//!
//! - `serve`: held by the one server of the folder.
//! - `users`: shared by every process that uses the cluster; whoever gets it
//!   exclusively knows that nobody does, and may stop it.
//! - `change`: held while the cluster is made, started or stopped, also by
//!   `initdb` and `pg_ctl` themselves, which may outlive a killed parent.
//! - `reaper`: held by the process that stops the cluster when its last user
//!   is gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;

use super::ClusterError;
use super::folder::DataFolder;
use super::user::ClusterUser;

pub(super) const SERVE: &str = "serve";
pub(super) const USERS: &str = "users";
pub(super) const CHANGE: &str = "change";
pub(super) const REAPER: &str = "reaper";

/// A lock that is released when it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// The folder's one server, or who that is.
    pub(super) fn serve(folder: &DataFolder, user: &ClusterUser) -> Result<Self, ClusterError> {
        let path = folder.lock(SERVE);
        let file = open(folder, user, SERVE)?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = Self { file };
                let note = format!("process {}", std::process::id());
                lock.file.set_len(0).map_err(ClusterError::file("writing", &path))?;
                lock.file.write_all(note.as_bytes()).map_err(ClusterError::file("writing", &path))?;
                Ok(lock)
            }
            Err(TryLockError::WouldBlock) => Err(ClusterError::InUse {
                folder: folder.root().to_owned(),
                holder: std::fs::read_to_string(&path).unwrap_or_default(),
            }),
            Err(TryLockError::Error(error)) => Err(ClusterError::file("locking", &path)(error)),
        }
    }

    /// Waits for a lock of one's own.
    pub(super) fn exclusive(folder: &DataFolder, user: &ClusterUser, name: &str) -> Result<Self, ClusterError> {
        let file = open(folder, user, name)?;
        file.lock().map_err(ClusterError::file("locking", &folder.lock(name)))?;
        Ok(Self { file })
    }

    /// The lock as a child's standard input: it stays held until we and the
    /// child are gone. So a child that outlives us is waited for.
    pub(super) fn for_child(&self) -> Result<Stdio, ClusterError> {
        let shared = self.file.try_clone().map_err(ClusterError::file("sharing", Path::new("a lock")))?;
        Ok(Stdio::from(shared))
    }

    /// Waits for a lock shared with others.
    pub(super) fn shared(folder: &DataFolder, user: &ClusterUser, name: &str) -> Result<Self, ClusterError> {
        let file = open(folder, user, name)?;
        file.lock_shared().map_err(ClusterError::file("locking", &folder.lock(name)))?;
        Ok(Self { file })
    }

    /// A lock of one's own, where nobody has it.
    pub(super) fn try_exclusive(
        folder: &DataFolder,
        user: &ClusterUser,
        name: &str,
    ) -> Result<Option<Self>, ClusterError> {
        let file = open(folder, user, name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(ClusterError::file("locking", &folder.lock(name))(error)),
        }
    }
}

/// What the folder's server says of itself, where one holds it.
pub(super) fn server(folder: &DataFolder) -> Option<String> {
    let path = folder.lock(SERVE);
    let file = File::open(&path).ok()?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => std::fs::read_to_string(&path).ok(),
        // Free: it is released with the file.
        _ => None,
    }
}

fn open(folder: &DataFolder, user: &ClusterUser, name: &str) -> Result<File, ClusterError> {
    let path = folder.lock(name);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(ClusterError::file("opening", &path))?;
    user.own(&path)?;
    Ok(file)
}
