//! Limits that hold in all processes together: token buckets in PostgreSQL.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::PgPool;

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
    // Below 0 it does not go: whoever is refused does not wait longer for it.
    let left: f64 = sqlx::query_scalar(
        "INSERT INTO access.bucket AS b (key, tokens, at) VALUES ($1, $2 - 1, now()) \
         ON CONFLICT (key) DO UPDATE SET at = now(), tokens = greatest(-1, \
            least($2, greatest(b.tokens, 0) + extract(epoch FROM now() - b.at)::float8 / $3) - 1) \
         RETURNING tokens",
    )
    .bind(key(name).as_slice())
    .bind(f64::from(rate.burst))
    .bind(every)
    .fetch_one(pool)
    .await?;
    Ok(if left >= 0.0 { Taken::Yes(left as u32) } else { Taken::No(Duration::from_secs_f64((-left).min(1.0) * every)) })
}

/// Fills the bucket again.
pub(crate) async fn forget(pool: &PgPool, name: &[&str]) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM access.bucket WHERE key = $1").bind(key(name).as_slice()).execute(pool).await?;
    Ok(())
}

/// Takes away the buckets that nobody took from for a day: they are full.
pub(crate) async fn sweep(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query("DELETE FROM access.bucket WHERE at < now() - interval '1 day'").execute(pool).await?;
    Ok(gone.rows_affected())
}

fn key(name: &[&str]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in name {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
