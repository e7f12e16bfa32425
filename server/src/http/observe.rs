//! Every request has an id, a line in the log and its place in the metrics.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::header::HeaderName;
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use super::metrics;

/// The header that carries a request's id in both directions.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The end of the templates of the routes of tiles.
const TILE: &str = "/{zoom}/{row}/{column}";

/// A request's id, for those inside.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) Arc<str>);

/// The template of the route that answered, `/collections/{id}`.
#[derive(Clone)]
struct Route(MatchedPath);

/// Hands the route's template out of the router with the answer.
pub(super) async fn remember_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(Route(route));
    }
    response
}

/// The outermost middleware. The query string is not logged: it may hold a
/// person's name or document.
pub(super) async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id: Arc<str> = match request.headers().get(REQUEST_ID).and_then(well_formed) {
        Some(given) => given.into(),
        None => Arc::from(&*Uuid::now_v7().hyphenated().encode_lower(&mut Uuid::encode_buffer())),
    };
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", id = &*id);
    let mut response = {
        let _in_flight = metrics::InFlight::begin();
        next.run(request).instrument(span.clone()).await
    };

    let elapsed = started.elapsed();
    let route = response.extensions().get::<Route>().map_or("(none)", |route| route.0.as_str()).to_owned();
    metrics::count_request(method_label(&method), &route, response.status(), elapsed);
    let (status, milliseconds) = (response.status().as_u16(), elapsed.as_secs_f64() * 1000.0);
    span.in_scope(|| {
        // A map asks for hundreds of tiles a minute: a line for each would
        // bury the others, and cost as much as the tile.
        if route.ends_with(TILE) && status < 400 {
            tracing::debug!(%method, path, route, status, milliseconds, "answered");
        } else {
            tracing::info!(%method, path, route, status, milliseconds, "answered");
        }
    });
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// A client's own id is taken where it can stand in a log as it is.
fn well_formed(id: &HeaderValue) -> Option<String> {
    let id = id.to_str().ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (!id.is_empty() && id.len() <= 64 && id.bytes().all(plain)).then(|| id.to_owned())
}

/// The method as a label: a bounded set, whatever clients send.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_request_id_is_taken_over() {
        let taken = |id: &str| well_formed(&HeaderValue::from_str(id).expect("a header value"));
        assert_eq!(taken("trace-1.a_B"), Some("trace-1.a_B".to_owned()));
        assert_eq!(taken(""), None);
        assert_eq!(taken("a b"), None);
        assert_eq!(taken("\"}{"), None);
        assert_eq!(taken(&"a".repeat(65)), None);
    }
}
