//! Whether the process lives, and whether it can answer.

use super::routes::{Routes, Rule};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::AppState;
use super::problem::{Problem, Result};

/// A check that takes longer is a check that failed.
const DEADLINE: Duration = Duration::from_secs(2);

pub(super) fn routes() -> Routes {
    Routes::default().get("/health/live", Rule::Everybody, live).get("/health/ready", Rule::Everybody, ready)
}

async fn live() -> Response {
    status("live")
}

/// Ready is: a request could be answered now. The database is reached as the
/// role that answers requests, and what the migrations make is there.
async fn ready(State(state): State<AppState>) -> Result<Response> {
    let migrated = sqlx::query_scalar::<_, bool>("SELECT to_regclass('catalog.change') IS NOT NULL")
        .fetch_one(state.database.app());
    match tokio::time::timeout(DEADLINE, migrated).await {
        Ok(Ok(true)) => Ok(status("ready")),
        Ok(Ok(false)) => Err(Problem::unavailable("the database has not been migrated")),
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready: the database cannot be reached");
            Err(Problem::unavailable("the database cannot be reached"))
        }
        Err(_) => Err(Problem::unavailable("the database does not answer")),
    }
}

fn status(status: &str) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(json!({ "status": status, "version": env!("CARGO_PKG_VERSION") })))
        .into_response()
}
