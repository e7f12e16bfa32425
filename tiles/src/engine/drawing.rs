use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use layers::{GeometryType, Layer, Value};

use super::numbers::Numbers;
use crate::cut::{Clip, Cut, Cutter};
use crate::encode::mvt::{self, LayerWriter};
use crate::frame::{AnyGrid, Grid};
use crate::index::{Feature, GeometryKind, Index, Layered, Search, ValuesView};
use crate::world::{centre, twice_area};
use crate::{POINT_COUNT, View};

/// What is drawn around a tile, in its units: enough for an outline's width;
/// more for points, whose symbols reach over the edge.
pub(super) fn buffer(layer: &Layer) -> i32 {
    match layer.geometry_type {
        GeometryType::Point | GeometryType::MultiPoint => 256,
        _ => 64,
    }
}

/// How a layer is drawn in a tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style<'a> {
    pub(super) layer: &'a Layer,
    pub(super) view: &'a View,
    /// The name of the labels' layer.
    pub(super) labels: &'a str,
    /// Of so many features, the first is drawn.
    pub(super) one_of: usize,
}

/// Draws what was found of a sheet into a tile of that zoom, as layers count
/// them.
pub(super) fn draw(style: Style, zoom: u8, index: &Index, sheet: Layered, found: &Search, grid: AnyGrid) -> Bytes {
    match grid {
        AnyGrid::Mercator(window) => draw_in(style, zoom, index, sheet, found, window),
        AnyGrid::Degrees(grid) => draw_in(style, zoom, index, sheet, found, grid),
        AnyGrid::National(grid) => draw_in(style, zoom, index, sheet, found, grid),
    }
}

fn draw_in(style: Style, zoom: u8, index: &Index, sheet: Layered, found: &Search, grid: impl Grid) -> Bytes {
    let mut drawing = Drawing::new(style, zoom, index, sheet, found, grid);
    let (one_of, mut number) = (style.one_of.max(1), 0);
    found.for_each(|feature| {
        if number % one_of == 0 {
            drawing.add(&feature);
        }
        number += 1;
    });
    drawing.finish()
}

/// A tile in the making.
struct Drawing<'a, G> {
    values: ValuesView<'a>,
    /// Of what lies over the sheet.
    fresh_values: ValuesView<'a>,
    grid: G,
    clip: Clip,
    cutter: Cutter,
    cut: Cut,
    features: LayerWriter<'a>,
    labels: LayerWriter<'a>,
    /// The columns of the sheet that are shown, by their number in it.
    shown: Vec<usize>,
    /// The number of the label's column in it.
    label: Option<usize>,
    /// Among the keys, that of how many features one stands for.
    count_key: Option<u32>,
    /// None where values are known again by content: codes of different sheets
    /// are there, or too many.
    numbers: Option<Numbers>,
    /// Codes of values that are used once, numbered and not yet written: side
    /// by side in the index, they are written at once.
    run: Range<u32>,
    /// Twice the area, in steps, of what was too small to be drawn since the
    /// last representative.
    unseen: i128,
    /// A unit's area in square steps.
    square: Option<i128>,
}

/// No codes: 0 is no value's.
const NO_RUN: Range<u32> = 0..0;

/// For more features than this room is made when they come: few of so many
/// are seen.
const MOST_FORESEEN: usize = 1 << 15;
/// Bytes for the values that come again.
const SOME_VALUES: usize = 1 << 10;

impl<'a, G: Grid> Drawing<'a, G> {
    fn new(style: Style<'a>, zoom: u8, index: &'a Index, sheet: Layered<'a>, found: &Search, grid: G) -> Self {
        let name = |column: usize| index.columns[usize::from(sheet.base.columns[column])].as_str();
        let columns = 0..sheet.base.columns.len();
        let enters = |name: &str| {
            let attribute = style.layer.definition.attribute(name);
            attribute.is_none_or(|attribute| attribute.min_zoom <= zoom)
        };
        let is_shown = |column: &usize| style.view.shows(name(*column)) && enters(name(*column));
        let shown: Vec<usize> = columns.filter(is_shown).collect();
        let label = style.layer.definition.label.as_deref();
        let mut keys: Vec<&str> = shown.iter().map(|column| name(*column)).collect();
        let count_key = found.has_counts().then(|| {
            keys.push(POINT_COUNT);
            keys.len() as u32 - 1
        });
        let mut features = LayerWriter::new(style.layer.id.as_str(), keys);
        let (count, places) = found.weight();
        let count = count.min(MOST_FORESEEN);
        let values = index.single_bytes() * count / index.len().max(1) + SOME_VALUES;
        features.reserve(count, places.min(4 * MOST_FORESEEN), values);
        let is_by_code = !found.has_fresh() && count_key.is_none();
        Self {
            values: index.values.view(),
            fresh_values: sheet.over.fresh.values.view(),
            grid,
            clip: Clip::new(buffer(style.layer)),
            cutter: Cutter::default(),
            cut: Cut::default(),
            label: shown.iter().copied().find(|column| Some(name(*column)) == label),
            features,
            labels: LayerWriter::new(style.labels, vec!["name"]),
            shown,
            count_key,
            numbers: is_by_code.then(|| Numbers::of(index.first_single)).flatten(),
            run: NO_RUN,
            unseen: 0,
            square: grid.square(),
        }
    }

    fn add(&mut self, feature: &Feature) {
        let Feature { table, row, inside, .. } = *feature;
        let kind = table.kind(row);
        let clip = self.grid.clip(inside, self.clip);
        let is_simple = self.grid.is_simple(table.simple_from(row));
        self.cutter.cut(kind, is_simple, table.geometry(row), self.grid, clip, &mut self.cut);
        if self.cut.is_empty() && !(kind == GeometryKind::Areas && self.represents(feature)) {
            return;
        }
        self.features.begin(table.id(row));
        let codes = table.codes(row);
        for key in 0..self.shown.len() {
            let code = codes[self.shown[key]];
            if code != 0 {
                let value = self.number(code, feature.is_fresh);
                self.features.tag(key as u32, value);
            }
        }
        if let (Some(key), Some(count)) = (self.count_key, table.count(row).filter(|count| *count > 1)) {
            let value = mvt::value(&Value::Integer(count.into())).unwrap_or_default();
            let value = self.features.value(Cow::Owned(value));
            self.features.tag(key, value);
        }
        self.features.end(kind, &self.cut);
        self.add_label(feature);
    }

    fn values(&self, is_fresh: bool) -> ValuesView<'a> {
        if is_fresh { self.fresh_values } else { self.values }
    }

    /// The number in the tile of a code's value.
    fn number(&mut self, code: u32, is_fresh: bool) -> u32 {
        let values = self.values(is_fresh);
        let Some(numbers) = &mut self.numbers else {
            return self.features.value(Cow::Borrowed(values.get(code)));
        };
        if !numbers.holds(code) {
            if self.run.end != code {
                self.features.write_values(values.between(&self.run));
                self.run = code..code;
            }
            self.run.end += 1;
            return self.features.number_value();
        }
        numbers.get(code).unwrap_or_else(|| {
            self.features.write_values(values.between(&self.run));
            self.run = NO_RUN;
            self.features.write_values(values.get(code));
            let number = self.features.number_value();
            numbers.set(code, number);
            number
        })
    }

    /// Whether an area that vanishes in this tile stands for those before it
    /// that did: together they cover a square unit, which is then cut. So what
    /// is built up stays visible from afar.
    fn represents(&mut self, feature: &Feature) -> bool {
        let Some(square) = self.square else { return false };
        if !self.grid.has_inside(feature.inside, feature.table.rect(feature.row), self.clip) {
            return false;
        }
        let area: i128 = feature.table.geometry(feature.row).map(twice_area).sum();
        self.unseen += area;
        let square = 2 * square;
        if self.unseen < square {
            return false;
        }
        self.unseen %= square;
        let [x, y] = self.grid.to_units(centre(feature.table.rect(feature.row)));
        self.cut.push([[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]]);
        true
    }

    /// The label's point is of the whole geometry, at every zoom the same, and
    /// in one tile only: west and north edges belong to it, east and south do not.
    fn add_label(&mut self, feature: &Feature) {
        let Some(place) = feature.table.label(feature.row).filter(|place| self.grid.holds(*place)) else { return };
        let Some(code) = self.label.map(|column| feature.table.codes(feature.row)[column]).filter(|code| *code != 0)
        else {
            return;
        };
        let value = self.labels.value(Cow::Borrowed(self.values(feature.is_fresh).get(code)));
        self.labels.begin(feature.table.id(feature.row));
        self.labels.tag(0, value);
        self.cut.clear();
        self.cut.push([self.grid.to_units(place)]);
        self.labels.end(GeometryKind::Points, &self.cut);
    }

    fn finish(mut self) -> Bytes {
        self.features.write_values(self.values.between(&self.run));
        let labels = self.labels.finish(&[]);
        self.features.finish(&labels)
    }
}
