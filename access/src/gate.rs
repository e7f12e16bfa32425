//! From what a request shows to who asks: read from the database once a
//! minute, kept in memory between, and forgotten when it changes.
//!
//! A trigger notifies of every change of an account, of what it was assigned,
//! of a role, a session or a key, whoever makes it. What is in memory counts
//! only while the connection that hears of changes was seen to live within
//! [`TRUST`]; otherwise each request asks the database. So a session that is
//! ended is out within a second in every process, also where a network was cut.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgListener, PgRow};
use sqlx::{FromRow, Row};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::bounds::{self, Bounds};
use crate::key::MARK;
use crate::session::{self, IDLE};
use crate::token::Digest;
use crate::{Caller, Credential, Database, Login, Permissions, Right, Token, assignment, permission};

/// The channel that the triggers notify.
const CHANNEL: &str = "lindero_access";
/// What is in memory counts so long after the connection was seen to live …
const TRUST: Duration = Duration::from_millis(800);
/// … which is looked at so often …
const LOOK: Duration = Duration::from_millis(250);
/// … with so much patience.
const PATIENCE: Duration = Duration::from_millis(500);
/// What was read is read again after so long: a session's last use is written
/// then.
const AGAIN: Duration = Duration::from_mins(1);
/// How long to wait where the database is away.
const AWAY: Duration = Duration::from_secs(1);
/// More than so many are not kept: whoever has more sessions at once waits for
/// the database.
const MOST: usize = 100_000;

/// Knows who asks.
#[derive(Debug)]
pub struct Gate {
    db: Database,
    known: RwLock<Known>,
    began: Instant,
    /// Until when what is known counts, in milliseconds since it began.
    trusted_until: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    logins: HashMap<Digest, Entry>,
    /// How often something was forgotten.
    forgotten: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    login: Arc<Login>,
    /// None where it may come in always and from anywhere, as most.
    bounds: Option<Arc<Bounds>>,
    until: Instant,
}

impl Entry {
    /// Who asks, where it may come in now and from there.
    fn caller(&self, from: Option<IpAddr>) -> Option<Caller> {
        let is_in = self.bounds.as_ref().is_none_or(|bounds| bounds.admit(from, Utc::now()).is_ok());
        is_in.then(|| Caller::account(Arc::clone(&self.login)))
    }
}

#[derive(FromRow)]
struct Found {
    id: Uuid,
    account: Uuid,
    name: String,
    dependency: String,
    expires_at: Option<DateTime<Utc>>,
    is_stale: bool,
    permissions: Option<Vec<String>>,
}

impl Gate {
    /// Knows nobody yet. Until [`Self::listen`] runs, the database is asked each time.
    pub fn new(db: Database) -> Self {
        Self { db, known: RwLock::default(), began: Instant::now(), trusted_until: AtomicU64::new(0) }
    }

    /// Who shows that token, a session's or a key's, from that address; none
    /// where it opens nothing (any more, now, or from there).
    pub async fn open(&self, token: &Token, from: Option<IpAddr>) -> Result<Option<Caller>, sqlx::Error> {
        let digest = token.digest();
        let now = Instant::now();
        let forgotten = {
            let known = self.read();
            if self.is_trusted(now)
                && let Some(entry) = known.logins.get(&digest).filter(|entry| entry.until > now)
            {
                return Ok(entry.caller(from));
            }
            known.forgotten
        };
        let Some((login, bounds, expires_at)) = self.find(token, &digest).await? else {
            self.write().logins.remove(&digest);
            return Ok(None);
        };
        let left = expires_at.map_or(AGAIN, |expires_at| (expires_at - Utc::now()).to_std().unwrap_or_default());
        let bounds = (bounds != Bounds::default()).then(|| Arc::new(bounds));
        let entry = Entry { login: Arc::new(login), bounds, until: now + left.min(AGAIN) };
        let caller = entry.caller(from);
        let mut known = self.write();
        // Unless something was forgotten since: it may have been this.
        if known.forgotten == forgotten {
            if known.logins.len() >= MOST {
                known.logins.clear();
            }
            known.logins.insert(digest, entry);
        }
        Ok(caller)
    }

    /// Whether that token opened something here, and nothing was heard since of
    /// its end. Whatever else it is, it is no guess.
    pub fn has_opened(&self, token: &Token) -> bool {
        self.read().logins.contains_key(&token.digest())
    }

    /// Hears of changes, and forgets what they make untrue. Never returns.
    pub async fn listen(&self) {
        loop {
            let Err(error) = self.hear().await;
            self.trusted_until.store(0, Ordering::Release);
            tracing::warn!(%error, "changes of access cannot be heard of: each request asks the database");
            sleep(AWAY).await;
        }
    }

    async fn hear(&self) -> Result<Infallible, sqlx::Error> {
        let away = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
        let mut listener = PgListener::connect_with(self.db.app()).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        // What changed while nobody heard is not known.
        self.forget(|_| true);
        loop {
            let asked = Instant::now();
            timeout(PATIENCE, sqlx::query("SELECT 1").execute(&mut listener)).await.map_err(|_| away())??;
            while let Some(notice) = listener.next_buffered() {
                self.heed(notice.payload());
            }
            let until = asked.duration_since(self.began) + TRUST;
            self.trusted_until.store(until.as_millis() as u64, Ordering::Release);
            if let Ok(notice) = timeout(LOOK, listener.try_recv()).await {
                self.heed(notice?.ok_or_else(away)?.payload());
            }
        }
    }

    /// What a trigger says: `session`, `key` or `account` and an id; or all.
    fn heed(&self, said: &str) {
        let (kind, id) = said.split_once(' ').unwrap_or((said, ""));
        let id: Option<Uuid> = id.parse().ok();
        self.forget(|login| match (kind, id) {
            ("session", Some(id)) => login.by == Credential::Session(id),
            ("key", Some(id)) => login.by == Credential::Key(id),
            ("account", Some(id)) => login.account == id,
            _ => true,
        });
    }

    fn forget(&self, is_meant: impl Fn(&Login) -> bool) {
        let mut known = self.write();
        known.forgotten += 1;
        known.logins.retain(|_, entry| !is_meant(&entry.login));
    }

    fn is_trusted(&self, now: Instant) -> bool {
        now.duration_since(self.began).as_millis() < u128::from(self.trusted_until.load(Ordering::Acquire))
    }

    async fn find(
        &self,
        token: &Token,
        digest: &Digest,
    ) -> Result<Option<(Login, Bounds, Option<DateTime<Utc>>)>, sqlx::Error> {
        let is_key = token.expose().starts_with(MARK);
        let found: Option<Found> = if is_key {
            sqlx::query_as(
                "SELECT k.id, a.id AS account, a.name, a.dependency, least(k.expires_at, a.expires_at) AS expires_at, \
                    coalesce(k.last_used_at < now() - $2, true) AS is_stale, k.permissions \
                 FROM access.key AS k JOIN access.account AS a ON a.id = k.account \
                 WHERE k.token = $1 AND k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true) \
                    AND NOT a.is_disabled AND coalesce(a.expires_at > now(), true)",
            )
            .bind(digest.as_slice())
            .bind(AGAIN)
            .fetch_optional(self.db.app())
            .await?
        } else {
            sqlx::query_as(
                "SELECT s.id, a.id AS account, a.name, a.dependency, least(s.expires_at, a.expires_at) AS expires_at, \
                    s.last_seen_at < now() - $2 AS is_stale, NULL::text[] AS permissions \
                 FROM access.session AS s JOIN access.account AS a ON a.id = s.account \
                 WHERE s.token = $1 AND s.expires_at > now() AND s.last_seen_at > now() - $3 \
                    AND NOT a.is_disabled AND coalesce(a.expires_at > now(), true)",
            )
            .bind(digest.as_slice())
            .bind(AGAIN)
            .bind(session::interval(IDLE))
            .fetch_optional(self.db.app())
            .await?
        };
        let Some(found) = found else { return Ok(None) };
        if found.is_stale {
            let used = if is_key {
                "UPDATE access.key SET last_used_at = now() WHERE id = $1"
            } else {
                "UPDATE access.session SET last_seen_at = now() WHERE id = $1"
            };
            sqlx::query(used).bind(found.id).execute(self.db.app()).await?;
        }
        let most = found.permissions.as_deref().map(permission::of_codes).transpose()?.unwrap_or(Permissions::all());
        let rows = sqlx::query(
            "SELECT r.permissions, s.municipality, s.dependency, s.layer, s.expires_at FROM access.assignment AS s \
             JOIN access.role AS r ON r.id = s.role WHERE s.account = $1 AND coalesce(s.expires_at > now(), true)",
        )
        .bind(found.account)
        .fetch_all(self.db.app())
        .await?;
        let ends = |row: &PgRow| row.try_get::<Option<DateTime<Utc>>, _>("expires_at");
        let mut expires_at = found.expires_at;
        let mut rights = Vec::with_capacity(rows.len());
        for row in &rows {
            let permissions = permission::of_codes(&row.try_get::<Vec<String>, _>("permissions")?)? & most;
            rights.push(Right { permissions, reach: assignment::reach(row)? });
            expires_at = [expires_at, ends(row)?].into_iter().flatten().min();
        }
        let by = if is_key { Credential::Key(found.id) } else { Credential::Session(found.id) };
        let Found { account, name, dependency, .. } = found;
        let bounds = bounds::of(&mut *self.db.app().acquire().await?, account).await?;
        Ok(Some((Login { account, name, dependency, by, rights }, bounds, expires_at)))
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}
