//! The process that stops the cluster when its last user is gone, by whatever
//! death. It waits for the lock `users` in a session of its own, so that
//! neither a terminal's hang-up nor a SIGKILL of us and our group reaches it.

use std::process::Stdio;

use super::ClusterError;
use super::folder::DataFolder;
use super::lock::{REAPER, USERS};
use super::programs::Programs;
use super::user::ClusterUser;

/// Sees to it that there is one. We hold the lock `users`, shared; a second
/// reaper finds the lock `reaper` taken and ends at once.
///
/// Both locks pass to `pg_ctl` itself (`--no-fork`), and are released in the
/// order in which they were taken: whoever then gets `users` finds `reaper`
/// free.
pub(super) fn ensure(programs: &Programs, folder: &DataFolder, user: &ClusterUser) -> Result<(), ClusterError> {
    let program = programs.path("pg_ctl");
    let started = user
        .command("setsid", folder.root())
        .args(["--fork", "flock", "--nonblock", "--no-fork"])
        .arg(folder.lock(REAPER))
        .args(["flock", "--exclusive", "--no-fork"])
        .arg(folder.lock(USERS))
        .arg(&program)
        .args(["stop", "--mode=fast", "--timeout=120", "--silent", "--pgdata"])
        .arg(folder.cluster())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(ClusterError::file("running", &program))?;
    if started.success() {
        Ok(())
    } else {
        Err(ClusterError::Program { program: "setsid".to_owned(), output: started.to_string() })
    }
}
