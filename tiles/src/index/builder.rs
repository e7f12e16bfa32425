use geo_index::rtree::RTreeBuilder;
use geo_index::rtree::sort::HilbertSort;
use layers::features::{Feature, FeatureId};
use layers::{AttributeType, Layer, Value};

use super::attributes::ColumnBuilder;
use super::geometry::Reader;
use super::{GeometryKind, Index};
use crate::world::Place;

/// Makes an [`Index`] of features that come in any order.
#[derive(Debug)]
pub(crate) struct Builder {
    reader: Reader,
    records: Vec<Record>,
    /// By attribute of the layer's definition; none for those that no tile holds.
    columns: Vec<Option<ColumnBuilder>>,
    rule: Option<Rule>,
    lowest_zoom: u8,
}

/// From which zoom on a feature is in tiles, by an attribute's value.
#[derive(Debug)]
struct Rule {
    attribute: usize,
    rule: layers::ZoomRule,
}

#[derive(Debug)]
struct Record {
    id: FeatureId,
    kind: GeometryKind,
    parts: Vec<Vec<Place>>,
    label: Option<Place>,
    zoom: u8,
    /// Its place among the columns' values.
    row: u32,
}

/// A feature that cannot be in tiles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the feature {id} cannot be read: {reason}")]
pub(crate) struct Unreadable {
    id: FeatureId,
    reason: String,
}

impl Builder {
    pub(crate) fn new(layer: &Layer) -> Self {
        let attributes = &layer.definition.attributes;
        let rule = layer.definition.zoom_rule.clone().and_then(|rule| {
            let attribute = attributes.iter().position(|attribute| attribute.name == rule.attribute)?;
            Some(Rule { attribute, rule })
        });
        let columns = attributes
            .iter()
            .map(|attribute| (attribute.kind != AttributeType::Json).then(|| ColumnBuilder::new(&attribute.name)))
            .collect();
        Self { reader: Reader::default(), records: Vec::new(), columns, rule, lowest_zoom: layer.definition.min_zoom }
    }

    /// Adds a feature with its geometry in EPSG:3857, and where its label
    /// stands (a point, likewise). One whose geometry cannot be read is left out.
    pub(crate) fn push(&mut self, feature: &Feature, label: Option<&[u8]>) -> Result<(), Unreadable> {
        let unreadable =
            |error: geozero::error::GeozeroError| Unreadable { id: feature.id.clone(), reason: error.to_string() };
        let label = match label {
            Some(wkb) => {
                self.reader.read(wkb).map_err(unreadable)?;
                self.reader.parts.first().and_then(|part| part.first().copied())
            }
            None => None,
        };
        self.reader.kind = None;
        self.reader.parts.clear();
        if let Some(wkb) = &feature.geometry {
            self.reader.read(wkb).map_err(unreadable)?;
        }
        let row = self.records.len() as u32;
        for (column, value) in self.columns.iter_mut().zip(&feature.values) {
            if let Some(column) = column {
                column.push(value);
            }
        }
        self.records.push(Record {
            id: feature.id.clone(),
            kind: self.reader.kind.unwrap_or(GeometryKind::Points),
            parts: std::mem::take(&mut self.reader.parts),
            label,
            zoom: self.zoom(&feature.values),
            row,
        });
        Ok(())
    }

    fn zoom(&self, values: &[Value]) -> u8 {
        let by_rule = self.rule.as_ref().map_or(0, |Rule { attribute, rule }| match values.get(*attribute) {
            Some(Value::Text(text)) => rule.values.get(text).copied().unwrap_or(rule.otherwise),
            _ => rule.otherwise,
        });
        by_rule.max(self.lowest_zoom)
    }

    pub(crate) fn finish(mut self) -> Index {
        self.records.sort_by(|one, other| one.id.cmp(&other.id));
        let order: Vec<u32> = self.records.iter().map(|record| record.row).collect();
        let placed: Vec<u32> =
            (0..self.records.len() as u32).filter(|index| !self.records[*index as usize].parts.is_empty()).collect();
        let mut tree = RTreeBuilder::<u32>::new(placed.len() as u32);
        let mut index = Index {
            ids: Vec::with_capacity(self.records.len()),
            kinds: Vec::with_capacity(self.records.len()),
            parts: Vec::with_capacity(self.records.len()),
            part_ends: Vec::new(),
            places: Vec::new(),
            labels: Vec::with_capacity(self.records.len()),
            zooms: Vec::with_capacity(self.records.len()),
            columns: self.columns.into_iter().flatten().map(|column| column.finish(&order)).collect(),
            tree: RTreeBuilder::<u32>::new(0).finish::<HilbertSort>(),
            placed,
        };
        for record in self.records {
            if !record.parts.is_empty() {
                let (least, most) = envelope(&record.parts);
                tree.add(least[0], least[1], most[0], most[1]);
            }
            for part in record.parts {
                index.places.extend(part);
                index.part_ends.push(index.places.len() as u32);
            }
            index.parts.push(index.part_ends.len() as u32);
            index.ids.push(record.id);
            index.kinds.push(record.kind);
            index.labels.push(record.label);
            index.zooms.push(record.zoom);
        }
        index.tree = tree.finish::<HilbertSort>();
        index
    }
}

fn envelope(parts: &[Vec<Place>]) -> (Place, Place) {
    let places = parts.iter().flatten();
    places.fold(([u32::MAX; 2], [0; 2]), |(least, most), place| {
        ([least[0].min(place[0]), least[1].min(place[1])], [most[0].max(place[0]), most[1].max(place[1])])
    })
}
