//! Whether what was read of a layer still holds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use layers::LayerId;

/// A state of a layer's content, as far as this process has been told: equal
/// stamps, equal content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Which uninterrupted following of the change feed.
    following: u64,
    /// How many changes of the layer were told in it.
    changes: u64,
}

/// What the follower of the change feed tells, for those who keep something
/// that they read. A change is told some milliseconds after its commit.
#[derive(Debug, Default)]
pub struct Freshness {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_followed: bool,
    following: u64,
    changes: HashMap<LayerId, u64>,
}

impl Freshness {
    /// The layer's stamp; none while nobody follows the feed: then nothing may
    /// be kept. Take it before reading what is to be kept.
    pub fn stamp(&self, layer: &LayerId) -> Option<Stamp> {
        let state = self.state();
        let changes = state.changes.get(layer).copied().unwrap_or_default();
        state.is_followed.then_some(Stamp { following: state.following, changes })
    }

    /// Whether the feed is followed.
    pub fn is_followed(&self) -> bool {
        self.state().is_followed
    }

    /// The feed is followed from now on: what is older holds no more.
    pub fn follow(&self) {
        let mut state = self.state();
        state.is_followed = true;
        state.following += 1;
        state.changes.clear();
    }

    /// The feed was lost.
    pub fn lose(&self) {
        self.state().is_followed = false;
    }

    /// A layer changed.
    pub fn change(&self, layer: &LayerId) {
        *self.state().changes.entry(layer.clone()).or_default() += 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_holds_until_its_layer_changes_or_the_feed_is_lost() {
        let freshness = Freshness::default();
        let (one, other) = ("barrios".parse().unwrap(), "vias".parse().unwrap());
        assert_eq!(freshness.stamp(&one), None);
        freshness.follow();
        let (first, second) = (freshness.stamp(&one), freshness.stamp(&other));
        freshness.change(&one);
        assert_ne!(freshness.stamp(&one), first);
        assert_eq!(freshness.stamp(&other), second);
        freshness.lose();
        assert_eq!(freshness.stamp(&other), None);
        freshness.follow();
        assert_ne!(freshness.stamp(&other), second);
    }
}
