//! What changed where, for those who keep tiles.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use crate::world::Rect;

/// So many changes are remembered; what is older than them is cut anew.
const REMEMBERED: usize = 1024;
/// With more boxes than this a change is as good as everywhere.
const MOST_BOXES: usize = 512;

/// A moment of a layer: later ones have greater numbers, whatever the layer.
pub(super) type Moment = u64;

/// The next moment.
fn next() -> Moment {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The changes of a layer since its index was built.
#[derive(Debug)]
pub(super) struct History {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    /// What was cut before this is not known to hold.
    first: Moment,
    changes: VecDeque<Change>,
}

#[derive(Debug)]
struct Change {
    at: Moment,
    /// Where.
    boxes: Vec<Rect>,
    /// Whether it shows in generalised tiles only.
    only_generalised: bool,
}

impl History {
    /// Nothing has changed yet; the moment is now.
    pub(super) fn new() -> (Self, Moment) {
        let first = next();
        (Self { state: RwLock::new(State { first, changes: VecDeque::new() }) }, first)
    }

    /// Remembers a change and returns its moment. Before the change is shown:
    /// whoever sees the moment finds the change here.
    pub(super) fn record(&self, boxes: Vec<Rect>, only_generalised: bool) -> Moment {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let at = next();
        let boxes = if boxes.len() > MOST_BOXES { vec![[0, 0, u32::MAX, u32::MAX]] } else { boxes };
        state.changes.push_back(Change { at, boxes, only_generalised });
        if state.changes.len() > REMEMBERED {
            state.changes.pop_front();
            state.first = state.changes.front().map_or(at, |change| change.at);
        }
        at
    }

    /// Whether what was cut of `area` at a moment is still the same now.
    pub(super) fn holds(&self, since: Moment, area: Rect, is_generalised: bool) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let meets = |rect: &Rect| rect[0] <= area[2] && rect[2] >= area[0] && rect[1] <= area[3] && rect[3] >= area[1];
        let mut later = state.changes.iter().rev().take_while(|change| change.at > since);
        since >= state.first
            && !later.any(|change| (is_generalised || !change.only_generalised) && change.boxes.iter().any(meets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Rect = [10, 10, 20, 20];
    const THERE: Rect = [30, 30, 40, 40];

    #[test]
    fn only_what_a_change_touches_no_longer_holds() {
        let (history, before) = History::new();
        let after = history.record(vec![[15, 15, 16, 16]], false);
        assert!(!history.holds(before, HERE, false) && history.holds(before, THERE, false));
        assert!(history.holds(after, HERE, false));
        history.record(vec![THERE], true);
        assert!(history.holds(after, THERE, false) && !history.holds(after, THERE, true));
    }

    #[test]
    fn what_is_too_old_does_not_hold() {
        let (history, before) = History::new();
        for _ in 0..=REMEMBERED {
            history.record(vec![THERE], false);
        }
        assert!(!history.holds(before, HERE, false));
        let (anew, now) = History::new();
        assert!(!anew.holds(before, HERE, false) && anew.holds(now, HERE, false));
    }
}
