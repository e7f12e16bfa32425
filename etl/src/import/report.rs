use std::collections::BTreeMap;

use access::MunicipalityCode;
use layers::{AttributeType, GeometryType, LayerId};
use serde::Serialize;

use super::protocol::Header;
use super::{Mode, Rejection};

/// What an import did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The layer.
    pub layer: LayerId,
    /// The municipality.
    pub municipality: MunicipalityCode,
    /// The file's name.
    pub file: String,
    /// The layer of the file.
    pub source_layer: String,
    /// The file's format.
    pub format: String,
    /// What became of the features that the layer had.
    pub mode: Mode,
    /// Whether the layer was changed: false where all was undone.
    pub committed: bool,
    /// The encoding of the texts, where there was one to find.
    pub encoding: Option<String>,
    /// The CRS of the source.
    pub declared_crs: Option<String>,
    /// What the layer's geometries are; none for a joined table.
    pub geometry_type: Option<String>,
    /// The layer's attributes that the import filled.
    pub columns: Vec<Column>,
    /// Rows of the source.
    pub read: u64,
    /// Features that were not there.
    pub inserted: u64,
    /// Features that differed.
    pub updated: u64,
    /// Features that the source no longer has.
    pub deleted: u64,
    /// Features that were as the source has them.
    pub unchanged: u64,
    /// Geometries that were repaired.
    pub repaired: u64,
    /// What was wrong with those, and how often.
    pub repairs: BTreeMap<String, u64>,
    /// Rows that did not become features.
    pub rejected: u64,
    /// The first of them.
    pub rejections: Vec<Rejection>,
    /// What the person should know.
    pub warnings: Vec<String>,
    /// What the kernel did not let us confine while reading.
    pub confinement: Vec<String>,
    /// From start to end.
    pub seconds: f64,
}

/// An attribute and where it came from.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    /// The source's field; none where it has none.
    pub source: Option<String>,
    /// The attribute.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: AttributeType,
}

impl Report {
    /// How many rejections a report lists; the file of rejected rows has all.
    pub const LISTED: usize = 100;

    pub(crate) fn new(
        layer: LayerId,
        municipality: MunicipalityCode,
        file: String,
        mode: Mode,
        header: &Header,
    ) -> Self {
        Self {
            layer,
            municipality,
            file,
            mode,
            source_layer: header.source_layer.clone(),
            format: header.format.clone(),
            committed: false,
            encoding: header.encoding.clone(),
            declared_crs: header.declared_crs.clone(),
            geometry_type: header
                .geometry_type
                .map(|kind: GeometryType| format!("{}{}", kind.code(), header.dimension.suffix())),
            columns: header
                .attributes
                .iter()
                .zip(&header.sources)
                .map(|(attribute, source)| Column {
                    source: source.clone(),
                    name: attribute.name.clone(),
                    kind: attribute.kind,
                })
                .collect(),
            read: 0,
            inserted: 0,
            updated: 0,
            deleted: 0,
            unchanged: 0,
            repaired: 0,
            repairs: BTreeMap::new(),
            rejected: 0,
            rejections: Vec::new(),
            warnings: header.warnings.clone(),
            confinement: header.confinement.clone(),
            seconds: 0.0,
        }
    }

    /// Counts a rejection, and lists it while there is room.
    pub(crate) fn reject(&mut self, rejection: Rejection) {
        self.rejected += 1;
        if self.rejections.len() < Self::LISTED {
            self.rejections.push(rejection);
        }
    }
}
