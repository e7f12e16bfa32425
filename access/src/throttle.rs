//! Limits that hold in all processes together: token buckets in PostgreSQL.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::{AccessError, Caller, Database};

/// How much a bucket holds, and how quickly it fills.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// So many at once.
    pub burst: u32,
    /// One more in so long.
    pub every: Duration,
}

/// Whether there was something left in a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Taken {
    /// Yes; so many are left.
    Yes(u32),
    /// No; one more will be there in so long.
    No(Duration),
}

/// Takes one from the bucket of that name, which is full when nobody took from
/// it. The name is kept as its digest.
pub(crate) async fn take(pool: &PgPool, name: &[&str], rate: Rate) -> Result<Taken, sqlx::Error> {
    let every = rate.every.as_secs_f64();
    // Who is refused takes nothing: the bucket fills all the same.
    let filled = "least($2, b.tokens + extract(epoch FROM now() - b.at)::float8 / $3)";
    let (left, was_given): (f64, bool) = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "INSERT INTO access.bucket AS b (key, tokens, was_given, at) VALUES ($1, $2 - 1, true, now()) \
         ON CONFLICT (key) DO UPDATE SET at = now(), was_given = {filled} >= 1, \
            tokens = {filled} - CASE WHEN {filled} >= 1 THEN 1 ELSE 0 END \
         RETURNING tokens, was_given"
    )))
    .bind(key(name).as_slice())
    .bind(f64::from(rate.burst))
    .bind(every)
    .fetch_one(pool)
    .await?;
    Ok(if was_given {
        Taken::Yes(left as u32)
    } else {
        Taken::No(Duration::from_secs_f64((1.0 - left).clamp(0.0, 1.0) * every))
    })
}

/// Fills the bucket again.
pub(crate) async fn forget(pool: &PgPool, name: &[&str]) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM access.bucket WHERE key = $1").bind(key(name).as_slice()).execute(pool).await?;
    Ok(())
}

/// Takes away the buckets that nobody took from for a day: they are full. For
/// the operator.
pub async fn sweep(caller: &Caller, db: &Database) -> Result<u64, AccessError> {
    caller.require_operator("sweep the limits")?;
    let gone = sqlx::query("DELETE FROM access.bucket WHERE at < now() - interval '1 day'").execute(db.app()).await?;
    Ok(gone.rows_affected())
}

pub(crate) fn key(name: &[&str]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in name {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
