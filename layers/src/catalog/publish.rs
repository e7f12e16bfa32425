//! Tables and views that were in the database before us, published as they
//! are, in their own CRS.

use access::audit::{self, Action, Entry};
use access::{Caller, Database, MunicipalityCode};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{CatalogError, Quoted, capture, refresh, row};
use crate::{
    Attribute, AttributeType, ChangeCapture, Dimension, GeometryType, Kind, LayerDefinition, LayerId, Table, Text,
};

/// A table or view that could be published.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its names; `key` is empty where it has no single-column primary key.
    pub table: Table,
    /// `table`, `partitioned table`, `view`, `materialized view` or `foreign table`.
    pub relation_kind: &'static str,
    /// The geometry column's type.
    pub geometry_type: GeometryType,
    /// Its ordinates.
    pub dimension: Dimension,
    /// Its CRS; 0 where PostGIS does not know it.
    pub srid: i32,
    /// PostgreSQL's estimate of its rows; negative where it was never analysed.
    pub estimated_rows: i64,
}

/// What is said to publish a table.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The layer's id.
    pub id: LayerId,
    /// The municipality whose data it holds.
    pub municipality: MunicipalityCode,
    /// The table's schema.
    pub schema: String,
    /// The table's name.
    pub name: String,
    /// The key column; may be left out where there is a primary key of one column.
    pub key: Option<String>,
    /// The geometry column; may be left out where there is one only.
    pub geometry: Option<String>,
    /// What people say of it. Attributes that it does not describe are taken
    /// from the table.
    pub definition: LayerDefinition,
}

const CANDIDATES: &str = "
    SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, g.attname AS geometry,
           postgis_typmod_type(g.atttypmod) AS type, postgis_typmod_srid(g.atttypmod) AS srid,
           c.reltuples::bigint AS estimated_rows, coalesce(k.name, '') AS key, coalesce(k.type, '') AS key_type
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS g ON g.attrelid = c.oid AND g.attnum > 0 AND NOT g.attisdropped
         AND g.atttypid = 'public.geometry'::regtype
    LEFT JOIN LATERAL (
        SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type
        FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
    ) AS k ON true
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'catalog', 'access', 'geo', 'staging', 'topology',
                            'tiger', 'tiger_data', 'registry', 'reports')
      AND n.nspname !~ '^pg_(toast|temp)'
      AND NOT EXISTS (SELECT FROM catalog.layer AS l WHERE (l.table_schema, l.table_name) = (n.nspname, c.relname))
    ORDER BY 1, 2, g.attnum";

/// The tables and views with a geometry that are not layers yet, those that
/// the `admin` connection sees in its database.
pub async fn discover(caller: &Caller, admin: &mut PgConnection) -> Result<Vec<Candidate>, CatalogError> {
    caller.require_operator("look for tables to publish")?;
    let rows = sqlx::query(CANDIDATES).fetch_all(admin).await?;
    rows.iter()
        .map(|row| {
            let type_name: String = row.try_get("type")?;
            let (geometry_type, dimension) = typmod(&type_name)?;
            Ok(Candidate {
                table: Table {
                    schema: row.try_get("schema")?,
                    name: row.try_get("name")?,
                    key: row.try_get("key")?,
                    key_type: row.try_get("key_type")?,
                    geometry: row.try_get("geometry")?,
                },
                relation_kind: match row.try_get::<String, _>("kind")?.as_str() {
                    "r" => "table",
                    "p" => "partitioned table",
                    "v" => "view",
                    "m" => "materialized view",
                    _ => "foreign table",
                },
                geometry_type,
                dimension,
                srid: row.try_get("srid")?,
                estimated_rows: row.try_get("estimated_rows")?,
            })
        })
        .collect()
}

/// Publishes a table or view. `admin` is a connection with the rights of its
/// owner: our roles are given SELECT on it, and a table gets the triggers that
/// record its changes. All of it happens or none.
pub async fn publish(
    caller: &Caller,
    admin: &mut PgConnection,
    publication: &Publication,
) -> Result<ChangeCapture, CatalogError> {
    caller.require_operator("publish a table")?;
    let refused = |reason: String| CatalogError::Unpublishable {
        table: format!("{}.{}", publication.schema, publication.name),
        reason,
    };
    let mut candidates: Vec<Candidate> = discover(caller, admin)
        .await?
        .into_iter()
        .filter(|c| c.table.schema == publication.schema && c.table.name == publication.name)
        .collect();
    if let Some(geometry) = &publication.geometry {
        candidates.retain(|c| c.table.geometry == *geometry);
    }
    let mut candidate = match candidates.len() {
        1 => candidates.remove(0),
        0 => {
            return Err(refused(
                "there is no such table with a geometry column, or it is a layer already; \
                 `lindero layer discover` lists what can be published"
                    .to_owned(),
            ));
        }
        _ => {
            let columns: Vec<&str> = candidates.iter().map(|c| c.table.geometry.as_str()).collect();
            return Err(refused(format!("it has several geometry columns ({}); name one", columns.join(", "))));
        }
    };
    if candidate.srid == 0 {
        return Err(refused(
            "its geometry column has no SRID; give it one with \
             ALTER TABLE ... ALTER COLUMN ... TYPE geometry(<type>, <srid>) USING ST_SetSRID(...)"
                .to_owned(),
        ));
    }
    let columns = columns(admin, &candidate.table).await?;
    if let Some(key) = &publication.key {
        let column = columns.iter().find(|column| column.name == *key);
        let column = column.ok_or_else(|| refused(format!("it has no column {key:?} to be the key")))?;
        candidate.table.key.clone_from(key);
        candidate.table.key_type.clone_from(&column.sql_type);
    }
    if candidate.table.key.is_empty() {
        return Err(refused(
            "it has no primary key of one column; name a column whose values are unique and never null \
             with --key"
                .to_owned(),
        ));
    }
    let definition =
        complete(&publication.definition, &columns, &candidate.table, &publication.name).map_err(refused)?;
    definition.validate(false)?;
    let change_capture = if candidate.relation_kind.ends_with("table") && candidate.relation_kind != "foreign table" {
        ChangeCapture::Triggers
    } else {
        ChangeCapture::Comparison
    };

    let quoted = Quoted::new(&candidate.table);
    let mut transaction = admin.begin().await?;
    let unique: bool = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT count(*) = count(DISTINCT {key}) AND count(*) = count({key}) FROM {relation}",
        key = quoted.key,
        relation = quoted.relation
    )))
    .fetch_one(&mut *transaction)
    .await?;
    if !unique {
        return Err(refused(format!(
            "the values of its column {:?} are not unique, or some are null",
            candidate.table.key
        )));
    }
    let schema = Quoted::identifier(&candidate.table.schema);
    let grants = format!(
        "GRANT USAGE ON SCHEMA {schema} TO lindero_app, lindero_loader; \
         GRANT SELECT ON {} TO lindero_app, lindero_loader",
        quoted.relation
    );
    sqlx::raw_sql(AssertSqlSafe(grants)).execute(&mut *transaction).await?;
    let declared_crs = declared_crs(&mut transaction, candidate.srid).await?;
    row::put(
        &mut transaction,
        &row::Entry {
            id: &publication.id,
            municipality: &publication.municipality,
            kind: Kind::Published,
            table: &candidate.table,
            geometry_type: candidate.geometry_type,
            dimension: candidate.dimension,
            storage_srid: candidate.srid,
            declared_crs: &declared_crs,
            definition: &definition,
            change_capture,
        },
    )
    .await?;
    if change_capture == ChangeCapture::Triggers {
        capture::install_triggers(&mut transaction, &publication.id, Kind::Published, &candidate.table).await?;
    }
    refresh(caller, &mut transaction, &publication.id, true).await?;
    let detail = json!({ "table": format!("{}.{}", publication.schema, publication.name),
        "visibility": definition.visibility, "above_public": super::above_public(&definition) });
    let entry = Entry::of_layer(Action::Publish, &publication.municipality, publication.id.as_str()).with(detail);
    audit::record(&mut transaction, caller, entry).await?;
    transaction.commit().await?;
    Ok(change_capture)
}

/// Takes a published table out of the catalogue; the table stays as it is. Its
/// triggers stay where only its owner may drop them: they do no harm.
pub async fn unpublish(caller: &Caller, db: &Database, id: &LayerId) -> Result<(), CatalogError> {
    caller.require_operator("unpublish a table")?;
    let layer = super::get(caller, db, id).await?;
    let mut admin = PgConnection::connect_with(&db.target().admin_options()).await?;
    let mut transaction = admin.begin().await?;
    sqlx::query("DELETE FROM catalog.layer WHERE id = $1").bind(id.as_str()).execute(&mut *transaction).await?;
    if layer.change_capture == ChangeCapture::Triggers {
        capture::remove_triggers(&mut transaction, &layer.table).await?;
    }
    let entry = Entry::of_layer(Action::Unpublish, &layer.municipality, id.as_str());
    audit::record(&mut transaction, caller, entry).await?;
    transaction.commit().await?;
    Ok(())
}

struct Column {
    name: String,
    sql_type: String,
    kind: Option<AttributeType>,
    required: bool,
}

async fn columns(connection: &mut PgConnection, table: &Table) -> Result<Vec<Column>, CatalogError> {
    let rows = sqlx::query(
        "SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AS required, \
                t.typcategory::text AS category \
         FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid \
         WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    )
    .bind(Quoted::new(table).relation)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let sql_type: String = row.try_get("type")?;
            let category: String = row.try_get("category")?;
            Ok(Column {
                name: row.try_get("name")?,
                kind: attribute_type(&sql_type, &category),
                sql_type,
                required: row.try_get("required")?,
            })
        })
        .collect()
}

/// What a column is as an attribute; none where it cannot be shown (binary
/// data, geometries, composite types).
fn attribute_type(sql_type: &str, category: &str) -> Option<AttributeType> {
    Some(match sql_type {
        "smallint" | "integer" | "bigint" => AttributeType::Integer,
        "real" | "double precision" | "numeric" => AttributeType::Number,
        "boolean" => AttributeType::Boolean,
        "date" => AttributeType::Date,
        "timestamp with time zone" | "timestamp without time zone" => AttributeType::DateTime,
        "json" | "jsonb" => AttributeType::Json,
        "uuid" | "citext" => AttributeType::Text,
        // Strings and enumerations.
        _ if category == "S" || category == "E" => AttributeType::Text,
        _ => return None,
    })
}

/// The definition with every column of the table among its attributes.
fn complete(
    definition: &LayerDefinition,
    columns: &[Column],
    table: &Table,
    name: &str,
) -> Result<LayerDefinition, String> {
    let mut complete = definition.clone();
    if complete.title.es.is_empty() {
        complete.title = Text::same(name);
    }
    for attribute in &mut complete.attributes {
        let column = columns.iter().find(|column| column.name == attribute.name);
        let column =
            column.ok_or_else(|| format!("the definition describes {:?}, which is no column of it", attribute.name))?;
        attribute.kind = column.kind.ok_or_else(|| format!("its column {:?} cannot be shown", attribute.name))?;
        attribute.column_type = Some(column.sql_type.clone());
    }
    for column in columns {
        let known = complete.attribute(&column.name).is_some() || column.name == table.key;
        if let (false, Some(kind)) = (known, column.kind) {
            complete.attributes.push(Attribute {
                name: column.name.clone(),
                kind,
                required: column.required,
                column_type: Some(column.sql_type.clone()),
                ..Attribute::default()
            });
        }
    }
    Ok(complete)
}

/// PostGIS's name of a type modifier: `MultiPolygonZM`.
fn typmod(name: &str) -> Result<(GeometryType, Dimension), CatalogError> {
    let (name, m) = name.strip_suffix('M').map_or((name, false), |rest| (rest, true));
    let (name, z) = name.strip_suffix('Z').map_or((name, false), |rest| (rest, true));
    // Curves and surfaces are read as what they approximate to.
    let geometry_type = match name {
        "CircularString" | "CompoundCurve" => GeometryType::LineString,
        "MultiCurve" => GeometryType::MultiLineString,
        "CurvePolygon" | "Triangle" => GeometryType::Polygon,
        "MultiSurface" | "PolyhedralSurface" | "Tin" => GeometryType::MultiPolygon,
        _ => name.parse().map_err(CatalogError::corrupt)?,
    };
    Ok((geometry_type, Dimension::new(z, m)))
}

async fn declared_crs(connection: &mut PgConnection, srid: i32) -> Result<String, CatalogError> {
    let crs: Option<String> = sqlx::query_scalar(
        "SELECT coalesce(auth_name || ':' || auth_srid, srtext) FROM public.spatial_ref_sys WHERE srid = $1",
    )
    .bind(srid)
    .fetch_optional(connection)
    .await?
    .flatten();
    Ok(crs.unwrap_or_else(|| srid.to_string()))
}
