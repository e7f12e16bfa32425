//! Small documents, written whole: with a tag, and 304 where the client has
//! them already.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::asked::Asked;
use super::problem::Result;

pub(super) const JSON: &str = "application/json";
pub(super) const GEOJSON: &str = "application/geo+json";
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// A document as JSON of some media type.
pub(super) fn json(asked: &Asked, media_type: &'static str, document: &impl Serialize) -> Result<Response> {
    let body = serde_json::to_vec(document).map_err(|error| super::Problem::internal(&error))?;
    Ok(whole(asked, media_type, body))
}

/// A page.
pub(super) fn html(asked: &Asked, page: maud::Markup) -> Response {
    whole(asked, HTML, page.into_string().into_bytes())
}

/// A document that is of who asked, and kept by nobody.
pub(super) fn own(status: StatusCode, document: &impl Serialize) -> Response {
    (status, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], axum::Json(document)).into_response()
}

/// The answer with its headers. The tag is weak: the bytes differ by the
/// compression that is put on outside.
pub(super) fn whole(asked: &Asked, media_type: &'static str, body: Vec<u8>) -> Response {
    tagged(asked, media_type, &format!("W/\"{}\"", digest(&body)), body)
}

/// The same with a tag that is known. What has a strong one is not compressed.
pub(super) fn tagged(asked: &Asked, media_type: &'static str, tag: &str, body: Vec<u8>) -> Response {
    let mut headers = negotiated(asked, media_type);
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, value);
    }
    if asked.has(tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, Body::from(body)).into_response()
}

/// The headers of whatever was chosen by `Accept` and `Accept-Language`.
pub(super) fn negotiated(asked: &Asked, media_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(asked.language.code()));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-language, cookie, authorization"));
    headers.insert(CACHE_CONTROL, freshness(asked));
    headers
}

/// Who may keep an answer. It is asked for again each time: where nothing
/// changed that costs next to nothing, and what changed is seen at once. What
/// an account is answered is nobody else's.
pub(super) fn freshness(asked: &Asked) -> HeaderValue {
    HeaderValue::from_static(if asked.caller.login().is_none() { "public, no-cache" } else { "private, no-cache" })
}

/// A content's digest, equal in all processes: 128 bits in hexadecimal.
pub(super) fn digest(content: &[u8]) -> String {
    hex::encode(&Sha256::digest(content)[..16])
}
