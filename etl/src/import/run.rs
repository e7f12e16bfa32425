//! One import, from request to report.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use access::audit::{self, Action, Entry};
use access::job::{self, JobError, Outcome, Running};
use access::{Caller, Database};
use layers::catalog::{self, CatalogError};
use layers::{Kind, Layer};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::child::Reading;
use super::load::Load;
use super::protocol::{Frame, Order, Place};
use super::{ImportError, ImportRequest, Mode, Report, SourceLayer, profile};

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The reader looks at the file.
    Reading,
    /// Rows go into the database.
    Loading,
    /// The layer is compared with what was read.
    Comparing,
    /// Indexes are built.
    Indexing,
    /// Counts, extent, catalogue.
    Finishing,
}

/// Who watches an import.
pub trait Progress: Send + Sync {
    /// Another stage begins.
    fn stage(&self, _stage: Stage) {}
    /// So many rows were read, of so many where that is known.
    fn rows(&self, _done: u64, _total: Option<u64>) {}
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;
impl Progress for Quiet {}

/// Lists the layers of a file.
pub async fn source_layers(
    caller: &Caller,
    request: &ImportRequest,
    cancel: &CancellationToken,
) -> Result<Vec<SourceLayer>, ImportError> {
    caller.require_operator("read a file")?;
    let mut order = order(request, &Place { name: String::new(), extent: [0.0; 4] });
    order.list_only = true;
    let mut reading = Reading::start(&request.reader, &order, cancel).await?;
    match reading.frame().await? {
        Some(Frame::Refused(refusal)) if refusal.message.is_empty() => Ok(refusal.layers),
        Some(Frame::Refused(refusal)) => Err(ImportError::Refused(refusal.message)),
        _ => Err(ImportError::Reader("it gave no list of layers".to_owned())),
    }
}

/// Imports a file. Either the report says that it was committed, or nothing
/// of it is left.
pub async fn run(
    caller: &Caller,
    db: &Database,
    request: &ImportRequest,
    progress: &dyn Progress,
    cancel: CancellationToken,
) -> Result<Report, ImportError> {
    caller.require_operator("import a layer")?;
    let started = Instant::now();
    let job = job::start(caller, db, "import", request.target.as_str()).await?;
    let mut outcome = attempt(caller, db, request, &job, progress, &cancel).await;
    match &mut outcome {
        Ok(report) => report.seconds = started.elapsed().as_secs_f64(),
        Err(ImportError::TooManyRejects { report, .. }) => report.seconds = started.elapsed().as_secs_f64(),
        Err(_) => {}
    }
    if let Err(error) = &outcome {
        record_failed(caller, db, request, job.id(), error).await?;
    }
    let record = match &outcome {
        Ok(report) => Outcome::Done(serde_json::to_value(report).unwrap_or_default()),
        Err(ImportError::Cancelled) => Outcome::Cancelled,
        Err(error @ ImportError::TooManyRejects { report, .. }) => {
            Outcome::Failed(error.to_string(), serde_json::to_value(report).ok())
        }
        Err(error) => Outcome::Failed(error.to_string(), None),
    };
    let recorded = job.finish(record).await;
    let report = outcome?;
    recorded?;
    Ok(report)
}

/// What was tried and undone is in the audit trail too, in its own transaction.
async fn record_failed(
    caller: &Caller,
    db: &Database,
    request: &ImportRequest,
    job: Uuid,
    error: &ImportError,
) -> Result<(), JobError> {
    let ended = if matches!(error, ImportError::Cancelled) { "cancelled" } else { "failed" };
    let detail = json!({ "mode": request.mode, "ended": ended });
    let entry = Entry::done(Action::Import, job).with(detail);
    let entry = Entry { outcome: audit::Outcome::Failed, layer: Some(request.target.as_str()), ..entry };
    audit::record(&mut *db.loader().acquire().await?, caller, entry).await?;
    Ok(())
}

async fn attempt(
    caller: &Caller,
    db: &Database,
    request: &ImportRequest,
    job: &Running,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Report, ImportError> {
    let existing = existing(caller, db, request).await?;
    let municipality = municipality(caller, db, request, existing.as_ref()).await?;
    let done = AtomicU64::new(0);
    // A connection of our own, not the pool's: given up, it is closed.
    let mut connection = db.loader().acquire().await?.detach();
    let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
    let outcome = {
        let order = order(request, &Place::new(&municipality.name, municipality.extent));
        let load =
            Load { caller, request, job: job.id(), existing, municipality: municipality.code, progress, done: &done };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ImportError::Cancelled),
            stopped = heartbeat(job, &done) => Err(stopped),
            outcome = load.run(&mut connection, order, cancel) => outcome,
        }
    };
    if outcome.is_ok() {
        connection.close().await?;
    } else {
        // Whatever the backend is at (an index, a comparison), it stops, and
        // its transaction is undone.
        drop(connection);
        terminate(db, backend).await;
    }
    outcome
}

/// Records progress once a second; ends when somebody asks the job to stop.
async fn heartbeat(job: &Running, done: &AtomicU64) -> ImportError {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let rows = i64::try_from(done.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        match job.progress(rows, None).await {
            Ok(false) => {}
            Ok(true) => return ImportError::Cancelled,
            Err(error) => return error.into(),
        }
    }
}

/// Ends a backend that may not notice by itself that nobody listens. Where
/// that fails, it ends with its statement.
async fn terminate(db: &Database, backend: i32) {
    let Ok(mut admin) = PgConnection::connect_with(&db.target().admin_options()).await else { return };
    let ended = sqlx::query("SELECT pg_terminate_backend($1, 5000)").bind(backend).execute(&mut admin).await;
    if let Err(error) = ended {
        tracing::debug!(%error, "an import's backend could not be ended");
    }
    let _ = admin.close().await;
}

/// The target as it is, and whether the mode fits that.
async fn existing(caller: &Caller, db: &Database, request: &ImportRequest) -> Result<Option<Layer>, ImportError> {
    let existing = match catalog::get(caller, db, &request.target).await {
        Ok(layer) => Some(layer),
        Err(CatalogError::Unknown(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let wants_layer = request.mode != Mode::Create || request.join.is_some();
    match existing {
        Some(_) if !wants_layer => Err(ImportError::Exists(request.target.clone())),
        None if wants_layer => Err(ImportError::Missing(request.target.clone())),
        Some(layer) if layer.kind == Kind::Published => Err(ImportError::Refused(format!(
            "the layer {} reads a table that is not ours ({}.{}): change it where it is kept",
            layer.id, layer.table.schema, layer.table.name
        ))),
        other => Ok(other),
    }
}

/// Whose data they are: as asked, as the layer says, or the only one there is.
async fn municipality(
    caller: &Caller,
    db: &Database,
    request: &ImportRequest,
    existing: Option<&Layer>,
) -> Result<layers::municipality::Municipality, ImportError> {
    let known = layers::municipality::list(caller, db).await?;
    let code = request.municipality.as_ref().or(existing.map(|layer| &layer.municipality));
    let Some(code) = code else {
        return match &known[..] {
            [only] => Ok(only.clone()),
            [] => Err(ImportError::Municipality(String::new())),
            several => Err(ImportError::Municipality(format!(
                "; this server knows {}",
                several.iter().map(|m| format!("{} ({})", m.code, m.name)).collect::<Vec<_>>().join(", ")
            ))),
        };
    };
    if let Some(layer) = existing
        && layer.municipality != *code
    {
        return Err(ImportError::Refused(format!(
            "the layer {} is of the municipality {}",
            layer.id, layer.municipality
        )));
    }
    if let Some(municipality) = known.into_iter().find(|known| known.code == *code) {
        return Ok(municipality);
    }
    let municipality =
        profile::municipality(code).ok_or_else(|| CatalogError::UnknownMunicipality(code.to_string()))?;
    layers::municipality::put(caller, db, &municipality).await?;
    Ok(municipality)
}

/// What the reader is told, but for what depends on the layer.
fn order(request: &ImportRequest, place: &Place) -> Order {
    Order {
        file: request.file.clone(),
        scratch: std::path::PathBuf::new(),
        source_layer: request.source_layer.clone(),
        list_only: false,
        declared_crs: request.declared_crs.clone(),
        encoding: request.encoding.clone(),
        swap_xy: request.swap_xy,
        geometry: request.geometry_columns.clone(),
        table: false,
        locate: false,
        allow_outside: request.allow_outside,
        keep_empty: request.keep_empty,
        place: place.clone(),
        limits: request.limits,
        fields: request.fields.clone(),
        attributes: Vec::new(),
        closed: false,
        geometry_type: request.geometry_type,
        keep_z: request.keep_z,
        keep_m: request.keep_m,
        dimension: None,
        echo: Vec::new(),
        misbehave: None,
    }
}

/// Cleans what imports left whose process died: to be called at a start. The
/// database undoes their transactions by itself; what remains is their jobs'
/// records, and the staging tables of versions that committed them.
pub async fn clean_abandoned(caller: &Caller, db: &Database) -> Result<Vec<Uuid>, JobError> {
    let interrupted = job::recover(caller, db).await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'staging' AND c.relkind = 'r' AND c.relname ~ '^import_[0-9a-f]{32}$' \
           AND access.job_is_abandoned(substr(c.relname, 8)::uuid)",
    )
    .fetch_all(db.loader())
    .await?;
    for table in tables {
        sqlx::query(sqlx::AssertSqlSafe(format!("DROP TABLE {table}"))).execute(db.loader()).await?;
    }
    Ok(interrupted)
}
