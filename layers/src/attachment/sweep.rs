use std::collections::HashSet;

use access::{Caller, Database};
use chrono::{TimeDelta, Utc};
use futures::TryStreamExt;
use uuid::Uuid;

use super::AttachmentError;
use super::store::{Store, StoreError, id_of};

/// So long a file that no attachment names is kept: uploads are under way, and
/// who restores an older database must find the files of a newer one.
pub const GRACE: TimeDelta = TimeDelta::days(7);

/// The ids that one statement asks for.
const BATCH: usize = 1000;

/// Removes the files that no attachment names and that are older than `grace`
/// (what was left by a process that died, and of layers that were removed), and
/// says how many attachments they were of. Files that are not ours stay.
pub async fn sweep(caller: &Caller, db: &Database, store: &Store, grace: TimeDelta) -> Result<usize, AttachmentError> {
    caller.require_operator("remove files that no attachment names").map_err(crate::edit::EditError::from)?;
    let oldest = Utc::now() - grace;
    let mut files = store.list().map_err(StoreError::from).try_chunks(BATCH);
    let mut removed = 0;
    while let Some(chunk) = files.try_next().await.map_err(|error| error.1)? {
        let old = chunk.into_iter().filter(|file| file.last_modified <= oldest);
        // A file and its preview are of one.
        let old: HashSet<Uuid> = old.filter_map(|file| id_of(&file.location)).collect();
        let old: Vec<Uuid> = old.into_iter().collect();
        if old.is_empty() {
            continue;
        }
        let known: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM catalog.attachment WHERE id = ANY ($1)")
            .bind(&old)
            .fetch_all(db.app())
            .await?;
        let known: HashSet<Uuid> = known.into_iter().collect();
        for id in old.into_iter().filter(|id| !known.contains(id)) {
            store.delete(id).await?;
            removed += 1;
        }
    }
    Ok(removed)
}
