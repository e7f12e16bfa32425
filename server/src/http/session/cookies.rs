//! The cookies that a browser keeps for us.

use access::{Token, errand};
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use chrono::{DateTime, TimeDelta, Utc};
use cookie::{Cookie, SameSite};

use crate::http::base_url::BaseUrl;
use crate::http::problem::{Problem, Result};

/// A browser that was let in once is known for so long.
const DEVICE_LIFETIME: TimeDelta = TimeDelta::days(180);

/// By HTTPS the name itself says that only this host can have set it, over
/// HTTPS (RFC 6265bis, 4.1.3.2).
fn name(base: &BaseUrl, name: &str) -> String {
    if base.is_https() { format!("__Host-lindero_{name}") } else { format!("lindero_{name}") }
}

fn read(headers: &HeaderMap, base: &BaseUrl, of: &str) -> Option<Token> {
    let wanted = name(base, of);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(std::result::Result::ok)
        .find(|cookie| cookie.name() == wanted)
        .map(|cookie| Token::given(cookie.value()))
}

/// The session that the browser shows.
pub(in crate::http) fn session(headers: &HeaderMap, base: &BaseUrl) -> Option<Token> {
    read(headers, base, "session")
}

/// What a browser that was let in before shows.
pub(super) fn device(headers: &HeaderMap, base: &BaseUrl) -> Option<Token> {
    read(headers, base, "device")
}

/// Keeps the session until it ends.
pub(super) fn keep_session(base: &BaseUrl, token: &Token, expires_at: DateTime<Utc>) -> Result<HeaderValue> {
    write(base, "session", token.expose(), expires_at - Utc::now())
}

/// Has the browser forget the session.
pub(super) fn drop_session(base: &BaseUrl) -> Result<HeaderValue> {
    write(base, "session", "", TimeDelta::zero())
}

/// Keeps by what the browser is known.
pub(super) fn keep_device(base: &BaseUrl, token: &Token) -> Result<HeaderValue> {
    write(base, "device", token.expose(), DEVICE_LIFETIME)
}

/// What tells the browser that began a login from others.
pub(super) fn errand(headers: &HeaderMap, base: &BaseUrl) -> Option<Token> {
    read(headers, base, "errand")
}

/// Keeps it as long as the login may take. The browser comes back by a link of
/// another site, with which `SameSite=Lax` goes along.
pub(super) fn keep_errand(base: &BaseUrl, token: &Token) -> Result<HeaderValue> {
    write(base, "errand", token.expose(), errand::LIFETIME)
}

/// Has the browser forget it.
pub(super) fn drop_errand(base: &BaseUrl) -> Result<HeaderValue> {
    write(base, "errand", "", TimeDelta::zero())
}

fn write(base: &BaseUrl, of: &str, value: &str, lifetime: TimeDelta) -> Result<HeaderValue> {
    let cookie = Cookie::build((name(base, of), value))
        .http_only(true)
        .secure(base.is_https())
        // A link from elsewhere finds who follows it logged in.
        .same_site(SameSite::Lax)
        .path("/")
        .max_age(cookie::time::Duration::seconds(lifetime.num_seconds()));
    HeaderValue::from_str(&cookie.to_string()).map_err(|error| Problem::internal(&error))
}
