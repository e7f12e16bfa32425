//! The web app, built into the binary.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

use super::asked::Asked;
use super::encoding::{Encoding, accepts};
use super::problem::{Kind, Problem, Result};
use super::{AppState, document};

/// What `npm run build` made in `ui-map`; empty where it was not run. A debug
/// build reads the folder as it is, a release build holds it.
#[derive(RustEmbed)]
#[folder = "../ui-map/dist"]
#[allow_missing = true]
struct App;

/// The base of the app's addresses, as its page has it.
const BASE: &str = r#"<base href="/""#;

pub(super) fn routes() -> Router<AppState> {
    // A route of their own, so that the metrics tell them apart.
    Router::new().route("/assets/{*path}", get(file))
}

/// The app's page, with its base set to ours; none where it is not built in
/// (what stands in its place has no base).
pub(super) fn index(asked: &Asked) -> Option<Response> {
    let page = String::from_utf8(App::get("index.html")?.data.into_owned()).ok()?;
    if !page.contains(BASE) {
        return None;
    }
    let page = page.replacen(BASE, &format!(r#"<base href="{}""#, asked.base.base_href()), 1);
    Some(document::whole(asked, document::HTML, page.into_bytes()))
}

/// A file of the app; 404 where there is none at that path.
pub(super) async fn file(request: Request) -> Result<Response> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let nothing = || Problem::not_found(format!("there is nothing at {}", request.uri().path()));
    if path == "index.html" {
        return Err(nothing());
    }
    let file = App::get(&path).ok_or_else(nothing)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::new(Kind::MethodNotAllowed));
    }
    let media_type = media_type(&path);
    let encoding = if is_text(media_type) { best_encoding(request.headers()) } else { Encoding::Identity };
    let tag = format!("\"{}{}\"", document::digest(&file.metadata.sha256_hash()), encoding.suffix());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // The names under assets/ hold a hash of the content.
    let freshness =
        if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(freshness));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, value);
    }
    let known = request.headers().get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|known| known.trim() == tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    if let Some(name) = encoding.header() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    let bytes = encoded(path, file.metadata.sha256_hash(), encoding, file.data.into_owned()).await?;
    Ok((headers, Body::from(bytes)).into_response())
}

/// Compresses every file of the app, so that the first visitor does not wait
/// for it (two seconds at the hardest setting, in a release build).
pub(crate) async fn compress_ahead() {
    for path in App::iter().filter(|path| is_text(media_type(path))) {
        let Some(file) = App::get(&path) else { continue };
        for encoding in [Encoding::Brotli, Encoding::Gzip] {
            let data = file.data.clone().into_owned();
            // What fails is in the log, and is tried again when it is asked for.
            let _ = encoded(path.to_string(), file.metadata.sha256_hash(), encoding, data).await;
        }
    }
}

fn best_encoding(headers: &HeaderMap) -> Encoding {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    [Encoding::Brotli, Encoding::Gzip]
        .into_iter()
        .find(|encoding| accepts(accepted, *encoding))
        .unwrap_or(Encoding::Identity)
}

/// By file (its hash) and encoding; as many entries as the app has files.
type Variants = HashMap<([u8; 32], Encoding), Bytes>;

/// The file's bytes in that encoding: compressed hard at first use, and kept.
async fn encoded(path: String, hash: [u8; 32], encoding: Encoding, data: Vec<u8>) -> Result<Bytes> {
    static VARIANTS: LazyLock<Mutex<Variants>> = LazyLock::new(Mutex::default);
    if encoding == Encoding::Identity {
        return Ok(data.into());
    }
    let key = (hash, encoding);
    if let Some(bytes) = VARIANTS.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(bytes.clone());
    }
    let compressed = tokio::task::spawn_blocking(move || encoding.compress(&data, true))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| {
            tracing::error!(path, %error, "a file of the web app could not be compressed");
            Problem::internal(&error)
        })?;
    let bytes = Bytes::from(compressed);
    VARIANTS.lock().unwrap_or_else(PoisonError::into_inner).insert(key, bytes.clone());
    Ok(bytes)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("html") => document::HTML,
        Some("json" | "map") => document::JSON,
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wasm") => "application/wasm",
        Some("pbf") => "application/x-protobuf",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether compression helps: pictures and fonts are compressed already.
fn is_text(media_type: &str) -> bool {
    !media_type.starts_with("image/") && !media_type.starts_with("font/") || media_type == "image/svg+xml"
}
