//! The folder of the database's socket: short, and ours alone.

use std::fs::DirBuilder;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::ClusterError;
use super::user::ClusterUser;

/// A socket's path may have 107 bytes; this much is left for the file's name.
const LONGEST: usize = 107 - "/.s.PGSQL.5432.lock".len();

/// Makes the folder, or finds it as we left it. Which one it is may change
/// between starts: who wants to connect reads it from the running cluster.
pub(super) fn socket_folder(data: &Path, user: &ClusterUser) -> Result<PathBuf, ClusterError> {
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    let name = format!("{:016x}", hasher.finish());
    let folder = candidates(user, &name)
        .into_iter()
        .find(|folder| folder.as_os_str().len() <= LONGEST && folder.parent().is_some_and(is_writable))
        .unwrap_or_else(|| in_tmp(user, &name));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Ok(()) => user.own(&folder)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(ClusterError::file("making", &folder)(error)),
    }
    // Not a link, nor somebody's trap made in /tmp before us.
    let found = std::fs::symlink_metadata(&folder).map_err(ClusterError::file("reading", &folder))?;
    if found.is_dir() && found.uid() == user.uid && found.mode().trailing_zeros() >= 6 {
        Ok(folder)
    } else {
        Err(ClusterError::RuntimeFolder(folder))
    }
}

fn candidates(user: &ClusterUser, name: &str) -> Vec<PathBuf> {
    if rustix::process::geteuid().is_root() {
        let system = Path::new("/run/lindero");
        // Fails where /run is not writable; then /tmp is taken.
        let _ = DirBuilder::new().mode(0o755).create(system);
        return vec![system.join(name)];
    }
    let own = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute() && std::fs::metadata(folder).is_ok_and(|found| found.uid() == user.uid));
    own.into_iter().map(|folder| folder.join(format!("lindero-{name}"))).collect()
}

fn in_tmp(user: &ClusterUser, name: &str) -> PathBuf {
    PathBuf::from(format!("/tmp/lindero-{}-{name}", user.uid))
}

fn is_writable(folder: &Path) -> bool {
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok()
}
