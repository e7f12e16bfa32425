//! HTTP: one module an API, and what all of them have in common.
//!
//! A handler takes the [`AppState`], asks the domain crates as a
//! [`access::Caller`], and answers with a document or a [`Problem`].

pub mod base_url;
mod border;
pub mod extract;
mod health;
pub mod listen;
mod metrics;
mod observe;
pub mod problem;
mod shield;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use access::Database;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};

pub use self::base_url::BaseUrl;
pub use self::problem::Problem;
use crate::config::Config;

/// What every handler may use. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The pools.
    pub database: Database,
    /// The configuration.
    pub config: Arc<Config>,
    /// The limit on requests worked on at once.
    admission: Arc<tokio::sync::Semaphore>,
}

impl AppState {
    /// The state of a server with this database and configuration.
    pub fn new(database: Database, config: Arc<Config>) -> Self {
        let admission = Arc::new(tokio::sync::Semaphore::new(config.max_requests));
        Self { database, config, admission }
    }
}

/// The whole HTTP surface.
pub fn router(state: AppState) -> Router {
    metrics::install();
    let routes = Router::new()
        .merge(health::routes())
        .merge(metrics::routes())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        // Inside the router, where the route's template is known.
        .layer(from_fn(observe::remember_route))
        .with_state(state.clone());

    // Outside of it: the last layer is the first that a request meets.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn_with_state(state.clone(), shield::limit_requests))
        .layer(shield::body_limit())
        .layer(shield::catch_panics())
        .layer(from_fn_with_state(state.clone(), border::border))
        .layer(from_fn(shield::only_problems))
        .layer(shield::compression())
        .layer(shield::cross_origin())
        .layer(from_fn_with_state(state, shield::security_headers))
        .layer(from_fn(observe::observe))
}

async fn not_found(request: Request) -> Problem {
    Problem::not_found(format!("there is nothing at {}", request.uri().path()))
}

async fn method_not_allowed(request: Request) -> Response {
    problem::Problem::new(problem::Kind::MethodNotAllowed)
        .with_detail(format!("{} cannot be used on {}", request.method(), request.uri().path()))
        .into_response()
}
