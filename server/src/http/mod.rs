//! HTTP: one module an API, and what all of them have in common.
//!
//! A handler takes the [`AppState`], asks the domain crates as a
//! [`access::Caller`], and answers with a document or a [`Problem`].

mod admin;
mod asked;
mod assets;
pub mod base_url;
mod border;
mod changes;
mod document;
mod encoding;
pub mod extract;
mod features;
mod health;
mod here;
mod identify;
mod landing;
mod links;
pub mod listen;
mod metrics;
mod observe;
mod openapi;
pub mod opening;
mod pages;
mod permissions_page;
mod precondition;
pub mod problem;
mod rate;
mod routes;
mod search;
mod session;
mod shield;
#[cfg(test)]
mod tests;
mod tiles;

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use ::tiles::engine::{IndexedTiles, Limits};
use access::audit::Trail;
use access::{Database, Gate};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use layers::attachment::Store;
use tokio_util::sync::CancellationToken;
use tower::ServiceBuilder;

pub use self::base_url::BaseUrl;
pub use self::permissions_page::permissions_page;
pub use self::problem::Problem;
use self::routes::Routes;
pub use self::routes::{Route, Rule};
use crate::config::Config;
use crate::freshness::Freshness;
use crate::identity::Identity;

/// What every handler may use. Cheap to clone: each layer that a request
/// passes does.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// Files received at once: with what an attachment may have, 640 MB.
const UPLOADS: usize = 32;

/// What is in it.
pub struct Shared {
    /// The pools.
    pub database: Database,
    /// The configuration.
    pub config: Arc<Config>,
    /// Knows who asks.
    pub gate: Arc<Gate>,
    /// Whoever vouches for persons.
    pub identity: Identity,
    /// How much anybody may ask for.
    pub limits: access::limit::Limits,
    /// Where denials and reads of what is not public are noted.
    pub trail: Trail,
    /// Keeps the files of features' attachments.
    pub attachments: Store,
    /// The limit on files received at once, each of which is in memory.
    pub uploads: tokio::sync::Semaphore,
    /// Whatever cuts the tiles.
    pub tiles: Arc<IndexedTiles>,
    /// What is known of layers' changes.
    pub freshness: Arc<Freshness>,
    /// The collections of tiles of the whole dataset.
    dataset: tiles::dataset::Dataset,
    /// Counts that still hold.
    counts: features::Counts,
    /// The limit on requests worked on at once.
    admission: tokio::sync::Semaphore,
    /// The limit on streams of changes.
    streams: Arc<tokio::sync::Semaphore>,
    /// Since when it serves.
    began: chrono::DateTime<chrono::Utc>,
    /// Cancelled when the server stops: what would last for ever ends.
    pub stopping: CancellationToken,
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl AppState {
    /// The state of a server with this database, configuration and store of
    /// attachments.
    pub fn new(database: Database, config: Arc<Config>, attachments: Store) -> Self {
        let admission = tokio::sync::Semaphore::new(config.max_requests);
        let streams = Arc::new(tokio::sync::Semaphore::new(config.max_streams));
        // Half of the connections: a map full of tiles must not keep a search waiting.
        let limits = Limits {
            at_once: (config.database_connections as usize / 2).max(1),
            index_bytes: config.tile_index_memory,
            cache_bytes: config.tile_cache_memory,
        };
        let tiles = Arc::new(IndexedTiles::new(database.clone(), limits, Some(config.tiles_dir())));
        let (freshness, counts) = (Arc::default(), features::Counts::default());
        let dataset = tiles::dataset::Dataset::default();
        let stopping = CancellationToken::new();
        let identity = Identity::new(&config);
        let gate = Arc::new(Gate::new(database.clone()));
        let trail = Trail::new(database.clone());
        let limits = access::limit::Limits::new(config.quotas);
        Self(Arc::new(Shared {
            database,
            config,
            gate,
            identity,
            limits,
            trail,
            attachments,
            uploads: tokio::sync::Semaphore::new(UPLOADS),
            tiles,
            freshness,
            dataset,
            counts,
            admission,
            streams,
            began: chrono::Utc::now(),
            stopping,
        }))
    }
}

fn all() -> Routes {
    Routes::default()
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(landing::routes())
        .merge(features::routes())
        .merge(tiles::routes())
        .merge(changes::routes())
        .merge(search::routes())
        .merge(session::routes())
        .merge(admin::routes())
        .merge(here::routes())
        .merge(openapi::routes())
        .merge(pages::routes())
        .merge(assets::routes())
}

/// Every route but the web app's files, and who may ask.
pub fn routes() -> &'static [Route] {
    static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(|| all().list);
    &ROUTES
}

/// The whole HTTP surface.
pub fn router(state: AppState) -> Router {
    metrics::install();
    let routes = all()
        .router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(assets::file)
        // Inside the router, where the route's template is known.
        .layer(from_fn(observe::remember_route))
        .layer(DefaultBodyLimit::max(shield::MAX_BODY))
        .with_state(state.clone());

    // Outside of it, in the order in which a request meets them. As one
    // service: a router that gets them one by one puts each into a box, and
    // copies them all for each of them.
    let https = state.config.is_https();
    let service = ServiceBuilder::new()
        .layer(from_fn(observe::observe))
        .map_response(move |response| shield::security_headers(response, https))
        .layer(shield::cross_origin())
        .layer(shield::compression())
        .map_response(shield::only_problems)
        .layer(from_fn_with_state(state.clone(), border::border))
        .layer(shield::catch_panics())
        .layer(from_fn_with_state(state, shield::limit_requests))
        .layer(shield::body_limit())
        .service(routes);
    Router::new().fallback_service(service)
}

async fn method_not_allowed(request: Request) -> Response {
    problem::Problem::new(problem::Kind::MethodNotAllowed)
        .with_detail(format!("{} cannot be used on {}", request.method(), request.uri().path()))
        .into_response()
}
