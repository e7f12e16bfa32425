//! Making the cluster.

use std::path::Path;

use uuid::Uuid;

use super::ClusterError;
use super::folder::{DataFolder, sync};
use super::lock::Lock;
use super::programs::Programs;
use super::user::ClusterUser;

/// A cluster that is being made; a killed start leaves one behind.
const UNFINISHED: &str = "postgres.new-";

/// Makes the cluster under another name and renames it when it is whole, so
/// that a folder named `postgres` is always a complete cluster.
pub(super) fn ensure(
    programs: &Programs,
    folder: &DataFolder,
    user: &ClusterUser,
    change: &Lock,
) -> Result<(), ClusterError> {
    remove_unfinished(folder)?;
    let cluster = folder.cluster();
    if cluster.exists() {
        return Ok(());
    }
    tracing::info!(folder = %cluster.display(), postgresql = programs.major, "making the database cluster");
    let unfinished = folder.root().join(format!("{UNFINISHED}{}", Uuid::now_v7().simple()));
    run(programs, folder, user, &unfinished, change)?;
    let main = unfinished.join("postgresql.conf");
    let mut text = std::fs::read_to_string(&main).map_err(ClusterError::file("reading", &main))?;
    text.push_str("\n# lindero's settings, written at each start.\ninclude_if_exists = 'lindero.conf'\n");
    folder.write(user, &main, &text)?;
    std::fs::rename(&unfinished, &cluster).map_err(ClusterError::file("renaming", &unfinished))?;
    sync(folder.root())
}

fn run(
    programs: &Programs,
    folder: &DataFolder,
    user: &ClusterUser,
    cluster: &Path,
    change: &Lock,
) -> Result<(), ClusterError> {
    let program = programs.path("initdb");
    let output = user
        .command(&program, folder.root())
        .args(["--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"])
        .args(["--locale-provider=icu", "--icu-locale=es-CO", "--data-checksums"])
        .args(["--auth-local=peer", "--auth-host=reject", "--no-instructions", "--pgdata"])
        .arg(cluster)
        .stdin(change.for_child()?)
        .output()
        .map_err(ClusterError::file("running", &program))?;
    if output.status.success() {
        return Ok(());
    }
    // Its own clean-up does not reach what it did not make.
    let _ = std::fs::remove_dir_all(cluster);
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ClusterError::Program { program: "initdb".to_owned(), output: said })
}

fn remove_unfinished(folder: &DataFolder) -> Result<(), ClusterError> {
    for entry in std::fs::read_dir(folder.root()).map_err(ClusterError::file("reading", folder.root()))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            tracing::info!(folder = %entry.path().display(), "removing a database cluster that was never finished");
            std::fs::remove_dir_all(entry.path()).map_err(ClusterError::file("removing", &entry.path()))?;
        }
    }
    Ok(())
}
