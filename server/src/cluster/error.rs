//! What can be wrong with the cluster.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why the private cluster cannot be used. Each says what to do.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// There is no PostgreSQL that could run the cluster.
    #[error(
        "PostgreSQL with PostGIS was not found: install it (Debian: `make setup`, or the packages postgresql-15 and \
         postgresql-15-postgis-3), or name its programs' folder in LINDERO_POSTGRES_BIN, or set DATABASE_URL"
    )]
    NoPostgres,
    /// The folder was made with another major version.
    #[error(
        "the data folder {} was made with PostgreSQL {made_with}, and that is not installed here (found: {found}): \
         install postgresql-{made_with} and its PostGIS, or move the data with pg_upgrade", folder.display()
    )]
    OtherPostgres {
        /// The data folder.
        folder: PathBuf,
        /// The major version that made it.
        made_with: u32,
        /// What there is.
        found: String,
    },
    /// The folder belongs to something else.
    #[error(
        "{} is not empty and was not made by lindero: name an empty or new folder (LINDERO_DATA_DIR, --data-dir)",
        .0.display()
    )]
    ForeignFolder(PathBuf),
    /// The folder was made by a later version of this program.
    #[error(
        "the data folder {} was made by lindero {made_by} (format {format}), which is newer than this program \
         (format {known}): use that version", folder.display()
    )]
    NewerFolder {
        /// The data folder.
        folder: PathBuf,
        /// The version that made it.
        made_by: String,
        /// Its format.
        format: u32,
        /// The newest format known here.
        known: u32,
    },
    /// The file that says what the folder is does not say it.
    #[error("{} is not readable as lindero's description of its data folder: {reason}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another server uses the folder.
    #[error(
        "another lindero server uses the data folder {} ({holder}): stop it first, or name another folder \
         (LINDERO_DATA_DIR, --data-dir)", folder.display()
    )]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// What the other server wrote of itself.
        holder: String,
    },
    /// The folder's owner is somebody else.
    #[error("the data folder {} belongs to {owner}: run lindero as {owner}, or as root", folder.display())]
    OthersFolder {
        /// The data folder.
        folder: PathBuf,
        /// Its owner.
        owner: String,
    },
    /// The cluster's user cannot reach the folder.
    #[error(
        "PostgreSQL refuses to run as root, and the user {user}, as whom it runs, cannot reach {}: name a folder \
         that it can reach, as /var/lib/lindero (LINDERO_DATA_DIR, --data-dir)", folder.display()
    )]
    Unreachable {
        /// The data folder.
        folder: PathBuf,
        /// The cluster's user.
        user: String,
    },
    /// The user has no name.
    #[error("the user with the number {0} has no entry in the system's user list, and PostgreSQL needs one")]
    NoSuchUser(u32),
    /// Somebody else made our runtime folder, or changed it.
    #[error("the folder for the database's socket, {}, is not ours alone: remove it, or set XDG_RUNTIME_DIR", .0.display())]
    RuntimeFolder(PathBuf),
    /// A program of PostgreSQL failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Which.
        program: String,
        /// The end of what it said.
        output: String,
    },
    /// The server process of PostgreSQL neither starts nor stops.
    #[error("the database has been {state} for {seconds} s; its log is under {}", log.display())]
    Stuck {
        /// What it says that it is doing.
        state: String,
        /// For how long.
        seconds: u64,
        /// Where its log is.
        log: PathBuf,
    },
    /// A file operation failed.
    #[error("{action} {} failed: {source}", path.display())]
    File {
        /// What was tried, as a noun: "writing".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ClusterError {
    /// Gives a file operation's error its context.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}
