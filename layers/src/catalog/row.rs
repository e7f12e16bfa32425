//! A layer as a row of `catalog.layer`.

use access::MunicipalityCode;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::CatalogError;
use crate::{ChangeCapture, Dimension, Extent, GeometryType, Kind, Layer, LayerDefinition, LayerId, Table};

macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT municipality, id, kind, table_schema, table_name, key_column, key_type, geometry_column, \
             geometry_type, coordinate_dimension, storage_srid, declared_crs, definition, feature_count, \
             west, south, east, north, change_capture, content_updated_at, history_since FROM catalog.layer",
            $condition
        )
    };
}

/// Every layer.
pub(super) const SELECT: &str = select!("");
/// The layer whose id is `$1`.
pub(super) const SELECT_ONE: &str = select!(" WHERE id = $1");

/// The same, which nobody else changes until the transaction's end.
pub(super) const SELECT_ONE_TO_CHANGE: &str = select!(" WHERE id = $1 FOR UPDATE");

/// What is written of a layer.
pub(super) struct Entry<'a> {
    pub(super) id: &'a LayerId,
    pub(super) municipality: &'a MunicipalityCode,
    pub(super) kind: Kind,
    pub(super) table: &'a Table,
    pub(super) geometry_type: GeometryType,
    pub(super) dimension: Dimension,
    pub(super) storage_srid: i32,
    pub(super) declared_crs: &'a str,
    pub(super) definition: &'a LayerDefinition,
    pub(super) change_capture: ChangeCapture,
}

pub(super) fn layer(row: &PgRow) -> Result<Layer, CatalogError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    Ok(Layer {
        id: text("id")?.parse().map_err(CatalogError::corrupt)?,
        municipality: text("municipality")?.parse().map_err(CatalogError::corrupt)?,
        kind: text("kind")?.parse().map_err(CatalogError::corrupt)?,
        table: Table {
            schema: text("table_schema")?,
            name: text("table_name")?,
            key: text("key_column")?,
            key_type: text("key_type")?,
            geometry: text("geometry_column")?,
        },
        geometry_type: text("geometry_type")?.parse().map_err(CatalogError::corrupt)?,
        dimension: text("coordinate_dimension")?.parse().map_err(CatalogError::corrupt)?,
        storage_srid: row.try_get("storage_srid")?,
        declared_crs: text("declared_crs")?,
        definition: row.try_get::<sqlx::types::Json<LayerDefinition>, _>("definition")?.0,
        feature_count: row.try_get("feature_count")?,
        extent: extent(row)?,
        change_capture: text("change_capture")?.parse().map_err(CatalogError::corrupt)?,
        content_updated_at: row.try_get("content_updated_at")?,
        history_since: row.try_get("history_since")?,
    })
}

/// The columns `west`, `south`, `east`, `north`; none where they are null.
pub(crate) fn extent(row: &PgRow) -> Result<Option<Extent>, sqlx::Error> {
    let number = |column: &str| row.try_get::<Option<f64>, _>(column);
    Ok(match (number("west")?, number("south")?, number("east")?, number("north")?) {
        (Some(west), Some(south), Some(east), Some(north)) => Some(Extent { west, south, east, north }),
        _ => None,
    })
}

/// Inserts the layer, or replaces what is said of the one with that id, as
/// long as that one reads the same table.
pub(super) async fn put(connection: &mut PgConnection, entry: &Entry<'_>) -> Result<(), CatalogError> {
    let Entry { id, municipality, table, definition, .. } = entry;
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM catalog.municipality WHERE code = $1)")
        .bind(municipality.as_str())
        .fetch_one(&mut *connection)
        .await?;
    if !known {
        return Err(CatalogError::UnknownMunicipality(municipality.to_string()));
    }
    let written = sqlx::query(
        "INSERT INTO catalog.layer AS l (municipality, id, kind, table_schema, table_name, key_column, key_type, \
            geometry_column, geometry_type, coordinate_dimension, storage_srid, declared_crs, visibility, subject, \
            sector, definition, change_capture) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
         ON CONFLICT (id) DO UPDATE SET geometry_type = excluded.geometry_type, \
            coordinate_dimension = excluded.coordinate_dimension, storage_srid = excluded.storage_srid, \
            declared_crs = excluded.declared_crs, visibility = excluded.visibility, subject = excluded.subject, \
            sector = excluded.sector, definition = excluded.definition, change_capture = excluded.change_capture \
         WHERE (l.municipality, l.kind, l.table_schema, l.table_name) \
             = (excluded.municipality, excluded.kind, excluded.table_schema, excluded.table_name)",
    )
    .bind(municipality.as_str())
    .bind(id.as_str())
    .bind(entry.kind.code())
    .bind(&table.schema)
    .bind(&table.name)
    .bind(&table.key)
    .bind(&table.key_type)
    .bind(&table.geometry)
    .bind(entry.geometry_type.code())
    .bind(entry.dimension.code())
    .bind(entry.storage_srid)
    .bind(entry.declared_crs)
    .bind(definition.visibility.code())
    .bind(definition.subject.code())
    .bind(definition.sector.code())
    .bind(sqlx::types::Json(definition))
    .bind(entry.change_capture.code())
    .execute(&mut *connection)
    .await?;
    if written.rows_affected() == 0 {
        let table: String =
            sqlx::query_scalar("SELECT table_schema || '.' || table_name FROM catalog.layer WHERE id = $1")
                .bind(id.as_str())
                .fetch_one(connection)
                .await?;
        return Err(CatalogError::Exists { id: (*id).clone(), table });
    }
    Ok(())
}

pub(super) async fn describe(
    connection: &mut PgConnection,
    id: &LayerId,
    definition: &LayerDefinition,
) -> Result<(), CatalogError> {
    sqlx::query("UPDATE catalog.layer SET definition = $2, visibility = $3, subject = $4, sector = $5 WHERE id = $1")
        .bind(id.as_str())
        .bind(sqlx::types::Json(definition))
        .bind(definition.visibility.code())
        .bind(definition.subject.code())
        .bind(definition.sector.code())
        .execute(connection)
        .await?;
    Ok(())
}

/// A table's names, quoted for a statement.
#[derive(Debug)]
pub struct Quoted {
    /// `"schema"."name"`.
    pub relation: String,
    /// The key column.
    pub key: String,
    /// The geometry column.
    pub geometry: String,
}

impl Quoted {
    /// Quotes the names of `table`.
    pub fn new(table: &Table) -> Self {
        Self {
            relation: format!("{}.{}", Self::identifier(&table.schema), Self::identifier(&table.name)),
            key: Self::identifier(&table.key),
            geometry: Self::identifier(&table.geometry),
        }
    }

    /// One identifier, quoted as PostgreSQL asks (a quote inside is doubled).
    pub fn identifier(name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A text literal, for the few places where PostgreSQL takes no parameter
    /// (trigger arguments). Only for names from its own catalogue and ids.
    pub(super) fn literal(text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }
}
