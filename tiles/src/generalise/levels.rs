use std::collections::{HashMap, HashSet};

use layers::Layer;

use super::said::always_kept;
use super::{Cells, Kept, generalise};
use crate::index::{Drafts, Index, Layered, Level, Overlay, Sheet};
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
pub(crate) fn levels(layer: &Layer, index: &Index) -> Vec<Level> {
    let Some(top) =
        (0..=HIGHEST_ZOOM).rev().find(|zoom| heaviest(index, *zoom).is_some_and(|(_, bytes)| bytes > HEAVY))
    else {
        return Vec::new();
    };
    let nothing = Overlay::default();
    let columns = kept_columns(layer, index);
    let mut levels: Vec<Level> = Vec::new();
    for zoom in (0..=top).rev() {
        let finer = levels.last().map_or(&index.detailed, |level| &level.sheet);
        let kept = kept(layer, index, finer, &columns);
        let mut drafts = Drafts::new(kept.columns.len());
        let finer = Layered { base: finer, over: &nothing };
        generalise(finer, zoom, &kept, Cells::All, &mut |code, _| code, &mut drafts);
        drafts.sort();
        let sheet = Sheet::new(columns.clone(), &drafts);
        let all = bytes(index, &sheet, sheet.len(), drafts.places());
        levels.push(Level { zoom, sheet });
        if all <= LIGHT {
            break;
        }
    }
    levels
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
    let mut tiles: HashMap<u64, (Place, usize)> = HashMap::new();
    for stratum in index.detailed.strata.iter().filter(|stratum| stratum.zoom <= zoom) {
        let table = stratum.view();
        let mut row = 0;
        while row < table.len() {
            let tile = cell(table.position(row), zoom.max(1));
            let rows = row..table.between(positions(tile, zoom.max(1))).end;
            let place = centre(table.rect(row));
            tiles.entry(tile).or_insert((place, 0)).1 += bytes(index, &index.detailed, rows.len(), table.places(&rows));
            row = rows.end;
        }
    }
    tiles.into_values().max_by_key(|(_, bytes)| *bytes)
}

/// About how many bytes so many features of the sheet with so many places take
/// in a tile.
fn bytes(index: &Index, sheet: &Sheet, features: usize, places: usize) -> usize {
    let values = index.single_bytes() / index.len().max(1) * sheet.columns.len() / index.columns.len().max(1);
    features * (12 + 3 * sheet.columns.len() + values) + places * 5 / 2
}
