use std::collections::BTreeSet;
use std::ops::Range;

use super::{Hits, Index, Sheet, TableView, Unreadable, Values};
use crate::world::Rect;

/// Rows that no longer hold, by stratum: ascending, apart from each other.
pub(crate) type Gone = Vec<Vec<Range<u32>>>;

/// Features that are newer than those of a sheet, with values of their own.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    pub(crate) sheet: Sheet,
    pub(crate) values: Values,
}

impl Fresh {
    /// The features of a small index.
    pub(crate) fn of(index: Index) -> Self {
        Self { sheet: index.detailed, values: index.values }
    }
}

/// What lies over a sheet.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) gone: Gone,
    pub(crate) fresh: Fresh,
    /// The layer's features that are now in neither, where that is not what the
    /// index says.
    pub(crate) unreadable: Option<Unreadable>,
}

/// A sheet as it is now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layered<'a> {
    pub(crate) base: &'a Sheet,
    pub(crate) over: &'a Overlay,
}

/// What a layered sheet has in an area.
#[derive(Debug)]
pub(crate) struct Search<'a> {
    strata: Vec<Found<'a>>,
}

/// Of one stratum: of the sheet, and of what lies over it.
#[derive(Debug)]
struct Found<'a> {
    base: Option<(TableView<'a>, Vec<Hits>)>,
    fresh: Option<(TableView<'a>, Vec<Hits>)>,
}

/// A feature that was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feature<'a> {
    pub(crate) table: &'a TableView<'a>,
    pub(crate) row: u32,
    /// Whether it is of what lies over the sheet.
    pub(crate) is_fresh: bool,
    /// Whether all of it is in the area that was searched.
    pub(crate) inside: bool,
}

impl<'a> Layered<'a> {
    /// The features that enter at `zoom` or below and whose boxes meet `area`.
    pub(crate) fn search(&self, area: Rect, zoom: u8) -> Search<'a> {
        let enters = self.zooms().filter(|enters| *enters <= zoom);
        Search { strata: enters.map(|enters| self.find(enters, |table| table.search(area))).collect() }
    }

    /// The features that enter at exactly that zoom, from the first position
    /// to the last.
    pub(crate) fn between(&self, enters: u8, ends: (u64, u64)) -> Search<'a> {
        let all = |table: &TableView<'a>| {
            let rows = table.between(ends);
            if rows.is_empty() { Vec::new() } else { vec![Hits { rows, inside: true }] }
        };
        Search { strata: vec![self.find(enters, all)] }
    }

    /// The zooms at which features enter, ascending.
    pub(crate) fn zooms(&self) -> impl Iterator<Item = u8> + use<> {
        let strata = self.base.strata.iter().chain(&self.over.fresh.sheet.strata);
        strata.map(|stratum| stratum.zoom).collect::<BTreeSet<_>>().into_iter()
    }

    fn find(&self, enters: u8, search: impl Fn(&TableView<'a>) -> Vec<Hits>) -> Found<'a> {
        let number = self.base.strata.iter().position(|stratum| stratum.zoom == enters);
        let base = number.map(|number| {
            let table = self.base.strata[number].view();
            let mut hits = search(&table);
            self.take_gone(number, &mut hits);
            (table, hits)
        });
        let fresh = self.over.fresh.sheet.stratum(enters).map(|stratum| {
            let table = stratum.view();
            let hits = search(&table);
            (table, hits)
        });
        Found { base, fresh: fresh.filter(|(_, hits)| !hits.is_empty()) }
    }

    /// Takes the rows of that stratum that are gone out of the hits.
    fn take_gone(&self, stratum: usize, hits: &mut Vec<Hits>) {
        let Some(gone) = self.over.gone.get(stratum).filter(|gone| !gone.is_empty()) else { return };
        let mut left = Vec::with_capacity(hits.len());
        for Hits { rows, inside } in hits.drain(..) {
            let mut from = rows.start;
            let first = gone.partition_point(|range| range.end <= rows.start);
            for range in gone[first..].iter().take_while(|range| range.start < rows.end) {
                if range.start > from {
                    left.push(Hits { rows: from..range.start, inside });
                }
                from = range.end.min(rows.end).max(from);
            }
            if from < rows.end {
                left.push(Hits { rows: from..rows.end, inside });
            }
        }
        *hits = left;
    }
}

impl Search<'_> {
    /// How many features it found, and how many places they have.
    pub(crate) fn weight(&self) -> (usize, usize) {
        let found = self.strata.iter().flat_map(|found| [&found.base, &found.fresh]).flatten();
        let ranges = found.flat_map(|(table, hits)| hits.iter().map(move |hits| (table, &hits.rows)));
        ranges.fold((0, 0), |(features, places), (table, rows)| (features + rows.len(), places + table.places(rows)))
    }

    /// Whether something of it lies over the sheet.
    pub(crate) fn has_fresh(&self) -> bool {
        self.strata.iter().any(|found| found.fresh.is_some())
    }

    /// Whether something of it stands for more than one feature.
    pub(crate) fn has_counts(&self) -> bool {
        let found = self.strata.iter().flat_map(|found| [&found.base, &found.fresh]).flatten();
        found.into_iter().any(|(table, hits)| !hits.is_empty() && table.has_counts())
    }

    /// Each feature: by the zoom at which they enter, then along the curve,
    /// whatever is of the sheet and what lies over it.
    pub(crate) fn for_each<'a>(&'a self, mut see: impl FnMut(Feature<'a>)) {
        for Found { base, fresh } in &self.strata {
            let base = rows(base.as_ref(), false);
            let Some(fresh) = fresh else {
                base.for_each(&mut see);
                continue;
            };
            let (mut base, mut fresh) = (base.peekable(), rows(Some(fresh), true).peekable());
            while let Some(feature) = match (base.peek(), fresh.peek()) {
                (Some(one), Some(other)) if key(other) < key(one) => fresh.next(),
                (Some(_), _) => base.next(),
                (None, _) => fresh.next(),
            } {
                see(feature);
            }
        }
    }
}

fn key(feature: &Feature) -> (u64, i64) {
    (feature.table.position(feature.row), feature.table.number(feature.row))
}

fn rows<'a>(found: Option<&'a (TableView<'a>, Vec<Hits>)>, is_fresh: bool) -> impl Iterator<Item = Feature<'a>> {
    found.into_iter().flat_map(move |(table, hits)| {
        hits.iter().flat_map(move |hits| {
            hits.rows.clone().map(move |row| Feature { table, row, is_fresh, inside: hits.inside })
        })
    })
}
