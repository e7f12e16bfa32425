//! How the trail stands: its last seal, and when it was last looked at.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::{FromRow, Row};

use super::seal::Seal;
use crate::{AccessError, Caller, Database, Permission};

/// How the trail stands.
#[derive(Debug, Clone, Serialize)]
pub struct State {
    /// The last seal; none where nothing was sealed yet.
    pub seal: Option<Seal>,
    /// Rows that are not sealed yet.
    pub unsealed: i64,
    /// The oldest of them.
    pub unsealed_since: Option<DateTime<Utc>>,
    /// What was found when it was last verified; none where it never was.
    pub verification: Option<LastVerification>,
}

/// What was found of the whole trail.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct LastVerification {
    /// When.
    pub at: DateTime<Utc>,
    /// Rows that were as they were sealed.
    pub rows: i64,
    /// Seals that were right.
    pub seals: i64,
    /// Rows that were not sealed yet.
    pub unsealed: i64,
    /// How much was not as it was sealed.
    pub found: i64,
    /// The first of that.
    pub findings: Value,
}

/// How the trail stands, for whoever may read any of it.
pub async fn state(caller: &Caller, db: &Database) -> Result<State, AccessError> {
    if caller.reaches(Permission::ReadAudit).is_empty() {
        return Err(caller.denied("see the audit trail's seal").into());
    }
    let seal = sqlx::query(
        "SELECT position, digest, at, signature, public_key FROM access.audit_seal ORDER BY position DESC LIMIT 1",
    )
    .fetch_optional(db.app())
    .await?;
    let seal = seal
        .map(|row| {
            let bytes = |name: &str| row.try_get::<Vec<u8>, _>(name).map(|bytes| hex::encode(&bytes));
            Ok::<_, sqlx::Error>(Seal {
                position: row.try_get("position")?,
                digest: bytes("digest")?,
                at: row.try_get("at")?,
                signature: bytes("signature")?,
                public_key: bytes("public_key")?,
            })
        })
        .transpose()?;
    // Rows that the last seal could not see: few, and found by their transactions.
    let (unsealed, unsealed_since) = sqlx::query_as(
        "SELECT count(*), min(a.at) FROM access.audit AS a WHERE a.xid >= coalesce( \
            (SELECT pg_snapshot_xmin(s.snapshot) FROM access.audit_seal AS s \
             WHERE s.identity = catalog.change_identity() ORDER BY s.position DESC LIMIT 1), '0'::xid8) \
         AND NOT EXISTS (SELECT FROM access.audit_chain AS c WHERE c.audit = a.id)",
    )
    .fetch_one(db.app())
    .await?;
    let verification = sqlx::query_as(
        "SELECT at, rows, seals, unsealed, found, findings FROM access.audit_verification ORDER BY id DESC LIMIT 1",
    )
    .fetch_optional(db.app())
    .await?;
    Ok(State { seal, unsealed, unsealed_since, verification })
}
