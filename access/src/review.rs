//! Who may do what, where, and when each last came in and did something: what
//! is looked through from time to time, to take back what is needed no more.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::account::{self, Account};
use crate::assignment::{self, Assignment};
use crate::role;
use crate::{AccessError, Caller, Database, Permissions};

/// Whether an account may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may.
    Open,
    /// It was closed.
    Closed,
    /// Its time is over.
    Ended,
}

impl Standing {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Ended => "ended",
        }
    }
}

/// A role of an account, and what it allows now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// The role, and how far it reaches.
    #[serde(flatten)]
    pub assignment: Assignment,
    /// What it allows.
    pub permissions: Permissions,
}

/// An account in the review.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reviewed {
    /// The account.
    pub account: Account,
    /// Whether it may come in.
    pub standing: Standing,
    /// What it may do.
    pub roles: Vec<Held>,
    /// How many keys of it are good.
    pub keys: i64,
    /// When one of them was last used.
    pub last_key_used_at: Option<DateTime<Utc>>,
    /// When it last did something that is written down.
    pub last_action_at: Option<DateTime<Utc>>,
    /// What that was.
    pub last_action: Option<String>,
}

#[derive(FromRow)]
struct Seen {
    id: Uuid,
    keys: i64,
    last_key_used_at: Option<DateTime<Utc>>,
    last_action_at: Option<DateTime<Utc>>,
    last_action: Option<String>,
}

/// The accounts that the caller may manage, by name.
pub async fn review(caller: &Caller, db: &Database) -> Result<Vec<Reviewed>, AccessError> {
    let accounts = account::list(caller, db).await?;
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.id).collect();
    let permissions: HashMap<String, Permissions> =
        role::list(caller, db).await?.into_iter().map(|role| (role.id, role.permissions)).collect();
    let mut connection = db.app().acquire().await?;
    let mut roles = assignment::of_all(&mut connection, &ids).await?;
    let seen: Vec<Seen> = sqlx::query_as(
        "SELECT i.id, k.keys, k.last_key_used_at, d.at AS last_action_at, d.action AS last_action \
         FROM unnest($1::uuid[]) AS i (id) \
         CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE revoked_at IS NULL AND coalesce(expires_at > now(), true)) \
            AS keys, max(last_used_at) AS last_key_used_at FROM access.key WHERE account = i.id) AS k \
         LEFT JOIN LATERAL (SELECT at, action FROM access.audit WHERE account = i.id ORDER BY at DESC LIMIT 1) AS d \
            ON true",
    )
    .bind(&ids)
    .fetch_all(&mut *connection)
    .await?;
    let mut seen: HashMap<Uuid, Seen> = seen.into_iter().map(|seen| (seen.id, seen)).collect();
    let reviewed = |account: Account| {
        let seen = seen.remove(&account.id);
        let held = roles.remove(&account.id).unwrap_or_default().into_iter().map(|assignment| Held {
            permissions: permissions.get(&assignment.role).copied().unwrap_or_default(),
            assignment,
        });
        let standing = match account.expires_at {
            _ if account.is_disabled => Standing::Closed,
            Some(ends) if ends <= Utc::now() => Standing::Ended,
            _ => Standing::Open,
        };
        Reviewed {
            standing,
            roles: held.collect(),
            keys: seen.as_ref().map_or(0, |seen| seen.keys),
            last_key_used_at: seen.as_ref().and_then(|seen| seen.last_key_used_at),
            last_action_at: seen.as_ref().and_then(|seen| seen.last_action_at),
            last_action: seen.and_then(|seen| seen.last_action),
            account,
        }
    };
    Ok(accounts.into_iter().map(reviewed).collect())
}
