use std::borrow::Cow;

use access::{Caller, Database};
use chrono::{DateTime, Utc};
use futures::Stream;
use futures::stream::try_unfold;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

use super::{Feature, FeatureError, FeatureId, Query, push_relation};
use crate::catalog::Quoted;
use crate::{AttributeType, Kind, Layer, Value, crs};

/// Rows that one statement brings: the connection goes back between batches.
const BATCH: usize = 1000;

/// The features that the query asks for, in the order of their ids, at most
/// `limit`, in batches of up to 1 000. The stream holds one batch at a time
/// and no connection between batches; a row deleted meanwhile is not seen, a
/// row inserted behind is.
pub fn batches<'a>(
    caller: &Caller,
    db: &'a Database,
    layer: &'a Layer,
    query: Query,
    limit: usize,
) -> impl Stream<Item = Result<Vec<Feature>, FeatureError>> + Send + use<'a> {
    let layer = check(caller, layer).and_then(|layer| {
        layer.note_read(caller, "items", "")?;
        Ok(layer)
    });
    try_unfold((layer, query, limit), move |(layer, mut query, left)| async move {
        let layer = layer?;
        if left == 0 {
            return Ok(None);
        }
        let wanted = left.min(BATCH);
        let features = page(db, &layer, &query, wanted).await?;
        let Some(last) = features.last() else { return Ok(None) };
        query.after = Some(last.id.clone());
        query.offset = 0;
        let left = if features.len() < wanted { 0 } else { left - features.len() };
        Ok(Some((features, (Ok(layer), query, left))))
    })
}

/// How many features the query asks for, paging aside.
pub async fn count(caller: &Caller, db: &Database, layer: &Layer, query: &Query) -> Result<i64, FeatureError> {
    let layer = check(caller, layer)?;
    // A count by an attribute tells of it.
    layer.note_read(caller, "items", "")?;
    let names = Quoted::new(&layer.table);
    let mut sql = QueryBuilder::new("SELECT count(*) FROM ");
    push_relation(&layer, query.moment, &mut sql);
    query.push_conditions(&layer, &names, &mut sql);
    Ok(sql.build_query_scalar().persistent(query.is_common()).fetch_one(db.app()).await?)
}

/// The feature with that id: as it is, or as it was at a moment where the
/// layer's versions are kept.
pub async fn get(
    caller: &Caller,
    db: &Database,
    layer: &Layer,
    id: &str,
    moment: Option<DateTime<Utc>>,
) -> Result<Feature, FeatureError> {
    let layer = &*check(caller, layer)?;
    let unknown = || FeatureError::UnknownFeature { layer: layer.id.clone(), feature: id.to_owned() };
    let names = Quoted::new(&layer.table);
    let mut sql = select(layer, &names, moment);
    Query::default().push_conditions(layer, &names, &mut sql);
    sql.push(" AND ").push(&names.key).push(" = ");
    if is_number(&layer.table.key_type) {
        sql.push_bind(id.parse::<i64>().map_err(|_| unknown())?);
    } else {
        sql.push_bind(id.to_owned()).push("::text::").push(&layer.table.key_type);
    }
    let row = match sql.build().fetch_optional(db.app()).await {
        Ok(row) => row.ok_or_else(unknown)?,
        // Class 22, data exception: the text is none of the key's type (a uuid).
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code.starts_with("22")) => {
            return Err(unknown());
        }
        Err(error) => return Err(error.into()),
    };
    layer.note_read(caller, "item", id)?;
    Ok(feature(layer, &row)?)
}

/// Fails where there is no feature with that id for the caller; notes that it
/// is shown something of it, by that name.
pub(crate) async fn require(
    caller: &Caller,
    db: &Database,
    layer: &Layer,
    id: i64,
    by: &str,
) -> Result<(), FeatureError> {
    let layer = &*check(caller, layer)?;
    let names = Quoted::new(&layer.table);
    let mut sql = QueryBuilder::new("SELECT EXISTS (SELECT FROM ");
    sql.push(&names.relation);
    Query::default().push_conditions(layer, &names, &mut sql);
    sql.push(" AND ").push(&names.key).push(" = ").push_bind(id).push(")");
    if !sql.build_query_scalar::<bool>().fetch_one(db.app()).await? {
        return Err(FeatureError::UnknownFeature { layer: layer.id.clone(), feature: id.to_string() });
    }
    Ok(layer.note_read(caller, by, &id.to_string())?)
}

async fn page(db: &Database, layer: &Layer, query: &Query, limit: usize) -> Result<Vec<Feature>, FeatureError> {
    let names = Quoted::new(&layer.table);
    let mut sql = select(layer, &names, query.moment);
    query.push_conditions(layer, &names, &mut sql);
    match &query.after {
        Some(FeatureId::Number(after)) => {
            sql.push(" AND ").push(&names.key).push(" > ").push_bind(*after);
        }
        Some(FeatureId::Text(after)) => {
            sql.push(" AND ").push(&names.key).push(" > ").push_bind(after.clone());
            sql.push("::text::").push(&layer.table.key_type);
        }
        None => {}
    }
    sql.push(" ORDER BY ").push(&names.key).push(" LIMIT ").push_bind(limit as i64);
    if query.offset > 0 {
        sql.push(" OFFSET ").push_bind(i64::try_from(query.offset).unwrap_or(i64::MAX));
    }
    let rows = sql.build().persistent(query.is_common()).fetch_all(db.app()).await?;
    Ok(rows.iter().map(|row| feature(layer, row)).collect::<Result<_, _>>()?)
}

/// The layer as the caller may know it, whoever's it was that is given.
pub(crate) fn check<'a>(caller: &Caller, layer: &'a Layer) -> Result<Cow<'a, Layer>, FeatureError> {
    layer.seen_by(caller).ok_or_else(|| {
        layer.note_denial(caller);
        FeatureError::UnknownLayer(layer.id.clone())
    })
}

/// `SELECT key, geometry, attributes... FROM relation`: the geometry as WKB in
/// CRS84, each attribute as the PostgreSQL type of its [`AttributeType`].
pub(crate) fn select(layer: &Layer, names: &Quoted, moment: Option<DateTime<Utc>>) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("SELECT ");
    let straight = format!("ST_CurveToLine({})", names.geometry);
    push_columns(layer, names, &projected(&straight, layer, crs::WGS_84), &mut sql);
    sql.push(" FROM ");
    push_relation(layer, moment, &mut sql);
    sql
}

/// The columns of [`select`], with that expression as geometry.
pub(crate) fn push_columns(layer: &Layer, names: &Quoted, geometry: &str, sql: &mut QueryBuilder<Postgres>) {
    sql.push(&names.key).push(if is_number(&layer.table.key_type) { "::bigint" } else { "::text" });
    sql.push(", ST_AsBinary(").push(geometry).push(", 'NDR')");
    for attribute in &layer.definition.attributes {
        sql.push(", ").push(Quoted::identifier(&attribute.name));
        if layer.kind == Kind::Published {
            sql.push("::").push(attribute.kind.sql_type());
        }
    }
}

/// An expression for a geometry of the layer in that CRS.
pub(crate) fn projected(geometry: &str, layer: &Layer, srid: i32) -> String {
    if layer.storage_srid == srid { geometry.to_owned() } else { format!("ST_Transform({geometry}, {srid})") }
}

/// Whether ids are whole numbers.
pub(super) fn is_number(key_type: &str) -> bool {
    matches!(key_type, "bigint" | "integer" | "smallint")
}

/// The feature in a row of [`select`].
pub(crate) fn feature(layer: &Layer, row: &PgRow) -> Result<Feature, sqlx::Error> {
    let id = if is_number(&layer.table.key_type) {
        FeatureId::Number(row.try_get(0)?)
    } else {
        FeatureId::Text(row.try_get(0)?)
    };
    let values = layer
        .definition
        .attributes
        .iter()
        .enumerate()
        .map(|(index, attribute)| value(row, index + 2, attribute.kind))
        .collect::<Result<_, _>>()?;
    Ok(Feature { id, geometry: row.try_get(1)?, values })
}

fn value(row: &PgRow, index: usize, kind: AttributeType) -> Result<Value, sqlx::Error> {
    let value = match kind {
        AttributeType::Text => row.try_get::<Option<_>, _>(index)?.map(Value::Text),
        AttributeType::Integer => row.try_get::<Option<_>, _>(index)?.map(Value::Integer),
        AttributeType::Number => row.try_get::<Option<_>, _>(index)?.map(Value::Number),
        AttributeType::Boolean => row.try_get::<Option<_>, _>(index)?.map(Value::Boolean),
        AttributeType::Date => row.try_get::<Option<_>, _>(index)?.map(Value::Date),
        AttributeType::DateTime => row.try_get::<Option<_>, _>(index)?.map(Value::DateTime),
        AttributeType::Json => row.try_get::<Option<_>, _>(index)?.map(Value::Json),
    };
    Ok(value.unwrap_or(Value::Null))
}
