//! Looking for rows of the trail.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use futures::Stream;
use futures::stream::try_unfold;
use ipnet::IpNet;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Action, Entry, Outcome, record};
use crate::{AccessError, Caller, Database, MunicipalityCode, Permission, Reach};

/// Rows of a page at most.
pub const MOST: u32 = 1000;
/// What is refused where nobody may.
const ACTION: &str = "read the audit trail";

/// What is looked for: rows that are all of it.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub to: Option<DateTime<Utc>>,
    /// By this account: its id, or its name.
    pub account: Option<String>,
    /// What was done.
    pub action: Option<Action>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The municipality that it concerns.
    pub municipality: Option<MunicipalityCode>,
    /// The layer that it concerns.
    pub layer: Option<String>,
    /// What it was done to.
    pub subject: Option<String>,
    /// From this network.
    pub address: Option<IpNet>,
    /// Older than this row.
    pub before: Option<i64>,
}

/// A row of the trail, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, FromRow)]
pub struct Row {
    /// Its number.
    pub id: i64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: String,
    /// How it ended.
    pub outcome: String,
    /// By which account.
    pub account: Option<Uuid>,
    /// What that was called.
    pub account_name: String,
    /// The dependency in which it worked.
    pub dependency: String,
    /// By which session.
    pub session: Option<Uuid>,
    /// Or by which key.
    pub key: Option<Uuid>,
    /// From where.
    pub address: Option<String>,
    /// The request's id.
    pub request: String,
    /// The municipality that it concerns.
    pub municipality: Option<String>,
    /// The layer that it concerns.
    pub layer: Option<String>,
    /// What it was done to.
    pub subject: String,
    /// What else is to be known.
    pub detail: Option<Value>,
    /// Who wrote the row, of the database's roles.
    pub database_role: String,
    /// By which program.
    pub application: String,
}

impl Wanted {
    /// What is looked for, for the trail: no value that somebody typed at will.
    fn told(&self) -> Value {
        json!({ "from": self.from, "to": self.to, "account": self.account.is_some(),
            "action": self.action.map(Action::code), "outcome": self.outcome.map(Outcome::code),
            "municipality": self.municipality, "layer": self.layer.is_some(), "subject": self.subject.is_some(),
            "address": self.address.is_some() })
    }

    /// The statement, for rows within those reaches.
    fn statement(&self, reaches: &[Reach], limit: u32) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new(
            "SELECT id, at, action, outcome, account, account_name, dependency, session, key, host(address) AS address, \
                request, municipality, layer, subject, detail, database_role, application FROM access.audit WHERE (",
        );
        for (index, reach) in reaches.iter().enumerate() {
            sql.push(if index > 0 { " OR (true" } else { "(true" });
            if let Some(municipality) = &reach.municipality {
                sql.push(" AND municipality = ").push_bind(municipality.as_str().to_owned());
            }
            if let Some(dependency) = &reach.dependency {
                sql.push(" AND dependency = ").push_bind(dependency.clone());
            }
            if let Some(layer) = &reach.layer {
                sql.push(" AND layer = ").push_bind(layer.clone());
            }
            sql.push(")");
        }
        sql.push(")");
        if let Some(from) = self.from {
            sql.push(" AND at >= ").push_bind(from);
        }
        if let Some(to) = self.to {
            sql.push(" AND at < ").push_bind(to);
        }
        if let Some(account) = &self.account {
            match account.parse::<Uuid>() {
                Ok(id) => sql.push(" AND account = ").push_bind(id),
                Err(_) => sql.push(" AND account_name = ").push_bind(account.clone()),
            };
        }
        if let Some(action) = self.action {
            sql.push(" AND action = ").push_bind(action.code());
        }
        if let Some(outcome) = self.outcome {
            sql.push(" AND outcome = ").push_bind(outcome.code());
        }
        if let Some(municipality) = &self.municipality {
            sql.push(" AND municipality = ").push_bind(municipality.as_str().to_owned());
        }
        if let Some(layer) = &self.layer {
            sql.push(" AND layer = ").push_bind(layer.clone());
        }
        if let Some(subject) = &self.subject {
            sql.push(" AND subject = ").push_bind(subject.clone());
        }
        if let Some(network) = self.address {
            sql.push(" AND address <<= ").push_bind(network.to_string()).push("::inet");
        }
        if let Some(before) = self.before {
            sql.push(" AND id < ").push_bind(before);
        }
        sql.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        sql
    }
}

/// A network, or one address as the network of it alone.
pub fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Rows of the trail, the newest first, at most `limit` (and [`MOST`]): those
/// that the caller may read, as far as the permission reaches. What a right
/// names, a row must have: whoever may read the trail of a municipality sees the
/// rows that concern it, of a dependency those that its accounts did.
pub async fn search(caller: &Caller, db: &Database, wanted: &Wanted, limit: u32) -> Result<Vec<Row>, AccessError> {
    let reaches = reaches(caller)?;
    Ok(page(db, &reaches, wanted, limit).await?)
}

/// All of them, in batches. That they are taken out is in the trail before the
/// first.
pub async fn export(
    caller: &Caller,
    db: &Database,
    wanted: Wanted,
) -> Result<impl Stream<Item = Result<Vec<Row>, sqlx::Error>> + Send + use<>, AccessError> {
    let reaches = reaches(caller)?;
    let entry = Entry::done(Action::ExportAudit, "").with(wanted.told());
    record(&mut *db.app().acquire().await?, caller, entry).await?;
    Ok(try_unfold(Some((db.clone(), reaches, wanted)), async move |state| {
        let Some((db, reaches, mut wanted)) = state else { return Ok(None) };
        let rows = page(&db, &reaches, &wanted, MOST).await?;
        let Some(last) = rows.last() else { return Ok(None) };
        wanted.before = Some(last.id);
        let more = rows.len() == MOST as usize;
        Ok(Some((rows, more.then_some((db, reaches, wanted)))))
    }))
}

fn reaches(caller: &Caller) -> Result<Vec<Reach>, AccessError> {
    let reaches = caller.reaches(Permission::ReadAudit);
    if reaches.is_empty() { Err(caller.denied(ACTION).into()) } else { Ok(reaches) }
}

async fn page(db: &Database, reaches: &[Reach], wanted: &Wanted, limit: u32) -> Result<Vec<Row>, sqlx::Error> {
    wanted.statement(reaches, limit.min(MOST)).build_query_as().fetch_all(db.app()).await
}
