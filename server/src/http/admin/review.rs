//! `/admin/access-review`: who may do what, where, and when each last came in
//! and did something; as JSON, or as CSV for a spreadsheet.

use access::Permission;
use access::review;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::access_review;
use crate::http::AppState;
use crate::http::asked::{Asked, Format, Offer};
use crate::http::document::own;
use crate::http::problem::{Problem, Result};
use crate::http::routes::{Routes, Rule};

/// Its media type.
pub(in crate::http) const CSV: &str = "text/csv; charset=utf-8";

const OFFERS: &[Offer] = &[(Format::Json, &["application/json"]), (Format::Csv, &["text/csv"])];

pub(super) fn routes() -> Routes {
    Routes::default().get("/admin/access-review", Rule::May(Permission::ManageAccounts), show)
}

async fn show(State(state): State<AppState>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    let format = asked.format(OFFERS)?;
    let reviewed = review::review(&asked.caller, &state.database).await?;
    if format != Format::Csv {
        return Ok(own(StatusCode::OK, &json!({ "accounts": reviewed })));
    }
    let table = access_review::csv(&reviewed).map_err(|error| Problem::internal(&error))?;
    let headers = [
        (CONTENT_TYPE, CSV),
        (CONTENT_DISPOSITION, "attachment; filename=\"access-review.csv\""),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, table).into_response())
}
