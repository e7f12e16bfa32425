//! How far the audit trail is sealed, for whoever looks after the server.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::{AccessError, Caller, Database, Permission, Reach};

/// How far the trail is sealed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SealState {
    /// When it was last sealed; never, where nothing was.
    pub sealed_at: Option<DateTime<Utc>>,
    /// Rows behind the last one that is sealed.
    pub waiting: i64,
    /// Since when the oldest of them waits.
    pub waiting_since: Option<DateTime<Utc>>,
}

/// Says it to whoever may operate the server.
pub async fn seal_state(caller: &Caller, db: &Database) -> Result<SealState, AccessError> {
    caller.require_within(Permission::Operate, &Reach::default(), "see how the audit trail is sealed")?;
    // Rows are sealed in the order of their ids, but for those of transactions
    // that lasted: they are few, and the next seals have them.
    Ok(sqlx::query_as(
        "SELECT (SELECT max(at) FROM access.audit_seal) AS sealed_at, count(*) AS waiting, min(a.at) AS waiting_since \
         FROM access.audit AS a WHERE a.id > coalesce( \
            (SELECT c.audit FROM access.audit_chain AS c ORDER BY c.position DESC LIMIT 1), 0)",
    )
    .fetch_one(db.app())
    .await?)
}
