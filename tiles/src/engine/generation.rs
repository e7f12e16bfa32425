use std::collections::HashSet;
use std::sync::Arc;

use layers::features::FeatureId;
use layers::{GeometryType, Layer};

use crate::cut::{Clip, Cut, Cutter};
use crate::encode::mvt::LayerWriter;
use crate::index::{GeometryKind, Index};
use crate::world::Window;
use crate::{TileCoord, View};

/// A layer at one moment: an index, and what changed since it was built.
#[derive(Debug)]
pub(super) struct Generation {
    base: Arc<Index>,
    /// Features of the base that were changed or deleted since.
    gone: HashSet<u32>,
    /// Those that were changed or added, as they are now.
    fresh: Index,
}

impl Generation {
    /// Without changes.
    pub(super) fn new(base: Arc<Index>, nothing: Index) -> Self {
        Self { base, gone: HashSet::new(), fresh: nothing }
    }

    /// The base with these changes: `touched` are all ids that were changed
    /// since the base was built, `fresh` those of them that still exist.
    pub(super) fn with_changes<'a>(
        base: Arc<Index>,
        touched: impl IntoIterator<Item = &'a FeatureId>,
        fresh: Index,
    ) -> Self {
        let gone = touched.into_iter().filter_map(|id| base.find(id)).collect();
        Self { base, gone, fresh }
    }

    pub(super) fn base(&self) -> &Arc<Index> {
        &self.base
    }

    pub(super) fn len(&self) -> usize {
        self.base.len() - self.gone.len() + self.fresh.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.base.bytes() + self.fresh.bytes()
    }

    /// The tile as MVT; none where it is empty.
    pub(super) fn tile(&self, layer: &Layer, tile: TileCoord, view: &View) -> Option<Vec<u8>> {
        let window = Window::new(tile);
        let clip = Clip::new(buffer(layer));
        let found = self.search(window, clip, tile.zoom());
        let mut drawing = Drawing::new(layer, view, &self.base);
        for (index, feature) in found {
            drawing.add(index, feature, window, clip);
        }
        let bytes = drawing.finish();
        (!bytes.is_empty()).then_some(bytes)
    }

    /// The features whose boxes meet the tile, in the order of their ids.
    fn search(&self, window: Window, clip: Clip, zoom: u8) -> Vec<(&Index, u32)> {
        let around = window.with_buffer(-clip.least);
        let is_shown = |(index, feature): &(&Index, u32)| index.lowest_zoom(*feature) <= zoom;
        let base = self.base.search(around).into_iter().filter(|feature| !self.gone.contains(feature));
        let mut found: Vec<_> = base.map(|feature| (&*self.base, feature)).filter(is_shown).collect();
        let fresh = self.fresh.search(around);
        if !fresh.is_empty() {
            found.extend(fresh.into_iter().map(|feature| (&self.fresh, feature)).filter(is_shown));
            found.sort_by(|(index, one), (other_index, other)| index.id(*one).cmp(other_index.id(*other)));
        }
        found
    }
}

/// What is drawn around the tile, in its units: enough for an outline's width;
/// more for points, whose symbols reach over the edge.
fn buffer(layer: &Layer) -> i32 {
    match layer.geometry_type {
        GeometryType::Point | GeometryType::MultiPoint => 256,
        _ => 64,
    }
}

/// A tile in the making.
struct Drawing {
    cutter: Cutter,
    cut: Cut,
    features: LayerWriter,
    labels: LayerWriter,
    /// The columns that are shown, by their number in the index.
    shown: Vec<usize>,
    /// The number of the label's column.
    label: Option<usize>,
}

impl Drawing {
    fn new(layer: &Layer, view: &View, index: &Index) -> Self {
        let columns = index.columns();
        let shown: Vec<usize> = (0..columns.len()).filter(|number| view.shows(&columns[*number].name)).collect();
        let label = layer.definition.label.as_deref();
        let keys = shown.iter().map(|number| columns[*number].name.clone()).collect();
        Self {
            cutter: Cutter::default(),
            cut: Cut::default(),
            features: LayerWriter::new(layer.id.as_str(), keys),
            labels: LayerWriter::new("labels", vec!["name".to_owned()]),
            label: shown.iter().copied().find(|number| Some(columns[*number].name.as_str()) == label),
            shown,
        }
    }

    fn add(&mut self, index: &Index, feature: u32, window: Window, clip: Clip) {
        let kind = index.kind(feature);
        self.cutter.cut(kind, index.geometry(feature), window, clip, &mut self.cut);
        if self.cut.is_empty() {
            return;
        }
        let id = match index.id(feature) {
            FeatureId::Number(number) => u64::try_from(*number).ok(),
            FeatureId::Text(_) => None,
        };
        for (key, number) in self.shown.iter().enumerate() {
            let column = &index.columns()[*number];
            if let Some(code) = column.code(feature) {
                let value = self.features.value(column.value(code));
                self.features.tag(key, value);
            }
        }
        self.features.feature(id, kind, &self.cut);
        self.add_label(index, feature, id, window);
    }

    /// The label's point is of the whole geometry, at every zoom the same, and
    /// in one tile only: west and north edges belong to it, east and south do not.
    fn add_label(&mut self, index: &Index, feature: u32, id: Option<u64>, window: Window) {
        let Some(place) = index.label(feature).filter(|place| window.holds(*place)) else { return };
        let Some(column) = self.label.map(|number| &index.columns()[number]) else { return };
        let Some(code) = column.code(feature) else { return };
        let value = self.labels.value(column.value(code));
        self.labels.tag(0, value);
        self.cut.clear();
        self.cut.push([window.to_units(place)]);
        self.labels.feature(id, GeometryKind::Points, &self.cut);
    }

    fn finish(self) -> Vec<u8> {
        let mut tile = Vec::new();
        self.features.finish(&mut tile);
        self.labels.finish(&mut tile);
        tile
    }
}
