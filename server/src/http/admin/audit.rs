//! `/admin/audit`: searching the audit trail, and taking it out.

use access::audit::{self, MOST, Wanted};
use access::{Permission, UnknownCode};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::json;

use crate::audit_csv;
use crate::http::AppState;
use crate::http::asked::{Asked, Format, Offer};
use crate::http::document::{JSON, own};
use crate::http::problem::{Problem, Result};
use crate::http::routes::{Routes, Rule};

const OFFERS: &[Offer] = &[(Format::Json, &[JSON]), (Format::Csv, &["text/csv"])];
/// Rows of a page where nothing is said.
const DEFAULT_LIMIT: u32 = 100;

pub(super) fn routes() -> Routes {
    Routes::default().get("/admin/audit", Rule::May(Permission::ReadAudit), search).get(
        "/admin/audit/seal",
        Rule::May(Permission::ReadAudit),
        seal,
    )
}

async fn search(State(state): State<AppState>, mut asked: Asked) -> Result<Response> {
    let format = asked.format(OFFERS)?;
    let wanted = wanted(&mut asked)?;
    let expected = format!("a whole number between 1 and {MOST}");
    let limit: u32 = asked.parsed("limit", &expected)?.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid_parameter("limit", format!("expected {expected}")));
    }
    asked.finish()?;
    if format == Format::Csv {
        return csv(&state, &asked, wanted).await;
    }
    let rows = audit::search(&asked.caller, &state.database, &wanted, limit).await?;
    let next = rows.last().filter(|_| rows.len() == limit as usize);
    let next = next.map(|last| asked.url_with(&[("cursor", Some(&last.id.to_string()))]));
    Ok(own(StatusCode::OK, &json!({ "rows": rows, "next": next })))
}

/// All that is looked for, written while it is read.
async fn csv(state: &AppState, asked: &Asked, wanted: Wanted) -> Result<Response> {
    let batches = audit::export(&asked.caller, &state.database, wanted).await?;
    let header = audit_csv::header().map_err(|error| Problem::internal(&error))?;
    let lines = batches
        .map_err(std::io::Error::other)
        .and_then(async |rows| audit_csv::lines(&rows).map_err(std::io::Error::other))
        .inspect_err(|error| tracing::error!(%error, "the audit trail broke off while it was taken out"));
    let body = stream::once(async { Ok(header) }).chain(lines).map_ok(Bytes::from);
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (CONTENT_DISPOSITION, "attachment; filename=\"auditoria.csv\""),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

async fn seal(State(state): State<AppState>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    Ok(own(StatusCode::OK, &audit::state(&asked.caller, &state.database).await?))
}

fn wanted(asked: &mut Asked) -> Result<Wanted> {
    let instant = "an instant as 2026-03-01T00:00:00-05:00";
    let code = |name: &'static str| move |error: UnknownCode| Problem::invalid_parameter(name, error);
    Ok(Wanted {
        from: asked.parsed::<DateTime<Utc>>("from", instant)?,
        to: asked.parsed::<DateTime<Utc>>("to", instant)?,
        account: asked.text("account")?,
        action: asked.text("action")?.map(|text| text.parse().map_err(code("action"))).transpose()?,
        outcome: asked.text("outcome")?.map(|text| text.parse().map_err(code("outcome"))).transpose()?,
        municipality: asked.parsed("municipality", "a code of five digits")?,
        layer: asked.text("layer")?,
        subject: asked.text("subject")?,
        address: asked.text("address")?.map(|text| network(&text)).transpose()?,
        before: asked.parsed("cursor", "what a page's next says")?,
    })
}

fn network(text: &str) -> Result<ipnet::IpNet> {
    let refusal = || Problem::invalid_parameter("address", "expected an address (10.0.0.1) or a network (10.0.0.0/8)");
    audit::network(text).ok_or_else(refusal)
}
