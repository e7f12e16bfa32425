//! The statement that cuts one tile.

use layers::catalog::Quoted;
use layers::{AttributeType, Extent, GeometryType, Kind, Layer, ZoomRule, crs};
use sqlx::{Postgres, QueryBuilder};

use crate::{EXTENT, TileCoord, View};

/// How a tile's transaction begins.
pub(super) const BEGIN: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '20s'";

/// From this zoom on every feature is in its tiles, as it is. Below, what is
/// smaller than a pixel is left out and lines are simplified under half a one.
pub(super) const DETAILED_FROM: u8 = 15;

/// Units of a pixel, where a tile is drawn 512 pixels wide, as web maps do.
const PIXEL: f64 = EXTENT as f64 / 512.0;

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

/// The statement: one row, one column, the tile's bytes. `area` is the tile
/// with its margin, in longitude and latitude, within the storage CRS's domain.
///
/// Names come from the catalogue, values are bound.
pub(super) fn tile(layer: &Layer, tile: TileCoord, area: Extent, view: &View, labels: &str) -> QueryBuilder<Postgres> {
    let names = Quoted::new(&layer.table);
    let geometry = &names.geometry;
    let srid = tile.set().srid();
    let mut sql = QueryBuilder::new("WITH area AS MATERIALIZED (SELECT ST_MakeEnvelope(");
    for edge in tile.bounds() {
        sql.push_bind(edge).push(", ");
    }
    sql.push_bind(srid).push(") AS \"lindero tile\", ");
    crs::push_box(area, layer.storage_srid, &mut sql);
    sql.push(" AS \"lindero stored\"), ");

    sql.push("source AS MATERIALIZED (SELECT ").push(&names.key).push(" AS \"lindero key\", ");
    sql.push(format!("ST_Transform(ST_CurveToLine(ST_Force2D({geometry})), {srid}) AS \"lindero geometry\""));
    push_attributes(layer, view, &mut sql);
    sql.push(" FROM ").push(&names.relation).push(", area WHERE ").push(geometry).push(" && area.\"lindero stored\"");
    if layer.kind == Kind::Managed {
        sql.push(" AND municipality = ").push_bind(layer.municipality.as_str().to_owned());
    }
    if tile.scale_zoom() < DETAILED_FROM {
        // A first, cheap sieve in the storage CRS: by the envelope, against a
        // quarter of a pixel, since the tile's own width stands for the scale.
        let whole = whole_up_to(layer);
        sql.push(format!(
            " AND (ST_Dimension({geometry}) <= {whole} \
              OR ST_XMax({geometry}) - ST_XMin({geometry}) > (ST_XMax(area.\"lindero stored\") - ST_XMin(area.\"lindero stored\")) / 2048 \
              OR ST_YMax({geometry}) - ST_YMin({geometry}) > (ST_YMax(area.\"lindero stored\") - ST_YMin(area.\"lindero stored\")) / 2048)"
        ));
    }
    if let Some(rule) = &layer.definition.zoom_rule {
        push_zoom_rule(rule, tile.scale_zoom(), &mut sql);
    }
    sql.push("), ");

    push_shown(layer, tile, &mut sql);
    push_tile(layer, view, labels, &mut sql);
    sql
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

/// The highest dimension of which nothing is left out for being small: points;
/// and lines where the layer itself says which of them are seen from how far.
/// A street comes in stretches from crossing to crossing, and without the
/// short ones it would have gaps.
fn whole_up_to(layer: &Layer) -> u8 {
    u8::from(layer.definition.zoom_rule.is_some())
}

/// What of the source is large enough to be seen, and how it is drawn.
fn push_shown(layer: &Layer, tile: TileCoord, sql: &mut QueryBuilder<Postgres>) {
    let unit = tile.side() / f64::from(EXTENT);
    if tile.scale_zoom() < DETAILED_FROM {
        let pixel = unit * PIXEL;
        sql.push("shown AS MATERIALIZED (SELECT *, ST_Simplify(\"lindero geometry\", ").push_bind(pixel / 4.0);
        sql.push(format!(
            ", false) AS \"lindero drawn\" FROM source WHERE ST_Dimension(\"lindero geometry\") <= {} \
             OR CASE ST_Dimension(\"lindero geometry\") ",
            whole_up_to(layer),
        ));
        sql.push("WHEN 1 THEN ST_Length(\"lindero geometry\") >= ").push_bind(pixel);
        sql.push(" ELSE ST_Area(\"lindero geometry\") >= ").push_bind(pixel * pixel).push(" END), ");
    } else {
        sql.push("shown AS MATERIALIZED (SELECT *, \"lindero geometry\" AS \"lindero drawn\" FROM source), ");
    }
}

/// The layer of features and, where there is one, that of labels. Ordered by
/// key, so that equal content gives equal bytes.
fn push_tile(layer: &Layer, view: &View, labels: &str, sql: &mut QueryBuilder<Postgres>) {
    let numbered = matches!(layer.table.key_type.as_str(), "bigint" | "integer" | "smallint");
    let id = if numbered { "\"lindero key\"::bigint AS \"lindero id\"" } else { "NULL::bigint AS \"lindero id\"" };
    let mut columns = String::new();
    for attribute in layer.definition.attributes.iter().filter(|attribute| view.shows(&attribute.name)) {
        columns.push_str(", ");
        columns.push_str(&Quoted::identifier(&attribute.name));
    }
    sql.push(format!(
        "features AS (SELECT {id}, ST_AsMVTGeom(\"lindero drawn\", area.\"lindero tile\", {EXTENT}, {buffer}, true) \
            AS \"lindero geometry\"{columns} FROM shown, area ORDER BY \"lindero key\"), \
         drawn AS (SELECT ST_AsMVT(features, ",
        buffer = buffer(layer),
    ));
    sql.push_bind(layer.id.as_str().to_owned());
    sql.push(format!(
        ", {EXTENT}, 'lindero geometry', 'lindero id') AS tile FROM features WHERE \"lindero geometry\" IS NOT NULL)"
    ));
    let label = layer.definition.label.as_deref().filter(|label| has_labels(layer) && view.shows(label));
    let Some(label) = label else {
        sql.push(" SELECT tile FROM drawn");
        return;
    };
    // The point is of the whole geometry, at every zoom the same, and in one
    // tile only: west and north edges belong to it, east and south do not.
    let label = Quoted::identifier(label);
    sql.push(format!(
        ", points AS (SELECT {id}, {label}::text AS name, ST_PointOnSurface(\"lindero geometry\") AS point, \
            \"lindero key\" FROM shown WHERE ST_Dimension(\"lindero geometry\") = 2 AND {label} IS NOT NULL), \
         labels AS (SELECT \"lindero id\", name, \
            ST_AsMVTGeom(point, area.\"lindero tile\", {EXTENT}, 0, false) AS \"lindero geometry\" FROM points, area \
            WHERE ST_X(point) >= ST_XMin(area.\"lindero tile\") AND ST_X(point) < ST_XMax(area.\"lindero tile\") \
              AND ST_Y(point) > ST_YMin(area.\"lindero tile\") AND ST_Y(point) <= ST_YMax(area.\"lindero tile\") ORDER BY \"lindero key\"), \
         named AS (SELECT ST_AsMVT(labels, "
    ));
    sql.push_bind(labels.to_owned()).push(format!(
        ", {EXTENT}, 'lindero geometry', 'lindero id') AS tile FROM labels WHERE \"lindero geometry\" IS NOT NULL) \
         SELECT drawn.tile || named.tile FROM drawn, named"
    ));
}

/// Polygons are labelled once each; points and lines are named where they are.
fn has_labels(layer: &Layer) -> bool {
    matches!(layer.geometry_type, GeometryType::Polygon | GeometryType::MultiPolygon | GeometryType::Geometry)
}
