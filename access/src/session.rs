//! Sessions: a browser that logged in.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::account::{self, managed};
use crate::audit::{self, Action, Entry};
use crate::error::AccessError;
use crate::{Caller, Credential, Database, Login, Token};

/// A session ends so long after it began …
pub const LONGEST: TimeDelta = TimeDelta::hours(12);
/// … or after it was last used.
pub const IDLE: TimeDelta = TimeDelta::hours(2);

/// The longest name of a browser that is kept, in characters.
const LONGEST_AGENT: usize = 300;

/// A session that just began.
#[derive(Debug)]
pub struct NewSession {
    /// What the browser shows from now on. It is nowhere else.
    pub token: Token,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
    /// Whose it is.
    pub account: Uuid,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Session {
    /// Its id: not what opens it.
    pub id: Uuid,
    /// How it was begun: `password`, `link`, or an identity provider.
    pub method: String,
    /// From where it was begun.
    pub address: Option<String>,
    /// What the browser called itself.
    pub user_agent: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

/// Begins a session of an account that showed who it is, with a token of its
/// own. What the browser showed until now opens nothing any more.
pub(crate) async fn begin(
    connection: &mut PgConnection,
    caller: &Caller,
    account: Uuid,
    method: &str,
    user_agent: &str,
) -> Result<NewSession, AccessError> {
    let token = Token::new();
    let address = caller.origin().and_then(|origin| origin.address).map(|address: IpAddr| address.to_string());
    // Those that are over are of no use any more.
    sqlx::query("DELETE FROM access.session WHERE account = $1 AND (expires_at < now() OR last_seen_at < now() - $2)")
        .bind(account)
        .bind(interval(IDLE))
        .execute(&mut *connection)
        .await?;
    let id = Uuid::now_v7();
    let expires_at: DateTime<Utc> = sqlx::query_scalar(
        "INSERT INTO access.session (id, token, account, method, address, user_agent, expires_at) \
         SELECT $1, $2, a.id, $4, $5::inet, $6, least(now() + $7, a.expires_at) FROM access.account AS a WHERE a.id = $3 \
         RETURNING expires_at",
    )
    .bind(id)
    .bind(token.digest().as_slice())
    .bind(account)
    .bind(method)
    .bind(address)
    .bind(user_agent.chars().take(LONGEST_AGENT).collect::<String>())
    .bind(interval(LONGEST))
    .fetch_one(&mut *connection)
    .await?;
    let (name, dependency): (String, String) =
        sqlx::query_as("UPDATE access.account SET last_login_at = now() WHERE id = $1 RETURNING name, dependency")
            .bind(account)
            .fetch_one(&mut *connection)
            .await?;
    // From here on it is the account that acts: whoever looks for what it did finds that it came in.
    let login = Login { account, name, dependency, by: Credential::Session(id), rights: Vec::new() };
    let came_in = Caller::account(Arc::new(login));
    let came_in = caller.origin().map_or(came_in.clone(), |origin| came_in.from(origin.clone()));
    let detail = serde_json::json!({ "method": method, "session": id });
    audit::record(connection, &came_in, Entry::done(Action::LogIn, account).with(detail)).await?;
    Ok(NewSession { token, expires_at, account })
}

pub(crate) fn interval(delta: TimeDelta) -> sqlx::postgres::types::PgInterval {
    let microseconds = delta.num_microseconds().unwrap_or(i64::MAX);
    sqlx::postgres::types::PgInterval { months: 0, days: 0, microseconds }
}

/// The sessions of an account that last: of one that the caller may manage, or
/// its own. The newest first.
pub async fn list(caller: &Caller, db: &Database, account: Uuid) -> Result<Vec<Session>, AccessError> {
    account::get(caller, db, account).await?;
    Ok(sqlx::query_as(
        "SELECT id, method, host(address) AS address, user_agent, created_at, last_seen_at, expires_at \
         FROM access.session WHERE account = $1 AND expires_at > now() AND last_seen_at > now() - $2 ORDER BY id DESC",
    )
    .bind(account)
    .bind(interval(IDLE))
    .fetch_all(db.app())
    .await?)
}

/// Ends the session by which the caller came. Says how it was begun, where it
/// was still there.
pub async fn log_out(caller: &Caller, db: &Database) -> Result<Option<String>, AccessError> {
    let Some(Credential::Session(id)) = caller.login().map(|login| login.by) else {
        return Err(caller.denied("end a session without one").into());
    };
    let mut transaction = db.app().begin().await?;
    let method = sqlx::query_scalar("DELETE FROM access.session WHERE id = $1 RETURNING method")
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
    audit::record(&mut transaction, caller, Entry::done(Action::LogOut, id)).await?;
    transaction.commit().await?;
    Ok(method)
}

/// Ends a session of an account that the caller may manage, or one of its own.
pub async fn end(caller: &Caller, db: &Database, account: Uuid, session: Uuid) -> Result<(), AccessError> {
    let mut transaction = db.app().begin().await?;
    if caller.login().is_none_or(|login| login.account != account) {
        managed(caller, &mut transaction, account, "end this session").await?;
    }
    let gone = sqlx::query("DELETE FROM access.session WHERE id = $1 AND account = $2")
        .bind(session)
        .bind(account)
        .execute(&mut *transaction)
        .await?;
    if gone.rows_affected() == 0 {
        return Err(AccessError::unknown("session", session));
    }
    let entry = Entry::done(Action::EndSession, account).with(serde_json::json!({ "session": session }));
    audit::record(&mut transaction, caller, entry).await?;
    transaction.commit().await?;
    Ok(())
}
