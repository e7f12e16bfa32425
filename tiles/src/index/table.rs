use std::io;
use std::ops::Range;

use super::array::Array;
use super::column::{Column, Scratch};
use super::drafts::Sorted;
use super::tree::{self, Hits};
use super::{GeometryKind, NO_PLACE};
use crate::cut::Cutter;
use crate::world::{Place, Rect};

/// Features that enter at one zoom, along the Hilbert curve.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Where each feature stands on the curve.
    pub(super) positions: Array<u64>,
    /// The numbers that tiles give as ids; negative where they give none.
    pub(super) ids: Array<i64>,
    /// The features' boxes, and over them the tree's.
    pub(super) boxes: Array<Rect>,
    /// What each feature's geometry is, and from which zoom on it stays
    /// simple when it is snapped: kind × 64 + zoom.
    pub(super) shapes: Array<u8>,
    /// Where each feature's first part is, and where the last one's end.
    pub(super) parts: Array<u32>,
    /// Where each part's first place is, and where the last one's end.
    pub(super) starts: Array<u32>,
    pub(super) places: Array<Place>,
    /// Where labels stand ([`NO_PLACE`] for none); empty where no feature has one.
    pub(super) labels: Array<Place>,
    /// How many features each stands for; empty where each is one.
    pub(super) counts: Array<u32>,
    /// Codes of values: for each feature one of each of the sheet's columns.
    pub(super) codes: Array<u32>,
}

impl Table {
    /// Those of the drafts; `code` makes the table's codes of theirs.
    pub(super) fn new(
        drafts: &Sorted,
        chosen: Range<usize>,
        code: impl Fn(u32) -> u32,
        scratch: &Scratch,
    ) -> io::Result<Self> {
        let mut cutter = Cutter::default();
        let (mut positions, mut ids) = (Column::new(scratch), Column::new(scratch));
        let (mut rects, mut shapes) = (Vec::with_capacity(chosen.len()), Column::new(scratch));
        let (mut parts, mut starts, mut places) = (Column::new(scratch), Column::new(scratch), Column::new(scratch));
        let (mut labels, mut counts, mut codes) = (Column::new(scratch), Column::new(scratch), Column::new(scratch));
        let has_labels = chosen.clone().any(|at| drafts.draft(at).label() != NO_PLACE);
        let has_counts = chosen.clone().any(|at| drafts.draft(at).count() > 1);
        for draft in chosen.map(|at| drafts.draft(at)) {
            positions.push(draft.position());
            ids.push(draft.id());
            rects.push(draft.rect());
            let kind = draft.kind();
            let simple_from = draft.simple_from().unwrap_or_else(|| cutter.simple_from(kind, &draft.parts()));
            shapes.push((kind as u8) << 6 | simple_from);
            parts.push(starts.len() as u32);
            for part in draft.parts() {
                starts.push(places.len() as u32);
                places.extend_from_slice(part);
            }
            if has_labels {
                labels.push(draft.label());
            }
            if has_counts {
                counts.push(draft.count());
            }
            for known in draft.codes() {
                codes.push(code(*known));
            }
        }
        parts.push(starts.len() as u32);
        starts.push(places.len() as u32);
        let mut boxes = Column::new(scratch);
        tree::build(rects, |level| boxes.extend_from_slice(level));
        Ok(Self {
            positions: positions.finish()?,
            ids: ids.finish()?,
            boxes: boxes.finish()?,
            shapes: shapes.finish()?,
            parts: parts.finish()?,
            starts: starts.finish()?,
            places: places.finish()?,
            labels: labels.finish()?,
            counts: counts.finish()?,
            codes: codes.finish()?,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.positions.len()
    }

    /// The table with its arrays found, to be read many times.
    pub(crate) fn view(&self) -> TableView<'_> {
        TableView {
            positions: &self.positions,
            ids: &self.ids,
            boxes: &self.boxes,
            shapes: &self.shapes,
            parts: &self.parts,
            starts: &self.starts,
            places: &self.places,
            labels: &self.labels,
            counts: &self.counts,
            codes: &self.codes,
            width: if self.len() == 0 { 0 } else { self.codes.len() / self.len() },
        }
    }

    /// Whether the arrays belong together, so that reading them cannot fail;
    /// `values` are how many there are.
    pub(super) fn is_whole(&self, width: usize, values: usize) -> bool {
        let features = self.len();
        let either = |length: usize| length == 0 || length == features;
        let ends =
            |starts: &[u32], of: usize| starts.is_sorted() && starts.last().map(|last| *last as usize) == Some(of);
        self.ids.len() == features
            && self.boxes.len() == tree::size(features)
            && self.shapes.len() == features
            && self.parts.len() == features + 1
            && ends(&self.parts, self.starts.len().wrapping_sub(1))
            && ends(&self.starts, self.places.len())
            && either(self.labels.len())
            && either(self.counts.len())
            && self.codes.len() == features * width
            && self.codes.iter().all(|code| *code as usize <= values)
    }

    /// Bytes of memory of their own.
    pub(crate) fn owned_bytes(&self) -> usize {
        self.positions.owned_bytes()
            + self.ids.owned_bytes()
            + self.boxes.owned_bytes()
            + self.shapes.owned_bytes()
            + self.parts.owned_bytes()
            + self.starts.owned_bytes()
            + self.places.owned_bytes()
            + self.labels.owned_bytes()
            + self.counts.owned_bytes()
            + self.codes.owned_bytes()
    }
}

/// A table, to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TableView<'a> {
    positions: &'a [u64],
    ids: &'a [i64],
    boxes: &'a [Rect],
    shapes: &'a [u8],
    parts: &'a [u32],
    starts: &'a [u32],
    places: &'a [Place],
    labels: &'a [Place],
    counts: &'a [u32],
    codes: &'a [u32],
    width: usize,
}

impl<'a> TableView<'a> {
    pub(crate) fn len(&self) -> u32 {
        self.positions.len() as u32
    }

    /// The rows whose boxes meet `area`, in their order.
    pub(crate) fn search(&self, area: Rect) -> Vec<Hits> {
        let mut hits = Vec::new();
        tree::search(self.boxes, self.positions.len(), area, &mut hits);
        hits
    }

    /// The rows with positions from the first to the last.
    pub(crate) fn between(&self, (first, last): (u64, u64)) -> Range<u32> {
        let from = self.positions.partition_point(|position| *position < first);
        let to = self.positions.partition_point(|position| *position <= last);
        from as u32..to as u32
    }

    pub(crate) fn position(&self, row: u32) -> u64 {
        self.positions[row as usize]
    }

    /// The feature's number; negative where tiles give no id.
    pub(crate) fn number(&self, row: u32) -> i64 {
        self.ids[row as usize]
    }

    /// The number that tiles give as id.
    pub(crate) fn id(&self, row: u32) -> Option<u64> {
        u64::try_from(self.ids[row as usize]).ok()
    }

    pub(crate) fn rect(&self, row: u32) -> Rect {
        self.boxes[row as usize]
    }

    pub(crate) fn kind(&self, row: u32) -> GeometryKind {
        GeometryKind::of(self.shapes[row as usize] >> 6)
    }

    /// From which zoom on the feature's rings stay simple when they are snapped.
    pub(crate) fn simple_from(&self, row: u32) -> u8 {
        self.shapes[row as usize] & 63
    }

    pub(crate) fn label(&self, row: u32) -> Option<Place> {
        self.labels.get(row as usize).copied().filter(|place| *place != NO_PLACE)
    }

    /// Whether features stand for more than one.
    pub(crate) fn has_counts(&self) -> bool {
        !self.counts.is_empty()
    }

    /// How many features it stands for; none where each is one.
    pub(crate) fn count(&self, row: u32) -> Option<u32> {
        self.counts.get(row as usize).copied()
    }

    pub(crate) fn codes(&self, row: u32) -> &'a [u32] {
        let start = row as usize * self.width;
        &self.codes[start..start + self.width]
    }

    /// The feature's parts; rings are open: the first place does not come again.
    pub(crate) fn geometry(&self, row: u32) -> impl Iterator<Item = &'a [Place]> + Clone + use<'a> {
        let (starts, places) = (self.starts, self.places);
        let parts = self.parts[row as usize] as usize..self.parts[row as usize + 1] as usize;
        parts.map(move |part| &places[starts[part] as usize..starts[part + 1] as usize])
    }

    /// How many places the rows have in all.
    pub(crate) fn places(&self, rows: &Range<u32>) -> usize {
        let start = |row: u32| self.starts[self.parts[row as usize] as usize] as usize;
        start(rows.end) - start(rows.start)
    }
}
