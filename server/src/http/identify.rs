//! Who asks: made once at the border, from what the request shows.
//!
//! A browser shows a session's cookie, another program a key
//! (`Authorization: Bearer`). A cookie goes along with whatever page sends a
//! request: one that changes something must come from a page of ours
//! (`Sec-Fetch-Site`, `Origin`), and show that this page could read what the
//! session's own document says (`X-CSRF-Token`).

use access::limit::{Admission, Guess};
use access::{Caller, Origin, Token, audit};
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderName, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};

use super::AppState;
use super::base_url::BaseUrl;
use super::problem::{Problem, Result};
use super::rate;
use super::session::cookies;

/// Where a page shows that it is ours.
pub(super) const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a session's cookie held, for those who look again whether it opens.
#[derive(Debug, Clone)]
pub(super) struct Shown(pub(super) Token);

/// Who asks, as the middleware found; anybody where it did not run.
pub(super) fn caller(parts: &Parts) -> Caller {
    parts.extensions.get::<Caller>().cloned().unwrap_or(Caller::ANONYMOUS)
}

/// What is looked at of a request to know who asks.
pub(super) struct Showing<'a> {
    /// Its method.
    pub(super) method: &'a Method,
    /// Its headers.
    pub(super) headers: &'a HeaderMap,
    /// Under what address it reached us.
    pub(super) base: &'a BaseUrl,
    /// From where it came.
    pub(super) origin: Origin,
}

impl Showing<'_> {
    /// Whether nothing is shown and nothing can be changed: most requests.
    pub(super) fn is_anybodys(&self) -> bool {
        self.is_safe() && !self.headers.contains_key(AUTHORIZATION) && !self.headers.contains_key(COOKIE)
    }

    fn is_safe(&self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }
}

/// Who asks, and the token that it showed.
pub(super) async fn identify(state: &AppState, showing: Showing<'_>) -> Result<(Caller, Option<Token>)> {
    let is_safe = showing.is_safe();
    let Showing { headers, base, origin, .. } = showing;
    let anybody = || Caller::ANONYMOUS.noted(origin.clone(), &state.trail);
    if let Some(key) = bearer(headers)? {
        let Some(caller) = open(state, &key, &origin, Guess::Key).await? else {
            audit::note_denial(&anybody(), "come in by a key that is not known, or not good any more", None);
            return Err(Problem::unauthorized("this key is not known, or not good any more, or not here and now"));
        };
        return Ok((caller.noted(origin, &state.trail), Some(key)));
    }
    if !is_safe && let Err(problem) = refuse_other_sites(headers, base) {
        audit::note_denial(&anybody(), "send something from a page of another site", None);
        return Err(problem);
    }
    let Some(session) = cookies::session(headers, base) else {
        return Ok((anybody(), None));
    };
    // What does not open any more, or not now and from there, is as if it were not shown.
    let Some(caller) = open(state, &session, &origin, Guess::Session).await? else {
        return Ok((anybody(), None));
    };
    let caller = caller.noted(origin, &state.trail);
    if !is_safe && headers.get(CSRF_TOKEN).is_none_or(|shown| shown.as_bytes() != session.csrf().as_bytes()) {
        audit::note_denial(&caller, "change something without the session's token", None);
        return Err(Problem::forbidden("the header X-CSRF-Token must be what GET /session says"));
    }
    Ok((caller, Some(session)))
}

/// Who shows that token. The database is asked for those alone who did not show
/// too much that opened nothing, or whose token is known to open something.
async fn open(state: &AppState, token: &Token, origin: &Origin, kind: Guess) -> Result<Option<Caller>> {
    if !state.gate.has_opened(token)
        && let Some(Admission { refused: Some(wait), .. }) = state.limits.refuses_guess(origin.address)
    {
        return Err(rate::too_many(wait));
    }
    let caller = state.gate.open(token, origin.address).await?;
    if caller.is_none() {
        state.limits.opened_nothing(origin.address, kind);
    }
    Ok(caller)
}

/// The key of `Authorization: Bearer`. Other schemes are none of ours.
fn bearer(headers: &HeaderMap) -> Result<Option<Token>> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(Token::given(key.trim()))),
        _ => Err(Problem::unauthorized("expected Authorization: Bearer and a key")),
    }
}

/// Browsers say from what site a page is that sends a request.
fn refuse_other_sites(headers: &HeaderMap, base: &BaseUrl) -> Result<()> {
    let is_of_other_site = headers.get(SEC_FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none");
    let is_of_other_origin = headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes() != base.origin().as_bytes());
    if is_of_other_site || is_of_other_origin {
        return Err(Problem::forbidden("a page of another site sent this"));
    }
    Ok(())
}
