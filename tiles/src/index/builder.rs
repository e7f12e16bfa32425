use std::collections::BTreeMap;
use std::io;

use layers::features::SnapshotRow;
use layers::{AttributeType, Layer, Value};

use super::array::Array;
use super::column::{Column, Scratch};
use super::geometry::Reader;
use super::{Drafts, Head, Index, NO_PLACE, Sheet, ValuesBuilder, number};
use crate::world::{NOWHERE, centre, hilbert, with_place};

/// Lays out features that come in any order.
#[derive(Debug)]
pub(crate) struct Builder {
    reader: Reader,
    drafts: Drafts,
    values: ValuesBuilder,
    scratch: Scratch,
    columns: Vec<String>,
    /// By attribute of the layer's definition: whether tiles can hold it.
    is_held: Vec<bool>,
    codes: Vec<u32>,
    rule: Option<Rule>,
    lowest_zoom: u8,
    unreadable: Unreadable,
}

/// From which zoom on a feature is in tiles, by an attribute's value.
#[derive(Debug)]
struct Rule {
    attribute: usize,
    rule: layers::ZoomRule,
}

/// Features that cannot be in tiles, by id, and why.
pub(crate) type Unreadable = BTreeMap<String, String>;

/// Why a layer has no index.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotIndexed {
    /// Places and values are numbered with 32 bits.
    #[error("it has more than 2^32 vertices or bytes of distinct values")]
    TooLarge,
    /// Two features have one number: one id, or texts with one hash as ids.
    #[error("two of its features cannot be told apart by their ids")]
    SameNumber,
    /// What is too long for the memory could not be written.
    #[error("it could not be laid out on disk: {0}")]
    Scratch(#[from] io::Error),
}

impl Builder {
    /// None yet; `scratch` is where long columns go.
    pub(crate) fn new(layer: &Layer, scratch: &Scratch) -> Self {
        let attributes = &layer.definition.attributes;
        let rule = layer.definition.zoom_rule.clone().and_then(|rule| {
            let attribute = attributes.iter().position(|attribute| attribute.name == rule.attribute)?;
            Some(Rule { attribute, rule })
        });
        // No map draws documents.
        let is_held: Vec<bool> = attributes.iter().map(|attribute| attribute.kind != AttributeType::Json).collect();
        let held = attributes.iter().zip(&is_held).filter(|(_, is_held)| **is_held);
        let columns: Vec<String> = held.map(|(attribute, _)| attribute.name.clone()).collect();
        Self {
            reader: Reader::default(),
            drafts: Drafts::new(columns.len(), scratch),
            values: ValuesBuilder::default(),
            scratch: scratch.clone(),
            columns,
            is_held,
            codes: Vec::new(),
            rule,
            lowest_zoom: layer.definition.min_zoom,
            unreadable: Unreadable::new(),
        }
    }

    /// Adds a feature with its geometry in EPSG:3857, and where its label
    /// stands (a point, likewise). One whose geometry cannot be read is left
    /// out and remembered as such; one that has none is left out.
    pub(crate) fn push(&mut self, row: &SnapshotRow) {
        if let Err(reason) = self.try_push(row) {
            self.unreadable.insert(row.feature.id.to_string(), reason);
        }
    }

    fn try_push(&mut self, SnapshotRow { feature, label, is_lost }: &SnapshotRow) -> Result<(), String> {
        let Some(wkb) = &feature.geometry else {
            return if *is_lost { Err("it lies where no map reaches".to_owned()) } else { Ok(()) };
        };
        let label = match label {
            Some(wkb) => {
                self.reader.read(wkb).map_err(|error| error.to_string())?;
                self.reader.parts.first().and_then(|part| part.first().copied())
            }
            None => None,
        };
        self.reader.read(wkb).map_err(|error| error.to_string())?;
        let Some(kind) = self.reader.kind.filter(|_| !self.reader.parts.is_empty()) else {
            let is_empty = !self.reader.is_anywhere;
            return if is_empty { Ok(()) } else { Err("it has no points, lines or areas".to_owned()) };
        };
        self.codes.clear();
        for (value, _) in feature.values.iter().zip(&self.is_held).filter(|(_, is_held)| **is_held) {
            self.codes.push(self.values.code(value));
        }
        let parts = || self.reader.parts.iter().map(Vec::as_slice);
        let zoom = zoom(self.rule.as_ref(), self.lowest_zoom, &feature.values);
        let position = hilbert(centre(parts().flatten().copied().fold(NOWHERE, with_place)));
        let (id, label) = (number(&feature.id), label.unwrap_or(NO_PLACE));
        let head = Head { id, label, ..Head::new(kind, zoom, position) };
        self.drafts.push(&head, parts(), self.codes.drain(..));
        Ok(())
    }

    /// Bytes of memory that it takes to gather so far, and to lay that out,
    /// about.
    pub(crate) fn bytes(&self) -> usize {
        self.drafts.bytes() + self.values.owned_bytes()
    }

    /// The index, without levels.
    pub(crate) fn finish(self) -> Result<Index, NotIndexed> {
        let most = u32::MAX as usize;
        if self.drafts.places() > most || self.drafts.codes() > most || self.values.bytes() > most {
            return Err(NotIndexed::TooLarge);
        }
        let drafts = self.drafts.sort()?;
        let values = self.values.finish(drafts.all_codes(), &self.scratch)?;
        let columns = (0..self.columns.len() as u16).collect();
        let detailed = Sheet::new(columns, &drafts, |code| values.code(code), &self.scratch)?;
        drop(drafts);
        let (key_numbers, key_rows) = keys(&detailed, &self.scratch)?;
        Ok(Index {
            columns: self.columns,
            first_single: values.first_single,
            values: values.values,
            detailed,
            levels: Vec::new(),
            gzip_ratio: 0.0,
            file_bytes: 0,
            unreadable: self.unreadable,
            key_numbers,
            key_rows,
        })
    }
}

/// The features' numbers in ascending order, and where each one is.
fn keys(detailed: &Sheet, scratch: &Scratch) -> Result<(Array<i64>, Array<u64>), NotIndexed> {
    let mut keys: Vec<(i64, u64)> = Vec::with_capacity(detailed.len());
    for (number, stratum) in detailed.strata.iter().enumerate() {
        let rows = stratum.table.ids.iter().zip(0_u64..);
        keys.extend(rows.map(|(id, row)| (*id, (number as u64) << 32 | row)));
    }
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(NotIndexed::SameNumber);
    }
    let (mut numbers, mut rows) = (Column::new(scratch), Column::new(scratch));
    for (number, row) in keys {
        numbers.push(number);
        rows.push(row);
    }
    Ok((numbers.finish()?, rows.finish()?))
}

fn zoom(rule: Option<&Rule>, lowest: u8, values: &[Value]) -> u8 {
    let by_rule = rule.map_or(0, |Rule { attribute, rule }| match values.get(*attribute) {
        Some(Value::Text(text)) => rule.values.get(text).copied().unwrap_or(rule.otherwise),
        _ => rule.otherwise,
    });
    by_rule.max(lowest)
}
