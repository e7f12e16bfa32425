//! A layer laid out so that its tiles are cut quickly: features along the
//! Hilbert curve, their attributes as codes of values that are encoded already.

mod array;
mod builder;
mod column;
mod drafts;
pub(crate) mod file;
mod geometry;
mod layered;
mod map;
mod sheet;
mod table;
mod tree;
mod values;

use layers::features::FeatureId;
use xxhash_rust::xxh3::xxh3_64;

use self::array::Array;
pub(crate) use self::builder::{Builder, NotIndexed, Unreadable};
pub(crate) use self::column::Scratch;
pub(crate) use self::drafts::{Drafts, Head, NO_ID, NO_PLACE};
pub(crate) use self::layered::{Feature, Fresh, Gone, Layered, Overlay, Search};
pub(crate) use self::sheet::{Sheet, Stratum};
pub(crate) use self::table::TableView;
pub(crate) use self::tree::Hits;
pub(crate) use self::values::{Values, ValuesBuilder, ValuesView};

/// What a feature's geometry is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GeometryKind {
    /// Places.
    Points,
    /// Paths.
    Lines,
    /// Open rings: each exterior (positive area by the surveyor's formula on
    /// places), then its holes (negative).
    Areas,
}

impl GeometryKind {
    /// The kind of that number.
    fn of(number: u8) -> Self {
        match number {
            0 => Self::Points,
            1 => Self::Lines,
            _ => Self::Areas,
        }
    }
}

/// The features of a layer at one moment that have a geometry. Immutable:
/// changes lie over it ([`crate::engine`]).
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The attributes' names: all of the layer that a tile can hold.
    pub(crate) columns: Vec<String>,
    pub(crate) values: Values,
    /// Codes from this one on are used once.
    pub(crate) first_single: u32,
    /// Every feature as it is.
    pub(crate) detailed: Sheet,
    /// Generalised, the finest first: each one zoom coarser than the one
    /// before. None where every tile is small enough without.
    pub(crate) levels: Vec<Level>,
    /// The greatest size of a tile with gzip as a part of its size without,
    /// among some heavy ones; 0 where none was measured.
    pub(crate) gzip_ratio: f32,
    /// Numbers of features in ascending order, and where each one is: stratum
    /// × 2^32 + row of the detailed sheet.
    key_numbers: Array<i64>,
    key_rows: Array<u64>,
    /// The layer's features that are not in it, though they have a geometry.
    pub(crate) unreadable: Unreadable,
    /// Bytes of the file that it is mapped from; 0 where it is in memory.
    pub(crate) file_bytes: usize,
}

/// A layer generalised for one zoom.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) zoom: u8,
    pub(crate) sheet: Sheet,
}

impl Index {
    /// How many features it holds.
    pub(crate) fn len(&self) -> usize {
        self.detailed.len()
    }

    /// The stratum and the row, in the detailed sheet, of the feature with that id.
    pub(crate) fn find(&self, id: &FeatureId) -> Option<(usize, u32)> {
        let index = self.key_numbers.binary_search(&number(id)).ok()?;
        let row = self.key_rows[index];
        Some(((row >> 32) as usize, row as u32))
    }

    /// Bytes of the values that are used once.
    pub(crate) fn single_bytes(&self) -> usize {
        self.values.bytes_from(self.first_single)
    }

    /// Whether its arrays belong together, so that reading it cannot fail.
    fn is_whole(&self) -> bool {
        let values = self.values.count();
        let keys = self.key_rows.iter().all(|row| {
            let stratum = self.detailed.strata.get((row >> 32) as usize);
            stratum.is_some_and(|stratum| (*row as u32) < stratum.view().len())
        });
        let sheets = std::iter::once(&self.detailed).chain(self.levels.iter().map(|level| &level.sheet));
        let columns = |sheet: &Sheet| sheet.columns.iter().all(|column| usize::from(*column) < self.columns.len());
        keys && self.key_numbers.len() == self.key_rows.len()
            && self.values.is_whole()
            && self.first_single as usize <= values + 1
            && self.levels.iter().all(|level| level.zoom <= crate::HIGHEST_ZOOM)
            && sheets.into_iter().all(|sheet| columns(sheet) && sheet.is_whole(values))
    }

    /// Bytes of memory that it takes itself, about; not those of its file.
    pub(crate) fn owned_bytes(&self) -> usize {
        self.values.owned_bytes()
            + self.detailed.owned_bytes()
            + self.levels.iter().map(|level| level.sheet.owned_bytes()).sum::<usize>()
            + self.key_numbers.owned_bytes()
            + self.key_rows.owned_bytes()
    }
}

/// A feature's id as a number: negative where it is a text (a hash of it) or
/// is negative, and a tile gives none.
pub(crate) fn number(id: &FeatureId) -> i64 {
    match id {
        FeatureId::Number(number) => *number,
        FeatureId::Text(text) => (xxh3_64(text.as_bytes()) | 1 << 63) as i64,
    }
}
