//! Rows that GDAL reads.

use std::ops::ControlFlow;
use std::path::Path;

use encoding_rs::Encoding;
use gdal::spatial_ref::SpatialRef;
use gdal::vector::{Defn, Feature, FieldValue, Geometry, Layer, LayerAccess, OGRFieldType, OGRwkbGeometryType};
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use layers::{AttributeType, GeometryType};

use super::cell::Cell;
use super::decode;
use super::format::Format;
use super::raw::{self, Subtype};
use super::shape::{Shape, Unreadable};
use super::source::{Field, Geometries, Record, Table};
use crate::import::protocol::SourceLayer;

/// One layer of a data set.
pub(super) struct GdalSource {
    dataset: Dataset,
    index: usize,
    kinds: Vec<FieldKind>,
    most_vertices: usize,
    pub(super) table: Table,
    /// How to decode texts that came as bytes; none while that is not known.
    pub(super) encoding: Option<&'static Encoding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldKind {
    Text,
    /// Text as bytes, each a character of its number.
    Bytes,
    Integer,
    Number,
    Boolean,
    Date,
    DateTime,
    Json,
    List,
    Unusable,
}

/// Opens the data set with the drivers that its name declares, and no others.
pub(super) fn open(path: &Path, format: Format) -> Result<Dataset, String> {
    raw::take_errors();
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_VECTOR | GdalOpenFlags::GDAL_OF_READONLY,
        allowed_drivers: Some(format.drivers()),
        open_options: Some(format.open_options()),
        sibling_files: None,
    };
    Dataset::open_ex(path, options).map_err(|_| {
        let folder = format!("{}/", path.parent().unwrap_or(path).display());
        let detail = raw::take_errors().into_iter().next_back();
        let detail = detail.map(|error| format!(" ({})", error.replace(&folder, ""))).unwrap_or_default();
        format!(
            "{} cannot be read as {}{detail}: it is damaged, incomplete or another kind of file than its name says",
            path.file_name().unwrap_or_default().to_string_lossy(),
            format.name()
        )
    })
}

/// The layers of a data set.
pub(super) fn layers(dataset: &Dataset, format: Format) -> Vec<SourceLayer> {
    dataset
        .layers()
        .map(|layer| SourceLayer {
            name: layer.name(),
            // A GPX always has five layers, most of them empty.
            features: if format == Format::Gpx { Some(layer.feature_count()) } else { layer.try_feature_count() },
            geometry: match geometries(layer.defn()) {
                Geometries::None => "Table".to_owned(),
                Geometries::Unknown => "Geometry".to_owned(),
                Geometries::All { kind, .. } => kind.code().to_owned(),
            },
        })
        .collect()
}

impl GdalSource {
    pub(super) fn new(dataset: Dataset, index: usize, format: Format, most_vertices: usize) -> Result<Self, String> {
        let (kinds, table) = {
            let layer = dataset.layer(index).map_err(|error| error.to_string())?;
            let definition = layer.defn();
            let kinds: Vec<FieldKind> = definition
                .fields()
                .enumerate()
                .map(|(i, field)| field_kind(field.field_type(), raw::subtype(definition, i), format))
                .collect();
            let fields =
                definition.fields().zip(&kinds).map(|(field, kind)| described(field.name(), *kind, format)).collect();
            let table = Table {
                format,
                layer: layer.name(),
                fields,
                geometry: geometries(definition),
                crs: crs(&layer),
                count: layer.try_feature_count(),
                encoding: None,
            };
            (kinds, table)
        };
        Ok(Self { dataset, index, kinds, most_vertices, table, encoding: None })
    }

    pub(super) fn for_each(&mut self, visit: &mut dyn FnMut(Record) -> ControlFlow<()>) -> Result<(), String> {
        let mut layer = self.dataset.layer(self.index).map_err(|error| error.to_string())?;
        layer.reset_feature_reading();
        raw::take_failures();
        let mut number = 0;
        for feature in layer.features() {
            number += 1;
            let cells =
                self.kinds.iter().enumerate().map(|(i, kind)| cell(&feature, i, *kind, self.encoding)).collect();
            let geometry = match feature.geometry() {
                Some(geometry) if raw::is_there(geometry) => shape_of(geometry, self.most_vertices),
                _ => Ok(None),
            };
            if visit(Record { number, cells, geometry, problem: None }).is_break() {
                return Ok(());
            }
            if number % 1024 == 0 {
                raw::take_failures();
            }
        }
        // A failure in the last step means that GDAL stopped, not that it ended.
        match raw::take_failures().pop() {
            Some(failure) if self.table.count.is_none_or(|count| count != number) => {
                Err(format!("the source breaks off after row {number}: {failure}"))
            }
            _ => Ok(()),
        }
    }
}

/// The geometry as a shape, its curves as lines; none where it is empty.
pub(super) fn shape_of(geometry: &Geometry, most_vertices: usize) -> Result<Option<Shape>, String> {
    if geometry.is_empty() {
        return Ok(None);
    }
    let wkb = geometry.iso_wkb().map_err(|error| format!("the geometry cannot be read: {error}"))?;
    let shape = match Shape::from_iso_wkb(&wkb, most_vertices) {
        Err(Unreadable::Curve) => {
            let linear = raw::linearised(geometry).ok_or("the geometry has curves that cannot be made lines")?;
            Shape::from_iso_wkb(&linear, most_vertices)
        }
        other => other,
    };
    match shape {
        Ok(shape) => Ok(Some(shape).filter(|shape| !shape.is_empty())),
        Err(Unreadable::TooLarge) => Err(format!("the geometry has more than the {most_vertices} vertices allowed")),
        Err(_) => Err("the geometry is damaged".to_owned()),
    }
}

fn field_kind(kind: OGRFieldType::Type, subtype: Subtype, format: Format) -> FieldKind {
    match kind {
        OGRFieldType::OFTString if subtype == Subtype::Json => FieldKind::Json,
        OGRFieldType::OFTString if format == Format::Shapefile => FieldKind::Bytes,
        // A time of day has no type of its own here, and GDAL takes scales for one.
        OGRFieldType::OFTString | OGRFieldType::OFTTime => FieldKind::Text,
        OGRFieldType::OFTInteger if subtype == Subtype::Boolean => FieldKind::Boolean,
        OGRFieldType::OFTInteger | OGRFieldType::OFTInteger64 => FieldKind::Integer,
        OGRFieldType::OFTReal => FieldKind::Number,
        OGRFieldType::OFTDate => FieldKind::Date,
        OGRFieldType::OFTDateTime => FieldKind::DateTime,
        OGRFieldType::OFTIntegerList
        | OGRFieldType::OFTInteger64List
        | OGRFieldType::OFTRealList
        | OGRFieldType::OFTStringList => FieldKind::List,
        _ => FieldKind::Unusable,
    }
}

fn described(name: String, kind: FieldKind, format: Format) -> Field {
    let kind_of = match kind {
        FieldKind::Text if format.is_text() => None,
        FieldKind::Text | FieldKind::Bytes | FieldKind::Unusable => Some(AttributeType::Text),
        FieldKind::Integer => Some(AttributeType::Integer),
        FieldKind::Number => Some(AttributeType::Number),
        FieldKind::Boolean => Some(AttributeType::Boolean),
        FieldKind::Date => Some(AttributeType::Date),
        FieldKind::DateTime => Some(AttributeType::DateTime),
        FieldKind::Json | FieldKind::List => Some(AttributeType::Json),
    };
    let unusable = (kind == FieldKind::Unusable).then_some("it holds binary data");
    Field { name, kind: kind_of, unusable }
}

fn cell(feature: &Feature<'_>, index: usize, kind: FieldKind, encoding: Option<&'static Encoding>) -> Cell {
    if !raw::has_value(feature, index) {
        return Cell::Null;
    }
    let text = || feature.field_as_string(index).ok().flatten();
    // What cannot be had as its type is had as text, for the row's rejection.
    let or_text = |cell: Option<Cell>| cell.or_else(|| text().map(Cell::Text)).unwrap_or(Cell::Null);
    match kind {
        FieldKind::Unusable => Cell::Null,
        FieldKind::Text => text().map_or(Cell::Null, Cell::Text),
        FieldKind::Bytes => match text() {
            None => Cell::Null,
            Some(text) if text.is_empty() => Cell::Null,
            Some(text) => Cell::Text(match encoding {
                Some(encoding) if !text.is_ascii() => decode::decode(&decode::bytes_of_latin1(&text), encoding),
                _ => text,
            }),
        },
        FieldKind::Json => text().map_or(Cell::Null, Cell::Json),
        FieldKind::Integer => feature.field_as_integer64(index).ok().flatten().map_or(Cell::Null, Cell::Integer),
        FieldKind::Boolean => {
            feature.field_as_integer64(index).ok().flatten().map_or(Cell::Null, |flag| Cell::Boolean(flag != 0))
        }
        FieldKind::Number => feature
            .field_as_double(index)
            .ok()
            .flatten()
            .filter(|number| number.is_finite())
            .map_or(Cell::Null, Cell::Number),
        FieldKind::Date => match feature.field_as_datetime(index) {
            Ok(instant) => instant.map_or(Cell::Null, |instant| Cell::Date(instant.date_naive())),
            Err(_) => or_text(None),
        },
        FieldKind::DateTime => match feature.field_as_datetime(index) {
            Ok(instant) => instant.map_or(Cell::Null, |instant| Cell::DateTime(instant.to_utc())),
            Err(_) => or_text(None),
        },
        FieldKind::List => list(feature.field(index).ok().flatten()),
    }
}

fn list(value: Option<FieldValue>) -> Cell {
    let json = match value {
        Some(FieldValue::IntegerListValue(list)) => serde_json::to_string(&list),
        Some(FieldValue::Integer64ListValue(list)) => serde_json::to_string(&list),
        Some(FieldValue::RealListValue(list)) => serde_json::to_string(&list),
        Some(FieldValue::StringListValue(list)) => serde_json::to_string(&list),
        _ => return Cell::Null,
    };
    json.map_or(Cell::Null, Cell::Json)
}

fn geometries(definition: &Defn) -> Geometries {
    let Some(field) = definition.geom_fields().next() else { return Geometries::None };
    let code = field.field_type();
    if code == OGRwkbGeometryType::wkbNone {
        return Geometries::None;
    }
    let (z, m) = (gdal::vector::geometry_type_has_z(code), gdal::vector::geometry_type_has_m(code));
    let kind = match gdal::vector::geometry_type_flatten(code) {
        OGRwkbGeometryType::wkbPoint => GeometryType::Point,
        OGRwkbGeometryType::wkbMultiPoint => GeometryType::MultiPoint,
        OGRwkbGeometryType::wkbLineString => GeometryType::LineString,
        OGRwkbGeometryType::wkbMultiLineString => GeometryType::MultiLineString,
        OGRwkbGeometryType::wkbPolygon => GeometryType::Polygon,
        OGRwkbGeometryType::wkbMultiPolygon => GeometryType::MultiPolygon,
        _ => return Geometries::Unknown,
    };
    Geometries::All { kind, z, m }
}

fn crs(layer: &Layer<'_>) -> Option<String> {
    let reference = layer.spatial_ref()?;
    identify(reference)
}

/// A CRS as `EPSG:3116` where it is one of the register's, else as WKT; none
/// where it says nothing (local, undefined).
pub(super) fn identify(mut reference: SpatialRef) -> Option<String> {
    let name = reference.name().unwrap_or_default();
    if reference.is_local() || name.to_lowercase().starts_with("undefined") || name.is_empty() {
        return None;
    }
    if let Ok(authority) = reference.authority() {
        return Some(authority);
    }
    if let Some(code) = super::place::same_as_known(&reference) {
        return Some(format!("EPSG:{code}"));
    }
    if reference.auto_identify_epsg().is_ok()
        && let Ok(authority) = reference.authority()
    {
        return Some(authority);
    }
    reference.to_wkt().ok()
}
