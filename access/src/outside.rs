//! Accounts that an identity provider vouches for: made when they first come
//! in, and told anew at each login what they may.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row};
use thiserror::Error;
use uuid::Uuid;

use crate::account::{self, AccountKind, NewAccount};
use crate::assignment::{self, NewAssignment};
use crate::audit::{self, Action, Entry, Outcome};
use crate::bounds::{self, Bounds};
use crate::login::LoginError;
use crate::password::Password;
use crate::session::{self, NewSession};
use crate::{Caller, Database, MunicipalityCode, Reach};

/// Whom an identity provider vouches for. Who makes one has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// The provider's id.
    pub provider: String,
    /// Who it is there: never another person's, and never changed.
    pub subject: String,
    /// The name that its account is to have here, as far as it can have it.
    pub name: String,
    /// The person's full name.
    pub full_name: String,
    /// Where to write to. Told to people, and nothing follows from it.
    pub email: String,
    /// Where the person works.
    pub municipality: Option<MunicipalityCode>,
    /// The dependency in which the person works.
    pub dependency: String,
    /// The roles that the rules give.
    pub grants: Vec<Grant>,
    /// Whether the rules let the person in.
    pub is_admitted: bool,
}

/// A role that an identity provider's rules give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The role's id.
    pub role: String,
    /// How far.
    pub reach: Reach,
}

/// An identity provider could not be asked. Tells people nothing of why: that
/// is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the identity provider {provider} cannot be asked at the moment; try again in a few minutes")]
pub struct ProviderAway {
    /// The provider's id.
    pub provider: String,
}

/// Directories that know names and passwords (LDAP).
#[async_trait]
pub trait Directory: Send + Sync {
    /// Whom the directory vouches for, of that name and password; none where
    /// they are not right. `provider`: the one that is meant; none: each.
    async fn vouch(
        &self,
        provider: Option<&str>,
        name: &str,
        password: &Password,
    ) -> Result<Option<Vouched>, ProviderAway>;
}

/// Lets in whom an identity provider vouches for. Its account is made at its
/// first login; name, dependency and what the provider's rules give are as the
/// provider says now. What somebody assigned here stays.
pub async fn come_in(
    caller: &Caller,
    db: &Database,
    vouched: &Vouched,
    user_agent: &str,
) -> Result<NewSession, LoginError> {
    let mut transaction = db.app().begin().await?;
    // Two first logins at once make one account.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("{} {}", vouched.provider, vouched.subject))
        .execute(&mut *transaction)
        .await?;
    let known = known(&mut transaction, vouched).await?;
    let refusal = match &known {
        Some(known) if !known.is_open => Some(LoginError::Refused),
        _ if !vouched.is_admitted => Some(LoginError::NotAdmitted),
        Some(known) => {
            let address = caller.origin().and_then(|origin| origin.address);
            known.bounds.admit(address, Utc::now()).err().map(LoginError::OutOfBounds)
        }
        None => None,
    };
    if let (Some(known), false) = (&known, vouched.is_admitted) {
        // What the rules gave before they give no more.
        regrant(&mut transaction, caller, known.id, &Vouched { grants: Vec::new(), ..vouched.clone() }).await?;
    }
    if let Some(refusal) = refusal {
        audit::record_failed_login(&mut transaction, caller, known.map(|known| known.id)).await?;
        transaction.commit().await?;
        return Err(refusal);
    }
    let account = match known {
        Some(known) => {
            refresh(&mut transaction, known.id, vouched).await?;
            known.id
        }
        None => provision(&mut transaction, caller, vouched).await?,
    };
    regrant(&mut transaction, caller, account, vouched).await?;
    let session = session::begin(&mut transaction, caller, account, &vouched.provider, user_agent).await?;
    transaction.commit().await?;
    Ok(session)
}

/// Writes down that a login at an identity provider came to nothing.
pub async fn refused(caller: &Caller, db: &Database, provider: &str) -> Result<(), LoginError> {
    let mut connection = db.app().acquire().await?;
    let entry = Entry { outcome: Outcome::Failed, ..Entry::done(Action::LogIn, "") };
    audit::record(&mut connection, caller, entry.with(json!({ "method": provider }))).await?;
    Ok(())
}

struct Known {
    id: Uuid,
    is_open: bool,
    bounds: Bounds,
}

async fn known(connection: &mut PgConnection, vouched: &Vouched) -> Result<Option<Known>, sqlx::Error> {
    let select = format!(
        "SELECT id, is_disabled, expires_at, {} FROM access.account WHERE provider = $1 AND provider_subject = $2 \
         FOR UPDATE",
        bounds::COLUMNS
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(select))
        .bind(&vouched.provider)
        .bind(&vouched.subject)
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let ends: Option<DateTime<Utc>> = row.try_get("expires_at")?;
    let is_open = !row.try_get::<bool, _>("is_disabled")? && ends.is_none_or(|ends| ends > Utc::now());
    Ok(Some(Known { id: row.try_get("id")?, is_open, bounds: Bounds::of(&row)? }))
}

/// Makes the account, under the first of its possible names that nobody has.
/// An account that is there already is never taken over, whatever it is called.
async fn provision(connection: &mut PgConnection, caller: &Caller, vouched: &Vouched) -> Result<Uuid, LoginError> {
    let names = names(vouched);
    let taken: Vec<String> = sqlx::query_scalar("SELECT name FROM access.account WHERE name = ANY ($1)")
        .bind(&names)
        .fetch_all(&mut *connection)
        .await?;
    let name = names.iter().find(|name| !taken.contains(name)).or(names.last()).map_or("", String::as_str);
    let new = NewAccount {
        full_name: short(&vouched.full_name),
        email: short(&vouched.email),
        municipality: vouched.municipality.clone(),
        dependency: short(&vouched.dependency),
        ..NewAccount::new(name, AccountKind::Person)
    };
    let id = account::insert(&mut *connection, caller, &new, None).await?;
    sqlx::query("UPDATE access.account SET provider = $2, provider_subject = $3 WHERE id = $1")
        .bind(id)
        .bind(&vouched.provider)
        .bind(&vouched.subject)
        .execute(connection)
        .await?;
    Ok(id)
}

/// The names that the account could have, the best one first: as the provider
/// says, the same at the provider, and one made of who it is there.
fn names(vouched: &Vouched) -> Vec<String> {
    let is_of_name = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@+-".contains(*c);
    let name: String = vouched.name.to_lowercase().chars().filter(is_of_name).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let digest = hex::encode(&Sha256::digest(vouched.subject.as_bytes())[..8]);
    let mut names = Vec::new();
    if !name.is_empty() && name.len() <= 60 {
        names.extend([name.to_owned(), format!("{name}@{}", vouched.provider)]);
    }
    names.push(format!("{}-{digest}", vouched.provider));
    names
}

/// As much of a text from outside as a field takes.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(account::LONGEST).collect()
}

async fn refresh(connection: &mut PgConnection, id: Uuid, vouched: &Vouched) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE access.account SET full_name = $2, email = $3, dependency = $4 WHERE id = $1 \
            AND (full_name, email, dependency) IS DISTINCT FROM ($2, $3, $4)",
    )
    .bind(id)
    .bind(short(&vouched.full_name))
    .bind(short(&vouched.email))
    .bind(short(&vouched.dependency))
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives what the rules give now, and takes back what they gave before.
async fn regrant(
    connection: &mut PgConnection,
    caller: &Caller,
    account: Uuid,
    vouched: &Vouched,
) -> Result<(), LoginError> {
    let given = assignment::of(&mut *connection, account).await?;
    let is_granted =
        |role: &str, reach: &Reach| vouched.grants.iter().any(|grant| grant.role == role && grant.reach == *reach);
    for old in given.iter().filter(|old| old.provider.is_some() && !is_granted(&old.role, &old.reach)) {
        sqlx::query("DELETE FROM access.assignment WHERE id = $1").bind(old.id).execute(&mut *connection).await?;
        let detail = json!({ "role": old.role, "reach": old.reach, "provider": vouched.provider });
        audit::record(connection, caller, Entry::done(Action::Unassign, account).with(detail)).await?;
    }
    for grant in &vouched.grants {
        let is_there = given.iter().any(|known| known.role == grant.role && known.reach == grant.reach);
        let is_role: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM access.role WHERE id = $1)")
            .bind(&grant.role)
            .fetch_one(&mut *connection)
            .await?;
        if !is_role {
            // The rest of what the rules give holds; the operator is told.
            tracing::warn!(role = grant.role, provider = vouched.provider, "a rule names a role that there is not");
        }
        if is_there || !is_role {
            continue;
        }
        let new = NewAssignment { role: grant.role.clone(), reach: grant.reach.clone(), expires_at: None };
        let made = assignment::insert(&mut *connection, caller, account, &new).await?;
        sqlx::query("UPDATE access.assignment SET provider = $2 WHERE id = $1")
            .bind(made.id)
            .bind(&vouched.provider)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_becomes_one_that_an_account_can_have() {
        let of = |name: &str| {
            let vouched = Vouched {
                provider: "alcaldia".to_owned(),
                subject: "s-1".to_owned(),
                name: name.to_owned(),
                full_name: String::new(),
                email: String::new(),
                municipality: None,
                dependency: String::new(),
                grants: Vec::new(),
                is_admitted: true,
            };
            names(&vouched)
        };
        assert_eq!(of("Eva.Gómez")[..2], ["eva.gmez", "eva.gmez@alcaldia"]);
        assert_eq!(of("ALCALDIA\\eva")[0], "alcaldiaeva");
        for nothing in ["", "-..", "ñ", &"a".repeat(200)] {
            let names = of(nothing);
            assert!(names.len() == 1 && names[0].starts_with("alcaldia-"), "{names:?}");
        }
    }
}
