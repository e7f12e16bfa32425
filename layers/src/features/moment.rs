//! A layer as it was.

use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};

use crate::Layer;
use crate::catalog::Quoted;

/// Appends the relation to read from: the layer's table or, where its versions
/// are kept, what of it held at a moment. Before its history began that is
/// nothing. A layer without a history is as it is.
///
/// What holds now and began before is in the table; what began before and
/// ended after is among the versions. Both have an index on their geometries,
/// and a condition on the whole reaches both.
pub fn push_relation(layer: &Layer, moment: Option<DateTime<Utc>>, sql: &mut QueryBuilder<Postgres>) {
    let names = Quoted::new(&layer.table);
    let (Some(moment), Some(begun)) = (moment, layer.history_since) else {
        sql.push(&names.relation);
        return;
    };
    let columns = |of: &str| -> String {
        let attributes = layer.definition.attributes.iter();
        attributes.fold(String::new(), |list, attribute| list + ", " + of + "." + &Quoted::identifier(&attribute.name))
    };
    let (key, geometry) = (&names.key, &names.geometry);
    sql.push(format!(
        "(SELECT t.municipality, t.{key}{}, t.{geometry} FROM {} AS t WHERE ",
        columns("t"),
        names.relation
    ));
    sql.push_bind(moment).push(" >= ").push_bind(begun);
    sql.push(" AND NOT EXISTS (SELECT FROM catalog.feature_version AS v WHERE v.municipality = t.municipality AND v.layer = ");
    sql.push_bind(layer.id.as_str().to_owned())
        .push(format!(" AND v.feature = t.{key} AND v.until IS NULL AND v.since > "));
    sql.push_bind(moment).push(format!(
        ") UNION ALL SELECT v.municipality, v.feature{}, v.geometry FROM catalog.feature_version AS v \
            CROSS JOIN LATERAL jsonb_populate_record(NULL::{}, v.attributes) AS r WHERE ",
        columns("r"),
        names.relation
    ));
    sql.push_bind(moment).push(" >= ").push_bind(begun);
    sql.push(" AND v.municipality = ").push_bind(layer.municipality.as_str().to_owned());
    sql.push(" AND v.layer = ").push_bind(layer.id.as_str().to_owned());
    sql.push(" AND v.attributes IS NOT NULL AND v.since <= ")
        .push_bind(moment)
        .push(" AND v.until > ")
        .push_bind(moment);
    sql.push(format!(") AS {}", Quoted::identifier(&layer.table.name)));
}
