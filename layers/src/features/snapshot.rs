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
}

/// Tells `each` the wanted features of a layer as they stand at one moment, in
/// no order, with their geometry in the CRS `srid`. Returns how many they were.
///
/// Rows come as they are read, on one connection, which is held until the end,
/// without a limit of time: for those who build something from a layer, not
/// for requests.
pub async fn snapshot(
    caller: Caller,
    db: &Database,
    layer: &Layer,
    srid: i32,
    wanted: Wanted<'_>,
    mut each: impl FnMut(SnapshotRow) + Send,
) -> Result<u64, FeatureError> {
    check(caller, layer)?;
    let label = layer.definition.attributes.len() + 2;
    let mut sql = statement(layer, srid, wanted);
    let mut connection = db.app().acquire().await?;
    // One statement sees one state of the database.
    let mut transaction = connection.begin_with("BEGIN READ ONLY; SET LOCAL statement_timeout = 0").await?;
    let mut count = 0;
    {
        let mut rows = sql.build().fetch(&mut *transaction);
        while let Some(row) = rows.next().await {
            let row = row?;
            each(SnapshotRow { feature: feature(layer, &row)?, label: row.try_get(label)? });
            count += 1;
        }
    }
    transaction.commit().await?;
    Ok(count)
}

fn statement(layer: &Layer, srid: i32, wanted: Wanted<'_>) -> QueryBuilder<Postgres> {
    let names = Quoted::new(&layer.table);
    let geometry = &names.geometry;
    let mut sql = QueryBuilder::new("SELECT ");
    push_columns(layer, &names, srid, &mut sql);
    if layer.definition.label.is_some() {
        let point = format!("ST_PointOnSurface({})", projected(&format!("ST_CurveToLine({geometry})"), layer, srid));
        sql.push(format!(", CASE WHEN ST_Dimension({geometry}) = 2 THEN ST_AsBinary({point}, 'NDR') END"));
    } else {
        sql.push(", NULL::bytea");
    }
    sql.push(" FROM ").push(&names.relation).push(" WHERE true");
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
