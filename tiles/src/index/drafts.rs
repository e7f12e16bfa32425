use super::{GeometryKind, TableView};
use crate::world::{NOWHERE, Place, Rect, with_place};

/// Stands for no place: the far corner, where there is nothing.
pub(crate) const NO_PLACE: Place = [u32::MAX; 2];

/// Features on their way into tables, in any order.
#[derive(Debug)]
pub(crate) struct Drafts {
    /// Codes that each has.
    pub(crate) width: usize,
    pub(crate) records: Vec<Draft>,
    codes: Vec<u32>,
    ends: Vec<u32>,
    places: Vec<Place>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draft {
    pub(crate) position: u64,
    /// Its number; tiles give none that is negative.
    pub(crate) id: i64,
    pub(crate) kind: GeometryKind,
    /// The zoom at which it enters.
    pub(crate) zoom: u8,
    pub(crate) rect: Rect,
    pub(crate) label: Place,
    /// How many features it stands for.
    pub(crate) count: u32,
    /// From which zoom on its rings stay simple, where that is known.
    pub(super) simple_from: Option<u8>,
    /// Its parts, and its row of codes: in the order in which drafts came.
    first_part: u32,
    parts: u32,
    row: u32,
}

impl Drafts {
    pub(crate) fn new(width: usize) -> Self {
        Self { width, records: Vec::new(), codes: Vec::new(), ends: Vec::new(), places: Vec::new() }
    }

    /// Adds a draft of those parts, which are not empty, and codes.
    #[expect(clippy::too_many_arguments, reason = "a record's fields")]
    pub(crate) fn push<'a>(
        &mut self,
        kind: GeometryKind,
        zoom: u8,
        position: u64,
        id: i64,
        label: Place,
        count: u32,
        parts: impl IntoIterator<Item = &'a [Place]>,
        codes: impl IntoIterator<Item = u32>,
    ) {
        let first_part = self.ends.len() as u32;
        let first_place = self.places.len();
        for part in parts {
            self.places.extend_from_slice(part);
            self.ends.push(self.places.len() as u32);
        }
        let row = self.records.len() as u32;
        self.codes.extend(codes);
        debug_assert_eq!(self.codes.len(), (row as usize + 1) * self.width);
        let rect = self.places[first_place..].iter().copied().fold(NOWHERE, with_place);
        let parts = self.ends.len() as u32 - first_part;
        let simple_from = None;
        self.records.push(Draft { position, id, kind, zoom, rect, label, count, simple_from, first_part, parts, row });
    }

    pub(super) fn codes(&self, draft: &Draft) -> &[u32] {
        let start = draft.row as usize * self.width;
        &self.codes[start..start + self.width]
    }

    /// Adds a feature of a table that enters at that zoom, with other codes.
    pub(crate) fn copy(&mut self, table: &TableView, row: u32, zoom: u8, codes: impl IntoIterator<Item = u32>) {
        self.push(
            table.kind(row),
            zoom,
            table.position(row),
            table.number(row),
            table.label(row).unwrap_or(NO_PLACE),
            table.count(row).unwrap_or(1),
            table.geometry(row),
            codes,
        );
        if let Some(draft) = self.records.last_mut() {
            draft.simple_from = Some(table.simple_from(row));
        }
    }

    /// Brings the drafts into the order of a sheet: by zoom, then along the
    /// curve. What stands on one place and has no number keeps its order.
    pub(crate) fn sort(&mut self) {
        self.records.sort_by_key(|draft| (draft.zoom, draft.position, draft.id));
        let mut codes = Vec::with_capacity(self.codes.len());
        for (row, draft) in self.records.iter_mut().enumerate() {
            let start = draft.row as usize * self.width;
            codes.extend_from_slice(&self.codes[start..start + self.width]);
            draft.row = row as u32;
        }
        self.codes = codes;
    }

    /// The codes of all drafts, in the order of the drafts.
    pub(crate) fn all_codes(&mut self) -> &mut [u32] {
        &mut self.codes
    }

    pub(super) fn parts(&self, draft: &Draft) -> impl Iterator<Item = &[Place]> + Clone {
        let parts = draft.first_part as usize..(draft.first_part + draft.parts) as usize;
        parts.map(|part| {
            let start = if part == 0 { 0 } else { self.ends[part - 1] };
            &self.places[start as usize..self.ends[part] as usize]
        })
    }

    pub(crate) fn places(&self) -> usize {
        self.places.len()
    }

    /// Bytes that they take, about.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.records.as_slice())
            + size_of_val(self.codes.as_slice())
            + size_of_val(self.ends.as_slice())
            + size_of_val(self.places.as_slice())
    }
}
