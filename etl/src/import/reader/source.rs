//! A source of rows, whatever holds it.

use std::ops::ControlFlow;

use encoding_rs::Encoding;
use layers::{AttributeType, GeometryType};

use super::cell::Cell;
use super::csv_source::CsvSource;
use super::format::Format;
use super::gdal_source::GdalSource;
use super::shape::Shape;

/// A field of a source.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    /// Its type; none where it is a text whose type is for us to find.
    pub(super) kind: Option<AttributeType>,
    /// Why it cannot become an attribute.
    pub(super) unusable: Option<&'static str>,
}

/// What a source says of itself.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) format: Format,
    pub(super) layer: String,
    pub(super) fields: Vec<Field>,
    pub(super) geometry: Geometries,
    /// Its CRS, as `EPSG:3116` or WKT.
    pub(super) crs: Option<String>,
    pub(super) count: Option<u64>,
    /// The encoding that it says its texts are in.
    pub(super) encoding: Option<&'static Encoding>,
}

/// What a source says of its geometries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Geometries {
    None,
    /// Mixed, or it does not say.
    Unknown,
    /// All of one type; whether they have a height or a measure.
    All {
        kind: GeometryType,
        z: bool,
        m: bool,
    },
}

/// One row.
#[derive(Debug)]
pub(super) struct Record {
    /// From 1, in the source's order.
    pub(super) number: u64,
    pub(super) cells: Vec<Cell>,
    /// The geometry, or why it cannot be read.
    pub(super) geometry: Result<Option<Shape>, String>,
    /// Why the row as a whole cannot be used.
    pub(super) problem: Option<String>,
}

pub(super) enum Source {
    Gdal(GdalSource),
    Csv(CsvSource),
}

impl Source {
    pub(super) fn table(&self) -> &Table {
        match self {
            Self::Gdal(source) => &source.table,
            Self::Csv(source) => &source.table,
        }
    }

    /// The encoding in which texts are to be read from now on.
    pub(super) fn set_encoding(&mut self, encoding: &'static Encoding) {
        if let Self::Gdal(source) = self {
            source.encoding = Some(encoding);
        }
    }

    /// Every row from the first, until `visit` breaks. The error says why the
    /// source ended before its end.
    pub(super) fn for_each(&mut self, visit: &mut dyn FnMut(Record) -> ControlFlow<()>) -> Result<(), String> {
        match self {
            Self::Gdal(source) => source.for_each(visit),
            Self::Csv(source) => source.for_each(visit),
        }
    }
}
