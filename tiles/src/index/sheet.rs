use std::io;

use super::column::Scratch;
use super::drafts::Sorted;
use super::table::{Table, TableView};

/// Features that are drawn together: as they are, or generalised for a zoom.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    /// The attributes that its features have, by their number among the
    /// index's columns.
    pub(crate) columns: Vec<u16>,
    /// Its features by the zoom at which they enter, ascending.
    pub(crate) strata: Vec<Stratum>,
}

/// The features of a sheet that enter at one zoom.
#[derive(Debug)]
pub(crate) struct Stratum {
    pub(crate) zoom: u8,
    pub(super) table: Table,
}

impl Stratum {
    pub(crate) fn view(&self) -> TableView<'_> {
        self.table.view()
    }
}

impl Sheet {
    /// The drafts; `code` makes codes of the sheet of theirs.
    pub(crate) fn new(
        columns: Vec<u16>,
        drafts: &Sorted,
        code: impl Fn(u32) -> u32,
        scratch: &Scratch,
    ) -> io::Result<Self> {
        let table = |(zoom, chosen)| Ok(Stratum { zoom, table: Table::new(drafts, chosen, &code, scratch)? });
        Ok(Self { columns, strata: drafts.strata().map(table).collect::<io::Result<_>>()? })
    }

    pub(crate) fn len(&self) -> usize {
        self.strata.iter().map(|stratum| stratum.table.len()).sum()
    }

    /// The stratum of that zoom.
    pub(crate) fn stratum(&self, zoom: u8) -> Option<&Stratum> {
        self.strata.binary_search_by_key(&zoom, |stratum| stratum.zoom).ok().map(|index| &self.strata[index])
    }

    /// Whether its arrays belong together; `values` are how many there are.
    pub(super) fn is_whole(&self, values: usize) -> bool {
        self.strata.is_sorted_by(|one, other| one.zoom < other.zoom)
            && self.strata.iter().all(|stratum| stratum.table.is_whole(self.columns.len(), values))
    }

    pub(crate) fn owned_bytes(&self) -> usize {
        self.strata.iter().map(|stratum| stratum.table.owned_bytes()).sum()
    }
}
