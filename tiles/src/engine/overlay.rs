//! What changed since an index was built, laid over it.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use layers::features::{FeatureId, SnapshotRow};

use super::generation::Generation;
use crate::generalise::{Cell, Cells, ends, generalise, hold, kept};
use crate::index::{
    Builder, Drafts, Fresh, Gone, Index, Layered, NotIndexed, Overlay, Scratch, Sheet, Stratum, ValuesBuilder, number,
};
use crate::world::{Rect, with_rect};

/// Where features that changed were and are: the zoom at which they enter,
/// and their position.
pub(super) type Places = BTreeSet<(u8, u64)>;

/// The overlay of the features as they are: what lies over the generation, but
/// for the features `ids`, of which there are now those in `rows`. `changed`
/// are all that did since the index was built.
pub(super) fn detailed(
    generation: &Generation,
    changed: &BTreeSet<FeatureId>,
    ids: &[FeatureId],
    rows: &[SnapshotRow],
) -> Result<Overlay, NotIndexed> {
    let index = &*generation.index;
    let mut gone: Gone = vec![Vec::new(); index.detailed.strata.len()];
    for (stratum, row) in changed.iter().filter_map(|id| index.find(id)) {
        gone[stratum].push(row..row + 1);
    }
    for rows in &mut gone {
        rows.sort_unstable_by_key(|range| range.start);
    }
    let mut newest = Builder::new(&generation.layer, &Scratch::default());
    for row in rows {
        newest.push(row);
    }
    let mut newest = newest.finish()?;
    let mut unreadable = generation.unreadable().clone();
    unreadable.retain(|id, _| !ids.iter().any(|changed| changed.to_string() == *id));
    unreadable.append(&mut newest.unreadable);
    let newest = Fresh::of(newest);
    let replaced: HashSet<i64> = ids.iter().map(number).collect();
    let mut drafts = Drafts::new(index.columns.len(), &Scratch::default());
    let mut values = ValuesBuilder::default();
    for stratum in &generation.detailed.fresh.sheet.strata {
        let table = stratum.view();
        let kept = (0..table.len()).filter(|row| !replaced.contains(&table.number(*row)));
        copy(&generation.detailed.fresh, stratum, kept, &mut values, &mut drafts);
    }
    for stratum in &newest.sheet.strata {
        copy(&newest, stratum, 0..stratum.view().len(), &mut values, &mut drafts);
    }
    let fresh = fresh(index.detailed.columns.clone(), drafts, values)?;
    Ok(Overlay { gone, fresh, unreadable: Some(unreadable) })
}

fn fresh(columns: Vec<u16>, drafts: Drafts, values: ValuesBuilder) -> Result<Fresh, NotIndexed> {
    let (drafts, scratch) = (drafts.sort()?, Scratch::default());
    let values = values.finish(drafts.all_codes(), &scratch)?;
    Ok(Fresh { sheet: Sheet::new(columns, &drafts, |code| values.code(code), &scratch)?, values: values.values })
}

/// Where those features stand in an index and in what lies over it, and their
/// boxes.
pub(super) fn places(index: &Index, over: &[&Overlay], ids: &[FeatureId]) -> (Places, Vec<Rect>) {
    let (mut places, mut boxes) = (Places::new(), Vec::new());
    let numbers: HashSet<i64> = ids.iter().map(number).collect();
    for id in ids {
        if let Some((stratum, row)) = index.find(id) {
            let stratum = &index.detailed.strata[stratum];
            places.insert((stratum.zoom, stratum.view().position(row)));
            boxes.push(stratum.view().rect(row));
        }
    }
    for stratum in over.iter().flat_map(|over| &over.fresh.sheet.strata) {
        let table = stratum.view();
        for row in (0..table.len()).filter(|row| numbers.contains(&table.number(*row))) {
            places.insert((stratum.zoom, table.position(row)));
            boxes.push(table.rect(row));
        }
    }
    (places, boxes)
}

/// What lies over an index's levels.
pub(super) struct Levels {
    pub(super) index: Arc<Index>,
    /// Of each level.
    pub(super) overlays: Vec<Overlay>,
    /// Where the levels differ from what they were before.
    pub(super) boxes: Vec<Rect>,
}

/// The overlays of an index's levels: the cells of all that was `touched`
/// since it was built, those of the `dirty` part made anew, the others as
/// they were in the generation.
pub(super) fn levels(generation: &Generation, touched: &Places, dirty: &Places) -> Result<Levels, NotIndexed> {
    let index = &*generation.index;
    let mut boxes = BTreeSet::new();
    let mut overlays: Vec<Overlay> = Vec::with_capacity(index.levels.len());
    for (level, before) in index.levels.iter().zip(&*generation.levels) {
        let cells = |places: &Places| -> BTreeSet<Cell> {
            places.iter().filter_map(|(enters, position)| hold(level.zoom, *enters, *position)).collect()
        };
        let (touched, dirty) = (cells(touched), cells(dirty));
        let finer = match overlays.len().checked_sub(1) {
            Some(last) => Layered { base: &index.levels[last].sheet, over: &overlays[last] },
            None => generation.detailed_sheet(),
        };
        let kept = kept(&generation.layer, index, finer.base, &level.sheet.columns);
        let mut drafts = Drafts::new(level.sheet.columns.len(), &Scratch::default());
        let mut values = ValuesBuilder::default();
        let mut code = |code: u32, is_fresh: bool| {
            let known = if is_fresh { &finer.over.fresh.values } else { &index.values };
            values.code_of(known.get(code))
        };
        generalise(finer, level.zoom, &kept, Cells::Only(&dirty), &mut code, &mut drafts);
        for cell in touched.difference(&dirty) {
            let Some(stratum) = before.fresh.sheet.stratum(cell.0) else { continue };
            let rows = stratum.view().between(ends(level.zoom, *cell));
            copy(&before.fresh, stratum, rows, &mut values, &mut drafts);
        }
        let fresh = fresh(level.sheet.columns.clone(), drafts, values)?;
        for sheet in [&level.sheet, &before.fresh.sheet, &fresh.sheet] {
            boxes.extend(dirty.iter().filter_map(|cell| around(sheet, level.zoom, *cell)));
        }
        overlays.push(Overlay { gone: gone(&level.sheet, level.zoom, &touched), fresh, unreadable: None });
    }
    Ok(Levels { index: generation.index.clone(), overlays, boxes: boxes.into_iter().collect() })
}

/// The box around all features of a cell; none where there are none.
fn around(sheet: &Sheet, zoom: u8, cell: Cell) -> Option<Rect> {
    let table = sheet.stratum(cell.0)?.view();
    table.between(ends(zoom, cell)).map(|row| table.rect(row)).reduce(with_rect)
}

/// The rows of a level's sheet that stand in those cells.
fn gone(sheet: &Sheet, zoom: u8, cells: &BTreeSet<Cell>) -> Gone {
    let of = |enters: u8| {
        let stratum = sheet.stratum(enters);
        let cells = cells.iter().filter(move |cell| cell.0 == enters);
        let rows = cells.filter_map(move |cell| stratum.map(|stratum| stratum.view().between(ends(zoom, *cell))));
        rows.filter(|rows| !rows.is_empty()).collect()
    };
    sheet.strata.iter().map(|stratum| of(stratum.zoom)).collect()
}

/// Appends those rows of a stratum, as they are.
fn copy(
    fresh: &Fresh,
    stratum: &Stratum,
    rows: impl Iterator<Item = u32>,
    values: &mut ValuesBuilder,
    drafts: &mut Drafts,
) {
    let table = stratum.view();
    for row in rows {
        let codes = table.codes(row).iter().map(|code| match code {
            0 => 0,
            code => values.code_of(fresh.values.get(*code)),
        });
        drafts.copy(&table, row, stratum.zoom, codes);
    }
}
