//! The statement that cuts one tile.

use chrono::{DateTime, Utc};
use layers::catalog::Quoted;
use layers::features::push_relation;
use layers::filter::Filter;
use layers::{AttributeType, Extent, GeometryType, Kind, Layer, ZoomRule, crs};
use sqlx::{Postgres, QueryBuilder};

use super::sieve::Sieve;
use crate::{EXTENT, POINT_COUNT, TileCoord, View};

/// What is drawn around the tile, in its units: enough for an outline's
/// width; more for points, whose symbols reach over the edge.
fn buffer(layer: &Layer) -> u32 {
    match layer.geometry_type {
        GeometryType::Point | GeometryType::MultiPoint => 256,
        _ => 64,
    }
}

/// The same as a part of the tile's side.
pub(super) fn margin(layer: &Layer) -> f64 {
    f64::from(buffer(layer)) / f64::from(EXTENT)
}

/// What of a layer is drawn in a tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn<'a> {
    pub(crate) layer: &'a Layer,
    /// Only the features for which this is true.
    pub(crate) filter: Option<&'a Filter>,
    /// As it was then, where its versions are kept.
    pub(crate) moment: Option<DateTime<Utc>>,
    pub(crate) view: &'a View,
    /// The name of the labels' layer.
    pub(crate) labels: &'a str,
}

/// The statement: one row of what there is to draw (features, places) and the
/// tile. `whole` is the tile with its margin, in longitude and latitude, `area`
/// what of it is within the storage CRS's domain.
///
/// Names come from the catalogue, values are bound. All names of ours that
/// stand beside the layer's or its attributes' have a space, which those may
/// have too, but not after `lindero`: a layer may be called `area`, and an
/// attribute `features`.
pub(super) fn tile(
    drawn: Drawn<'_>,
    tile: TileCoord,
    whole: Extent,
    area: Extent,
    sieve: Sieve,
) -> QueryBuilder<Postgres> {
    let Drawn { layer, view, .. } = drawn;
    let mut sql = QueryBuilder::new("WITH \"lindero area\" AS MATERIALIZED (SELECT *, ");
    // A unit of the tile in the storage CRS: at its scale in this place.
    let (columns, rows) = units(layer, whole, area);
    sql.push("(ST_XMax(\"lindero stored\") - ST_XMin(\"lindero stored\")) / ").push_bind(columns);
    sql.push(" AS \"lindero wide\", (ST_YMax(\"lindero stored\") - ST_YMin(\"lindero stored\")) / ").push_bind(rows);
    sql.push(" AS \"lindero high\" FROM (SELECT ST_MakeEnvelope(");
    for edge in tile.bounds() {
        sql.push_bind(edge).push(", ");
    }
    sql.push_bind(tile.set().srid()).push(") AS \"lindero tile\", ");
    crs::push_box(area, layer.storage_srid, &mut sql);
    sql.push(" AS \"lindero stored\") AS \"lindero places\"), ");
    push_source(drawn, tile, sieve, &mut sql);
    sieve.push_shown(&mut sql);
    sieve.push_drawn(tile, view, &mut sql);
    push_tile(drawn, sieve, &mut sql);
    sql
}

/// How many units of the tile the area is wide and high, about: of the tile
/// with its margin, it is a part.
fn units(layer: &Layer, whole: Extent, area: Extent) -> (f64, f64) {
    let units = f64::from(EXTENT + 2 * buffer(layer));
    let part = |side: fn(Extent) -> f64| units * side(area) / side(whole);
    (part(|extent| extent.east - extent.west), part(|extent| extent.north - extent.south))
}

/// The features that may be in the tile, as they are kept, with what the sieve
/// asks of them.
fn push_source(drawn: Drawn<'_>, tile: TileCoord, sieve: Sieve, sql: &mut QueryBuilder<Postgres>) {
    let Drawn { layer, filter, moment, view, .. } = drawn;
    let names = Quoted::new(&layer.table);
    let geometry = &names.geometry;
    sql.push("source AS (SELECT ").push(&names.key).push(" AS \"lindero key\", ");
    sql.push(geometry).push(" AS \"lindero geometry\", ");
    sieve.push_measures(geometry, sql);
    push_attributes(layer, view, sql);
    sql.push(" FROM ");
    push_relation(layer, moment, sql);
    sql.push(", \"lindero area\" WHERE ").push(geometry).push(" && \"lindero area\".\"lindero stored\"");
    if layer.kind == Kind::Managed {
        sql.push(" AND municipality = ").push_bind(layer.municipality.as_str().to_owned());
    }
    if let Some(filter) = filter {
        sql.push(" AND ");
        filter.push(sql);
    }
    if let Some(rule) = &layer.definition.zoom_rule {
        push_zoom_rule(rule, tile.scale_zoom(), sql);
    }
    sql.push("), ");
}

/// The attributes of the view, each as a type that `ST_AsMVT` writes as
/// GeoJSON would.
fn push_attributes(layer: &Layer, view: &View, sql: &mut QueryBuilder<Postgres>) {
    for attribute in layer.definition.attributes.iter().filter(|attribute| view.shows(&attribute.name)) {
        let column = Quoted::identifier(&attribute.name);
        let value = match attribute.kind {
            AttributeType::DateTime => {
                format!("rtrim(rtrim(to_char({column}::timestamptz, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0'), '.') || 'Z'")
            }
            AttributeType::Date => format!("{column}::date::text"),
            kind => format!("{column}::{}", kind.sql_type()),
        };
        sql.push(", ").push(value).push(" AS ").push(&column);
    }
}

/// The features that are in tiles of this zoom, by the value of one attribute.
fn push_zoom_rule(rule: &ZoomRule, zoom: u8, sql: &mut QueryBuilder<Postgres>) {
    let of = |shown: bool| -> Vec<String> {
        rule.values.iter().filter(|(_, from)| (**from <= zoom) == shown).map(|(value, _)| value.clone()).collect()
    };
    let column = Quoted::identifier(&rule.attribute);
    if rule.otherwise <= zoom {
        sql.push(format!(" AND coalesce({column}::text <> ALL (")).push_bind(of(false)).push("), true)");
    } else {
        sql.push(format!(" AND {column}::text = ANY (")).push_bind(of(true)).push(")");
    }
}

/// The layer of features and, where there is one, that of labels; with the
/// load, and nothing where it is more than may be drawn. Ordered by key, so that
/// equal content gives equal bytes.
fn push_tile(drawn: Drawn<'_>, sieve: Sieve, sql: &mut QueryBuilder<Postgres>) {
    let Drawn { layer, view, labels, .. } = drawn;
    let numbered = matches!(layer.table.key_type.as_str(), "bigint" | "integer" | "smallint");
    // What stands for several is none of them.
    let key = if numbered { "\"lindero key\"::bigint" } else { "NULL::bigint" };
    let id = format!("CASE WHEN NOT {} THEN {key} END AS \"lindero id\"", sieve.of_several());
    let mut columns = String::new();
    for attribute in layer.definition.attributes.iter().filter(|attribute| view.shows(&attribute.name)) {
        columns.push_str(", ");
        columns.push_str(&Quoted::identifier(&attribute.name));
    }
    if sieve.counts(layer, view) {
        columns.push_str(", CASE WHEN \"lindero dimension\" = 0 THEN nullif(\"lindero count\", 1) END AS ");
        columns.push_str(&Quoted::identifier(POINT_COUNT));
    }
    sql.push(format!(
        ", \"lindero features\" AS (SELECT {id}, ST_AsMVTGeom(\"lindero drawn\", \"lindero area\".\"lindero tile\", {EXTENT}, {buffer}, true) \
            AS \"lindero geometry\"{columns} FROM drawn, \"lindero area\" ORDER BY \"lindero key\"), \
         tiles AS (SELECT ST_AsMVT(\"lindero features\", ",
        buffer = buffer(layer),
    ));
    sql.push_bind(layer.id.as_str().to_owned());
    sql.push(format!(
        ", {EXTENT}, 'lindero geometry', 'lindero id') AS tile FROM \"lindero features\" WHERE \"lindero geometry\" IS NOT NULL)"
    ));
    let label = layer.definition.label.as_deref().filter(|label| has_labels(layer) && view.shows(label));
    let Some(label) = label else {
        sql.push(" SELECT load.*, tile FROM load, tiles");
        return;
    };
    // The point is of the whole geometry, at every zoom the same, and in one
    // tile only: west and north edges belong to it, east and south do not.
    let label = Quoted::identifier(label);
    sql.push(format!(
        ", points AS (SELECT {id}, {label}::text AS name, ST_PointOnSurface(\"lindero whole\") AS point, \
            \"lindero key\" FROM drawn WHERE \"lindero dimension\" = 2 AND NOT \"lindero small\" AND {label} IS NOT NULL), \
         labels AS (SELECT \"lindero id\", name, \
            ST_AsMVTGeom(point, \"lindero area\".\"lindero tile\", {EXTENT}, 0, false) AS \"lindero geometry\" FROM points, \"lindero area\" \
            WHERE ST_X(point) >= ST_XMin(\"lindero area\".\"lindero tile\") AND ST_X(point) < ST_XMax(\"lindero area\".\"lindero tile\") \
              AND ST_Y(point) > ST_YMin(\"lindero area\".\"lindero tile\") AND ST_Y(point) <= ST_YMax(\"lindero area\".\"lindero tile\") ORDER BY \"lindero key\"), \
         named AS (SELECT ST_AsMVT(labels, "
    ));
    sql.push_bind(labels.to_owned()).push(format!(
        ", {EXTENT}, 'lindero geometry', 'lindero id') AS tile FROM labels WHERE \"lindero geometry\" IS NOT NULL) \
         SELECT load.*, tiles.tile || named.tile AS tile FROM load, tiles, named"
    ));
}

/// Polygons are labelled once each; points and lines are named where they are.
fn has_labels(layer: &Layer) -> bool {
    matches!(layer.geometry_type, GeometryType::Polygon | GeometryType::MultiPolygon | GeometryType::Geometry)
}
