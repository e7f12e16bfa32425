//! A layer in memory, from which its tiles are cut.

mod attributes;
mod builder;
mod geometry;

use geo_index::rtree::{RTree, RTreeIndex};
use layers::features::FeatureId;

pub(crate) use self::attributes::Column;
pub(crate) use self::builder::Builder;
use crate::world::Place;

/// What a feature's geometry is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GeometryKind {
    /// Places.
    Points,
    /// Paths.
    Lines,
    /// Closed rings: each exterior (positive area by the surveyor's formula
    /// on places), then its holes (negative).
    Areas,
}

/// The features of a layer at one moment, in the order of their ids.
/// Immutable: changes lie over it ([`crate::engine`]).
#[derive(Debug)]
pub(crate) struct Index {
    ids: Vec<FeatureId>,
    kinds: Vec<GeometryKind>,
    /// Where each feature's parts end, in `part_ends`.
    parts: Vec<u32>,
    /// Where each part ends, in `places`.
    part_ends: Vec<u32>,
    places: Vec<Place>,
    /// Where each feature's label stands.
    labels: Vec<Option<Place>>,
    /// The lowest zoom of each feature.
    zooms: Vec<u8>,
    columns: Vec<Column>,
    /// The boxes of those features that have a geometry, in `placed`.
    tree: RTree<u32>,
    placed: Vec<u32>,
}

impl Index {
    /// How many features it holds.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The features whose boxes meet the box, in the order of their ids.
    pub(crate) fn search(&self, (least, most): (Place, Place)) -> Vec<u32> {
        let mut found = self.tree.search(least[0], least[1], most[0], most[1]);
        for index in &mut found {
            *index = self.placed[*index as usize];
        }
        found.sort_unstable();
        found
    }

    /// The feature with that id.
    pub(crate) fn find(&self, id: &FeatureId) -> Option<u32> {
        self.ids.binary_search(id).ok().map(|index| index as u32)
    }

    pub(crate) fn id(&self, feature: u32) -> &FeatureId {
        &self.ids[feature as usize]
    }

    pub(crate) fn kind(&self, feature: u32) -> GeometryKind {
        self.kinds[feature as usize]
    }

    /// The lowest zoom at which the feature is in tiles.
    pub(crate) fn lowest_zoom(&self, feature: u32) -> u8 {
        self.zooms[feature as usize]
    }

    pub(crate) fn label(&self, feature: u32) -> Option<Place> {
        self.labels[feature as usize]
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The feature's parts.
    pub(crate) fn geometry(&self, feature: u32) -> impl Iterator<Item = &[Place]> {
        let feature = feature as usize;
        let first = if feature == 0 { 0 } else { self.parts[feature - 1] as usize };
        let last = self.parts[feature] as usize;
        (first..last).map(|part| {
            let start = if part == 0 { 0 } else { self.part_ends[part - 1] as usize };
            &self.places[start..self.part_ends[part] as usize]
        })
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let features = self.ids.len() * (size_of::<FeatureId>() + size_of::<Option<Place>>() + 4 + 2);
        let geometry = self.part_ends.len() * 4 + self.places.len() * size_of::<Place>();
        let tree = self.placed.len() * (4 + 22);
        features + geometry + tree + self.columns.iter().map(Column::bytes).sum::<usize>()
    }
}
