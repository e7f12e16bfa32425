use std::collections::HashSet;
use std::io;

use layers::Layer;

use super::said::always_kept;
use super::{Cells, Kept, generalise};
use crate::index::{Drafts, Index, Layered, Level, Overlay, Scratch, Sheet, TableView};
use crate::world::{Place, cell, centre, positions};
use crate::{HIGHEST_ZOOM, MOST_BYTES};

/// An attribute with more distinct values than this tells features apart, and
/// is left out of generalised tiles.
pub(super) const MOST_DISTINCT: usize = 64;

/// A tile of more bytes than this, without compression, may be too large, with
/// others in one tile.
const HEAVY: usize = MOST_BYTES / 4;
/// What has as a whole no more bytes than this is light at every zoom.
const LIGHT: usize = MOST_BYTES / 64;

/// The levels that a layer needs, the finest first: from the highest zoom at
/// which some tile may be too large, to one that as a whole is light.
pub(crate) fn levels(layer: &Layer, index: &Index, scratch: &Scratch) -> io::Result<Vec<Level>> {
    let Some(top) =
        (0..=HIGHEST_ZOOM).rev().find(|zoom| heaviest(index, *zoom).is_some_and(|(_, bytes)| bytes > HEAVY))
    else {
        return Ok(Vec::new());
    };
    let nothing = Overlay::default();
    let kept_anywhere = kept_columns(layer, index);
    let mut levels: Vec<Level> = Vec::new();
    for zoom in (0..=top).rev() {
        let finer = levels.last().map_or(&index.detailed, |level| &level.sheet);
        let columns = entered(layer, index, &kept_anywhere, zoom);
        let kept = kept(layer, index, finer, &columns);
        let mut drafts = Drafts::new(kept.columns.len(), scratch);
        let finer = Layered { base: finer, over: &nothing };
        generalise(finer, zoom, &kept, Cells::All, &mut |code, _| code, &mut drafts);
        let places = drafts.places();
        let sheet = Sheet::new(columns, &drafts.sort()?, |code| code, scratch)?;
        let all = bytes(index, &sheet, sheet.len(), places);
        levels.push(Level { zoom, sheet });
        if all <= LIGHT {
            break;
        }
    }
    Ok(levels)
}

/// Those of the columns that tiles of that zoom hold: what nobody sees need not
/// keep features apart. Coarser levels have no others.
fn entered(layer: &Layer, index: &Index, columns: &[u16], zoom: u8) -> Vec<u16> {
    let attribute = |column: u16| layer.definition.attribute(&index.columns[usize::from(column)]);
    let enters = |column: &u16| attribute(*column).is_none_or(|attribute| attribute.min_zoom <= zoom);
    columns.iter().copied().filter(enters).collect()
}

/// What a level with those columns keeps of a finer sheet.
pub(crate) fn kept(layer: &Layer, index: &Index, finer: &Sheet, columns: &[u16]) -> Kept {
    let name = |column: u16| Some(index.columns[usize::from(column)].as_str());
    let class = columns.iter().position(|column| name(*column) == layer.definition.classify_by.as_deref());
    let columns = columns.iter().filter_map(|column| finer.columns.iter().position(|finer| finer == column));
    Kept { columns: columns.collect(), class }
}

/// The attributes that levels keep: those that say how a feature is drawn and
/// named, and those that have few values.
fn kept_columns(layer: &Layer, index: &Index) -> Vec<u16> {
    let named = always_kept(&layer.definition);
    let is_kept = |column: &u16| {
        named.contains(&index.columns[usize::from(*column)].as_str()) || has_few_values(index, (*column).into())
    };
    (0..index.columns.len() as u16).filter(is_kept).collect()
}

fn has_few_values(index: &Index, column: usize) -> bool {
    let mut distinct = HashSet::new();
    index.detailed.strata.iter().all(|stratum| {
        let table = stratum.view();
        (0..table.len()).all(|row| {
            distinct.insert(table.codes(row)[column]);
            distinct.len() <= MOST_DISTINCT
        })
    })
}

/// The tile of that zoom with the most bytes of detailed features, by a place
/// in it, and about how many, without compression.
pub(crate) fn heaviest(index: &Index, zoom: u8) -> Option<(Place, usize)> {
    // Each stratum goes along the curve: they go together, from tile to tile.
    let strata = index.detailed.strata.iter().filter(|stratum| stratum.zoom <= zoom);
    let mut strata: Vec<_> = strata.map(|stratum| (stratum.view(), 0)).collect();
    let tile = |table: &TableView, row: u32| (row < table.len()).then(|| cell(table.position(row), zoom.max(1)));
    let mut heaviest = None;
    while let Some(next) = strata.iter().filter_map(|(table, row)| tile(table, *row)).min() {
        let (mut place, mut all) = (None, 0);
        for (table, row) in strata.iter_mut().filter(|(table, row)| tile(table, *row) == Some(next)) {
            let rows = *row..table.between(positions(next, zoom.max(1))).end;
            place = place.or_else(|| Some(centre(table.rect(*row))));
            all += bytes(index, &index.detailed, rows.len(), table.places(&rows));
            *row = rows.end;
        }
        if heaviest.is_none_or(|(_, most)| all > most) {
            heaviest = place.map(|place| (place, all));
        }
    }
    heaviest
}

/// About how many bytes so many features of the sheet with so many places take
/// in a tile.
fn bytes(index: &Index, sheet: &Sheet, features: usize, places: usize) -> usize {
    let values = index.single_bytes() / index.len().max(1) * sheet.columns.len() / index.columns.len().max(1);
    features * (12 + 3 * sheet.columns.len() + values) + places * 5 / 2
}
