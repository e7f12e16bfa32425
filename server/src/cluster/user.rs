//! As which user of the system the cluster runs. PostgreSQL refuses root.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use super::ClusterError;

/// The user whose processes the cluster's are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClusterUser {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The system user that root's clusters run as, made where it is missing.
const SYSTEM_USER: &str = "lindero";
/// Debian's package makes this one; the fall-back where no user can be made.
const PACKAGE_USER: &str = "postgres";

impl ClusterUser {
    /// Ourselves; as root the folder's owner, or the system user for a folder
    /// that is new or root's own.
    pub(super) fn of(folder: &Path) -> Result<Self, ClusterError> {
        let owner = std::fs::metadata(folder).ok().map(|metadata| metadata.uid());
        let own = geteuid();
        if own.is_root() {
            return match owner {
                Some(uid) if uid != 0 => by_id(uid),
                _ => system_user(),
            };
        }
        let user = by_id(own.as_raw())?;
        match owner {
            Some(uid) if uid != user.uid => Err(ClusterError::OthersFolder {
                folder: folder.to_owned(),
                owner: by_id(uid).map_or_else(|_| format!("user {uid}"), |user| user.name),
            }),
            _ => Ok(user),
        }
    }

    /// Whether we must change users to become this one.
    fn is_other(&self) -> bool {
        self.uid != geteuid().as_raw()
    }

    /// A command that runs `program` as this user, in `folder`, with nothing
    /// of our environment but the search path.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let mut command = if self.is_other() {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={}", self.uid))
                .arg(format!("--regid={}", self.gid))
                .args(["--clear-groups", "--no-new-privs", "--"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        command.env_clear().env("PATH", path).env("LC_ALL", "C.UTF-8").current_dir(folder).stdin(Stdio::null());
        command
    }

    /// Gives `path` to this user.
    pub(super) fn own(&self, path: &Path) -> Result<(), ClusterError> {
        if self.is_other() {
            std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
                .map_err(ClusterError::file("giving away", path))?;
        }
        Ok(())
    }

    /// Whether this user can write in `folder`, through all that lies above.
    pub(super) fn reaches(&self, folder: &Path) -> Result<(), ClusterError> {
        let reached = self
            .command("test", Path::new("/"))
            .arg("-w")
            .arg(folder)
            .status()
            .map_err(ClusterError::file("running", Path::new("test")))?;
        if reached.success() {
            Ok(())
        } else {
            Err(ClusterError::Unreachable { folder: folder.to_owned(), user: self.name.clone() })
        }
    }
}

fn system_user() -> Result<ClusterUser, ClusterError> {
    if let Ok(user) = entry(SYSTEM_USER) {
        return Ok(user);
    }
    let made = Command::new("useradd")
        .args(["--system", "--user-group", "--no-create-home", "--home-dir", "/var/lib/lindero"])
        .args(["--shell", "/usr/sbin/nologin", SYSTEM_USER])
        .output();
    match made {
        Ok(output) if output.status.success() => entry(SYSTEM_USER),
        // Two starts at once, or a system without useradd.
        _ => entry(SYSTEM_USER).or_else(|_| entry(PACKAGE_USER)),
    }
}

fn by_id(uid: u32) -> Result<ClusterUser, ClusterError> {
    entry(&uid.to_string()).map_err(|_| ClusterError::NoSuchUser(uid))
}

/// Asks the system's user list (`getent` knows LDAP too).
fn entry(key: &str) -> Result<ClusterUser, ClusterError> {
    let output = Command::new("getent")
        .args(["passwd", key])
        .output()
        .map_err(ClusterError::file("running", Path::new("getent")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut fields = text.trim_end().split(':');
    let (name, _, uid, gid) = (fields.next(), fields.next(), fields.next(), fields.next());
    match (name, uid.and_then(|uid| uid.parse().ok()), gid.and_then(|gid| gid.parse().ok())) {
        (Some(name), Some(uid), Some(gid)) => Ok(ClusterUser { name: name.to_owned(), uid, gid }),
        _ => Err(ClusterError::Program { program: "getent".to_owned(), output: format!("there is no user {key}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let root = entry("root").expect("every system has root");
        assert_eq!((root.uid, root.gid), (0, 0));
        assert_eq!(by_id(0).expect("by number"), root);
        assert!(matches!(by_id(3_999_999_999), Err(ClusterError::NoSuchUser(3_999_999_999))));
    }
}
