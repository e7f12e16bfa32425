use access::{Caller, Database};
use futures::StreamExt;
use sqlx::{Connection, Postgres, QueryBuilder, Row};

use super::read::{check, feature, is_number, projected, push_columns};
use super::{Feature, FeatureError, FeatureId};
use crate::catalog::Quoted;
use crate::{Kind, Layer};

/// Which features of a layer a snapshot has.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// All.
    All,
    /// Those with these ids, as far as they exist.
    Only(&'a [FeatureId]),
}

/// A feature for whoever draws it.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotRow {
    /// The feature, its geometry as ISO WKB in the CRS that was asked for.
    pub feature: Feature,
    /// A point on the surface of an area, likewise; none of other geometries,
    /// and where the layer has no label.
    pub label: Option<Vec<u8>>,
    /// Whether it has a geometry that cannot be in that CRS: far outside of
    /// where the layer's own is defined, or of no numbers.
    pub is_lost: bool,
}

/// What a snapshot tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A row.
    Row(SnapshotRow),
    /// All that was told so far is told again from here on.
    Again,
}

/// Tells `each` the wanted features of a layer as they stand at one moment, in
/// no order, with their geometry in the CRS `srid`. Returns how many they were.
///
/// Rows come as they are read, on one connection, which is held until the end,
/// without a limit of time: for those who build something from a layer, not
/// for requests. Where a geometry cannot be transformed all of them are read
/// once more, with more care ([`Told::Again`]).
pub async fn snapshot(
    caller: &Caller,
    db: &Database,
    layer: &Layer,
    srid: i32,
    wanted: Wanted<'_>,
    mut each: impl FnMut(Told) + Send,
) -> Result<u64, FeatureError> {
    let layer = &*check(caller, layer)?;
    match read(db, layer, srid, wanted, false, &mut each).await {
        Err(FeatureError::Database(error)) if is_of_geometry(&error) => {
            each(Told::Again);
            read(db, layer, srid, wanted, true, &mut each).await
        }
        outcome => outcome,
    }
}

/// PostGIS refuses with `internal_error`, whatever it is that PROJ or GEOS
/// cannot do with a geometry.
fn is_of_geometry(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "XX000")
}

async fn read(
    db: &Database,
    layer: &Layer,
    srid: i32,
    wanted: Wanted<'_>,
    with_care: bool,
    each: &mut (impl FnMut(Told) + Send),
) -> Result<u64, FeatureError> {
    let label = layer.definition.attributes.len() + 2;
    let mut sql = statement(layer, srid, wanted, with_care);
    let mut connection = db.app().acquire().await?;
    // One statement sees one state of the database.
    let mut transaction = connection.begin_with("BEGIN READ ONLY; SET LOCAL statement_timeout = 0").await?;
    let mut count = 0;
    {
        let mut rows = sql.build().fetch(&mut *transaction);
        while let Some(row) = rows.next().await {
            let row = row?;
            let feature = feature(layer, &row)?;
            let is_lost = feature.geometry.is_none() && row.try_get(label + 1)?;
            each(Told::Row(SnapshotRow { feature, label: row.try_get(label)?, is_lost }));
            count += 1;
        }
    }
    transaction.commit().await?;
    Ok(count)
}

fn statement(layer: &Layer, srid: i32, wanted: Wanted<'_>, with_care: bool) -> QueryBuilder<Postgres> {
    let names = Quoted::new(&layer.table);
    let geometry = &names.geometry;
    let mut sql = QueryBuilder::new("SELECT ");
    let there = if with_care {
        format!("catalog.transformed_or_null({geometry}, {srid})")
    } else {
        projected(&format!("ST_CurveToLine({geometry})"), layer, srid)
    };
    push_columns(layer, &names, &there, &mut sql);
    if layer.definition.label.is_some() {
        let on_surface = if with_care { "catalog.point_on_surface_or_null" } else { "ST_PointOnSurface" };
        let point = format!("{on_surface}({there})");
        sql.push(format!(", CASE WHEN ST_Dimension({geometry}) = 2 THEN ST_AsBinary({point}, 'NDR') END"));
    } else {
        sql.push(", NULL::bytea");
    }
    sql.push(format!(", {geometry} IS NOT NULL FROM ")).push(&names.relation).push(" WHERE true");
    if layer.kind == Kind::Managed {
        sql.push(" AND municipality = ").push_bind(layer.municipality.as_str().to_owned());
    }
    if let Wanted::Only(ids) = wanted {
        sql.push(" AND ").push(&names.key).push(" = ANY (");
        if is_number(&layer.table.key_type) {
            let number = |id: &FeatureId| if let FeatureId::Number(number) = id { Some(*number) } else { None };
            sql.push_bind(ids.iter().filter_map(number).collect::<Vec<_>>()).push(")");
        } else {
            sql.push_bind(ids.iter().map(ToString::to_string).collect::<Vec<_>>());
            sql.push("::text[]::").push(&layer.table.key_type).push("[])");
        }
    }
    sql
}
