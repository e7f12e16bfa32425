//! What protects the server from its clients and the clients from the web:
//! limits, headers, and the promise that every error is a problem document.

use std::any::Any;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, LINK, REFERRER_POLICY,
    RETRY_AFTER, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::cors::{Any as AnyOrigin, CorsLayer};
use tower_http::limit::RequestBodyLimitLayer;

use super::AppState;
use super::observe::REQUEST_ID;
use super::problem::{Kind, Problem};
use super::rate;
use super::tiles::GENERALISED;

/// The largest request body, where a route does not say that it takes larger ones.
pub(super) const MAX_BODY: usize = 1024 * 1024;
/// The largest of any route.
const LARGEST_BODY: usize = 21 * 1024 * 1024;

/// Everything from ourselves; images also from what the map makes in the page.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'self'; base-uri 'self'; \
    form-action 'self'; object-src 'none'";

/// The map asks for the position when its user presses the button.
const PERMISSIONS: &str = "geolocation=(self), camera=(), microphone=(), payment=(), usb=()";

pub(super) fn body_limit() -> RequestBodyLimitLayer {
    RequestBodyLimitLayer::new(LARGEST_BODY)
}

/// gzip, brotli or zstd for what is text and not yet encoded.
pub(super) fn compression() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new()
        .no_deflate()
        .compress_when(DefaultPredicate::new().and(NotForContentType::const_new("font/woff")).and(is_not_tagged))
}

/// Whether the bytes may be others than they are: not under a strong tag.
fn is_not_tagged(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    headers.get(ETAG).is_none_or(|tag| tag.as_bytes().starts_with(b"W/"))
}

/// Public data may be read by any site's pages; nothing is sent with
/// credentials.
pub(super) fn cross_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allow_headers(AnyOrigin)
        .expose_headers([
            LINK,
            ETAG,
            HeaderName::from_static("content-crs"),
            GENERALISED,
            REQUEST_ID,
            RETRY_AFTER,
            rate::LIMIT,
            rate::POLICY,
        ])
}

/// A panic is our mistake: its message is in the log (see `telemetry`), and
/// not in the answer.
pub(super) fn catch_panics() -> CatchPanicLayer<fn(Box<dyn Any + Send>) -> Response> {
    CatchPanicLayer::custom((|_| Problem::new(Kind::Internal).into_response()) as fn(_) -> _)
}

/// How long sending a file may take: 20 MB over a telephone in the field.
const UPLOAD: Duration = Duration::from_mins(10);

/// Lets in as many requests as configured, each for as long as configured.
/// The time is that until the answer begins: a stream is not cut. Who sends a
/// file has [`UPLOAD`]: it is taken from whoever may send one alone. The health
/// and metrics pages are always let in.
pub(super) async fn limit_requests(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if path.starts_with("/health/") || path == "/metrics" {
        return next.run(request).await;
    }
    let Ok(_permit) = state.admission.try_acquire() else {
        return Problem::unavailable("too many requests are being answered; try again in a few seconds")
            .into_response();
    };
    let sends_file = request.method() == Method::POST && path.ends_with("/attachments");
    let patience = if sends_file { state.config.request_timeout.max(UPLOAD) } else { state.config.request_timeout };
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Kind::Timeout)
            .with_detail(format!("no answer within {} s", patience.as_secs()))
            .into_response(),
    }
}

/// Turns an error that some layer answered in plain text, or without a body,
/// into a problem document.
pub(super) fn only_problems(response: Response) -> Response {
    let Some(kind) = Kind::of_status(response.status()) else { return response };
    let plain = match response.headers().get(CONTENT_TYPE) {
        None => true,
        Some(media_type) => media_type.as_bytes().starts_with(b"text/plain"),
    };
    if !plain || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    let problem = Problem::new(kind).with_allow(response.headers().get(ALLOW).cloned());
    match response.status() {
        // Their detail is the limit that was passed.
        StatusCode::PAYLOAD_TOO_LARGE => problem.with_detail(format!("a request's body may have {LARGEST_BODY} bytes")),
        _ => problem,
    }
    .into_response()
}

/// Sets the security headers that the answer does not set itself; `https`:
/// whether clients come by HTTPS.
pub(super) fn security_headers<B>(mut response: Response<B>, https: bool) -> Response<B> {
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "strict-origin-when-cross-origin");
    set(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    if https {
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}
