//! Axum's extractors, whose refusals are [`Problem`]s.

use axum::extract::{FromRequest, FromRequestParts, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::Problem;

/// The query string as `T`; 400 where it cannot be that.
#[derive(Debug, Clone, Copy, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub struct Query<T>(pub T);

/// The path's parameters as `T`; 404 where they cannot be that.
#[derive(Debug, Clone, Copy, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct Path<T>(pub T);

/// What a middleware put on the request.
pub use axum::Extension;

/// The body as JSON. A text with NUL is refused, as PostgreSQL's can have none.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let axum::Json(document) = axum::Json::<Value>::from_request(request, state).await?;
        if holds_nul(&document) {
            return Err(Problem::bad_request("a text in the body holds a NUL character"));
        }
        serde_path_to_error::deserialize(document).map(Self).map_err(|error| {
            let member = error.path().to_string();
            if member == "." {
                Problem::bad_request(error.into_inner())
            } else {
                Problem::invalid_parameter(&member, error.into_inner())
            }
        })
    }
}

/// As deep as JSON may nest where it was read (128), so deep this goes.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
