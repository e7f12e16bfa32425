use std::io;
use std::ops::Range;

use super::array::Array;
use super::column::{Column, Scratch};
use super::{GeometryKind, TableView};
use crate::world::{NOWHERE, Place, Rect, with_place};

/// Stands for no place: the far corner, where there is nothing.
pub(crate) const NO_PLACE: Place = [u32::MAX; 2];

/// Features on their way into tables, in any order.
#[derive(Debug)]
pub(crate) struct Drafts {
    /// Codes that each has.
    width: usize,
    positions: Column<u64>,
    /// Their numbers; tiles give none that is negative.
    ids: Column<i64>,
    kinds: Column<u8>,
    /// The zooms at which they enter.
    zooms: Column<u8>,
    rects: Column<Rect>,
    labels: Column<Place>,
    /// How many features each stands for.
    counts: Column<u32>,
    /// From which zoom on each one's rings stay simple; [`NOT_LOOKED`] where
    /// that is not known.
    simple_from: Column<u8>,
    codes: Column<u32>,
    /// Where each one's first part is, and where the last one's end.
    parts: Column<u32>,
    /// Where each part's first place is, and where the last one's end.
    starts: Column<u32>,
    places: Column<Place>,
}

const NOT_LOOKED: u8 = u8::MAX;
/// The number of what stands for several features.
pub(crate) const NO_ID: i64 = -1;

/// What a draft is, besides its parts and its codes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) kind: GeometryKind,
    /// The zoom at which it enters.
    pub(crate) zoom: u8,
    /// Where it stands on the curve.
    pub(crate) position: u64,
    /// Its number; tiles give none that is negative.
    pub(crate) id: i64,
    pub(crate) label: Place,
    /// How many features it stands for.
    pub(crate) count: u32,
    /// From which zoom on its rings stay simple, where that is known.
    pub(crate) simple_from: Option<u8>,
}

impl Head {
    /// One feature of that kind there, without a number and a label, whose
    /// rings nobody looked at.
    pub(crate) fn new(kind: GeometryKind, zoom: u8, position: u64) -> Self {
        Self { kind, zoom, position, id: NO_ID, label: NO_PLACE, count: 1, simple_from: None }
    }
}

impl Drafts {
    /// None yet, each to have so many codes.
    pub(crate) fn new(width: usize, scratch: &Scratch) -> Self {
        Self {
            width,
            positions: Column::new(scratch),
            ids: Column::new(scratch),
            kinds: Column::new(scratch),
            zooms: Column::new(scratch),
            rects: Column::new(scratch),
            labels: Column::new(scratch),
            counts: Column::new(scratch),
            simple_from: Column::new(scratch),
            codes: Column::new(scratch),
            parts: Column::new(scratch),
            starts: Column::new(scratch),
            places: Column::new(scratch),
        }
    }

    /// Adds a feature of a table that enters at that zoom, with other codes.
    pub(crate) fn copy(&mut self, table: &TableView, row: u32, zoom: u8, codes: impl IntoIterator<Item = u32>) {
        let head = Head {
            kind: table.kind(row),
            zoom,
            position: table.position(row),
            id: table.number(row),
            label: table.label(row).unwrap_or(NO_PLACE),
            count: table.count(row).unwrap_or(1),
            simple_from: Some(table.simple_from(row)),
        };
        self.push(&head, table.geometry(row), codes);
    }

    /// Adds a draft of those parts, which are not empty, and codes.
    pub(crate) fn push<'a>(
        &mut self,
        head: &Head,
        parts: impl IntoIterator<Item = &'a [Place]>,
        codes: impl IntoIterator<Item = u32>,
    ) {
        self.parts.push(self.starts.len() as u32);
        let mut rect = NOWHERE;
        for part in parts {
            self.starts.push(self.places.len() as u32);
            self.places.extend_from_slice(part);
            rect = part.iter().copied().fold(rect, with_place);
        }
        for code in codes {
            self.codes.push(code);
        }
        self.positions.push(head.position);
        self.ids.push(head.id);
        self.kinds.push(head.kind as u8);
        self.zooms.push(head.zoom);
        self.rects.push(rect);
        self.labels.push(head.label);
        self.counts.push(head.count);
        self.simple_from.push(head.simple_from.unwrap_or(NOT_LOOKED));
        debug_assert_eq!(self.codes.len(), self.positions.len() * self.width);
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        self.places.len()
    }

    /// How many codes there are.
    pub(super) fn codes(&self) -> usize {
        self.codes.len()
    }

    /// Bytes of memory that they take, and that it takes to sort them, about.
    pub(super) fn bytes(&self) -> usize {
        self.positions.owned_bytes()
            + self.ids.owned_bytes()
            + self.kinds.owned_bytes()
            + self.zooms.owned_bytes()
            + self.rects.owned_bytes()
            + self.labels.owned_bytes()
            + self.counts.owned_bytes()
            + self.simple_from.owned_bytes()
            + self.codes.owned_bytes()
            + self.parts.owned_bytes()
            + self.starts.owned_bytes()
            + self.places.owned_bytes()
            + self.positions.len() * size_of::<Key>()
    }

    /// The drafts in the order of a sheet: by zoom, then along the curve. What
    /// stands on one place and has no number keeps its order.
    pub(crate) fn sort(mut self) -> io::Result<Sorted> {
        self.parts.push(self.starts.len() as u32);
        self.starts.push(self.places.len() as u32);
        let (positions, ids, zooms) = (self.positions.finish()?, self.ids.finish()?, self.zooms.finish()?);
        let mut keys: Vec<Key> = Vec::with_capacity(positions.len());
        for (draft, ((position, id), zoom)) in positions.iter().zip(&*ids).zip(&*zooms).enumerate() {
            keys.push((*zoom, draft as u32, *position, *id));
        }
        keys.sort_unstable_by_key(|(zoom, draft, position, id)| (*zoom, *position, *id, *draft));
        Ok(Sorted {
            width: self.width,
            order: keys.iter().map(|key| key.1).collect(),
            positions,
            ids,
            kinds: self.kinds.finish()?,
            zooms,
            rects: self.rects.finish()?,
            labels: self.labels.finish()?,
            counts: self.counts.finish()?,
            simple_from: self.simple_from.finish()?,
            codes: self.codes.finish()?,
            parts: self.parts.finish()?,
            starts: self.starts.finish()?,
            places: self.places.finish()?,
        })
    }
}

/// Zoom, number of the draft, position, id.
type Key = (u8, u32, u64, i64);

/// Drafts in the order of a sheet.
#[derive(Debug)]
pub(crate) struct Sorted {
    width: usize,
    /// The drafts, by their number.
    order: Vec<u32>,
    positions: Array<u64>,
    ids: Array<i64>,
    kinds: Array<u8>,
    zooms: Array<u8>,
    rects: Array<Rect>,
    labels: Array<Place>,
    counts: Array<u32>,
    simple_from: Array<u8>,
    codes: Array<u32>,
    parts: Array<u32>,
    starts: Array<u32>,
    places: Array<Place>,
}

impl Sorted {
    /// Those that enter at one zoom, zoom by zoom, ascending.
    pub(super) fn strata(&self) -> impl Iterator<Item = (u8, Range<usize>)> {
        let mut end = 0;
        self.order.chunk_by(|one, other| self.zooms[*one as usize] == self.zooms[*other as usize]).map(move |chunk| {
            let start = end;
            end += chunk.len();
            (self.zooms[chunk[0] as usize], start..end)
        })
    }

    /// The codes of all, one after the other.
    pub(crate) fn all_codes(&self) -> impl Iterator<Item = u32> {
        self.order.iter().flat_map(|draft| {
            let start = *draft as usize * self.width;
            self.codes[start..start + self.width].iter().copied()
        })
    }

    /// The one at that place in the order.
    pub(super) fn draft(&self, at: usize) -> Draft<'_> {
        Draft { drafts: self, number: self.order[at] as usize }
    }
}

/// One of the drafts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draft<'a> {
    drafts: &'a Sorted,
    number: usize,
}

impl<'a> Draft<'a> {
    pub(super) fn position(self) -> u64 {
        self.drafts.positions[self.number]
    }

    pub(super) fn id(self) -> i64 {
        self.drafts.ids[self.number]
    }

    pub(super) fn kind(self) -> GeometryKind {
        GeometryKind::of(self.drafts.kinds[self.number])
    }

    pub(super) fn rect(self) -> Rect {
        self.drafts.rects[self.number]
    }

    pub(super) fn label(self) -> Place {
        self.drafts.labels[self.number]
    }

    pub(super) fn count(self) -> u32 {
        self.drafts.counts[self.number]
    }

    /// From which zoom on its rings stay simple, where that is known.
    pub(super) fn simple_from(self) -> Option<u8> {
        Some(self.drafts.simple_from[self.number]).filter(|zoom| *zoom != NOT_LOOKED)
    }

    pub(super) fn codes(self) -> &'a [u32] {
        let start = self.number * self.drafts.width;
        &self.drafts.codes[start..start + self.drafts.width]
    }

    pub(super) fn parts(self) -> impl Iterator<Item = &'a [Place]> + Clone {
        let Sorted { parts, starts, places, .. } = self.drafts;
        let parts = parts[self.number] as usize..parts[self.number + 1] as usize;
        parts.map(move |part| &places[starts[part] as usize..starts[part + 1] as usize])
    }
}
