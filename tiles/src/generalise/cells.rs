use std::collections::BTreeSet;

use super::{Kept, Source, areas, lines, points};
use crate::index::{Drafts, Feature, GeometryKind, Layered, NO_PLACE};
use crate::world::{cell, positions};

/// A cell of a level for zoom z is a tile of zoom z + 4: 32 pixels wide.
const ZOOMS: u8 = 4;

/// A cell of a level: the zoom at which its features enter, and its number
/// along the curve.
pub(crate) type Cell = (u8, u64);

/// Which cells of a level.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cells<'a> {
    /// Every one that has features.
    All,
    /// These.
    Only(&'a BTreeSet<Cell>),
}

/// The cell of the level for `zoom` that holds what enters at zoom `enters`
/// and stands at `position`; none where the level does not have it.
pub(crate) fn hold(zoom: u8, enters: u8, position: u64) -> Option<Cell> {
    (enters <= zoom).then(|| (enters, cell(position, zoom + ZOOMS)))
}

/// The positions in a cell of the level for `zoom`: the first and the last.
pub(crate) fn ends(zoom: u8, cell: Cell) -> (u64, u64) {
    positions(cell.1, zoom + ZOOMS)
}

/// Appends the cells' features, generalised for `zoom`, of those that a finer
/// sheet has there. `code` gives the code of a value of that sheet (of what
/// lies over it, where its second argument says so) among the drafts'.
pub(crate) fn generalise(
    finer: Layered,
    zoom: u8,
    kept: &Kept,
    cells: Cells,
    code: &mut dyn FnMut(u32, bool) -> u32,
    drafts: &mut Drafts,
) {
    match cells {
        Cells::All => {
            for enters in finer.zooms().filter(|enters| *enters <= zoom) {
                one_after_the_other(finer, zoom, enters, kept, (0, u64::MAX), code, drafts);
            }
        }
        Cells::Only(cells) => {
            for cell in cells {
                one_after_the_other(finer, zoom, cell.0, kept, ends(zoom, *cell), code, drafts);
            }
        }
    }
}

fn one_after_the_other(
    finer: Layered,
    zoom: u8,
    enters: u8,
    kept: &Kept,
    ends: (u64, u64),
    code: &mut dyn FnMut(u32, bool) -> u32,
    drafts: &mut Drafts,
) {
    let found = finer.between(enters, ends);
    let mut current = None;
    let mut sources = Vec::new();
    found.for_each(|feature| {
        let source = source(feature, kept, code);
        let cell = hold(zoom, enters, source.position);
        if cell != current {
            one(zoom, enters, kept, &mut sources, drafts);
            current = cell;
        }
        sources.push(source);
    });
    one(zoom, enters, kept, &mut sources, drafts);
}

fn source<'a>(feature: Feature<'a>, kept: &Kept, code: &mut dyn FnMut(u32, bool) -> u32) -> Source<'a> {
    let Feature { table, row, is_fresh, .. } = feature;
    let codes = table.codes(row);
    let translated = |column: &usize| if codes[*column] == 0 { 0 } else { code(codes[*column], is_fresh) };
    Source {
        kind: table.kind(row),
        position: table.position(row),
        id: table.number(row),
        label: table.label(row).unwrap_or(NO_PLACE),
        count: table.count(row).unwrap_or(1),
        parts: table.geometry(row).collect(),
        codes: kept.columns.iter().map(translated).collect(),
    }
}

/// One cell's features; leaves none in `sources`.
fn one(zoom: u8, enters: u8, kept: &Kept, sources: &mut Vec<Source>, drafts: &mut Drafts) {
    let mut of = |kind: GeometryKind| sources.extract_if(.., |source| source.kind == kind).collect::<Vec<_>>();
    let (surfaces, paths, places) = (of(GeometryKind::Areas), of(GeometryKind::Lines), of(GeometryKind::Points));
    areas::generalise(zoom, enters, kept, &surfaces, drafts);
    lines::generalise(zoom, enters, &paths, drafts);
    points::generalise(zoom, enters, kept, &places, drafts);
}
