use std::time::Duration;

use access::{Caller, Database};
use sqlx::postgres::PgListener;
use tokio::time::Instant;

use super::{Change, FeedError, Position, position, read};

/// What a follower learns.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// These changes, each for the first and only time.
    Changed(Vec<Change>),
    /// The log is another one, or the follower fell behind what is kept:
    /// whatever was built must be built anew. The follower goes on from a
    /// position before the rebuild, so that nothing falls between.
    Rebuild,
}

/// Follows the change feed: wakes by notification, and looks by itself now and
/// then, since a notification may be lost with its connection.
#[derive(Debug)]
pub struct Follower {
    caller: Caller,
    db: Database,
    position: Position,
    listener: Option<PgListener>,
    /// How long to go without looking.
    interval: Duration,
}

/// The channel that the triggers notify.
const CHANNEL: &str = "lindero_change";

impl Follower {
    /// Follows from `position` on, looking at least every `interval`.
    pub fn new(caller: &Caller, db: Database, position: Position, interval: Duration) -> Self {
        Self { caller: caller.clone(), db, position, listener: None, interval }
    }

    /// Follows from now on.
    pub async fn from_now(caller: &Caller, db: Database, interval: Duration) -> Result<Self, FeedError> {
        let position = position(caller, &db).await?;
        Ok(Self::new(caller, db, position, interval))
    }

    /// Where the follower stands: what it has told is before this.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Waits until there is something to tell. On an error the position stands
    /// where it was: call again, when the database may be back.
    ///
    /// May be dropped while waiting: nothing is lost.
    pub async fn next(&mut self) -> Result<Event, FeedError> {
        loop {
            // Listen before looking: a change after the look must wake us.
            let mut listener = if let Some(listener) = self.listener.take() {
                listener
            } else {
                let mut listener = PgListener::connect_with(self.db.app()).await?;
                listener.listen(CHANNEL).await?;
                listener
            };
            match read(&self.caller, &self.db, &self.position).await {
                Ok((changes, position)) => {
                    self.position = position;
                    if !changes.is_empty() {
                        self.listener = Some(listener);
                        return Ok(Event::Changed(changes));
                    }
                }
                Err(FeedError::AnotherLog | FeedError::TooOld) => {
                    self.position = position(&self.caller, &self.db).await?;
                    self.listener = Some(listener);
                    return Ok(Event::Rebuild);
                }
                Err(error) => return Err(error),
            }
            let look_again = Instant::now() + self.interval;
            match tokio::time::timeout_at(look_again, listener.try_recv()).await {
                Ok(Ok(Some(_))) => {
                    // Many statements notify at once: one look serves them all.
                    while listener.next_buffered().is_some() {}
                    self.listener = Some(listener);
                }
                Err(_) => self.listener = Some(listener),
                // The connection was lost: connect anew and look, whatever it
                // may have missed.
                Ok(Ok(None) | Err(_)) => {}
            }
        }
    }
}
