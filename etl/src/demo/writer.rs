//! Collections into GeoPackage files.

use std::path::Path;

use chrono::Datelike;
use gdal::errors::{GdalError, Result};
use gdal::spatial_ref::{AxisMappingStrategy, SpatialRef};
use gdal::vector::sql::Dialect;
use gdal::vector::{Feature, Geometry, LayerAccess, LayerOptions, OGRwkbGeometryType};
use gdal::{Dataset, DatasetOptions, DriverManager, GdalOpenFlags};
use geozero::{CoordDimensions, ToWkb};
use layers::{AttributeType, GeometryType, LayerDefinition};

use super::DemoError;
use super::table::{Cell, Row, Table};

/// Writes a table to `file`, a new GeoPackage, in EPSG:9377.
pub(super) fn write(
    file: &Path,
    definition: &LayerDefinition,
    kind: GeometryType,
    table: &Table,
) -> std::result::Result<(), DemoError> {
    if file.exists() {
        std::fs::remove_file(file).map_err(|source| DemoError::Folder { folder: file.to_owned(), source })?;
    }
    fill_file(file, definition, kind, table).map_err(|source| DemoError::Write { file: file.to_owned(), source })
}

fn fill_file(file: &Path, definition: &LayerDefinition, kind: GeometryType, table: &Table) -> Result<()> {
    let mut reference = SpatialRef::from_epsg(9377)?;
    reference.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    let mut dataset = DriverManager::get_driver_by_name("GPKG")?.create_vector_only(file)?;
    let options = LayerOptions {
        name: table.id,
        srs: Some(&reference),
        ty: ogr_type(kind),
        options: Some(&["GEOMETRY_NAME=geom"]),
    };
    dataset.create_layer(options)?;
    // Columns are added in SQL: the crate's field definitions know no booleans.
    for attribute in &definition.attributes {
        let column = format!("ALTER TABLE {} ADD COLUMN {} {}", table.id, attribute.name, column_type(attribute.kind));
        dataset.execute_sql(&column, None, Dialect::DEFAULT)?;
    }
    dataset.close()?;
    let access = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_UPDATE | GdalOpenFlags::GDAL_OF_VECTOR,
        ..DatasetOptions::default()
    };
    let mut dataset = Dataset::open_ex(file, access)?;
    let transaction = dataset.start_transaction()?;
    {
        let layer = transaction.layer_by_name(table.id)?;
        let names: Vec<&str> = definition.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        let fields: Vec<usize> = names.iter().map(|name| layer.defn().field_index(name)).collect::<Result<_>>()?;
        for row in &table.rows {
            let mut feature = Feature::new(layer.defn())?;
            fill(&mut feature, row, &fields)?;
            feature.create(&layer)?;
        }
    }
    transaction.commit()?;
    dataset.close()
}

fn fill(feature: &mut Feature<'_>, row: &Row, fields: &[usize]) -> Result<()> {
    let wkb = row.geometry.to_wkb(CoordDimensions::xy()).map_err(|error| GdalError::BadArgument(error.to_string()))?;
    feature.set_geometry(Geometry::from_wkb(&wkb)?)?;
    for (cell, index) in row.cells.iter().zip(fields.iter().copied()) {
        match cell {
            Cell::Null => {}
            Cell::Text(text) => feature.set_field_string(index, text)?,
            Cell::Whole(value) => feature.set_field_integer64(index, *value)?,
            Cell::Number(value) => feature.set_field_double(index, *value)?,
            Cell::Flag(value) => feature.set_field_integer(index, i32::from(*value))?,
            Cell::Day(day) => {
                let text = format!("{:04}/{:02}/{:02}", day.year(), day.month(), day.day());
                feature.set_field_string(index, &text)?;
            }
        }
    }
    Ok(())
}

fn ogr_type(kind: GeometryType) -> OGRwkbGeometryType::Type {
    match kind {
        GeometryType::Point => OGRwkbGeometryType::wkbPoint,
        GeometryType::MultiPoint => OGRwkbGeometryType::wkbMultiPoint,
        GeometryType::LineString => OGRwkbGeometryType::wkbLineString,
        GeometryType::MultiLineString => OGRwkbGeometryType::wkbMultiLineString,
        GeometryType::Polygon => OGRwkbGeometryType::wkbPolygon,
        GeometryType::MultiPolygon => OGRwkbGeometryType::wkbMultiPolygon,
        _ => OGRwkbGeometryType::wkbUnknown,
    }
}

/// The column's type as GeoPackage calls it.
fn column_type(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::Text | AttributeType::Json => "TEXT",
        AttributeType::Integer => "INTEGER",
        AttributeType::Number => "REAL",
        AttributeType::Boolean => "BOOLEAN",
        AttributeType::Date => "DATE",
        AttributeType::DateTime => "DATETIME",
    }
}
