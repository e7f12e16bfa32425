//! Long work: imports, publications, exports. A job is a row in `access.job`
//! that anybody may look at while it runs and after.
//!
//! A running job holds a session advisory lock. When its process dies, by
//! whatever death, PostgreSQL releases the lock; [`recover`] finds the jobs
//! that say "running" and hold no lock, and marks them interrupted.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, FromRow, PgPool};
use thiserror::Error;
use uuid::Uuid;

use crate::audit::{self, Action, Entry};
use crate::codes::codes;
use crate::{Caller, Database, Denied, Permission, Reach};

/// What went wrong with a job's record (not with its work).
#[derive(Debug, Error)]
pub enum JobError {
    /// The caller may not run or see jobs.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The database refused or could not be reached.
    #[error("the job's record could not be kept: {0}")]
    Database(#[from] sqlx::Error),
}

/// A job as its record tells it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Job {
    /// The job's identifier.
    pub id: Uuid,
    /// What it does: `import`, `demo`, `publish`.
    pub kind: String,
    /// What it works on: a layer's id, or a file's name.
    pub subject: String,
    /// `running`, `done`, `failed`, `cancelled` or `interrupted`.
    pub state: String,
    /// Units done so far, in the unit that the kind of job counts (features).
    pub done: i64,
    /// Units in all, where known beforehand.
    pub total: Option<i64>,
    /// The error, where it failed.
    pub message: Option<String>,
    /// What it reported at its end.
    pub report: Option<serde_json::Value>,
    /// Whether somebody asked it to stop.
    pub cancel_requested: bool,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A job that this process runs. Dropping it without [`Running::finish`]
/// leaves a record that the next [`recover`] marks as interrupted.
#[derive(Debug)]
pub struct Running {
    id: Uuid,
    pool: PgPool,
    /// Holds the advisory lock: closed, the job counts as dead.
    lock: PgConnection,
}

/// How a job ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It did what it was asked; here is its report.
    Done(serde_json::Value),
    /// It failed and undid what it had begun.
    Failed(String, Option<serde_json::Value>),
    /// Somebody asked it to stop, and it undid what it had begun.
    Cancelled,
}

/// Records that `kind` of work on `subject` begins.
pub async fn start(caller: &Caller, db: &Database, kind: &str, subject: &str) -> Result<Running, JobError> {
    caller.require_operator("run a job")?;
    let id = Uuid::now_v7();
    // A connection of its own, out of the pool: the lock lives as long as it.
    let mut lock = db.loader().acquire().await?.detach();
    sqlx::query("SELECT pg_advisory_lock(access.job_lock_key($1))").bind(id).execute(&mut lock).await?;
    sqlx::query("INSERT INTO access.job (id, kind, subject) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(kind)
        .bind(subject)
        .execute(db.loader())
        .await?;
    Ok(Running { id, pool: db.loader().clone(), lock })
}

impl Running {
    /// The job's identifier.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Records progress and tells whether somebody asked the job to stop.
    pub async fn progress(&self, done: i64, total: Option<i64>) -> Result<bool, JobError> {
        let cancel: bool =
            sqlx::query_scalar("UPDATE access.job SET done = $2, total = $3 WHERE id = $1 RETURNING cancel_requested")
                .bind(self.id)
                .bind(done)
                .bind(total)
                .fetch_one(&self.pool)
                .await?;
        Ok(cancel)
    }

    /// Records the end and lets go of the lock.
    pub async fn finish(self, outcome: Outcome) -> Result<(), JobError> {
        let (state, message, report) = match outcome {
            Outcome::Done(report) => ("done", None, Some(report)),
            Outcome::Failed(message, report) => ("failed", Some(message), report),
            Outcome::Cancelled => ("cancelled", None, None),
        };
        sqlx::query("UPDATE access.job SET state = $2, message = $3, report = $4, finished_at = now() WHERE id = $1")
            .bind(self.id)
            .bind(state)
            .bind(message)
            .bind(report)
            .execute(&self.pool)
            .await?;
        self.lock.close().await?;
        Ok(())
    }
}

/// Asks a running job to stop. It does so at its next progress report.
/// Returns false where no such job runs. For whoever may operate the server.
pub async fn cancel(caller: &Caller, db: &Database, id: Uuid) -> Result<bool, JobError> {
    require(caller, "cancel a job")?;
    let mut transaction = db.loader().begin().await?;
    let asked: Option<(String, String)> = sqlx::query_as(
        "UPDATE access.job SET cancel_requested = true WHERE id = $1 AND state = 'running' RETURNING kind, subject",
    )
    .bind(id)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some((kind, subject)) = asked else { return Ok(false) };
    let entry = Entry::done(Action::CancelJob, id).with(json!({ "kind": kind, "subject": subject }));
    audit::record(&mut transaction, caller, entry).await?;
    transaction.commit().await?;
    Ok(true)
}

/// In what state a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum JobState {
    Running,
    Done,
    Failed,
    Cancelled,
    Interrupted,
}

codes!(JobState, "state of a job", "running, done, failed, cancelled, interrupted",
    "running" => Running, "done" => Done, "failed" => Failed, "cancelled" => Cancelled, "interrupted" => Interrupted);

/// Which jobs are asked for.
#[derive(Debug, Clone, Copy)]
pub struct JobQuery {
    /// Those in that state; in every one where there is none.
    pub state: Option<JobState>,
    /// Those that began before that one.
    pub before: Option<Uuid>,
    /// At most so many.
    pub limit: i64,
}

/// The newest jobs, newest first, at most `limit`.
pub async fn list(caller: &Caller, db: &Database, limit: i64) -> Result<Vec<Job>, JobError> {
    page(caller, db, &JobQuery { state: None, before: None, limit }).await
}

/// The jobs that are asked for, newest first: to whoever may operate the
/// server.
pub async fn page(caller: &Caller, db: &Database, query: &JobQuery) -> Result<Vec<Job>, JobError> {
    require(caller, "see the server's jobs")?;
    Ok(sqlx::query_as(
        "SELECT id, kind, subject, state, done, total, message, report, cancel_requested, started_at, finished_at \
         FROM access.job WHERE coalesce(state = $1, true) AND coalesce(id < $2, true) ORDER BY id DESC LIMIT $3",
    )
    .bind(query.state.map(JobState::code))
    .bind(query.before)
    .bind(query.limit)
    .fetch_all(db.app())
    .await?)
}

/// How the jobs are doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct JobCounts {
    /// How many run.
    pub running: i64,
    /// How many of the last 24 hours failed, or were interrupted.
    pub failed_today: i64,
}

/// Counts them for whoever may operate the server.
pub async fn counts(caller: &Caller, db: &Database) -> Result<JobCounts, JobError> {
    require(caller, "see the server's jobs")?;
    Ok(sqlx::query_as(
        "SELECT count(*) FILTER (WHERE state = 'running') AS running, count(*) FILTER (WHERE state IN ('failed', \
            'interrupted') AND finished_at > now() - interval '24 hours') AS failed_today FROM access.job",
    )
    .fetch_one(db.app())
    .await?)
}

/// Jobs are the whole server's.
fn require(caller: &Caller, action: &'static str) -> Result<(), Denied> {
    caller.require_within(Permission::Operate, &Reach::default(), action)
}

/// Marks as interrupted the jobs whose process died. Returns their ids, so
/// that whoever owns their half-done work can clean it.
pub async fn recover(caller: &Caller, db: &Database) -> Result<Vec<Uuid>, JobError> {
    caller.require_operator("recover jobs")?;
    Ok(sqlx::query_scalar(
        "UPDATE access.job SET state = 'interrupted', finished_at = now(), \
            message = 'the process that ran this job ended before the job did' \
         WHERE state = 'running' AND access.job_is_abandoned(id) RETURNING id",
    )
    .fetch_all(db.loader())
    .await?)
}
