//! The web app, built into the binary.

use super::routes::{Routes, Rule};
use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use tiles::Encoding;

use super::asked::Asked;
use super::document;
use super::encoding::accepts;
use super::problem::{Kind, Problem, Result};

/// What `npm run build` made in `ui-map`; empty where it was not run. The
/// build has left compressed variants beside the text files.
#[derive(RustEmbed)]
#[folder = "../ui-map/dist"]
#[allow_missing = true]
struct App;

/// The base of the app's addresses, as its page has it.
const BASE: &str = r#"<base href="/""#;

pub(super) fn routes() -> Routes {
    // A route of their own, so that the metrics tell them apart.
    Routes::default().get("/assets/{*path}", Rule::Everybody, file)
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
    if is_variant(&path, |path| App::get(path).is_some()) {
        return Err(nothing());
    }
    let plain = App::get(&path).ok_or_else(nothing)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::new(Kind::MethodNotAllowed));
    }
    let accepted = request.headers().get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (encoding, file) = best_variant(&path, accepted, App::get).unwrap_or((Encoding::Identity, plain));
    // Other bytes, another tag; a weak one where the outer layer may still compress them.
    let weak = if encoding == Encoding::Identity { "W/" } else { "" };
    let tag = format!("{weak}\"{}\"", document::digest(&file.metadata.sha256_hash()));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(&path)));
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
    if let Some(name) = encoding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    let bytes = match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Ok((headers, Body::from(bytes)).into_response())
}

/// The encodings in which the build leaves a file beside the plain one, by
/// what it adds to the name; the best first.
const VARIANTS: [(Encoding, &str); 2] = [(Encoding::Brotli, ".br"), (Encoding::Gzip, ".gz")];

/// Whether the path is another file's variant, which has no address of its own.
fn is_variant(path: &str, held: impl Fn(&str) -> bool) -> bool {
    VARIANTS.iter().any(|(_, suffix)| path.strip_suffix(suffix).is_some_and(&held))
}

/// The best accepted variant that is held; none where the plain file is to be
/// sent.
fn best_variant<F>(path: &str, accepted: &str, get: impl Fn(&str) -> Option<F>) -> Option<(Encoding, F)> {
    VARIANTS
        .iter()
        .filter(|(encoding, _)| encoding.name().is_some_and(|name| accepts(accepted, name)))
        .find_map(|(encoding, suffix)| get(&format!("{path}{suffix}")).map(|file| (*encoding, file)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(held: &[&str], accepted: &str) -> Option<(Encoding, String)> {
        best_variant("assets/app.js", accepted, |path| held.contains(&path).then(|| path.to_owned()))
    }

    #[test]
    fn the_best_variant_that_is_held_and_accepted_is_chosen() {
        let both = ["assets/app.js", "assets/app.js.br", "assets/app.js.gz"];
        let brotli = Some((Encoding::Brotli, "assets/app.js.br".to_owned()));
        let gzip = Some((Encoding::Gzip, "assets/app.js.gz".to_owned()));
        assert_eq!(chosen(&both, "gzip, br, zstd"), brotli);
        assert_eq!(chosen(&both, "gzip, br;q=0"), gzip);
        assert_eq!(chosen(&both, ""), None);
        assert_eq!(chosen(&both[..1], "gzip, br"), None);
        assert_eq!(chosen(&["assets/app.js", "assets/app.js.gz"], "gzip, br"), gzip);
    }

    #[test]
    fn only_what_lies_beside_its_plain_file_is_a_variant() {
        let held = |path: &str| path == "assets/app.js";
        assert!(is_variant("assets/app.js.br", held));
        assert!(is_variant("assets/app.js.gz", held));
        assert!(!is_variant("assets/app.js", held));
        assert!(!is_variant("assets/plan.gz", held));
    }
}
