//! The audit trail: what was done, by whom, from where.

mod seal;
mod search;
mod standing;
mod state;
mod trail;
mod verify;

use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

pub use self::seal::{Seal, SealKey, seal};
pub use self::search::{MOST, Row, Wanted, export, network, search};
pub use self::standing::{SealState, seal_state};
pub use self::state::{LastVerification, State, state};
pub use self::trail::{OF_ACCOUNT, OF_ANYBODY, Trail, TrailFull, note_denial, note_read, note_tile};
pub use self::verify::{Finding, Kept, Verification, verify};
use crate::codes::codes;
use crate::{Caller, Credential, MunicipalityCode};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    LogIn,
    LogOut,
    EndSession,
    SetPassword,
    CreateLink,
    CreateAccount,
    ChangeAccount,
    Assign,
    Unassign,
    ChangeRole,
    CreateKey,
    RevokeKey,
    CancelJob,
    EditFeatures,
    AddAttachment,
    RemoveAttachment,
    /// Something that was refused.
    Attempt,
    /// Features or tiles were shown of which something is not public.
    ReadReserved,
    Import,
    Export,
    ExportAudit,
    Publish,
    Unpublish,
    DescribeLayer,
    RemoveLayer,
}

codes!(Action, "audited action",
    "log_in, log_out, end_session, set_password, create_link, create_account, change_account, assign, unassign, \
     change_role, create_key, revoke_key, attempt, read_reserved, import, export, export_audit, publish, unpublish, \
     describe_layer, remove_layer, cancel_job, \
     edit_features, add_attachment, remove_attachment",
    "log_in" => LogIn, "log_out" => LogOut, "end_session" => EndSession, "set_password" => SetPassword,
    "create_link" => CreateLink, "create_account" => CreateAccount, "change_account" => ChangeAccount,
    "assign" => Assign, "unassign" => Unassign, "change_role" => ChangeRole, "create_key" => CreateKey,
    "revoke_key" => RevokeKey, "attempt" => Attempt, "read_reserved" => ReadReserved, "import" => Import,
    "export" => Export, "export_audit" => ExportAudit, "publish" => Publish, "unpublish" => Unpublish,
    "describe_layer" => DescribeLayer, "remove_layer" => RemoveLayer,
    "cancel_job" => CancelJob, "edit_features" => EditFeatures,
    "add_attachment" => AddAttachment, "remove_attachment" => RemoveAttachment);

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Outcome {
    Done,
    Failed,
    Denied,
}

codes!(Outcome, "outcome", "done, failed, denied", "done" => Done, "failed" => Failed, "denied" => Denied);

/// A row of the trail, besides who and from where.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// What was done, or tried.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// The municipality that it concerns.
    pub municipality: Option<&'a MunicipalityCode>,
    /// The layer that it concerns.
    pub layer: Option<&'a str>,
    /// What it was done to: an account's id, a feature's.
    pub subject: String,
    /// What else is to be known of it. Never a password, a token, or what a
    /// stranger typed.
    pub detail: Option<Value>,
}

impl<'a> Entry<'a> {
    /// Something that was done to that.
    pub fn done(action: Action, subject: impl Into<String>) -> Self {
        let (outcome, subject) = (Outcome::Done, subject.into());
        Self { action, outcome, municipality: None, layer: None, subject, detail: None }
    }

    /// Something that was done to that layer.
    pub fn of_layer(action: Action, municipality: &'a MunicipalityCode, layer: &'a str) -> Self {
        Self { municipality: Some(municipality), layer: Some(layer), ..Self::done(action, "") }
    }

    /// With something more to be known.
    #[must_use]
    pub fn with(self, detail: Value) -> Self {
        Self { detail: Some(detail), ..self }
    }
}

/// Writes a row in the transaction of what it tells.
pub async fn record(connection: &mut PgConnection, caller: &Caller, entry: Entry<'_>) -> Result<(), sqlx::Error> {
    let login = caller.login();
    let (session, key) = match login.map(|login| login.by) {
        Some(Credential::Session(id)) => (Some(id), None),
        Some(Credential::Key(id)) => (None, Some(id)),
        None => (None, None),
    };
    let name = match login {
        Some(login) => login.name.as_str(),
        None if caller.is_operator() => "operator",
        None => "",
    };
    sqlx::query(
        "INSERT INTO access.audit (action, outcome, account, account_name, dependency, session, key, address, \
            request, municipality, layer, subject, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8::inet, $9, $10, $11, $12, $13)",
    )
    .bind(entry.action.code())
    .bind(entry.outcome.code())
    .bind(login.map(|login| login.account))
    .bind(name)
    .bind(login.map_or("", |login| &login.dependency))
    .bind(session)
    .bind(key)
    .bind(caller.origin().and_then(|origin| origin.address).map(|address| address.to_string()))
    .bind(caller.origin().map_or("", |origin| &*origin.request))
    .bind(entry.municipality.map(MunicipalityCode::as_str))
    .bind(entry.layer)
    .bind(entry.subject)
    .bind(entry.detail)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes a row of a login that failed: of that account, as far as there is one.
pub(crate) async fn record_failed_login(
    connection: &mut PgConnection,
    caller: &Caller,
    account: Option<Uuid>,
) -> Result<(), sqlx::Error> {
    let subject = account.map(|account| account.to_string()).unwrap_or_default();
    record(connection, caller, Entry { outcome: Outcome::Failed, ..Entry::done(Action::LogIn, subject) }).await
}
