//! The change feed: every write to a layer, seen once by every follower.
//!
//! A follower's position is a `pg_snapshot`, not a number: it reads what is
//! visible now and was not visible in its last snapshot. An entry whose
//! transaction committed after a later one arrives late, but arrives; a
//! transaction that is open anywhere in the cluster holds back nothing but
//! its own entries.

mod compare;
mod follower;
mod repair;

use access::{Caller, Database, Denied};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use sqlx::postgres::PgRow;
use sqlx::{Connection, Row};
use thiserror::Error;

pub use compare::compare;
pub use follower::{Event, Follower};
pub use repair::repair;

use crate::{InvalidIdentifier, LayerId};

/// Where a follower stands in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Which log: another cluster, database or restore has another identity.
    identity: String,
    /// What was visible at the last reading (`pg_snapshot` as text).
    snapshot: String,
}

impl Position {
    /// A position from its parts, as [`Position::parts`] gave them.
    pub fn from_parts(identity: String, snapshot: String) -> Self {
        Self { identity, snapshot }
    }

    /// The log's identity and the snapshot, to be kept beside what was built
    /// from them.
    pub fn parts(&self) -> (&str, &str) {
        (&self.identity, &self.snapshot)
    }
}

/// One entry of the feed: what one statement did to one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its number, for logs; entries of one transaction ascend. Not a position.
    pub seq: i64,
    /// The layer.
    pub layer: LayerId,
    /// When the statement ran.
    pub at: DateTime<Utc>,
    /// What it did.
    pub operation: Operation,
    /// How many features it touched, where known.
    pub features: Option<i64>,
    /// Where, in the layer's storage CRS.
    pub touched: Touched,
}

/// What a statement did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Features were added.
    Insert,
    /// Features were changed.
    Update,
    /// Features were deleted.
    Delete,
    /// All features were deleted.
    Truncate,
    /// What the catalogue says of the layer changed, or who may see it.
    Catalog,
    /// A comparison found the layer changed, not how.
    Unknown,
}

/// A box in the layer's storage CRS: least x, least y, greatest x, greatest y
/// (x is the easting or longitude, whatever the CRS's axis order).
pub type Envelope = [f64; 4];

/// Which features a statement touched, and where they were and are.
#[derive(Debug, Clone, PartialEq)]
pub enum Touched {
    /// Each of them (up to 256).
    Features(Vec<TouchedFeature>),
    /// Too many to list: the extents of where they were and are.
    Extents {
        /// Where they were; none for an insert.
        old: Option<Envelope>,
        /// Where they are; none for a delete.
        new: Option<Envelope>,
    },
    /// Anything may have changed.
    Everything,
}

/// One feature that a statement touched.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TouchedFeature {
    /// Its key, as text.
    pub key: String,
    /// Where it was; none where it is new, had no geometry or was nowhere: a
    /// coordinate was no number.
    #[serde(default, deserialize_with = "somewhere")]
    pub old: Option<Envelope>,
    /// Where it is; none where it is gone, has no geometry or is nowhere.
    #[serde(default, deserialize_with = "somewhere")]
    pub new: Option<Envelope>,
}

/// Why the feed could not be read on from a position.
#[derive(Debug, Error)]
pub enum FeedError {
    /// The caller may not follow the feed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The log is another one: whatever was built from the position must be
    /// built anew, and followed from there.
    #[error("the change log is not the one that was followed (a restore, a promotion or another database)")]
    AnotherLog,
    /// Entries after the position were deleted, or are too many to read:
    /// rebuild, as for [`FeedError::AnotherLog`].
    #[error("the position is older than the change log reaches back")]
    TooOld,
    /// An entry that this program would not have written.
    #[error("the change log holds an entry that this program does not understand: {0}")]
    Corrupt(String),
    /// The database refused or could not be reached.
    #[error("the change log could not be read: {0}")]
    Database(#[from] sqlx::Error),
}

impl From<InvalidIdentifier> for FeedError {
    fn from(error: InvalidIdentifier) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// More new entries than this and a follower rebuilds: reading them would cost
/// more than reading the layers.
const MOST_ENTRIES: i64 = 100_000;

/// Where the log stands now: whoever reads the layers in this or a later
/// snapshot and follows from here misses nothing.
pub async fn position(caller: &Caller, db: &Database) -> Result<Position, FeedError> {
    caller.require_operator("follow the change feed")?;
    sqlx::query("SELECT catalog.adopt_change_log()").execute(db.app()).await?;
    let row = sqlx::query("SELECT catalog.change_identity() AS identity, pg_current_snapshot()::text AS snapshot")
        .fetch_one(db.app())
        .await?;
    Ok(Position { identity: row.try_get("identity")?, snapshot: row.try_get("snapshot")? })
}

/// The entries that are visible now and were not at `since`, and the position
/// after them. Reads the primary only.
pub async fn read(caller: &Caller, db: &Database, since: &Position) -> Result<(Vec<Change>, Position), FeedError> {
    caller.require_operator("follow the change feed")?;
    let mut connection = db.app().acquire().await?;
    // One snapshot for the identity, the entries and the new position.
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let log = sqlx::query(
        "SELECT catalog.change_identity() AS identity, pg_current_snapshot()::text AS snapshot, \
                pruned_before > pg_snapshot_xmin($1::pg_snapshot) AS too_old FROM catalog.change_log",
    )
    .bind(&since.snapshot)
    .fetch_one(&mut *transaction)
    .await?;
    let next = Position { identity: log.try_get("identity")?, snapshot: log.try_get("snapshot")? };
    if next.identity != since.identity {
        return Err(FeedError::AnotherLog);
    }
    if log.try_get("too_old")? {
        return Err(FeedError::TooOld);
    }
    // The first condition is what the index serves; the second is exact.
    let rows = sqlx::query(
        "SELECT seq, layer, at, operation, features, entries, old_extent, new_extent FROM catalog.change \
         WHERE xid >= pg_snapshot_xmin($1::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot) \
         ORDER BY seq LIMIT $2 + 1",
    )
    .bind(&since.snapshot)
    .bind(MOST_ENTRIES)
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    if rows.len() as i64 > MOST_ENTRIES {
        return Err(FeedError::TooOld);
    }
    let changes = rows.iter().map(change).collect::<Result<_, _>>()?;
    Ok((changes, next))
}

/// Deletes entries older than `keep`, and says so in the log, so that a
/// follower who has not read them notices. Returns how many.
pub async fn prune(caller: &Caller, db: &Database, keep: chrono::TimeDelta) -> Result<u64, FeedError> {
    caller.require_operator("prune the change log")?;
    let mut transaction = db.loader().begin().await?;
    // Every entry before the horizon is of a transaction that has ended: the
    // oldest one still running bounds it.
    let horizon: Option<String> = sqlx::query_scalar(
        "SELECT least(min(xid), pg_snapshot_xmin(pg_current_snapshot()))::text FROM catalog.change WHERE at >= $1",
    )
    .bind(Utc::now() - keep)
    .fetch_one(&mut *transaction)
    .await?;
    let Some(horizon) = horizon else { return Ok(0) };
    let deleted = sqlx::query("DELETE FROM catalog.change WHERE xid < $1::xid8")
        .bind(&horizon)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
    if deleted > 0 {
        sqlx::query("UPDATE catalog.change_log SET pruned_before = greatest(pruned_before, $1::xid8)")
            .bind(&horizon)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(deleted)
}

/// Gives the log a new identity: every follower rebuilds. A restore into the
/// same database must call this, since nothing else tells it apart.
pub async fn renew_identity(caller: &Caller, db: &Database) -> Result<(), FeedError> {
    caller.require_operator("renew the change log's identity")?;
    sqlx::query("UPDATE catalog.change_log SET id = gen_random_uuid()").execute(db.loader()).await?;
    Ok(())
}

fn change(row: &PgRow) -> Result<Change, FeedError> {
    let operation = match row.try_get::<String, _>("operation")?.as_str() {
        "insert" => Operation::Insert,
        "update" => Operation::Update,
        "delete" => Operation::Delete,
        "truncate" => Operation::Truncate,
        "catalog" => Operation::Catalog,
        "unknown" => Operation::Unknown,
        other => return Err(FeedError::Corrupt(format!("operation {other:?}"))),
    };
    let entries: Option<sqlx::types::Json<Vec<TouchedFeature>>> = row.try_get("entries")?;
    let touched = match (operation, entries) {
        (Operation::Insert | Operation::Update | Operation::Delete, Some(entries)) => Touched::Features(entries.0),
        (Operation::Insert | Operation::Update | Operation::Delete, None) => {
            Touched::Extents { old: envelope(row, "old_extent")?, new: envelope(row, "new_extent")? }
        }
        _ => Touched::Everything,
    };
    Ok(Change {
        seq: row.try_get("seq")?,
        layer: row.try_get::<String, _>("layer")?.parse()?,
        at: row.try_get("at")?,
        operation,
        features: row.try_get("features")?,
        touched,
    })
}

/// An envelope, if its numbers are some: PostgreSQL writes NaN and infinity into
/// JSON as texts.
fn somewhere<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Envelope>, D::Error> {
    let numbers = Option::<[serde_json::Value; 4]>::deserialize(deserializer)?;
    let number = |value: &serde_json::Value| value.as_f64();
    Ok(numbers.and_then(|numbers| {
        let [west, south, east, north] = numbers.each_ref().map(number);
        Some([west?, south?, east?, north?])
    }))
}

fn envelope(row: &PgRow, column: &str) -> Result<Option<Envelope>, FeedError> {
    let numbers: Option<Vec<f64>> = row.try_get(column)?;
    numbers
        .filter(|numbers| numbers.iter().all(|number| number.is_finite()))
        .map(|numbers| numbers.try_into().map_err(|_| FeedError::Corrupt(format!("{column} is not four numbers"))))
        .transpose()
}
