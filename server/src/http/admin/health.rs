//! `/admin/health`: how the server is, in figures from which a page says what
//! is wrong and what to do. What `lindero doctor` says on the machine itself,
//! as far as a server that runs can know it.

use std::time::Duration;

use access::audit::seal_state;
use access::{Caller, Permission, Reach, job};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use layers::catalog;
use serde_json::{Value, json};

use crate::doctor::Status;
use crate::http::AppState;
use crate::http::document::own;
use crate::http::extract::Extension;
use crate::http::metrics::resident_memory;
use crate::http::problem::Result;
use crate::http::routes::{Routes, Rule};

/// A check that takes longer is a check that failed.
const DEADLINE: Duration = Duration::from_secs(2);
/// A row of the audit trail is sealed within 5 s; one that waits so long is not.
const SEAL_LATE: i64 = 30;
const GIGABYTE: u64 = 1024 * 1024 * 1024;

pub(super) fn routes() -> Routes {
    Routes::default().get("/admin/health", Rule::May(Permission::Operate), health)
}

async fn health(State(state): State<AppState>, Extension(caller): Extension<Caller>) -> Result<Response> {
    caller.require_within(Permission::Operate, &Reach::default(), "see the server's health")?;
    let mut checks = vec![database(&state).await, connections(&state), feed(&state), tiles(&state)];
    checks.push(seal(&state, &caller).await?);
    checks.extend(disk(&state));
    checks.push(jobs(&state, &caller).await?);
    checks.push(layers(&state, &caller).await?);
    checks.push(link(&state));
    checks.push(reader());
    let worst = checks.iter().map(|(_, status, _)| *status).max_by_key(|status| *status as u8);
    let checks: Vec<Value> = checks
        .into_iter()
        .map(|(check, status, figures)| json!({ "check": check, "status": status, "figures": figures }))
        .collect();
    Ok(own(
        StatusCode::OK,
        &json!({
            "status": worst.unwrap_or(Status::Ok),
            "version": env!("CARGO_PKG_VERSION"),
            "started_at": state.began,
            "checked_at": Utc::now(),
            "memory_bytes": resident_memory(),
            "checks": checks,
        }),
    ))
}

/// What was looked at, how it came out, and what was found.
type Check = (&'static str, Status, Value);

fn when(is_bad: bool, bad: Status) -> Status {
    if is_bad { bad } else { Status::Ok }
}

async fn database(state: &AppState) -> Check {
    let asked = sqlx::query_as::<_, (String, String, i64)>(
        "SELECT current_setting('server_version'), public.postgis_lib_version(), pg_database_size(current_database())",
    )
    .fetch_one(state.database.app());
    match tokio::time::timeout(DEADLINE, asked).await {
        Ok(Ok((postgresql, postgis, bytes))) => {
            ("database", Status::Ok, json!({ "postgresql": postgresql, "postgis": postgis, "bytes": bytes }))
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not say how it is");
            ("database", Status::Problem, json!({}))
        }
        Err(_) => ("database", Status::Problem, json!({})),
    }
}

fn connections(state: &AppState) -> Check {
    let pool = state.database.app();
    let (open, idle, most) = (pool.size(), pool.num_idle(), state.config.database_connections);
    let is_full = idle == 0 && open >= most;
    ("connections", when(is_full, Status::Warning), json!({ "open": open, "idle": idle, "most": most }))
}

/// Whether changes of the layers are told: to maps, and to what is kept.
fn feed(state: &AppState) -> Check {
    ("changes", when(!state.freshness.is_followed(), Status::Warning), json!({}))
}

fn tiles(state: &AppState) -> Check {
    let size = state.tiles.size();
    let is_off = state.config.tile_index_memory == 0;
    let figures = json!({
        "features": size.features, "bytes": size.bytes, "file_bytes": size.file_bytes, "left_out": size.left_out,
        "unreadable": size.unreadable, "off": is_off,
    });
    ("tiles", when(is_off || size.left_out > 0, Status::Warning), figures)
}

async fn seal(state: &AppState, caller: &Caller) -> Result<Check> {
    let sealed = seal_state(caller, &state.database).await?;
    let waits = sealed.waiting_since.map_or(0, |since| (Utc::now() - since).num_seconds());
    let figures = json!({ "sealed_at": sealed.sealed_at, "waiting": sealed.waiting, "seconds": waits.max(0) });
    Ok(("seal", when(waits > SEAL_LATE, Status::Problem), figures))
}

fn disk(state: &AppState) -> Option<Check> {
    let space = rustix::fs::statvfs(&state.config.data_dir).ok()?;
    let (free, whole) = (space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize);
    let status = if free < GIGABYTE / 2 { Status::Problem } else { when(free < 5 * GIGABYTE, Status::Warning) };
    Some(("disk", status, json!({ "free": free, "whole": whole })))
}

async fn jobs(state: &AppState, caller: &Caller) -> Result<Check> {
    let counts = job::counts(caller, &state.database).await?;
    let figures = json!({ "running": counts.running, "failed": counts.failed_today });
    Ok(("jobs", when(counts.failed_today > 0, Status::Warning), figures))
}

/// Of the layers that the caller may know of.
async fn layers(state: &AppState, caller: &Caller) -> Result<Check> {
    let (layers, now) = (catalog::list(caller, &state.database).await?, Utc::now());
    let overdue = layers.iter().filter(|layer| layer.is_overdue(now)).count();
    Ok(("layers", when(overdue > 0, Status::Warning), json!({ "layers": layers.len(), "overdue": overdue })))
}

/// Whether passwords go over the network as anybody may read them.
fn link(state: &AppState) -> Check {
    let is_local = state.config.listen.is_some_and(|address| address.ip().is_loopback());
    let is_https = state.config.is_https();
    ("https", when(!is_https && !is_local, Status::Warning), json!({ "https": is_https, "local": is_local }))
}

/// Whether the process that reads strangers' files is confined.
fn reader() -> Check {
    let missing = etl::import::missing_confinement().len();
    (
        "reader",
        when(missing > 0, Status::Warning),
        json!({ "missing": missing, "gdal": gdal::version::version_info("RELEASE_NAME") }),
    )
}
