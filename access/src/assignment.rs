//! What accounts were assigned: roles, within what is named.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use crate::account::{self, managed};
use crate::audit::{self, Action, Entry};
use crate::error::AccessError;
use crate::{Caller, Database, Denied, MunicipalityCode, Permission, Reach};

/// A role that an account has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assignment {
    /// Its id.
    pub id: Uuid,
    /// The role's id.
    pub role: String,
    /// How far.
    #[serde(flatten)]
    pub reach: Reach,
    /// Until when.
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when.
    pub assigned_at: DateTime<Utc>,
    /// The identity provider by whose rules the account has it; none: somebody gave it.
    pub provider: Option<String>,
}

/// A role to be assigned.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAssignment {
    /// The role's id.
    pub role: String,
    /// How far: nothing named is everywhere.
    #[serde(default)]
    pub reach: Reach,
    /// Until when.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

impl Assignment {
    fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            role: row.try_get("role")?,
            reach: reach(row)?,
            expires_at: row.try_get("expires_at")?,
            assigned_at: row.try_get("assigned_at")?,
            provider: row.try_get("provider")?,
        })
    }
}

/// The columns `municipality`, `dependency` and `layer`.
pub(crate) fn reach(row: &PgRow) -> Result<Reach, sqlx::Error> {
    let municipality: Option<String> = row.try_get("municipality")?;
    let municipality: Option<MunicipalityCode> =
        municipality.map(|code| code.parse()).transpose().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Reach { municipality, dependency: row.try_get("dependency")?, layer: row.try_get("layer")? })
}

/// What an account was assigned: one that the caller may manage, or its own.
pub async fn list(caller: &Caller, db: &Database, account: Uuid) -> Result<Vec<Assignment>, AccessError> {
    account::get(caller, db, account).await?;
    Ok(of(&mut *db.app().acquire().await?, account).await?)
}

pub(crate) async fn of(connection: &mut PgConnection, account: Uuid) -> Result<Vec<Assignment>, sqlx::Error> {
    Ok(of_all(connection, &[account]).await?.remove(&account).unwrap_or_default())
}

/// What each of these accounts was assigned.
pub(crate) async fn of_all(
    connection: &mut PgConnection,
    accounts: &[Uuid],
) -> Result<HashMap<Uuid, Vec<Assignment>>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT account, id, role, municipality, dependency, layer, expires_at, assigned_at, provider \
         FROM access.assignment WHERE account = ANY ($1) ORDER BY role, assigned_at, id",
    )
    .bind(accounts)
    .fetch_all(connection)
    .await?;
    let mut of_all: HashMap<Uuid, Vec<Assignment>> = HashMap::new();
    for row in &rows {
        of_all.entry(row.try_get("account")?).or_default().push(Assignment::of(row)?);
    }
    Ok(of_all)
}

/// Assigns a role to an account that the caller may manage, no further than
/// the caller manages accounts. Nobody assigns to himself: it takes two.
pub async fn assign(
    caller: &Caller,
    db: &Database,
    account: Uuid,
    new: &NewAssignment,
) -> Result<Assignment, AccessError> {
    refuse_own(caller, account)?;
    let mut transaction = db.app().begin().await?;
    managed(caller, &mut transaction, account, "assign a role to this account").await?;
    caller.require_within(Permission::ManageAccounts, &new.reach, "assign a role that reaches so far")?;
    let assigned = insert(&mut transaction, caller, account, new).await?;
    transaction.commit().await?;
    Ok(assigned)
}

/// Inserts the assignment; whoever asks was looked at.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    caller: &Caller,
    account: Uuid,
    new: &NewAssignment,
) -> Result<Assignment, AccessError> {
    let NewAssignment { role, reach, expires_at } = new;
    let row = sqlx::query(
        "INSERT INTO access.assignment (id, account, role, municipality, dependency, layer, expires_at, assigned_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         RETURNING id, role, municipality, dependency, layer, expires_at, assigned_at, provider",
    )
    .bind(Uuid::now_v7())
    .bind(account)
    .bind(role)
    .bind(reach.municipality.as_ref().map(MunicipalityCode::as_str))
    .bind(&reach.dependency)
    .bind(&reach.layer)
    .bind(expires_at)
    .bind(caller.login().map(|login| login.account))
    .fetch_one(&mut *connection)
    .await
    .map_err(|error| match error.as_database_error().and_then(|cause| cause.constraint()) {
        Some("assignment_role_fkey") => AccessError::invalid("role", format!("there is no role {role:?}")),
        Some("assignment_municipality_fkey") => AccessError::invalid("reach", "there is no such municipality here"),
        _ => AccessError::of_insert(error, "this assignment"),
    })?;
    let detail = json!({ "role": role, "reach": reach, "expires_at": expires_at });
    audit::record(connection, caller, Entry::done(Action::Assign, account).with(detail)).await?;
    Ok(Assignment::of(&row)?)
}

/// Takes an assignment back.
pub async fn unassign(caller: &Caller, db: &Database, account: Uuid, assignment: Uuid) -> Result<(), AccessError> {
    refuse_own(caller, account)?;
    let mut transaction = db.app().begin().await?;
    managed(caller, &mut transaction, account, "take a role from this account").await?;
    let gone: Option<String> =
        sqlx::query_scalar("DELETE FROM access.assignment WHERE id = $1 AND account = $2 RETURNING role")
            .bind(assignment)
            .bind(account)
            .fetch_optional(&mut *transaction)
            .await?;
    let role = gone.ok_or_else(|| AccessError::unknown("assignment", assignment))?;
    let entry = Entry::done(Action::Unassign, account).with(json!({ "role": role }));
    audit::record(&mut transaction, caller, entry).await?;
    transaction.commit().await?;
    Ok(())
}

fn refuse_own(caller: &Caller, account: Uuid) -> Result<(), Denied> {
    match caller.login() {
        Some(login) if login.account == account => Err(caller.denied("change your own roles")),
        _ => Ok(()),
    }
}
