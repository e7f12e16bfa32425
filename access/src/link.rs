//! One-time links: by one a person sets a password, and comes in.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::account::{self, AccountKind, NewAccount, managed};
use crate::assignment::{self, NewAssignment};
use crate::audit::{self, Action, Entry};
use crate::bounds;
use crate::error::AccessError;
use crate::password::Password;
use crate::session::{self, NewSession};
use crate::{ADMINISTRATOR, Caller, Credential, Database, Login, Reach, Token};

/// A link is good for so long.
pub const LIFETIME: TimeDelta = TimeDelta::hours(24);

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkFor {
    /// To make the first administrator: a name is to be chosen.
    FirstAdministrator,
    /// To set the password of the account of that name.
    Password {
        /// The account's name.
        name: String,
    },
}

#[derive(FromRow)]
struct Known {
    account: Option<Uuid>,
    name: Option<String>,
    full_name: Option<String>,
}

/// Whether anybody may manage accounts everywhere.
const HAS_ADMINISTRATOR: &str = "SELECT EXISTS (SELECT FROM access.assignment AS s JOIN access.account AS a \
    ON a.id = s.account JOIN access.role AS r ON r.id = s.role WHERE 'manage_accounts' = ANY (r.permissions) \
    AND s.municipality IS NULL AND s.dependency IS NULL AND s.layer IS NULL AND NOT a.is_disabled \
    AND coalesce(s.expires_at > now(), true) AND coalesce(a.expires_at > now(), true))";

/// Makes the link of the first administrator, where there is none yet; a link
/// that was made for him before is good no more. For the operator.
pub async fn for_first_administrator(caller: &Caller, db: &Database) -> Result<Option<Token>, AccessError> {
    caller.require_operator("make the first administrator")?;
    let mut transaction = db.app().begin().await?;
    if sqlx::query_scalar(HAS_ADMINISTRATOR).fetch_one(&mut *transaction).await? {
        return Ok(None);
    }
    sqlx::query("DELETE FROM access.link WHERE account IS NULL").execute(&mut *transaction).await?;
    let token = insert(&mut transaction, caller, None).await?;
    transaction.commit().await?;
    Ok(Some(token))
}

/// Makes a link by which a person whose account the caller may manage sets a
/// password. The ones made before are good no more.
pub async fn for_account(caller: &Caller, db: &Database, account: Uuid) -> Result<(Token, DateTime<Utc>), AccessError> {
    let mut transaction = db.app().begin().await?;
    let found = managed(caller, &mut transaction, account, "reset this password").await?;
    if found.kind != AccountKind::Person || found.provider.is_some() {
        return Err(AccessError::invalid("account", "only a person who comes in by a password can set one"));
    }
    sqlx::query("DELETE FROM access.link WHERE account = $1").bind(account).execute(&mut *transaction).await?;
    let token = insert(&mut transaction, caller, Some(account)).await?;
    audit::record(&mut transaction, caller, Entry::done(Action::CreateLink, account)).await?;
    transaction.commit().await?;
    Ok((token, Utc::now() + LIFETIME))
}

async fn insert(connection: &mut PgConnection, caller: &Caller, account: Option<Uuid>) -> Result<Token, sqlx::Error> {
    let token = Token::new();
    sqlx::query("INSERT INTO access.link (token, account, created_by, expires_at) VALUES ($1, $2, $3, now() + $4)")
        .bind(token.digest().as_slice())
        .bind(account)
        .bind(caller.login().map(|login| login.account))
        .bind(session::interval(LIFETIME))
        .execute(connection)
        .await?;
    Ok(token)
}

/// What a link is for, whoever holds it.
pub async fn look(_caller: &Caller, db: &Database, link: &Token) -> Result<LinkFor, AccessError> {
    let known = known(&mut *db.app().acquire().await?, link).await?;
    Ok(known.name.map_or(LinkFor::FirstAdministrator, |name| LinkFor::Password { name }))
}

async fn known(connection: &mut PgConnection, link: &Token) -> Result<Known, AccessError> {
    sqlx::query_as(
        "SELECT l.account, a.name, a.full_name FROM access.link AS l LEFT JOIN access.account AS a ON a.id = l.account \
         WHERE l.token = $1 AND l.expires_at > now() \
            AND (a.id IS NULL OR NOT a.is_disabled AND coalesce(a.expires_at > now(), true)) FOR UPDATE OF l",
    )
    .bind(link.digest().as_slice())
    .fetch_optional(connection)
    .await?
    .ok_or(AccessError::SpentLink)
}

/// Sets the password of the link's account and comes in. Every session that
/// the account had ends. For the first administrator `name` is the account's
/// to be. The link is good no more; where the password is refused, it stays.
pub async fn follow(
    caller: &Caller,
    db: &Database,
    link: &Token,
    name: Option<&str>,
    password: Password,
    user_agent: &str,
) -> Result<NewSession, AccessError> {
    let mut transaction = db.app().begin().await?;
    let known = known(&mut transaction, link).await?;
    let own_name =
        known.name.as_deref().or(name).ok_or_else(|| AccessError::invalid("name", "give the account a name"))?;
    password.check(&[own_name, known.full_name.as_deref().unwrap_or_default()])?;
    let hash = password.hash().await?;
    let account = if let Some(account) = known.account {
        let address = caller.origin().and_then(|origin| origin.address);
        bounds::of(&mut transaction, account).await?.admit(address, Utc::now())?;
        sqlx::query("UPDATE access.account SET password = $2 WHERE id = $1")
            .bind(account)
            .bind(&hash)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM access.session WHERE account = $1").bind(account).execute(&mut *transaction).await?;
        account
    } else {
        make_first(&mut transaction, caller, own_name, &hash).await?
    };
    sqlx::query("DELETE FROM access.link WHERE token = $1")
        .bind(link.digest().as_slice())
        .execute(&mut *transaction)
        .await?;
    audit::record(&mut transaction, caller, Entry::done(Action::SetPassword, account)).await?;
    let session = session::begin(&mut transaction, caller, account, "link", user_agent).await?;
    transaction.commit().await?;
    Ok(session)
}

async fn make_first(
    connection: &mut PgConnection,
    caller: &Caller,
    name: &str,
    hash: &str,
) -> Result<Uuid, AccessError> {
    if sqlx::query_scalar(HAS_ADMINISTRATOR).fetch_one(&mut *connection).await? {
        return Err(AccessError::SpentLink);
    }
    let new = NewAccount::new(name, AccountKind::Person);
    let account = account::insert(&mut *connection, caller, &new, Some(hash)).await?;
    let role = NewAssignment { role: ADMINISTRATOR.to_owned(), reach: Reach::default(), expires_at: None };
    assignment::insert(connection, caller, account, &role).await?;
    Ok(account)
}

/// Sets another password of the caller's own account, who knows the present
/// one. Its other sessions end.
pub async fn change_password(
    caller: &Caller,
    db: &Database,
    present: Password,
    next: Password,
) -> Result<(), AccessError> {
    let Some(Login { account, by: Credential::Session(session), .. }) = caller.login() else {
        return Err(caller.denied("set a password without a session").into());
    };
    let mut transaction = db.app().begin().await?;
    let (kept, name, full_name): (Option<String>, String, String) =
        sqlx::query_as("SELECT password, name, full_name FROM access.account WHERE id = $1 FOR UPDATE")
            .bind(account)
            .fetch_one(&mut *transaction)
            .await?;
    if !present.matches(kept).await? {
        return Err(AccessError::invalid("present", "this is not your present password"));
    }
    next.check(&[&name, &full_name])?;
    let hash = next.hash().await?;
    sqlx::query("UPDATE access.account SET password = $2 WHERE id = $1")
        .bind(account)
        .bind(hash)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM access.session WHERE account = $1 AND id <> $2")
        .bind(account)
        .bind(session)
        .execute(&mut *transaction)
        .await?;
    audit::record(&mut transaction, caller, Entry::done(Action::SetPassword, *account)).await?;
    transaction.commit().await?;
    Ok(())
}
