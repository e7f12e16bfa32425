//! The seal: committed rows in a chain of digests, signed with a key that is
//! not in the database. Who may write there may remove or alter a row, and
//! cannot make the chain whole again.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{Connection, Row};

use crate::{AccessError, Caller, Database};

/// The digest before the first row.
pub(super) const FIRST: [u8; 32] = [0; 32];
/// Only one process seals at a time.
const LOCK: i64 = 7_300_154_004;

/// What signs.
#[derive(Debug)]
pub struct SealKey(Ed25519KeyPair);

impl SealKey {
    /// The key in that file, which is made, readable to its owner only, where
    /// it is not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        let invalid = |_| io::Error::new(io::ErrorKind::InvalidData, "the file holds no key of the audit trail");
        match fs::read(path) {
            Ok(bytes) => Ed25519KeyPair::from_pkcs8(&bytes).map(Self).map_err(invalid),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                    .map_err(|_| io::Error::other("the system has no random numbers"))?;
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
                file.write_all(made.as_ref())?;
                file.sync_all()?;
                Ed25519KeyPair::from_pkcs8(made.as_ref()).map(Self).map_err(invalid)
            }
            Err(error) => Err(error),
        }
    }

    /// By which its signatures are verified.
    fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// The same in hexadecimal.
    pub fn public_key(&self) -> String {
        hex::encode(self.public())
    }
}

/// What is signed: the chain up to a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The number of the last row in the chain.
    pub position: i64,
    /// Its digest, in hexadecimal.
    pub digest: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The signature, in hexadecimal: Ed25519 over `position digest at`, with
    /// spaces between and the instant in RFC 3339 to the microsecond.
    pub signature: String,
    /// The key that verifies it, in hexadecimal.
    pub public_key: String,
}

/// What a seal signs.
pub(super) fn signed(position: i64, digest: &[u8], at: DateTime<Utc>) -> String {
    format!("{position} {} {}", hex::encode(digest), at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// The columns of a row that are sealed: each as text, whatever PostgreSQL's
/// settings are.
pub(super) const COLUMNS: &str = "a.id, a.at, ARRAY[a.action, a.outcome, a.account::text, a.account_name, a.dependency, \
    a.session::text, a.key::text, host(a.address), a.request, a.municipality, a.layer, a.subject, a.detail::text, \
    a.database_role, a.application] AS said";

/// The digest of a row behind another one.
pub(super) fn digest_of(before: &[u8], row: &PgRow) -> Result<[u8; 32], sqlx::Error> {
    let (id, at): (i64, DateTime<Utc>) = (row.try_get("id")?, row.try_get("at")?);
    let said: Vec<Option<String>> = row.try_get("said")?;
    let mut digest = Sha256::new();
    digest.update(before);
    digest.update(id.to_be_bytes());
    digest.update(at.timestamp_micros().to_be_bytes());
    for text in said {
        // A length before each: no two rows are written the same.
        digest.update(text.as_ref().map_or(u64::MAX, |text| text.len() as u64).to_be_bytes());
        digest.update(text.unwrap_or_default());
    }
    Ok(digest.finalize().into())
}

/// Chains and signs the rows that were committed since the last seal. None
/// where there are none, or another process is at it. For the operator.
pub async fn seal(caller: &Caller, db: &Database, key: &SealKey) -> Result<Option<Seal>, AccessError> {
    caller.require_operator("seal the audit trail")?;
    let mut connection = db.loader().acquire().await?;
    // One snapshot for all: what it does not show is of the next seal.
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    if !sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(LOCK).fetch_one(&mut *transaction).await? {
        return Ok(None);
    }
    let last = sqlx::query("SELECT position, digest FROM access.audit_chain ORDER BY position DESC LIMIT 1")
        .fetch_optional(&mut *transaction)
        .await?;
    let (mut position, mut digest) = match &last {
        Some(row) => (row.try_get("position")?, row.try_get::<Vec<u8>, _>("digest")?),
        None => (0_i64, FIRST.to_vec()),
    };
    // Of transactions before the oldest that was open then all rows are sealed;
    // in another database's numbering that says nothing.
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM access.audit AS a WHERE a.xid >= coalesce( \
            (SELECT pg_snapshot_xmin(s.snapshot) FROM access.audit_seal AS s \
             WHERE s.identity = catalog.change_identity() ORDER BY s.position DESC LIMIT 1), '0'::xid8) \
         AND NOT EXISTS (SELECT FROM access.audit_chain AS c WHERE c.audit = a.id) ORDER BY a.id"
    )))
    .fetch_all(&mut *transaction)
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let (mut positions, mut ids, mut digests) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        position += 1;
        digest = digest_of(&digest, row)?.to_vec();
        positions.push(position);
        ids.push(row.try_get::<i64, _>("id")?);
        digests.push(digest.clone());
    }
    sqlx::query("INSERT INTO access.audit_chain (position, audit, digest) SELECT * FROM unnest($1::int8[], $2::int8[], $3::bytea[])")
        .bind(positions)
        .bind(ids)
        .bind(digests)
        .execute(&mut *transaction)
        .await?;
    let at = Utc::now().trunc_subsecs(6);
    let signature = key.0.sign(signed(position, &digest, at).as_bytes());
    sqlx::query(
        "INSERT INTO access.audit_seal (position, digest, at, signature, public_key, snapshot, identity) \
         VALUES ($1, $2, $3, $4, $5, pg_current_snapshot(), catalog.change_identity())",
    )
    .bind(position)
    .bind(&digest)
    .bind(at)
    .bind(signature.as_ref())
    .bind(key.public())
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let [digest, signature, public_key] = [&digest[..], signature.as_ref(), key.public()].map(hex::encode);
    Ok(Some(Seal { position, digest, at, signature, public_key }))
}
