//! What only the database can say of edits: whether their geometries are
//! valid, whether their keys are free, whether they keep to the layer's
//! topology. Asked before anything is written, of all edits at once.

use access::{Caller, Database};
use sqlx::{PgConnection, QueryBuilder, Row};

use super::EditError;
use super::violation::{Rule, Violation};
use crate::catalog::{self, CatalogError, Quoted};
use crate::{AttributeType, Layer, TopologyRule, Value, crs};

/// As much area (square metres), or length (metres), is taken to be none: what
/// is drawn by hand has slivers.
const NONE: f64 = 0.01;

/// Features as they are to be.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// Which edit, from 0.
    pub(super) edits: Vec<i32>,
    /// The feature's id; none of a new one.
    pub(super) ids: Vec<Option<i64>>,
    /// Whether it is new.
    pub(super) are_new: Vec<bool>,
    /// Its geometry as EWKB, where it is another than before.
    pub(super) geometries: Vec<Option<Vec<u8>>>,
    /// Its values, in the order of the layer's attributes.
    pub(super) values: Vec<Vec<Value>>,
}

impl Planned {
    /// Those that are new, and those that were there.
    pub(super) fn split(self) -> (Self, Self) {
        let (mut created, mut changed) = (Self::default(), Self::default());
        let rows = self.edits.into_iter().zip(self.ids).zip(self.are_new).zip(self.geometries).zip(self.values);
        for ((((edit, id), is_new), geometry), values) in rows {
            let part = if is_new { &mut created } else { &mut changed };
            part.edits.push(edit);
            part.ids.push(id);
            part.are_new.push(is_new);
            part.geometries.push(geometry);
            part.values.push(values);
        }
        (created, changed)
    }
}

/// The geometries that are not valid (OGC 06-103r4, 6.1), and where.
pub(super) async fn validity(
    connection: &mut PgConnection,
    layer: &Layer,
    planned: &Planned,
) -> Result<Vec<Violation>, EditError> {
    let rows = sqlx::query(
        "SELECT edit, reason(wrong), ST_X(lonlat) AS lon, ST_Y(lonlat) AS lat FROM ( \
            SELECT edit, ST_IsValidDetail(ST_GeomFromEWKB(geometry)) AS wrong, geometry \
            FROM unnest($1::int[], $2::bytea[]) AS planned(edit, geometry) WHERE geometry IS NOT NULL) AS looked, \
         LATERAL (SELECT ST_Transform(ST_SetSRID(location(wrong), $3), 4326) AS lonlat) AS placed \
         WHERE NOT valid(wrong) ORDER BY edit",
    )
    .bind(&planned.edits)
    .bind(&planned.geometries)
    .bind(layer.storage_srid)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let reason = row.try_get::<Option<String>, _>(1)?.unwrap_or_else(|| "it is not simple".to_owned());
            Ok(Violation::of_geometry(edit(row)?, position(row)?, Rule::GeometryValid(reason)))
        })
        .collect()
}

/// The natural keys that another feature has, in the layer or among the edits.
pub(super) async fn keys(
    connection: &mut PgConnection,
    layer: &Layer,
    planned: &Planned,
    touched: &[i64],
) -> Result<Vec<Violation>, EditError> {
    let attributes = &layer.definition.attributes;
    let Some(key) = layer.definition.natural_key.as_deref() else { return Ok(Vec::new()) };
    let Some(place) = attributes.iter().position(|attribute| attribute.name == key) else { return Ok(Vec::new()) };
    let texts: Vec<Option<String>> = planned.values.iter().map(|values| values.get(place).and_then(text)).collect();
    let names = Quoted::new(&layer.table);
    // As the column's own type, so that its index serves.
    let cast = attributes.get(place).map_or(AttributeType::Text, |attribute| attribute.kind).sql_type();
    let mut sql = QueryBuilder::new("WITH planned AS (SELECT * FROM unnest(");
    sql.push_bind(&planned.edits).push("::int[], ").push_bind(texts).push("::text[]) AS planned(edit, key)) ");
    sql.push(
        "SELECT edit FROM planned WHERE key IS NOT NULL AND (EXISTS (SELECT FROM planned AS other \
        WHERE other.key = planned.key AND other.edit < planned.edit) OR EXISTS (SELECT FROM ",
    );
    sql.push(&names.relation).push(" AS t WHERE t.municipality = ").push_bind(layer.municipality.as_str());
    sql.push(format!(" AND t.{} = planned.key::{cast} AND t.{} <> ALL (", Quoted::identifier(key), names.key));
    sql.push_bind(touched).push("))) ORDER BY edit");
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(|row| Ok(Violation::of_property(edit(row)?, key, Rule::Unique))).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Json(_) => None,
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Date(date) => Some(date.to_string()),
        Value::DateTime(instant) => Some(instant.to_rfc3339()),
    }
}

/// Where the geometries break the layer's topology rules. All must be valid.
/// `touched` are the features that change or go. What overlapped before by as
/// much may do so still: whoever mends a layer mends it one by one. The layer
/// that must cover is asked whoever edits: what it says is no more than where
/// it ends.
pub(super) async fn topology(
    db: &Database,
    connection: &mut PgConnection,
    layer: &Layer,
    planned: &Planned,
    touched: &[i64],
) -> Result<Vec<Violation>, EditError> {
    let mut violations = Vec::new();
    for rule in &layer.definition.topology {
        match rule {
            TopologyRule::MustNotOverlap => {
                violations.extend(overlaps(connection, layer, planned, touched).await?);
            }
            TopologyRule::MustBeCoveredBy(id) => {
                let cover = match catalog::get(&Caller::OPERATOR, db, id).await {
                    Ok(cover) => cover,
                    // Removed since: nothing can be covered by it.
                    Err(CatalogError::Unknown(_)) => continue,
                    Err(error) => return Err(error.into()),
                };
                violations.extend(uncovered(connection, layer, planned, &cover).await?);
            }
        }
    }
    Ok(violations)
}

async fn overlaps(
    connection: &mut PgConnection,
    layer: &Layer,
    planned: &Planned,
    touched: &[i64],
) -> Result<Vec<Violation>, EditError> {
    let Quoted { relation, key, geometry } = Quoted::new(&layer.table);
    let mut sql =
        QueryBuilder::new("WITH planned AS MATERIALIZED (SELECT edit, id, ST_GeomFromEWKB(wkb) AS g FROM unnest(");
    sql.push_bind(&planned.edits).push("::int[], ").push_bind(&planned.ids).push("::bigint[], ");
    sql.push_bind(&planned.geometries).push("::bytea[]) AS planned(edit, id, wkb) WHERE wkb IS NOT NULL), ");
    sql.push(format!(
        "pairs AS (SELECT p.edit, p.id, t.{key} AS other, p.g, t.{geometry} AS h FROM planned AS p JOIN {relation} AS t "
    ));
    sql.push(format!("ON t.{geometry} && p.g WHERE t.municipality = ")).push_bind(layer.municipality.as_str());
    sql.push(format!(" AND t.{key} <> ALL (")).push_bind(touched);
    sql.push(
        ") UNION ALL SELECT a.edit, a.id, NULL, a.g, b.g FROM planned AS a JOIN planned AS b ON b.edit < a.edit AND b.g && a.g), \
         common AS (SELECT edit, id, other, h, CASE WHEN ST_IsValid(h) AND ST_Relate(g, h, '2********') \
            THEN ST_Intersection(g, h) END AS c FROM pairs) \
         SELECT edit, other, ST_X(place) AS lon, ST_Y(place) AS lat FROM common, \
            LATERAL (SELECT ST_Transform(ST_PointOnSurface(c), 4326) AS place) AS placed \
         WHERE ST_Area(c) > ",
    );
    sql.push_bind(NONE).push(" + coalesce((SELECT ");
    sql.push(format!(
        "CASE WHEN common.other IS NOT NULL AND ST_IsValid(o.{geometry}) THEN ST_Area(ST_Intersection(o.{geometry}, common.h)) END \
         FROM {relation} AS o WHERE o.{key} = common.id AND o.municipality = "
    ));
    sql.push_bind(layer.municipality.as_str()).push("), 0) ORDER BY edit, other");
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok(Violation::of_geometry(edit(row)?, position(row)?, Rule::Overlap(row.try_get("other")?))))
        .collect()
}

async fn uncovered(
    connection: &mut PgConnection,
    layer: &Layer,
    planned: &Planned,
    cover: &Layer,
) -> Result<Vec<Violation>, EditError> {
    let names = Quoted::new(&cover.table);
    let there = |geometry: &str, from: i32, to: i32| {
        if from == to { geometry.to_owned() } else { format!("ST_Transform({geometry}, {to})") }
    };
    let covering = there(&format!("c.{}", names.geometry), cover.storage_srid, layer.storage_srid);
    let asked = there("planned.g", layer.storage_srid, cover.storage_srid);
    let mut sql =
        QueryBuilder::new("WITH planned AS MATERIALIZED (SELECT edit, ST_GeomFromEWKB(wkb) AS g FROM unnest(");
    sql.push_bind(&planned.edits).push("::int[], ").push_bind(&planned.geometries);
    sql.push(
        "::bytea[]) AS planned(edit, wkb) WHERE wkb IS NOT NULL), \
        outside AS (SELECT edit, coalesce(ST_Difference(planned.g, (SELECT ST_Union(",
    );
    sql.push(format!(
        "{covering}) FROM {} AS c WHERE c.{} && {asked})), planned.g) AS rest FROM planned) ",
        names.relation, names.geometry
    ));
    sql.push(
        "SELECT edit, ST_X(place) AS lon, ST_Y(place) AS lat FROM outside, \
            LATERAL (SELECT ST_Transform(ST_PointOnSurface(rest), 4326) AS place) AS placed \
         WHERE NOT ST_IsEmpty(rest) AND (ST_Dimension(rest) = 0 OR greatest(ST_Area(rest), ST_Length(rest)) > ",
    );
    sql.push_bind(NONE).push(") ORDER BY edit");
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(|row| Ok(Violation::of_geometry(edit(row)?, position(row)?, Rule::Covered))).collect()
}

fn edit(row: &sqlx::postgres::PgRow) -> Result<usize, sqlx::Error> {
    Ok(row.try_get::<i32, _>("edit")?.unsigned_abs() as usize)
}

/// Longitude and latitude, as a map says them.
fn position(row: &sqlx::postgres::PgRow) -> Result<Option<[f64; 2]>, sqlx::Error> {
    let place: (Option<f64>, Option<f64>) = (row.try_get("lon")?, row.try_get("lat")?);
    Ok(match place {
        (Some(x), Some(y)) if x.is_finite() && y.is_finite() => Some([crs::to_map(x), crs::to_map(y)]),
        _ => None,
    })
}
