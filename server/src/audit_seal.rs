//! Seals the audit trail, and keeps the day's last seal outside of the
//! database.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use access::audit::{self, Kept, Seal, SealKey, Verification, seal};
use access::{AccessError, Caller, Database};
use chrono::{TimeDelta, Utc};
use thiserror::Error;
use tokio::time::sleep;

/// A row is sealed so long after it was committed, at most.
const EVERY: Duration = Duration::from_secs(4);

/// How often it is looked whether a verification is due …
const LOOK: Duration = Duration::from_mins(10);
/// … which it is so long after the last.
const VERIFIED: TimeDelta = TimeDelta::days(1);

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

/// Looks every so often whether the trail is as it was sealed. Never returns.
pub(crate) async fn verify_daily(database: Database, folder: PathBuf) {
    loop {
        sleep(LOOK).await;
        match verify_when_due(&database, &folder).await {
            Ok(None) => {}
            Ok(Some(found)) if found.found == 0 => {
                tracing::info!(rows = found.rows, "the audit trail is as it was sealed");
            }
            Ok(Some(found)) => {
                tracing::error!(
                    found = found.found,
                    "the audit trail is not as it was sealed: run lindero audit verify"
                );
            }
            Err(error) => tracing::warn!(%error, "the audit trail could not be verified; trying again"),
        }
    }
}

/// What was found, where nobody looked for a day.
async fn verify_when_due(database: &Database, folder: &Path) -> Result<Option<Verification>, SealError> {
    let operator = &Caller::OPERATOR;
    let last = audit::state(operator, database).await?.verification;
    if last.is_some_and(|last| Utc::now() - last.at < VERIFIED) {
        return Ok(None);
    }
    let path = folder.join(KEY);
    let key = path.exists().then(|| SealKey::open(&path)).transpose();
    let public_key = key.map_err(|source| SealError::File { path, source })?.map(|key| key.public_key());
    let kept = Kept { public_key: public_key.as_deref(), seal: None };
    Ok(Some(audit::verify(operator, database, kept).await?))
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
