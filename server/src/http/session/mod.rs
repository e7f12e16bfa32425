//! `/session`: logging in and out, by name and password or a one-time link;
//! the caller's own sessions and password.

pub(super) mod cookies;
mod outside;

use crate::http::routes::{Routes, Rule};
use access::link::{self, LinkFor};
use access::login::{self, Attempt, LoginError};
use access::password::Password;
use access::session::{self, NewSession};
use access::{Caller, Login, Right, Token, account};
use axum::extract::State;
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::AppState;
use super::base_url::BaseUrl;
use super::document::own;
use super::extract::{Extension, Json, Path};
use super::identify::Shown;
use super::problem::{Kind, Problem, Result};

pub(super) fn routes() -> Routes {
    Routes::default()
        .get("/session", Rule::Seen, show)
        .post("/session", Rule::Secret, log_in)
        .delete("/session", Rule::Own, log_out)
        .post("/session/link", Rule::Secret, look)
        .put("/session/link", Rule::Secret, follow)
        .put("/session/password", Rule::Own, change_password)
        .get("/session/list", Rule::Own, list)
        .delete("/session/list/{id}", Rule::Own, end)
        .merge(outside::routes())
}

/// Who has come in, and what it may do.
async fn show(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(base): Extension<BaseUrl>,
    shown: Option<Extension<Shown>>,
) -> Result<Response> {
    let csrf = shown.map(|Extension(Shown(token))| token.csrf());
    Ok(own(StatusCode::OK, &described(&state, &base, &caller, csrf.as_deref()).await?))
}

async fn described(state: &AppState, base: &BaseUrl, caller: &Caller, csrf: Option<&str>) -> Result<Value> {
    let providers = outside::offered(state, base);
    let Some(Login { account, rights, .. }) = caller.login() else {
        return Ok(json!({ "account": null, "rights": [], "csrf": null, "providers": providers }));
    };
    let account = account::get(caller, &state.database, *account).await?;
    let right = |Right { permissions, reach }: &Right| json!({ "permissions": permissions, "reach": reach });
    Ok(json!({
        "account": account,
        "rights": rights.iter().map(right).collect::<Vec<_>>(),
        "csrf": csrf,
        "providers": providers,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    name: String,
    password: String,
}

async fn log_in(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(base): Extension<BaseUrl>,
    headers: HeaderMap,
    Json(Typed { name, password }): Json<Typed>,
) -> Result<Response> {
    let password = Password::typed(&password);
    let device = cookies::device(&headers, &base);
    let attempt = Attempt {
        name: &name,
        password: &password,
        device: device.as_ref(),
        user_agent: user_agent(&headers),
        directory: state.identity.directory(),
    };
    let come_in = login::log_in(&caller, &state.database, attempt).await?;
    let mut response = begun(&state, &caller, &base, &come_in.session).await?;
    response.headers_mut().append(SET_COOKIE, cookies::keep_device(&base, &come_in.device)?);
    Ok(response)
}

/// The answer with which a session begins.
async fn begun(state: &AppState, caller: &Caller, base: &BaseUrl, session: &NewSession) -> Result<Response> {
    let address = caller.origin().and_then(|origin| origin.address);
    let caller = state.gate.open(&session.token, address).await?.ok_or_else(|| Problem::new(Kind::Internal))?;
    let document = described(state, base, &caller, Some(&session.token.csrf())).await?;
    let mut response = own(StatusCode::CREATED, &document);
    let cookie = cookies::keep_session(base, &session.token, session.expires_at)?;
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

async fn log_out(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(base): Extension<BaseUrl>,
) -> Result<Response> {
    let method = session::log_out(&caller, &state.database).await?;
    // Where the browser goes to end what it has at the identity provider, too.
    let elsewhere = match method.as_deref().and_then(|method| state.identity.provider(method)) {
        Some(provider) => provider.end_session(base.join("/")).await,
        None => None,
    };
    let mut response = match elsewhere {
        Some(url) => own(StatusCode::OK, &json!({ "end_session": url })),
        None => StatusCode::NO_CONTENT.into_response(),
    };
    response.headers_mut().append(SET_COOKIE, cookies::drop_session(&base)?);
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    token: String,
}

/// What a one-time link is for.
async fn look(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Json(Link { token }): Json<Link>,
) -> Result<Response> {
    let document = match link::look(&caller, &state.database, &Token::given(&token)).await? {
        LinkFor::FirstAdministrator => json!({ "for": "first_administrator", "name": null }),
        LinkFor::Password { name } => json!({ "for": "password", "name": name }),
    };
    Ok(own(StatusCode::OK, &document))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Followed {
    token: String,
    name: Option<String>,
    password: String,
}

/// Sets a password by a one-time link, and comes in.
async fn follow(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(base): Extension<BaseUrl>,
    headers: HeaderMap,
    Json(Followed { token, name, password }): Json<Followed>,
) -> Result<Response> {
    let (link, password) = (Token::given(&token), Password::typed(&password));
    let agent = user_agent(&headers);
    let session = link::follow(&caller, &state.database, &link, name.as_deref(), password, agent).await?;
    begun(&state, &caller, &base, &session).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    present: String,
    next: String,
}

async fn change_password(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Json(Change { present, next }): Json<Change>,
) -> Result<Response> {
    let (present, next) = (Password::typed(&present), Password::typed(&next));
    link::change_password(&caller, &state.database, present, next).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn list(State(state): State<AppState>, Extension(caller): Extension<Caller>) -> Result<Response> {
    let sessions = session::list(&caller, &state.database, own_account(&caller)?).await?;
    Ok(own(StatusCode::OK, &json!({ "sessions": sessions })))
}

async fn end(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<Uuid>,
) -> Result<Response> {
    session::end(&caller, &state.database, own_account(&caller)?, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn own_account(caller: &Caller) -> Result<Uuid> {
    caller.login().map(|login| login.account).ok_or_else(|| Problem::unauthorized("log in first"))
}

fn user_agent(headers: &HeaderMap) -> &str {
    headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default()
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Refused => Self::unauthorized(error),
            LoginError::TooMany(wait) => Self::too_many(error, wait),
            LoginError::OutOfBounds(_) | LoginError::NotAdmitted => Self::forbidden(error),
            LoginError::Away(_) => Self::unavailable(error),
            LoginError::Access(cause) => cause.into(),
            LoginError::Database(cause) => cause.into(),
            LoginError::Hash(_) => Self::internal(&error),
        }
    }
}
