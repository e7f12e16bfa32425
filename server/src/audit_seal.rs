//! Seals the audit trail, and keeps the day's last seal outside of the
//! database.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use access::audit::{Seal, SealKey, seal};
use access::{AccessError, Caller, Database};
use thiserror::Error;
use tokio::time::sleep;

/// A row is sealed so long after it was committed, at most.
const EVERY: Duration = Duration::from_secs(4);

/// The file of the key that signs, in the folder of the audit trail.
pub const KEY: &str = "key";

#[derive(Debug, Error)]
enum SealError {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// Seals what was committed, again and again. Never returns.
pub(crate) async fn keep(database: Database, folder: PathBuf) {
    loop {
        if let Err(error) = sealing(&database, &folder).await {
            tracing::warn!(%error, "the audit trail cannot be sealed; trying again");
        }
        sleep(EVERY).await;
    }
}

async fn sealing(database: &Database, folder: &Path) -> Result<(), SealError> {
    let path = folder.join(KEY);
    let key = make(folder).and_then(|()| SealKey::open(&path)).map_err(|source| SealError::File { path, source })?;
    loop {
        if let Some(sealed) = seal(&Caller::OPERATOR, database, &key).await? {
            // What is no file here may be lost with the database.
            let path = folder.join(format!("{}.json", sealed.at.format("%Y-%m-%d")));
            write(&path, &sealed).map_err(|source| SealError::File { path, source })?;
        }
        sleep(EVERY).await;
    }
}

/// Makes the folder, for its owner only.
fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes the day's digest, whole or not at all.
fn write(path: &Path, seal: &Seal) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, seal)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}
