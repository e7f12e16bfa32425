//! Accounts: persons and systems that may come in.

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::audit::{self, Action, Entry};
use crate::bounds::{self, Bounds, Window};
use crate::codes::codes;
use crate::error::AccessError;
use crate::{Caller, Database, MunicipalityCode, Permission, Reach, UnknownCode};

/// Who an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A person: comes in by a password, or through an identity provider.
    Person,
    /// Another program: comes in by keys.
    System,
}

codes!(AccountKind, "kind of account", "person, system", "person" => Person, "system" => System);

/// An account.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Account {
    /// Its id.
    pub id: Uuid,
    /// The name by which it logs in.
    pub name: String,
    /// Who it is.
    pub kind: AccountKind,
    /// The person's full name, or what the system is for.
    pub full_name: String,
    /// Where to write to.
    pub email: String,
    /// Where it works; in every municipality where there is none.
    pub municipality: Option<MunicipalityCode>,
    /// The dependency in which it works, by name.
    pub dependency: String,
    /// Whether it can log in by a password.
    pub has_password: bool,
    /// The identity provider through which it comes.
    pub provider: Option<String>,
    /// Whether it was shut.
    pub is_disabled: bool,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last logged in.
    pub last_login_at: Option<DateTime<Utc>>,
    /// From where alone it may come in; none: from anywhere.
    pub networks: Vec<IpNet>,
    /// When alone it may come in; none: at any time.
    pub hours: Vec<Window>,
}

/// An account to be made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// The name by which it is to log in: lower-case letters, digits and `._@+-`.
    pub name: String,
    /// Who it is.
    pub kind: AccountKind,
    /// The person's full name, or what the system is for.
    #[serde(default)]
    pub full_name: String,
    /// Where to write to.
    #[serde(default)]
    pub email: String,
    /// Where it works.
    #[serde(default)]
    pub municipality: Option<MunicipalityCode>,
    /// The dependency in which it works.
    #[serde(default)]
    pub dependency: String,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// [`Account::networks`].
    #[serde(default)]
    pub networks: Vec<IpNet>,
    /// [`Account::hours`].
    #[serde(default)]
    pub hours: Vec<Window>,
}

impl NewAccount {
    /// One of which nothing else is known.
    pub fn new(name: &str, kind: AccountKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            full_name: String::new(),
            email: String::new(),
            municipality: None,
            dependency: String::new(),
            expires_at: None,
            networks: Vec::new(),
            hours: Vec::new(),
        }
    }
}

/// What is to be changed of an account; what is not named stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// [`Account::full_name`].
    pub full_name: Option<String>,
    /// [`Account::email`].
    pub email: Option<String>,
    /// [`Account::dependency`].
    pub dependency: Option<String>,
    /// [`Account::is_disabled`].
    pub is_disabled: Option<bool>,
    /// [`Account::expires_at`]; a null takes it away.
    #[serde(default, deserialize_with = "given")]
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// [`Account::networks`]; none takes the bound away.
    pub networks: Option<Vec<IpNet>>,
    /// [`Account::hours`]; none takes the bound away.
    pub hours: Option<Vec<Window>>,
}

/// A member that is there, though it may be null.
#[expect(clippy::option_option, reason = "not there, null, and a time are three things")]
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<DateTime<Utc>>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The longest text that a field of an account takes, in characters.
pub(crate) const LONGEST: usize = 200;

const SELECT: &str = "SELECT id, name, kind, full_name, email, municipality, dependency, password IS NOT NULL \
    AS has_password, provider, is_disabled, expires_at, created_at, last_login_at, networks::text[] AS networks, hours \
    FROM access.account";

impl Account {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        let corrupt = |error: UnknownCode| sqlx::Error::Decode(error.into());
        let municipality: Option<String> = row.try_get("municipality")?;
        let Bounds { networks, hours } = Bounds::of(row)?;
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            kind: row.try_get::<String, _>("kind")?.parse().map_err(corrupt)?,
            full_name: row.try_get("full_name")?,
            email: row.try_get("email")?,
            municipality: municipality
                .map(|code| code.parse().map_err(|error| sqlx::Error::Decode(Box::new(error))))
                .transpose()?,
            dependency: row.try_get("dependency")?,
            has_password: row.try_get("has_password")?,
            provider: row.try_get("provider")?,
            is_disabled: row.try_get("is_disabled")?,
            expires_at: row.try_get("expires_at")?,
            created_at: row.try_get("created_at")?,
            last_login_at: row.try_get("last_login_at")?,
            networks,
            hours,
        })
    }

    /// Where it belongs: whoever manages accounts there may manage it.
    fn home(&self) -> Reach {
        home(self.municipality.as_ref(), &self.dependency)
    }
}

fn home(municipality: Option<&MunicipalityCode>, dependency: &str) -> Reach {
    let dependency = Some(dependency).filter(|dependency| !dependency.is_empty()).map(str::to_owned);
    Reach { municipality: municipality.cloned(), dependency, layer: None }
}

/// The accounts that the caller may manage, by name.
pub async fn list(caller: &Caller, db: &Database) -> Result<Vec<Account>, AccessError> {
    caller.require_somewhere(Permission::ManageAccounts, "see accounts")?;
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY name"))).fetch_all(db.app()).await?;
    let accounts: Vec<Account> = rows.iter().map(Account::of).collect::<Result<_, _>>()?;
    Ok(accounts.into_iter().filter(|account| caller.may_within(Permission::ManageAccounts, &account.home())).collect())
}

/// One account: of those that the caller may manage, or its own.
pub async fn get(caller: &Caller, db: &Database, id: Uuid) -> Result<Account, AccessError> {
    let mut connection = db.app().acquire().await?;
    let account = read(&mut connection, id).await?;
    let is_own = caller.login().is_some_and(|login| login.account == id);
    if is_own || caller.may_within(Permission::ManageAccounts, &account.home()) {
        Ok(account)
    } else {
        // It is not said that there is one.
        audit::note_denial(caller, "see this account", None);
        Err(AccessError::no_account(id))
    }
}

/// Makes an account. It can do nothing yet, and a person cannot come in before
/// it has set a password, by a link ([`crate::link`]).
pub async fn create(caller: &Caller, db: &Database, new: &NewAccount) -> Result<Account, AccessError> {
    let home = home(new.municipality.as_ref(), &new.dependency);
    caller.require_within(Permission::ManageAccounts, &home, "make accounts here")?;
    let mut transaction = db.app().begin().await?;
    let id = insert(&mut transaction, caller, new, None).await?;
    let account = read(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(account)
}

/// Inserts the account; whoever asks was looked at.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    caller: &Caller,
    new: &NewAccount,
    password: Option<&str>,
) -> Result<Uuid, AccessError> {
    let is_of_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@+-".contains(c);
    let begins = new.name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !begins || new.name.len() > 100 || !new.name.chars().all(is_of_name) {
        let reason = "expected 1 to 100 lower-case letters, digits and ._@+-, the first a letter or a digit";
        return Err(AccessError::invalid("name", reason));
    }
    for (field, text) in [("full_name", &new.full_name), ("email", &new.email), ("dependency", &new.dependency)] {
        check_text(field, text)?;
    }
    let networks = bounds::networks(&new.networks)?;
    bounds::check_hours(&new.hours)?;
    let id = Uuid::now_v7();
    sqlx::query(
        "INSERT INTO access.account (id, name, kind, full_name, email, municipality, dependency, expires_at, \
            created_by, password, networks, hours) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::cidr[], $12)",
    )
    .bind(id)
    .bind(&new.name)
    .bind(new.kind.code())
    .bind(&new.full_name)
    .bind(&new.email)
    .bind(new.municipality.as_ref().map(MunicipalityCode::as_str))
    .bind(&new.dependency)
    .bind(new.expires_at)
    .bind(caller.login().map(|login| login.account))
    .bind(password)
    .bind(networks)
    .bind(sqlx::types::Json(&new.hours))
    .execute(&mut *connection)
    .await
    .map_err(|error| match error.as_database_error() {
        Some(cause) if cause.is_foreign_key_violation() => {
            AccessError::invalid("municipality", "there is no such municipality here")
        }
        _ => AccessError::of_insert(error, "an account of that name"),
    })?;
    let detail = json!({ "name": new.name, "kind": new.kind, "dependency": new.dependency });
    audit::record(connection, caller, Entry::done(Action::CreateAccount, id).with(detail)).await?;
    Ok(id)
}

/// Changes an account. Shut or ended, it is out within a second, in every
/// process.
pub async fn change(caller: &Caller, db: &Database, id: Uuid, change: &AccountChange) -> Result<Account, AccessError> {
    let mut transaction = db.app().begin().await?;
    let account = managed(caller, &mut transaction, id, "change this account").await?;
    let given = [("full_name", &change.full_name), ("email", &change.email), ("dependency", &change.dependency)];
    for (field, text) in given {
        check_text(field, text.as_deref().unwrap_or_default())?;
    }
    let networks = change.networks.as_deref().map(bounds::networks).transpose()?;
    bounds::check_hours(change.hours.as_deref().unwrap_or_default())?;
    if let Some(dependency) = &change.dependency {
        let home = home(account.municipality.as_ref(), dependency);
        caller.require_within(Permission::ManageAccounts, &home, "move an account there")?;
    }
    sqlx::query(
        "UPDATE access.account SET full_name = coalesce($2, full_name), email = coalesce($3, email), \
            dependency = coalesce($4, dependency), is_disabled = coalesce($5, is_disabled), \
            expires_at = CASE WHEN $6 THEN $7 ELSE expires_at END, networks = coalesce($8::cidr[], networks), \
            hours = coalesce($9, hours) WHERE id = $1",
    )
    .bind(id)
    .bind(&change.full_name)
    .bind(&change.email)
    .bind(&change.dependency)
    .bind(change.is_disabled)
    .bind(change.expires_at.is_some())
    .bind(change.expires_at.flatten())
    .bind(networks)
    .bind(change.hours.as_ref().map(sqlx::types::Json))
    .execute(&mut *transaction)
    .await?;
    let detail = json!({ "is_disabled": change.is_disabled, "expires_at": change.expires_at,
        "networks": change.networks, "hours": change.hours });
    audit::record(&mut transaction, caller, Entry::done(Action::ChangeAccount, id).with(detail)).await?;
    let changed = read(&mut transaction, id).await?;
    transaction.commit().await?;
    Ok(changed)
}

/// The account, if the caller may manage it: where it belongs, and wherever
/// what it was assigned reaches, so that nobody gets further through another.
pub(crate) async fn managed(
    caller: &Caller,
    connection: &mut PgConnection,
    id: Uuid,
    action: &'static str,
) -> Result<Account, AccessError> {
    let account = read(&mut *connection, id).await?;
    if !caller.may_within(Permission::ManageAccounts, &account.home()) {
        audit::note_denial(caller, action, None);
        return Err(AccessError::no_account(id));
    }
    for assignment in crate::assignment::of(connection, id).await? {
        caller.require_within(Permission::ManageAccounts, &assignment.reach, action)?;
    }
    Ok(account)
}

pub(crate) async fn read(connection: &mut PgConnection, id: Uuid) -> Result<Account, AccessError> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1")))
        .bind(id)
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| AccessError::no_account(id))?;
    Ok(Account::of(&row)?)
}

fn check_text(field: &'static str, text: &str) -> Result<(), AccessError> {
    if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
        return Err(AccessError::invalid(field, format!("expected at most {LONGEST} characters, none a control one")));
    }
    Ok(())
}
