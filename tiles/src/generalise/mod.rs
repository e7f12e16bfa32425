//! A layer as it is drawn from afar: outlines simplified under half a pixel,
//! areas under a square pixel gathered into representatives, lines of one
//! class joined, points thinned with their counts.
//!
//! A level is made of the one that is finer, cell by cell. A cell is a sixteenth
//! of a tile wide, and what becomes of its features depends on them alone: a
//! change of one feature changes one cell, or two, of each level.

mod areas;
mod cells;
mod levels;
mod lines;
mod points;
mod said;
mod simplify;

pub(crate) use self::cells::{Cell, Cells, ends, generalise, hold};
pub(crate) use self::levels::{heaviest, kept, levels};
pub(crate) use self::said::always_kept;
pub use self::said::generalisation;

use crate::index::GeometryKind;
use crate::world::Place;

/// What a level keeps of the features' attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The columns, by their number in the finer sheet.
    pub(crate) columns: Vec<usize>,
    /// The one by which the layer is classified, by its number among the kept.
    pub(crate) class: Option<usize>,
}

/// A feature of a cell.
#[derive(Debug)]
struct Source<'a> {
    kind: GeometryKind,
    position: u64,
    /// Its number; negative for none.
    id: i64,
    label: Place,
    /// How many features it stands for.
    count: u32,
    parts: Vec<&'a [Place]>,
    /// Codes of what is kept.
    codes: Vec<u32>,
}
