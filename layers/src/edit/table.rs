//! The layer's rows: as they are, locked, and as they become.

use std::collections::BTreeMap;

use sqlx::{PgConnection, Postgres, QueryBuilder, Row};

use super::EditError;
use super::check::Planned;
use super::geometry::Drawn;
use crate::catalog::Quoted;
use crate::features::{self, Feature, push_columns};
use crate::{AttributeType, Layer, Value, crs};

/// A feature as it is now.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) feature: Feature,
    /// Its geometry as the table has it, WKB.
    pub(super) stored: Option<Vec<u8>>,
}

/// The features with these ids, locked until the transaction ends.
pub(super) async fn lock(
    connection: &mut PgConnection,
    layer: &Layer,
    ids: &[i64],
) -> Result<BTreeMap<i64, Current>, EditError> {
    let names = Quoted::new(&layer.table);
    let mut sql = QueryBuilder::new("SELECT ");
    push_columns(layer, &names, &features::projected(&names.geometry, layer, crs::WGS_84), &mut sql);
    sql.push(format!(", ST_AsBinary({}, 'NDR') FROM {} WHERE municipality = ", names.geometry, names.relation));
    sql.push_bind(layer.municipality.as_str()).push(format!(" AND {} = ANY (", names.key)).push_bind(ids);
    // In one order, so that two batches never wait for each other.
    sql.push(format!(") ORDER BY {} FOR UPDATE", names.key));
    let rows = sql.build().fetch_all(connection).await?;
    let last = layer.definition.attributes.len() + 2;
    rows.iter()
        .map(|row| {
            let current = Current { feature: features::feature(layer, row)?, stored: row.try_get(last)? };
            Ok((row.try_get(0)?, current))
        })
        .collect()
}

/// The geometries around what is drawn, each in longitude and latitude and as
/// the table has it, WKB.
pub(super) async fn around(
    connection: &mut PgConnection,
    layer: &Layer,
    drawn: &[Drawn],
) -> Result<Vec<(Vec<u8>, Vec<u8>)>, EditError> {
    let Quoted { relation, geometry, .. } = Quoted::new(&layer.table);
    let boxes: Vec<[f64; 4]> = drawn.iter().map(Drawn::envelope).collect();
    let edges = |edge: usize| boxes.iter().map(|around| around[edge]).collect::<Vec<f64>>();
    let mut sql = QueryBuilder::new(format!(
        "SELECT ST_AsBinary({}, 'NDR'), ST_AsBinary({geometry}, 'NDR') FROM {relation} WHERE municipality = ",
        features::projected(&geometry, layer, crs::WGS_84)
    ));
    sql.push_bind(layer.municipality.as_str()).push(" AND ctid IN (SELECT t.ctid FROM unnest(");
    for edge in 0..4 {
        sql.push_bind(edges(edge)).push(if edge < 3 { "::float8[], " } else { "::float8[]) " });
    }
    // A metre more: the box's edges bend.
    sql.push(format!(
        "AS b(west, south, east, north) JOIN {relation} AS t ON t.{geometry} && \
            ST_Expand(ST_Transform(ST_MakeEnvelope(b.west, b.south, b.east, b.north, 4326), {}), 1))",
        layer.storage_srid
    ));
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The features with these ids, as they are.
pub(super) async fn read(
    connection: &mut PgConnection,
    layer: &Layer,
    ids: &[i64],
) -> Result<BTreeMap<i64, Feature>, EditError> {
    let names = Quoted::new(&layer.table);
    let mut sql = features::select(layer, &names, None);
    sql.push(" WHERE municipality = ").push_bind(layer.municipality.as_str());
    sql.push(format!(" AND {} = ANY (", names.key)).push_bind(ids).push(")");
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, features::feature(layer, row)?))).collect()
}

/// Removes features.
pub(super) async fn delete(connection: &mut PgConnection, layer: &Layer, ids: &[i64]) -> Result<(), EditError> {
    if ids.is_empty() {
        return Ok(());
    }
    let names = Quoted::new(&layer.table);
    let mut sql = QueryBuilder::new(format!("DELETE FROM {} WHERE municipality = ", names.relation));
    sql.push_bind(layer.municipality.as_str()).push(format!(" AND {} = ANY (", names.key)).push_bind(ids).push(")");
    sql.build().execute(connection).await?;
    Ok(())
}

/// Changes features: those of `planned` with an id. A geometry that is none
/// stays as it is.
pub(super) async fn update(connection: &mut PgConnection, layer: &Layer, planned: &Planned) -> Result<(), EditError> {
    let Quoted { relation, key, geometry } = Quoted::new(&layer.table);
    let attributes: Vec<String> = names_of(layer);
    let list = |of: &str| attributes.iter().fold(String::new(), |list, name| list + of + name + ", ");
    let mut sql = QueryBuilder::new(format!(
        "UPDATE {relation} AS t SET ({}{geometry}) = ROW ({}coalesce(ST_GeomFromEWKB(r.\"lindero geometry\"), t.{geometry})) FROM ",
        list(""),
        list("r.")
    ));
    push_rows(layer, planned, &mut sql);
    sql.push(" WHERE t.municipality = ").push_bind(layer.municipality.as_str());
    sql.push(format!(" AND t.{key} = r.\"lindero id\""));
    sql.build().execute(connection).await?;
    Ok(())
}

/// Adds features, those of `planned`, and says their ids in their order. One
/// with an id is given that.
pub(super) async fn insert(
    connection: &mut PgConnection,
    layer: &Layer,
    planned: &Planned,
) -> Result<Vec<i64>, EditError> {
    let Quoted { relation, key, geometry } = Quoted::new(&layer.table);
    let attributes: Vec<String> = names_of(layer);
    let is_given = planned.ids.iter().any(Option::is_some);
    let mut sql = QueryBuilder::new(format!("INSERT INTO {relation} (municipality"));
    for name in is_given.then_some(&key).into_iter().chain(&attributes).chain([&geometry]) {
        sql.push(", ").push(name);
    }
    sql.push(") SELECT ").push_bind(layer.municipality.as_str());
    if is_given {
        sql.push(", r.\"lindero id\"");
    }
    for name in &attributes {
        sql.push(", r.").push(name);
    }
    sql.push(", ST_GeomFromEWKB(r.\"lindero geometry\") FROM ");
    push_rows(layer, planned, &mut sql);
    sql.push(format!(" ORDER BY r.\"lindero edit\" RETURNING {key}"));
    Ok(sql.build_query_scalar().fetch_all(connection).await?)
}

fn names_of(layer: &Layer) -> Vec<String> {
    layer.definition.attributes.iter().map(|attribute| Quoted::identifier(&attribute.name)).collect()
}

/// `unnest(...) AS r(...)`: the planned features as rows.
fn push_rows(layer: &Layer, planned: &Planned, sql: &mut QueryBuilder<Postgres>) {
    sql.push("unnest(").push_bind(planned.edits.clone()).push("::int[], ");
    sql.push_bind(planned.ids.clone()).push("::bigint[], ").push_bind(planned.geometries.clone()).push("::bytea[]");
    for (place, attribute) in layer.definition.attributes.iter().enumerate() {
        sql.push(", ");
        push_column(attribute.kind, planned.values.iter().filter_map(|values| values.get(place)), sql);
        sql.push("::").push(attribute.kind.sql_type()).push("[]");
    }
    sql.push(") AS r(\"lindero edit\", \"lindero id\", \"lindero geometry\"");
    for name in names_of(layer) {
        sql.push(", ").push(name);
    }
    sql.push(")");
}

/// One attribute's values.
fn push_column<'a>(kind: AttributeType, values: impl Iterator<Item = &'a Value>, sql: &mut QueryBuilder<Postgres>) {
    macro_rules! column {
        ($variant:ident) => {{
            let column =
                values.map(|value| if let Value::$variant(value) = value { Some(value.clone()) } else { None });
            let _: &mut QueryBuilder<Postgres> = sql.push_bind(column.collect::<Vec<_>>());
        }};
    }
    match kind {
        AttributeType::Text => column!(Text),
        AttributeType::Integer => column!(Integer),
        AttributeType::Number => column!(Number),
        AttributeType::Boolean => column!(Boolean),
        AttributeType::Date => column!(Date),
        AttributeType::DateTime => column!(DateTime),
        AttributeType::Json => column!(Json),
    }
}
