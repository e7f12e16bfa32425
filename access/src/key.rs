//! Keys: what other systems show with each request.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::account::{self, AccountKind, managed};
use crate::audit::{self, Action, Entry};
use crate::error::AccessError;
use crate::{Caller, Database, Permissions, Token, permission};

/// What every key begins with, so that who finds one knows what it is.
pub const MARK: &str = "lindero_";
/// Characters of a key that are shown, behind [`MARK`].
const SHOWN: usize = 8;

/// A key as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Key {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    pub title: String,
    /// What it begins with.
    pub prefix: String,
    /// No more than these of what its account may; none: all of it.
    pub permissions: Option<Permissions>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A key to be made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What it is for.
    pub title: String,
    /// No more than these of what its account may.
    #[serde(default)]
    pub permissions: Option<Permissions>,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, title, prefix, permissions, expires_at, last_used_at, created_at, revoked_at";

impl Key {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            title: row.try_get("title")?,
            prefix: row.try_get("prefix")?,
            permissions: row
                .try_get::<Option<Vec<String>>, _>("permissions")?
                .map(|codes| permission::of_codes(&codes))
                .transpose()?,
            expires_at: row.try_get("expires_at")?,
            last_used_at: row.try_get("last_used_at")?,
            created_at: row.try_get("created_at")?,
            revoked_at: row.try_get("revoked_at")?,
        })
    }
}

/// The keys of an account that the caller may manage, or its own; the newest
/// first.
pub async fn list(caller: &Caller, db: &Database, account: Uuid) -> Result<Vec<Key>, AccessError> {
    account::get(caller, db, account).await?;
    let select = format!("SELECT {COLUMNS} FROM access.key WHERE account = $1 ORDER BY id DESC");
    let rows = sqlx::query(sqlx::AssertSqlSafe(select)).bind(account).fetch_all(db.app()).await?;
    Ok(rows.iter().map(Key::of).collect::<Result<_, _>>()?)
}

/// Makes a key of a system's account that the caller may manage. It is shown now and
/// never again.
pub async fn create(caller: &Caller, db: &Database, account: Uuid, new: &NewKey) -> Result<(Token, Key), AccessError> {
    if new.title.trim().is_empty() || new.title.chars().count() > 100 || new.title.chars().any(char::is_control) {
        return Err(AccessError::invalid("title", "say in 1 to 100 characters what the key is for"));
    }
    let mut transaction = db.app().begin().await?;
    let of = managed(caller, &mut transaction, account, "make a key of this account").await?;
    if of.kind != AccountKind::System {
        // Whoever manages an account would else act under a colleague's name.
        let reason = "keys are for systems: make an account of that kind for the program, with the roles that it needs";
        return Err(AccessError::invalid("account", reason));
    }
    let secret = Token::new();
    let token = Token::given(&format!("{MARK}{}", secret.expose()));
    let insert = format!(
        "INSERT INTO access.key (id, account, title, prefix, token, permissions, expires_at, created_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {COLUMNS}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(insert))
        .bind(Uuid::now_v7())
        .bind(account)
        .bind(new.title.trim())
        .bind(&token.expose()[..MARK.len() + SHOWN])
        .bind(token.digest().as_slice())
        .bind(new.permissions.map(permission::codes))
        .bind(new.expires_at)
        .bind(caller.login().map(|login| login.account))
        .fetch_one(&mut *transaction)
        .await
        .map_err(|error| AccessError::of_insert(error, "such a key"))?;
    let key = Key::of(&row)?;
    let detail = json!({ "key": key.id, "permissions": key.permissions, "expires_at": key.expires_at });
    audit::record(&mut transaction, caller, Entry::done(Action::CreateKey, account).with(detail)).await?;
    transaction.commit().await?;
    Ok((token, key))
}

/// Takes a key back: within a second it opens nothing, in every process.
pub async fn revoke(caller: &Caller, db: &Database, account: Uuid, key: Uuid) -> Result<(), AccessError> {
    let mut transaction = db.app().begin().await?;
    managed(caller, &mut transaction, account, "take back this key").await?;
    let revoked =
        sqlx::query("UPDATE access.key SET revoked_at = now() WHERE id = $1 AND account = $2 AND revoked_at IS NULL")
            .bind(key)
            .bind(account)
            .execute(&mut *transaction)
            .await?;
    if revoked.rows_affected() == 0 {
        return Err(AccessError::unknown("key", key));
    }
    let entry = Entry::done(Action::RevokeKey, account).with(json!({ "key": key }));
    audit::record(&mut transaction, caller, entry).await?;
    transaction.commit().await?;
    Ok(())
}
