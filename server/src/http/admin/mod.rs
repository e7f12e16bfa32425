//! `/admin`: accounts, what they are assigned, their keys and sessions; roles.
//! Layers, jobs and the server's health each have a module.

mod health;
mod jobs;
mod layers;
mod review;

pub(super) use self::review::CSV as REVIEW_CSV;

mod audit;

use crate::http::routes::{Routes, Rule};
use access::Permission;
use access::account::{self, AccountChange, NewAccount};
use access::assignment::{self, NewAssignment};
use access::key::{self, NewKey};
use access::link;
use access::role::{self, Role};
use access::{AccessError, Caller, session};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use uuid::Uuid;

use super::AppState;
use super::base_url::BaseUrl;
use super::document::own;
use super::extract::{Extension, Json, Path};
use super::problem::{Kind, Problem, Result};

pub(super) fn routes() -> Routes {
    Routes::default()
        .get("/admin/accounts", Rule::May(Permission::ManageAccounts), accounts)
        .post("/admin/accounts", Rule::May(Permission::ManageAccounts), create_account)
        .get("/admin/accounts/{account}", Rule::May(Permission::ManageAccounts), show_account)
        .patch("/admin/accounts/{account}", Rule::May(Permission::ManageAccounts), change_account)
        .post("/admin/accounts/{account}/link", Rule::May(Permission::ManageAccounts), create_link)
        .get("/admin/accounts/{account}/assignments", Rule::May(Permission::ManageAccounts), assignments)
        .post("/admin/accounts/{account}/assignments", Rule::May(Permission::ManageAccounts), assign)
        .delete("/admin/accounts/{account}/assignments/{assignment}", Rule::May(Permission::ManageAccounts), unassign)
        .get("/admin/accounts/{account}/sessions", Rule::May(Permission::ManageAccounts), sessions)
        .delete("/admin/accounts/{account}/sessions/{session}", Rule::May(Permission::ManageAccounts), end_session)
        .get("/admin/accounts/{account}/keys", Rule::May(Permission::ManageAccounts), keys)
        .post("/admin/accounts/{account}/keys", Rule::May(Permission::ManageAccounts), create_key)
        .delete("/admin/accounts/{account}/keys/{key}", Rule::May(Permission::ManageAccounts), revoke_key)
        .get("/admin/roles", Rule::May(Permission::ManageAccounts), roles)
        .put("/admin/roles/{role}", Rule::May(Permission::ManageRoles), put_role)
        .merge(review::routes())
        .merge(layers::routes())
        .merge(jobs::routes())
        .merge(health::routes())
        .merge(audit::routes())
}

async fn accounts(State(state): State<AppState>, Extension(caller): Extension<Caller>) -> Result<Response> {
    let accounts = account::list(&caller, &state.database).await?;
    Ok(own(StatusCode::OK, &json!({ "accounts": accounts })))
}

async fn create_account(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Json(new): Json<NewAccount>,
) -> Result<Response> {
    Ok(own(StatusCode::CREATED, &account::create(&caller, &state.database, &new).await?))
}

async fn show_account(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<Uuid>,
) -> Result<Response> {
    Ok(own(StatusCode::OK, &account::get(&caller, &state.database, account).await?))
}

async fn change_account(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<Uuid>,
    Json(change): Json<AccountChange>,
) -> Result<Response> {
    Ok(own(StatusCode::OK, &account::change(&caller, &state.database, account, &change).await?))
}

/// The link's secret is behind `#`: browsers keep that part to themselves.
async fn create_link(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(base): Extension<BaseUrl>,
    Path(account): Path<Uuid>,
) -> Result<Response> {
    let (token, expires_at) = link::for_account(&caller, &state.database, account).await?;
    let href = base.join(&format!("/#link={}", token.expose()));
    Ok(own(StatusCode::CREATED, &json!({ "href": href, "expires_at": expires_at })))
}

async fn assignments(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<Uuid>,
) -> Result<Response> {
    let assignments = assignment::list(&caller, &state.database, account).await?;
    Ok(own(StatusCode::OK, &json!({ "assignments": assignments })))
}

async fn assign(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<Uuid>,
    Json(new): Json<NewAssignment>,
) -> Result<Response> {
    Ok(own(StatusCode::CREATED, &assignment::assign(&caller, &state.database, account, &new).await?))
}

async fn unassign(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path((account, assignment)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode> {
    assignment::unassign(&caller, &state.database, account, assignment).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sessions(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<Uuid>,
) -> Result<Response> {
    let sessions = session::list(&caller, &state.database, account).await?;
    Ok(own(StatusCode::OK, &json!({ "sessions": sessions })))
}

async fn end_session(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path((account, session)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode> {
    session::end(&caller, &state.database, account, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn keys(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<Uuid>,
) -> Result<Response> {
    let keys = key::list(&caller, &state.database, account).await?;
    Ok(own(StatusCode::OK, &json!({ "keys": keys })))
}

/// The one answer that has the key itself.
async fn create_key(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(account): Path<Uuid>,
    Json(new): Json<NewKey>,
) -> Result<Response> {
    let (token, key) = key::create(&caller, &state.database, account, &new).await?;
    Ok(own(StatusCode::CREATED, &json!({ "token": token.expose(), "key": key })))
}

async fn revoke_key(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path((account, key)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode> {
    key::revoke(&caller, &state.database, account, key).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn roles(State(state): State<AppState>, Extension(caller): Extension<Caller>) -> Result<Response> {
    Ok(own(StatusCode::OK, &json!({ "roles": role::list(&caller, &state.database).await? })))
}

async fn put_role(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Json(role): Json<Role>,
) -> Result<Response> {
    if role.id != id {
        return Err(Problem::invalid_parameter("id", "expected the role's id as the path has it"));
    }
    role::put(&caller, &state.database, &role).await?;
    Ok(own(StatusCode::OK, &role))
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Denied(denied) => denied.into(),
            AccessError::Unknown { .. } => Self::not_found(error),
            AccessError::Invalid { field, reason } => Self::invalid_parameter(field, reason),
            AccessError::Exists(_) => Self::new(Kind::Conflict).with_detail(error),
            AccessError::Weak(weak) => Self::invalid_parameter("password", weak),
            AccessError::SpentLink => Self::new(Kind::Gone).with_detail(error),
            AccessError::Database(cause) => cause.into(),
            AccessError::OutOfBounds(cause) => Self::forbidden(cause),
            AccessError::Hash(_) => Self::internal(&error),
        }
    }
}
