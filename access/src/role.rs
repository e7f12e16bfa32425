//! Roles: what may be assigned.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;

use crate::audit::{self, Action, Entry};
use crate::error::AccessError;
use crate::{ADMINISTRATOR, Caller, Database, Permission, Permissions, Reach, permission};

/// A role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its id.
    pub id: String,
    /// What it is called in Spanish.
    pub title: String,
    /// And in English.
    #[serde(default)]
    pub title_en: String,
    /// What it allows.
    pub permissions: Permissions,
}

/// Every role, for whoever manages accounts or roles somewhere.
pub async fn list(caller: &Caller, db: &Database) -> Result<Vec<Role>, AccessError> {
    if !caller.may_somewhere(Permission::ManageAccounts) {
        caller.require_somewhere(Permission::ManageRoles, "see roles")?;
    }
    let rows =
        sqlx::query("SELECT id, title, title_en, permissions FROM access.role ORDER BY id").fetch_all(db.app()).await?;
    let role = |row: &sqlx::postgres::PgRow| {
        Ok(Role {
            id: row.try_get("id")?,
            title: row.try_get("title")?,
            title_en: row.try_get("title_en")?,
            permissions: permission::of_codes(&row.try_get::<Vec<String>, _>("permissions")?)?,
        })
    };
    Ok(rows.iter().map(role).collect::<Result<_, sqlx::Error>>()?)
}

/// Makes a role, or says anew what it allows: from then on for all who have
/// it. What the administrator may stays.
pub async fn put(caller: &Caller, db: &Database, role: &Role) -> Result<(), AccessError> {
    caller.require_within(Permission::ManageRoles, &Reach::default(), "change roles")?;
    if role.id == ADMINISTRATOR {
        return Err(AccessError::invalid("id", "what the administrator may cannot be changed"));
    }
    if !is_id(&role.id) {
        return Err(AccessError::invalid(
            "id",
            "expected 1 to 59 lower-case letters, digits and _, the first a letter",
        ));
    }
    for (field, text) in [("title", &role.title), ("title_en", &role.title_en)] {
        if text.chars().count() > 100 || text.chars().any(char::is_control) {
            return Err(AccessError::invalid(field, "expected at most 100 characters"));
        }
    }
    if role.title.trim().is_empty() {
        return Err(AccessError::invalid("title", "a role needs a title"));
    }
    let mut transaction = db.app().begin().await?;
    sqlx::query(
        "INSERT INTO access.role (id, title, title_en, permissions) VALUES ($1, $2, $3, $4) ON CONFLICT (id) \
         DO UPDATE SET title = excluded.title, title_en = excluded.title_en, permissions = excluded.permissions",
    )
    .bind(&role.id)
    .bind(&role.title)
    .bind(&role.title_en)
    .bind(permission::codes(role.permissions))
    .execute(&mut *transaction)
    .await?;
    let entry = Entry::done(Action::ChangeRole, &role.id).with(json!({ "permissions": role.permissions }));
    audit::record(&mut transaction, caller, entry).await?;
    transaction.commit().await?;
    Ok(())
}

fn is_id(id: &str) -> bool {
    let is_of_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.len() <= 59 && id.chars().all(is_of_id)
}
