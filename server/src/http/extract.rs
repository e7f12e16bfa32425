//! Axum's extractors, whose refusals are [`Problem`]s.

use axum::extract::{FromRequest, FromRequestParts};

use super::problem::Problem;

/// The query string as `T`; 400 where it cannot be that.
#[derive(Debug, Clone, Copy, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub struct Query<T>(pub T);

/// The path's parameters as `T`; 404 where they cannot be that.
#[derive(Debug, Clone, Copy, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct Path<T>(pub T);

/// The body as JSON.
#[derive(Debug, Clone, Copy, FromRequest)]
#[from_request(via(axum::Json), rejection(Problem))]
pub struct Json<T>(pub T);
