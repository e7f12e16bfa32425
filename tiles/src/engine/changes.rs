//! Tells those who show tiles what changed, once the tiles show it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use access::{Caller, MunicipalityCode, Scope, Subject, Visibility};
use layers::{Extent, Layer, LayerId};
use tokio::sync::watch;

use crate::world::{Rect, centre, hilbert, with_rect};

/// So many changes are kept for those who come late; who comes later is told
/// that everything may have changed.
const KEPT: usize = 1024;
/// A change of a layer is told in no more boxes than this.
const MOST_BOXES: usize = 64;

/// How far somebody has heard. Of one process: another one does not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangePosition {
    run: u64,
    last: u64,
}

impl ChangePosition {
    /// One that no process knows.
    pub const UNKNOWN: Self = Self { run: 0, last: 0 };
}

/// A text that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPosition;

impl fmt::Display for ChangePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.run, self.last)
    }
}

impl FromStr for ChangePosition {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let is_number = |text: &str, radix| !text.is_empty() && text.chars().all(|digit| digit.is_digit(radix));
        let (run, last) = text.split_once('-').ok_or(NoPosition)?;
        if run.len() != 16 || !is_number(run, 16) || !is_number(last, 10) {
            return Err(NoPosition);
        }
        let run = u64::from_str_radix(run, 16).map_err(|_| NoPosition)?;
        Ok(Self { run, last: last.parse().map_err(|_| NoPosition)? })
    }
}

/// What is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// Any layer may have changed anywhere, or come, or gone.
    Everything,
    /// These layers did, each once.
    Layers(Vec<LayerChange>),
}

/// What changed of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerChange {
    /// The layer.
    pub layer: LayerId,
    /// Where its features changed: where those were and are that did.
    pub features: Vec<Extent>,
    /// Where its generalised tiles changed, which follow the features.
    pub generalised: Vec<Extent>,
    /// Whether what the catalogue says of it changed.
    pub is_described_anew: bool,
}

/// What changes, from some position on. Holds nothing back: who does not ask
/// for long is told that everything may have changed.
#[derive(Debug)]
pub struct Changes {
    caller: Caller,
    log: Arc<ChangeLog>,
    /// What is told up to; none where that is not known.
    heard: Option<u64>,
    wake: watch::Receiver<()>,
}

impl Changes {
    /// Follows from `since` on, else from now.
    pub(super) fn new(caller: &Caller, log: &Arc<ChangeLog>, since: Option<ChangePosition>) -> Self {
        let wake = log.wake.subscribe();
        let heard = match since {
            None => Some(log.state().last()),
            Some(since) => (since.run == log.run).then_some(since.last),
        };
        Self { caller: caller.clone(), log: log.clone(), heard, wake }
    }

    /// How far it has told; none where it began from a position that is not
    /// known, which is the first thing that it tells.
    pub fn position(&self) -> Option<ChangePosition> {
        self.heard.map(|last| ChangePosition { run: self.log.run, last })
    }

    /// Waits until there is something to tell, and tells all of it. May be
    /// dropped while waiting: nothing is lost.
    pub async fn next(&mut self) -> Told {
        loop {
            self.wake.mark_unchanged();
            if let Some(told) = self.take() {
                return told;
            }
            // Never closed: the sender is of the log, which is held.
            let _ = self.wake.changed().await;
        }
    }

    fn take(&mut self) -> Option<Told> {
        let state = self.log.state();
        let (first, last) = (state.before, state.last());
        let heard = self.heard.replace(last);
        let Some(heard) = heard.filter(|heard| (first..=last).contains(heard)) else {
            return Some(Told::Everything);
        };
        let mut layers: BTreeMap<&LayerId, Parts> = BTreeMap::new();
        let news = state.entries.iter().skip((heard - first) as usize);
        for Entry { layer, what, .. } in news.filter(|entry| entry.is_for(&self.caller)) {
            let parts = layers.entry(layer).or_default();
            match what {
                What::Features(boxes) => parts.features.extend(boxes),
                What::Generalised(boxes) => parts.generalised.extend(boxes),
                What::Description => parts.is_described_anew = true,
            }
        }
        let layers: Vec<LayerChange> = layers.into_iter().map(|(layer, parts)| parts.told(layer.clone())).collect();
        (!layers.is_empty()).then_some(Told::Layers(layers))
    }
}

#[derive(Default)]
struct Parts {
    features: Vec<Rect>,
    generalised: Vec<Rect>,
    is_described_anew: bool,
}

impl Parts {
    fn told(self, layer: LayerId) -> LayerChange {
        let extents = |boxes| few(boxes).into_iter().map(extent).collect();
        LayerChange {
            layer,
            features: extents(self.features),
            generalised: extents(self.generalised),
            is_described_anew: self.is_described_anew,
        }
    }
}

/// One change of a layer.
#[derive(Debug)]
pub(super) enum What {
    /// Of its features, in these boxes.
    Features(Vec<Rect>),
    /// Of its generalised tiles, in these boxes.
    Generalised(Vec<Rect>),
    /// Of what the catalogue says of it.
    Description,
}

/// The last changes.
#[derive(Debug)]
pub(super) struct ChangeLog {
    /// Tells this process from others, and from those before it.
    run: u64,
    state: Mutex<State>,
    wake: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    /// How many changes came before those that are kept.
    before: u64,
    entries: VecDeque<Entry>,
}

#[derive(Debug)]
struct Entry {
    layer: LayerId,
    municipality: MunicipalityCode,
    dependency: String,
    visibility: Visibility,
    subject: Subject,
    what: What,
}

impl ChangeLog {
    pub(super) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { run: now.as_nanos() as u64, state: Mutex::default(), wake: watch::Sender::new(()) }
    }

    pub(super) fn position(&self) -> ChangePosition {
        ChangePosition { run: self.run, last: self.state().last() }
    }

    /// A layer changed, and its tiles show it.
    pub(super) fn tell(&self, layer: &Layer, what: What) {
        let what = match what {
            What::Features(boxes) | What::Generalised(boxes) if boxes.is_empty() => return,
            What::Features(boxes) => What::Features(few(boxes)),
            What::Generalised(boxes) => What::Generalised(few(boxes)),
            What::Description => What::Description,
        };
        let mut state = self.state();
        state.entries.push_back(Entry {
            layer: layer.id.clone(),
            municipality: layer.municipality.clone(),
            dependency: layer.definition.dependency.clone(),
            visibility: layer.visibility(),
            subject: layer.subject(),
            what,
        });
        if state.entries.len() > KEPT {
            state.entries.pop_front();
            state.before += 1;
        }
        drop(state);
        self.wake.send_replace(());
    }

    /// Anything may have changed; what was is not told any more.
    pub(super) fn tell_everything(&self) {
        let mut state = self.state();
        state.before = state.last() + 1;
        state.entries.clear();
        drop(state);
        self.wake.send_replace(());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The number of the last change.
    fn last(&self) -> u64 {
        self.before + self.entries.len() as u64
    }
}

impl Entry {
    fn is_for(&self, caller: &Caller) -> bool {
        let Self { municipality, dependency, layer, .. } = self;
        let scope = Scope { municipality, dependency, layer: layer.as_str() };
        caller.clearance(&scope, self.subject) >= Some(self.visibility)
    }
}

/// The boxes, or, of many, boxes around those that lie close together.
fn few(mut boxes: Vec<Rect>) -> Vec<Rect> {
    boxes.sort_unstable_by_key(|rect| (hilbert(centre(*rect)), *rect));
    boxes.dedup();
    if boxes.len() <= MOST_BOXES {
        return boxes;
    }
    let together = boxes.chunks(boxes.len().div_ceil(MOST_BOXES));
    together.filter_map(|boxes| boxes.iter().copied().reduce(with_rect)).collect()
}

/// In degrees, to the next ten millionth (a centimetre) outward.
fn extent(rect: Rect) -> Extent {
    let side = f64::from(2.0_f32.powi(32));
    let longitude = |x: u32| f64::from(x) / side * 360.0 - 180.0;
    let latitude = |y: u32| (std::f64::consts::PI * (1.0 - 2.0 * f64::from(y) / side)).sinh().atan().to_degrees();
    let (down, up) = (|degrees: f64| (degrees * 1e7).floor() / 1e7, |degrees: f64| (degrees * 1e7).ceil() / 1e7);
    Extent {
        west: down(longitude(rect[0])),
        south: down(latitude(rect[3])),
        east: up(longitude(rect[2])),
        north: up(latitude(rect[1])),
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn entry(id: &str, visibility: Visibility, what: What) -> Entry {
        let (municipality, dependency) = ("73001".parse().unwrap(), String::new());
        Entry { layer: id.parse().unwrap(), municipality, dependency, visibility, subject: Subject::Thing, what }
    }

    fn push(log: &ChangeLog, entry: Entry) {
        log.state().entries.push_back(entry);
        log.wake.send_replace(());
    }

    fn log() -> Arc<ChangeLog> {
        Arc::new(ChangeLog::new())
    }

    const HERE: Rect = [1 << 31, 1 << 31, (1 << 31) + 10, (1 << 31) + 10];

    #[test]
    fn what_came_meanwhile_is_told_at_once_and_once() {
        let log = log();
        let mut changes = Changes::new(&Caller::ANONYMOUS, &log, None);
        assert!(changes.next().now_or_never().is_none());
        push(&log, entry("vias", Visibility::Publica, What::Features(vec![HERE])));
        push(&log, entry("barrios", Visibility::Publica, What::Description));
        push(&log, entry("vias", Visibility::Publica, What::Generalised(vec![HERE])));
        let Some(Told::Layers(told)) = changes.next().now_or_never() else { panic!("layers") };
        let names: Vec<&str> = told.iter().map(|change| change.layer.as_str()).collect();
        assert_eq!(names, ["barrios", "vias"]);
        assert!(told[0].is_described_anew && told[0].features.is_empty() && !told[1].is_described_anew);
        let [place] = *told[1].features else { panic!("one box") };
        assert!(place.contains(0.0, 0.0) && place.east < 1e-5 && place.south > -1e-5, "{place:?}");
        assert_eq!(told[1].generalised, told[1].features);
        assert!(changes.next().now_or_never().is_none());
    }

    #[test]
    fn layers_that_the_caller_may_not_read_are_not_named() {
        let log = log();
        let mut public = Changes::new(&Caller::ANONYMOUS, &log, None);
        let mut operator = Changes::new(&Caller::OPERATOR, &log, None);
        push(&log, entry("expedientes", Visibility::Reservada, What::Features(vec![HERE])));
        assert!(public.next().now_or_never().is_none());
        assert!(matches!(operator.next().now_or_never(), Some(Told::Layers(_))));
    }

    #[test]
    fn a_position_is_followed_on_as_long_as_it_is_known() {
        let log = log();
        let begun = log.position();
        push(&log, entry("vias", Visibility::Publica, What::Description));
        let mut again = Changes::new(&Caller::ANONYMOUS, &log, Some(begun.to_string().parse().unwrap()));
        assert!(matches!(again.next().now_or_never(), Some(Told::Layers(_))));
        assert_eq!(again.position(), Some(log.position()));
        for unknown in [ChangePosition { run: 1, last: 0 }, ChangePosition { run: log.run, last: 99 }] {
            let mut lost = Changes::new(&Caller::ANONYMOUS, &log, Some(unknown));
            assert_eq!(lost.next().now_or_never(), Some(Told::Everything));
            assert!(lost.next().now_or_never().is_none());
        }
        log.tell_everything();
        assert_eq!(again.next().now_or_never(), Some(Told::Everything));
        let mut late = Changes::new(&Caller::ANONYMOUS, &log, Some(begun));
        assert_eq!(late.next().now_or_never(), Some(Told::Everything));
        for no_position in ["", "-", "12-3", "zzzzzzzzzzzzzzzz-1", "00000000000000aa-", "00000000000000aa-+1"] {
            assert!(no_position.parse::<ChangePosition>().is_err(), "{no_position}");
        }
    }

    #[test]
    fn many_boxes_become_few_that_hold_them() {
        let boxes: Vec<Rect> = (0..1000).map(|n| [n * 1000, n * 77, n * 1000 + 5, n * 77 + 5]).collect();
        let fewer = few(boxes.clone());
        assert!(fewer.len() <= MOST_BOXES, "{}", fewer.len());
        let holds = |one: &Rect, other: &Rect| with_rect(*one, *other) == *one;
        assert!(boxes.iter().all(|rect| fewer.iter().any(|around| holds(around, rect))));
    }
}
