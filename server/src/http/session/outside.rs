//! `/session/oidc`: coming in through an identity provider. The browser is
//! sent there, and comes back with a code.

use access::errand;
use access::login::LoginError;
use access::{Caller, Token, outside};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{cookies, user_agent};
use crate::http::AppState;
use crate::http::asked::{Asked, Format, JSON_AND_HTML};
use crate::http::base_url::BaseUrl;
use crate::http::extract::{Extension, Path, Query};
use crate::http::pages;
use crate::http::problem::{Kind, Problem, Result};
use crate::http::routes::{Routes, Rule};
use crate::identity::{Oidc, OidcError};

pub(super) fn routes() -> Routes {
    Routes::default().get("/session/oidc/{provider}", Rule::Everybody, begin).get(
        "/session/oidc/{provider}/callback",
        Rule::Vouched,
        come_back,
    )
}

/// The providers, for the dialog to log in.
pub(super) fn offered(state: &AppState, base: &BaseUrl) -> Vec<Value> {
    let offer =
        |provider: &Oidc| json!({ "id": provider.id(), "title": provider.title(), "href": href(base, provider) });
    state.identity.oidc().iter().map(offer).collect()
}

fn href(base: &BaseUrl, provider: &Oidc) -> String {
    base.join(&format!("/session/oidc/{}", provider.id()))
}

/// Sends the browser to the provider.
async fn begin(State(state): State<AppState>, mut asked: Asked, Path(id): Path<String>) -> Result<Response> {
    let return_to = asked.text("return")?.unwrap_or_default();
    asked.finish()?;
    let provider = known(&state, &id)?;
    let begun = start(&state, &asked, provider, &return_to).await;
    begun.or_else(|refused| refused.answer(&asked, Some(provider)))
}

async fn start(state: &AppState, asked: &Asked, provider: &Oidc, return_to: &str) -> Result<Response, Refused> {
    let return_to = own_page(&asked.base, return_to).ok_or_else(|| {
        Problem::invalid_parameter("return", "expected the path of a page of this server, which starts with a slash")
    })?;
    let redirect = format!("{}/callback", href(&asked.base, provider));
    let start = provider.start(redirect, return_to).await.map_err(|error| Refused::at(provider, &error))?;
    let begun = errand::begin(&asked.caller, &state.database, &start.errand).await?;
    let mut response = to(start.url(&begun.state).as_str())?;
    response.headers_mut().append(SET_COOKIE, cookies::keep_errand(&asked.base, &begun.browser)?);
    Ok(response)
}

/// What a provider gives the browser to bring back. It may give more.
#[derive(Deserialize)]
struct Brought {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    /// Who answers (RFC 9207).
    iss: Option<String>,
}

/// The browser is back.
async fn come_back(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(brought): Query<Brought>,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response> {
    let provider = known(&state, &id)?;
    let mut response = match finish(&state, &caller, provider, brought, &headers, &asked.base).await {
        Ok(response) => response,
        Err(refused) => refused.answer(&asked, Some(provider))?,
    };
    response.headers_mut().append(SET_COOKIE, cookies::drop_errand(&asked.base)?);
    Ok(response)
}

async fn finish(
    state: &AppState,
    caller: &Caller,
    provider: &Oidc,
    brought: Brought,
    headers: &HeaderMap,
    base: &BaseUrl,
) -> Result<Response, Refused> {
    let (Some(browser), Some(given)) = (cookies::errand(headers, base), brought.state) else {
        return Err(Refused::not_begun());
    };
    let errand = errand::end(caller, &state.database, provider.id(), &browser, &Token::given(&given)).await?;
    let errand = errand.ok_or_else(Refused::not_begun)?;
    let code = match (brought.code, brought.error) {
        _ if brought.iss.is_some_and(|issuer| !provider.is_issuer(&issuer)) => {
            Err(OidcError::Untrue("another answers"))
        }
        (Some(code), None) => Ok(code),
        _ => Err(OidcError::Refused("it was broken off there")),
    };
    let vouched = match code {
        Ok(code) => provider.finish(code, &errand).await,
        Err(error) => Err(error),
    };
    let vouched = match vouched {
        Ok(vouched) => vouched,
        Err(error) => {
            outside::refused(caller, &state.database, provider.id()).await?;
            return Err(Refused::at(provider, &error));
        }
    };
    // What the browser showed until now opens nothing of this login.
    let session = outside::come_in(caller, &state.database, &vouched, user_agent(headers)).await?;
    let mut response = to(&errand.return_to)?;
    let cookie = cookies::keep_session(base, &session.token, session.expires_at)?;
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

fn known<'a>(state: &'a AppState, id: &str) -> Result<&'a Oidc> {
    state.identity.provider(id).ok_or_else(|| Problem::not_found("there is no such identity provider"))
}

/// The address of a page of ours, as a browser would read it; none where it is
/// not one.
fn own_page(base: &BaseUrl, given: &str) -> Option<String> {
    let home = Url::parse(&base.join("/")).ok()?;
    if given.is_empty() {
        return Some(home.into());
    }
    if !given.starts_with('/') {
        return None;
    }
    let page = home.join(given).ok()?;
    let is_own = page.origin() == home.origin() && page.path().starts_with(home.path());
    is_own.then(|| page.into())
}

/// Sends the browser there. Neither the code nor the state goes along.
fn to(url: &str) -> Result<Response> {
    let location = HeaderValue::from_str(url).map_err(|error| Problem::internal(&error))?;
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// A login that came to nothing.
struct Refused {
    problem: Problem,
    says: pages::Refusal,
}

impl Refused {
    fn not_begun() -> Self {
        let problem =
            Problem::bad_request("this login was not begun in this browser, or is over; begin it anew on the map");
        Self { problem, says: pages::Refusal::NotBegun }
    }

    fn at(provider: &Oidc, error: &OidcError) -> Self {
        tracing::warn!(provider = provider.id(), %error, "a login at an identity provider came to nothing");
        let detail = format!("{} did not let you in: {error}", provider.title());
        match error {
            OidcError::Away | OidcError::Broken => {
                Self { problem: Problem::unavailable(detail), says: pages::Refusal::Away }
            }
            OidcError::Refused(_) | OidcError::Untrue(_) => {
                Self { problem: Problem::forbidden(detail), says: pages::Refusal::Refused }
            }
        }
    }

    /// A page for whoever sits before a browser, a problem document for others.
    fn answer(self, asked: &Asked, provider: Option<&Oidc>) -> Result<Response> {
        if asked.format(JSON_AND_HTML).unwrap_or(Format::Json) != Format::Html {
            return Err(self.problem);
        }
        let title = provider.map_or("", Oidc::title);
        let again = provider.map(|provider| href(&asked.base, provider));
        let page = pages::refused(asked.language, &asked.base, title, self.says, again.as_deref());
        let headers = [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")];
        Ok((self.problem.kind().status(), headers, page).into_response())
    }
}

impl From<LoginError> for Refused {
    fn from(error: LoginError) -> Self {
        let says = match &error {
            LoginError::OutOfBounds(_) => pages::Refusal::OutOfBounds,
            LoginError::NotAdmitted => pages::Refusal::NotAdmitted,
            LoginError::TooMany(_) => pages::Refusal::TooMany,
            LoginError::Refused => pages::Refusal::Closed,
            _ => pages::Refusal::Away,
        };
        let problem = match error {
            LoginError::Refused => Problem::forbidden("this account was closed; ask an administrator"),
            error => error.into(),
        };
        Self { problem, says }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let says = match problem.kind() {
            Kind::InvalidParameter | Kind::BadRequest => pages::Refusal::NotBegun,
            _ => pages::Refusal::Away,
        };
        Self { problem, says }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_ours_is_returned_to() {
        let base = BaseUrl::new("https://example.org", "/sig");
        let own = |given: &str| own_page(&base, given);
        assert_eq!(own("").as_deref(), Some("https://example.org/sig/"));
        assert_eq!(own("/sig/?lang=en#map=12/4/-75").as_deref(), Some("https://example.org/sig/?lang=en#map=12/4/-75"));
        for foreign in [
            "//evil.example",
            "https://evil.example/",
            "https:evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "\t//evil.example",
            "/../evil",
            "/sig/../otra",
            "/sigma",
            "javascript:alert(1)",
            "sig/",
            "@evil.example",
        ] {
            assert_eq!(own(foreign), None, "{foreign:?}");
        }
        let root = BaseUrl::new("https://example.org", "");
        for given in ["/.//evil.example", "/x\r\nset-cookie: a=b", "/@evil.example", "/%5c%5cevil.example"] {
            let page = own_page(&root, given).unwrap();
            assert!(page.starts_with("https://example.org/") && !page.contains(['\r', '\n']), "{page}");
        }
    }
}
