//! `/metrics`, in Prometheus' text format.

mod tiles;

use super::routes::{Routes, Rule};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::metrics::{counter, gauge, histogram};
use access::Database;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::AppState;
use super::changes::STREAMS;

const REQUESTS: &str = "lindero_http_requests_total";
const IN_FLIGHT: &str = "lindero_http_requests_in_flight";
const DURATION: &str = "lindero_http_request_duration_seconds";

/// Seconds: from a cached tile to the timeout.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// The process's recorder, installed at first use.
fn handle() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let recorder = match builder.set_buckets(&BUCKETS) {
            Ok(builder) => builder.build_recorder(),
            // Only an empty list of buckets is refused.
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        let handle = recorder.handle();
        if ::metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed: /metrics will be empty");
        }
        ::metrics::describe_counter!(REQUESTS, "Requests answered, by method, route and status.");
        ::metrics::describe_gauge!(IN_FLIGHT, "Requests whose answer has not begun.");
        ::metrics::describe_histogram!(DURATION, "Seconds until an answer began, by method and route.");
        ::metrics::describe_gauge!(STREAMS, "Pages that are being told of changes.");
        tiles::describe();
        ::metrics::describe_gauge!("lindero_database_connections", "Connections of each pool, by state.");
        ::metrics::describe_gauge!("lindero_build_info", "Always 1; the version is a label.");
        ::metrics::describe_gauge!("process_resident_memory_bytes", "Memory of the server process.");
        ::metrics::describe_gauge!("process_start_time_seconds", "When the process started, in Unix time.");
        gauge!("lindero_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        gauge!("process_start_time_seconds").set(now.as_secs_f64());
        handle
    })
}

/// Installs the recorder, so that the first request is counted too. The
/// handle's upkeep runs at each scrape.
pub(super) fn install() {
    handle();
}

pub(super) fn routes() -> Routes {
    Routes::default().get("/metrics", Rule::Everybody, render)
}

/// Counts one answered request.
pub(super) fn count_request(method: &'static str, route: &str, status: StatusCode, elapsed: Duration) {
    let route = route.to_owned();
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status.as_u16().to_string())
        .increment(1);
    histogram!(DURATION, "method" => method, "route" => route).record(elapsed.as_secs_f64());
}

/// A request being worked on, also where its client goes away.
pub(super) struct InFlight;

impl InFlight {
    pub(super) fn begin() -> Self {
        gauge!(IN_FLIGHT).increment(1.0);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1.0);
    }
}

async fn render(State(state): State<AppState>) -> impl IntoResponse {
    measure(&state.database);
    tiles::measure(&state.tiles).await;
    let handle = handle();
    handle.run_upkeep();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
}

/// Sets the gauges that are measured when asked.
fn measure(database: &Database) {
    for (name, pool) in [("app", database.app()), ("loader", database.loader())] {
        let (size, idle) = (f64::from(pool.size()), pool.num_idle() as f64);
        gauge!("lindero_database_connections", "pool" => name, "state" => "idle").set(idle);
        gauge!("lindero_database_connections", "pool" => name, "state" => "used").set((size - idle).max(0.0));
    }
    if let Some(bytes) = resident_memory() {
        gauge!("process_resident_memory_bytes").set(bytes);
    }
}

/// The second number of `/proc/self/statm`, in pages.
pub(super) fn resident_memory() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as f64)
}
