//! `/admin/jobs`: the long work that the server does.

use access::job::{self, JobError, JobQuery, JobState};
use access::{Caller, Permission};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use layers::job::JobsError;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::http::AppState;
use crate::http::document::own;
use crate::http::extract::{Extension, Path, Query};
use crate::http::problem::{Problem, Result};
use crate::http::routes::{Routes, Rule};

/// How many jobs a page has, and has at most.
const PAGE: i64 = 50;
const MOST: i64 = 200;

pub(super) fn routes() -> Routes {
    Routes::default().get("/admin/jobs", Rule::May(Permission::Operate), list).post(
        "/admin/jobs/{job}/cancel",
        Rule::May(Permission::Operate),
        cancel,
    )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    state: Option<String>,
    before: Option<Uuid>,
    limit: Option<i64>,
}

async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let wanted = asked.state.as_deref().map(str::parse::<JobState>).transpose();
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid_parameter("limit", format!("expected 1 to {MOST}")));
    }
    let query = JobQuery {
        state: wanted.map_err(|error| Problem::invalid_parameter("state", error))?,
        before: asked.before,
        limit: limit + 1,
    };
    let mut jobs = layers::job::list(&caller, &state.database, &query).await?;
    let has_more = jobs.len() as i64 > limit;
    jobs.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(own(StatusCode::OK, &json!({ "jobs": jobs, "has_more": has_more })))
}

async fn cancel(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode> {
    if job::cancel(&caller, &state.database, id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found(format!("no job {id} runs")))
    }
}

impl From<JobError> for Problem {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Denied(denied) => denied.into(),
            JobError::Database(cause) => cause.into(),
        }
    }
}

impl From<JobsError> for Problem {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::Job(cause) => cause.into(),
            JobsError::Catalog(cause) => cause.into(),
        }
    }
}
