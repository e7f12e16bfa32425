//! Whether the trail is as it was sealed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Serialize;
use sqlx::{Connection, Row};

use super::seal::{COLUMNS, FIRST, Seal, digest_of, signed};
use crate::{AccessError, Caller, Database, Permission, Reach};

/// Of each kind, so many findings are told; the rest is counted.
const MOST: usize = 100;

/// What was found of the trail.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Rows that are sealed and as they were.
    pub rows: u64,
    /// Seals whose signature is right.
    pub seals: u64,
    /// The last of them.
    pub last: Option<Seal>,
    /// Rows that are not sealed yet.
    pub unsealed: u64,
    /// What is not as it was; at most a hundred.
    pub findings: Vec<Finding>,
    /// How many findings there are.
    pub found: u64,
}

/// Something that is not as it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// A row was taken away: its place in the chain, its number.
    Removed(i64, i64),
    /// A row is another than it was: its place in the chain, its number.
    Altered(i64, i64),
    /// The chain lacks a place.
    Missing(i64),
    /// A seal's signature is not of that key, or of another chain: its place.
    Forged(i64),
    /// The chain is shorter than a seal that somebody kept elsewhere says: its
    /// place.
    Cut(i64),
}

/// What was kept outside of the database: who may write there can make
/// another chain, sealed with another key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kept<'a> {
    /// The key of the seals, in hexadecimal.
    pub public_key: Option<&'a str>,
    /// A seal of former times.
    pub seal: Option<&'a Seal>,
}

/// Reads the whole trail and compares it with its seals, and with what was
/// kept outside. For whoever may read the trail.
pub async fn verify(caller: &Caller, db: &Database, kept: Kept<'_>) -> Result<Verification, AccessError> {
    caller.require_within(Permission::ReadAudit, &Reach::default(), "verify the audit trail")?;
    let mut connection = db.loader().acquire().await?;
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut seals = BTreeMap::new();
    let rows = sqlx::query("SELECT position, digest, at, signature, public_key FROM access.audit_seal")
        .fetch_all(&mut *transaction)
        .await?;
    for row in rows {
        let (position, digest, at): (i64, Vec<u8>, DateTime<Utc>) =
            (row.try_get("position")?, row.try_get("digest")?, row.try_get("at")?);
        let (signature, key): (Vec<u8>, Vec<u8>) = (row.try_get("signature")?, row.try_get("public_key")?);
        seals.insert(position, (digest, at, signature, key));
    }
    let mut verification = Verification::default();
    let (mut before, mut expected) = (FIRST.to_vec(), 1);
    let mut chain = BTreeMap::new();
    {
        let select = format!(
            "SELECT c.position, c.audit, c.digest, {COLUMNS} FROM access.audit_chain AS c \
             LEFT JOIN access.audit AS a ON a.id = c.audit ORDER BY c.position"
        );
        let mut rows = sqlx::query(sqlx::AssertSqlSafe(select)).fetch(&mut *transaction);
        while let Some(row) = rows.try_next().await? {
            let (position, audit, digest): (i64, i64, Vec<u8>) =
                (row.try_get("position")?, row.try_get("audit")?, row.try_get("digest")?);
            while expected < position {
                verification.tell(Finding::Missing(expected));
                expected += 1;
            }
            if row.try_get::<Option<i64>, _>("id")?.is_none() {
                verification.tell(Finding::Removed(position, audit));
            } else if digest_of(&before, &row)?[..] != digest[..] {
                verification.tell(Finding::Altered(position, audit));
            } else {
                verification.rows += 1;
            }
            if seals.contains_key(&position) || kept.seal.is_some_and(|known| known.position == position) {
                chain.insert(position, digest.clone());
            }
            (before, expected) = (digest, position + 1);
        }
    }
    for (position, (digest, at, signature, key)) in seals {
        let message = signed(position, &digest, at);
        let is_signed = UnparsedPublicKey::new(&ED25519, &key).verify(message.as_bytes(), &signature).is_ok();
        // A key of somebody else's signs anything.
        let expected = kept.public_key.or(kept.seal.map(|known| known.public_key.as_str()));
        let is_known = expected.is_none_or(|expected| expected == hex::encode(&key));
        if is_signed && is_known && chain.get(&position) == Some(&digest) {
            verification.seals += 1;
            let [digest, signature, public_key] = [&digest, &signature, &key].map(hex::encode);
            verification.last = Some(Seal { position, digest, at, signature, public_key });
        } else {
            verification.tell(Finding::Forged(position));
        }
    }
    if let Some(known) = kept.seal
        && chain.get(&known.position).is_none_or(|digest| hex::encode(digest) != known.digest)
    {
        verification.tell(Finding::Cut(known.position));
    }
    let unsealed: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM access.audit AS a WHERE NOT EXISTS \
            (SELECT FROM access.audit_chain AS c WHERE c.audit = a.id)",
    )
    .fetch_one(&mut *transaction)
    .await?;
    verification.unsealed = unsealed.unsigned_abs();
    transaction.commit().await?;
    drop(connection);
    verification.keep(db).await?;
    Ok(verification)
}

impl Verification {
    /// Keeps what was found, for [`super::state`].
    async fn keep(&self, db: &Database) -> Result<(), sqlx::Error> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT INTO access.audit_verification (rows, seals, unsealed, found, findings) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(number(self.rows))
        .bind(number(self.seals))
        .bind(number(self.unsealed))
        .bind(number(self.found))
        .bind(sqlx::types::Json(&self.findings))
        .execute(db.loader())
        .await?;
        Ok(())
    }

    fn tell(&mut self, finding: Finding) {
        self.found += 1;
        if self.findings.len() < MOST {
            self.findings.push(finding);
        }
    }
}
