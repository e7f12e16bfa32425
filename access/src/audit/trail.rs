//! What is written of requests that change nothing: denials, and reads of what
//! is not public. Off the request's path: it is noted in memory, and written
//! within milliseconds by a task of the server's.
//!
//! A flood holds up nobody and fills no disk. Of denials so many rows are
//! written a minute ([`OF_ACCOUNT`], [`OF_ANYBODY`]), and one more that says
//! how many there were besides. Reads are never left out: where no more can be
//! noted, nothing reserved is shown ([`TrailFull`]).

use std::collections::hash_map::Entry as Slot;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::Connection;
use thiserror::Error;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{Action, Entry, Outcome, record};
use crate::{Caller, Database, MunicipalityCode, Scope};

/// So many notes wait to be written at most.
const MOST: usize = 10_000;
/// Rows in one transaction at most.
const BATCH: usize = 500;
/// A minute of the limits.
const MINUTE: Duration = Duration::from_mins(1);
/// Rows of denials of one account, a minute and process.
pub const OF_ACCOUNT: u32 = 60;
/// Rows of denials of those who did not come in, all together, a minute and process.
pub const OF_ANYBODY: u32 = 10;
/// How often it is looked whether a minute is over.
const LOOK: Duration = Duration::from_secs(5);
/// How long to wait where the database is away.
const AWAY: Duration = Duration::from_secs(1);

/// No more can be noted: the database has been away for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the audit trail cannot be written at the moment, and without it nothing is shown that is not public; try again in \
     a few seconds"
)]
pub struct TrailFull;

/// Where requests are noted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Trail(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Database,
    book: Mutex<Book>,
    more: Notify,
}

#[derive(Debug)]
struct Book {
    notes: VecDeque<Note>,
    began: Instant,
    /// The layers of which an account was given tiles this minute.
    tiles: HashMap<Uuid, HashSet<Box<str>>>,
    /// How often each account was denied something this minute, and the last of it.
    denials: HashMap<Option<Uuid>, (u32, Caller)>,
}

/// A row to be written.
#[derive(Debug, Clone)]
struct Note {
    caller: Caller,
    action: Action,
    outcome: Outcome,
    place: Option<(MunicipalityCode, String)>,
    subject: String,
    detail: Option<Value>,
}

impl Trail {
    /// Nothing is noted yet. Until [`Self::keep`] runs nothing is written.
    pub fn new(db: Database) -> Self {
        let book =
            Book { notes: VecDeque::new(), began: Instant::now(), tiles: HashMap::new(), denials: HashMap::new() };
        Self(Arc::new(Shared { db, book: Mutex::new(book), more: Notify::new() }))
    }

    /// Writes what is noted, as it is noted. Never returns.
    pub async fn keep(&self) {
        loop {
            // Also without a note: a minute ends.
            let _ = timeout(LOOK, self.0.more.notified()).await;
            if let Err(error) = self.write().await {
                tracing::warn!(%error, "the audit trail cannot be written; trying again");
                sleep(AWAY).await;
            }
        }
    }

    /// Writes what is noted up to now. What cannot be written stays noted.
    pub async fn write(&self) -> Result<(), sqlx::Error> {
        loop {
            let notes: Vec<Note> = {
                let mut book = self.book();
                book.turn(Instant::now());
                let many = book.notes.len().min(BATCH);
                book.notes.drain(..many).collect()
            };
            if notes.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.write_batch(&notes).await {
                let mut book = self.book();
                for note in notes.into_iter().rev() {
                    book.notes.push_front(note);
                }
                return Err(error);
            }
        }
    }

    async fn write_batch(&self, notes: &[Note]) -> Result<(), sqlx::Error> {
        let mut connection = self.0.db.app().acquire().await?;
        let mut transaction = connection.begin().await?;
        for note in notes {
            let entry = Entry {
                action: note.action,
                outcome: note.outcome,
                municipality: note.place.as_ref().map(|(municipality, _)| municipality),
                layer: note.place.as_ref().map(|(_, layer)| layer.as_str()),
                subject: note.subject.clone(),
                detail: note.detail.clone(),
            };
            record(&mut transaction, &note.caller, entry).await?;
        }
        transaction.commit().await
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Begins another minute where this one is over: what was left out is told.
    fn turn(&mut self, now: Instant) {
        if now.duration_since(self.began) < MINUTE {
            return;
        }
        self.began = now;
        self.tiles.clear();
        for (account, (times, caller)) in std::mem::take(&mut self.denials) {
            let left_out = times.saturating_sub(most(account));
            if left_out > 0 {
                // It replaces rows that would have been: there is room.
                self.notes.push_back(Note {
                    caller,
                    action: Action::Attempt,
                    outcome: Outcome::Denied,
                    place: None,
                    subject: String::new(),
                    detail: Some(json!({ "left_out": left_out, "within_seconds": MINUTE.as_secs() })),
                });
            }
        }
    }
}

fn most(account: Option<Uuid>) -> u32 {
    if account.is_some() { OF_ACCOUNT } else { OF_ANYBODY }
}

/// Notes that the caller was refused: what it tried, as a verb phrase, never what
/// it typed; and of which layer.
pub fn note_denial(caller: &Caller, tried: &'static str, scope: Option<&Scope<'_>>) {
    let Some(trail) = caller.trail() else { return };
    let account = caller.login().map(|login| login.account);
    let mut book = trail.book();
    book.turn(Instant::now());
    let times = match book.denials.entry(account) {
        Slot::Occupied(mut slot) => {
            let (times, last) = slot.get_mut();
            *times = times.saturating_add(1);
            *last = caller.untold();
            *times
        }
        Slot::Vacant(slot) => slot.insert((1, caller.untold())).0,
    };
    if times > most(account) {
        return;
    }
    if book.notes.len() >= MOST {
        tracing::warn!("a denial is not in the audit trail, which cannot be written");
        return;
    }
    book.notes.push_back(Note {
        caller: caller.untold(),
        action: Action::Attempt,
        outcome: Outcome::Denied,
        place: scope.map(place),
        subject: tried.to_owned(),
        detail: None,
    });
    drop(book);
    trail.0.more.notify_one();
}

/// Notes that the caller is shown features of a layer, or one, of which
/// something is not public: before it is shown. Once a request.
pub fn note_read(caller: &Caller, scope: &Scope<'_>, feature: &str, detail: Value) -> Result<(), TrailFull> {
    let Some(trail) = caller.trail() else { return Ok(()) };
    if !caller.is_first_read(scope.layer, feature) {
        return Ok(());
    }
    trail.note_shown(caller, scope, feature, detail)
}

/// Notes that the caller is shown tiles of such a layer: before they are shown.
/// Once a minute.
pub fn note_tile(caller: &Caller, scope: &Scope<'_>) -> Result<(), TrailFull> {
    let (Some(trail), Some(login)) = (caller.trail(), caller.login()) else { return Ok(()) };
    {
        let mut book = trail.book();
        book.turn(Instant::now());
        if book.tiles.get(&login.account).is_some_and(|layers| layers.contains(scope.layer)) {
            return Ok(());
        }
    }
    trail.note_shown(caller, scope, "", json!({ "by": "tiles" }))?;
    trail.book().tiles.entry(login.account).or_default().insert(scope.layer.into());
    Ok(())
}

impl Trail {
    fn note_shown(&self, caller: &Caller, scope: &Scope<'_>, feature: &str, detail: Value) -> Result<(), TrailFull> {
        let mut book = self.book();
        if book.notes.len() >= MOST {
            return Err(TrailFull);
        }
        book.notes.push_back(Note {
            caller: caller.untold(),
            action: Action::ReadReserved,
            outcome: Outcome::Done,
            place: Some(place(scope)),
            subject: feature.to_owned(),
            detail: Some(detail),
        });
        drop(book);
        self.0.more.notify_one();
        Ok(())
    }
}

fn place(scope: &Scope<'_>) -> (MunicipalityCode, String) {
    (scope.municipality.clone(), scope.layer.to_owned())
}
