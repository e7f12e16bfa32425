//! How often what happened.

use std::sync::atomic::{AtomicU64, Ordering};

/// How often what happened since the engine began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tiles that were in the cache.
    pub hits: u64,
    /// Tiles that were not, or no longer held.
    pub misses: u64,
    /// Tiles that were cut here with all that is there, or nothing.
    pub whole: u64,
    /// Tiles that were cut here and generalised.
    pub generalised: u64,
    /// Layers of tiles that the database was asked for.
    pub database: u64,
}

/// The same, being counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    whole: AtomicU64,
    generalised: AtomicU64,
    database: AtomicU64,
}

impl Counters {
    pub(super) fn look(&self, is_hit: bool) {
        add(if is_hit { &self.hits } else { &self.misses });
    }

    pub(super) fn cut(&self, is_generalised: bool) {
        add(if is_generalised { &self.generalised } else { &self.whole });
    }

    pub(super) fn ask_database(&self) {
        add(&self.database);
    }

    pub(super) fn now(&self) -> Counts {
        let Self { hits, misses, whole, generalised, database } = self;
        let now = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            hits: now(hits),
            misses: now(misses),
            whole: now(whole),
            generalised: now(generalised),
            database: now(database),
        }
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
