//! The parameters of operations.

use layers::filter::{FilterLanguage, LONGEST};
use layers::{Attribute, AttributeType, Layer, search};
use serde_json::{Map, Value, json};
use tiles::{HIGHEST_ZOOM, MatrixSet};

use crate::http::features::{DEFAULT_LIMIT, DEFAULT_VERSIONS, MOST, MOST_VERSIONS, RESERVED};
use crate::http::tiles::dataset;

/// A reference to one of [`components`].
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

/// The parameter `f` with the formats that an operation has.
pub(super) fn format(formats: &[&str]) -> Value {
    query("f", "The format; else the Accept header decides.", json!({ "type": "string", "enum": formats }))
}

/// The parameters that several operations share.
pub(super) fn components(layers: &[Layer]) -> Value {
    let mut collection = json!({ "type": "string" });
    if !layers.is_empty() {
        collection["enum"] = ids(layers);
    }
    let index = json!({ "type": "integer", "minimum": 0, "maximum": (1_u32 << HIGHEST_ZOOM) - 1 });
    let zooms: Vec<String> = (0..=HIGHEST_ZOOM).map(|zoom| zoom.to_string()).collect();
    json!({
        "lang": query("lang", "The language of titles; else the Accept-Language header decides.",
            json!({ "type": "string", "enum": ["es", "en"] })),
        "collectionId": path("collectionId", "A collection's id.", &collection),
        "featureId": path("featureId", "A feature's id.", &json!({ "type": "string" })),
        "tileMatrixSetId": path("tileMatrixSetId", "A tile matrix set's id.",
            &json!({ "type": "string", "enum": MatrixSet::ALL.map(MatrixSet::id) })),
        "tileMatrix": path("tileMatrix", "The zoom: up to 22 in WebMercatorQuad, 21 in WorldCRS84Quad, 18 in MagnaOrigenNacional.",
            &json!({ "type": "string", "enum": zooms })),
        "tileRow": path("tileRow", "The row, from the north.", &index),
        "tileCol": path("tileCol", "The column, from the west.", &index),
        "limit": query("limit", &format!("Features a page; more than {MOST} is read as {MOST}."),
            json!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT })),
        "offset": query("offset", "Features to pass over. For long ways follow the next links, which are quicker.",
            json!({ "type": "integer", "minimum": 0, "default": 0 })),
        "bbox": list("bbox", "West, south, east, north in degrees (CRS84), or with heights, which are ignored, \
            west, south, lowest, east, north, highest. West greater than east crosses the antimeridian.",
            json!({ "type": "array", "items": { "type": "number" }, "oneOf": [
                { "minItems": 4, "maxItems": 4 }, { "minItems": 6, "maxItems": 6 },
            ] })),
        "bbox-crs": query("bbox-crs", "The CRS of bbox.", crs84()),
        "crs": query("crs", "The CRS of the answer.", crs84()),
        "filter": query("filter", &format!("Only features for which this is true: CQL2 (OGC 21-065r2), up to {LONGEST} bytes, over the properties that \
            the collection's queryables list, such as estrato <= 2 AND S_INTERSECTS(geom, BBOX(-75.3,4.4,-75.2,4.5))."),
            json!({ "type": "string", "format": "lindero-cql2", "minLength": 1 })),
        "filter-lang": query("filter-lang", "How the filter is written.",
            json!({ "type": "string", "enum": FilterLanguage::NAMES, "default": FilterLanguage::NAMES[0] })),
        "filter-crs": query("filter-crs", "The CRS of the geometries in the filter.", crs84()),
        "datetime": query("datetime", "An instant (2026-11-20T08:00:00Z) or an interval of two with / between, \
            where .. is open: the collection as it was then, or at the interval's end, where its versions are kept \
            (lindero.history). The others have no time, and always match.",
            json!({ "type": "string", "format": "ogc-datetime" })),
    })
}

/// The cursor of a layer's pages: what it holds is of the kind of its ids.
pub(super) fn cursor(layer: &Layer) -> Value {
    let format = match layer.table.key_type.as_str() {
        "bigint" | "integer" | "smallint" => "lindero-cursor-number",
        "uuid" => "lindero-cursor-uuid",
        _ => "lindero-cursor-text",
    };
    query(
        "cursor",
        "Where a page begins, as a next link says it; no other value is meant to be made.",
        json!({ "type": "string", "format": format }),
    )
}

/// The attributes of a layer, each a parameter: equality. None of those whose
/// name is another parameter's.
pub(super) fn attributes(layer: &Layer) -> impl Iterator<Item = Value> {
    let compared = layer.definition.attributes.iter().filter(|attribute| attribute.kind != AttributeType::Json);
    compared.filter(|attribute| !RESERVED.contains(&attribute.name.as_str())).map(|attribute| {
        let title = attribute.title.in_language("en");
        let title = if title.is_empty() { &attribute.name } else { title };
        query(&attribute.name, &format!("Only features whose {title} is this."), schema(attribute))
    })
}

/// `/changes`.
pub(super) fn since() -> Value {
    query(
        "since",
        "From where on: lindero.changes of the landing page, or the id of an event; else from now on. A Last-Event-ID \
            header goes before it. From a position that the server does not know (any more) the first event is everything.",
        json!({ "type": "string", "pattern": "^[0-9a-f]{16}-[0-9]{1,18}$" }),
    )
}

/// `/search`.
pub(super) fn search() -> Vec<Value> {
    let mut text = query(
        "q",
        "A número predial, a name, an address, or coordinates.",
        json!({ "type": "string", "minLength": 1, "maxLength": search::LONGEST, "pattern": r"\S" }),
    );
    text["required"] = json!(true);
    vec![
        text,
        query(
            "limit",
            "Results at most.",
            json!({ "type": "integer", "minimum": 1, "maximum": search::MOST, "default": 10 }),
        ),
    ]
}

/// `/here`.
pub(super) fn here(layers: &[Layer]) -> Vec<Value> {
    let degrees = |name: &str, description: &str, most: i32| {
        let mut parameter = query(name, description, json!({ "type": "number", "minimum": -most, "maximum": most }));
        parameter["required"] = json!(true);
        parameter
    };
    vec![
        degrees("lon", "Longitude in degrees.", 180),
        degrees("lat", "Latitude in degrees.", 90),
        query(
            "tolerance",
            "Points and lines count within so many metres.",
            json!({ "type": "number", "minimum": 0, "maximum": 1000, "default": 0 }),
        ),
        list(
            "collections",
            "Only these collections.",
            json!({ "type": "array", "minItems": 1, "items": collection(layers) }),
        ),
    ]
}

/// Which collections are in a tile of several.
pub(super) fn tiled_collections(layers: &[Layer]) -> Value {
    list(
        "collections",
        "Only these collections, in this order; else all, in the catalogue's order.",
        json!({ "type": "array", "minItems": 1, "maxItems": dataset::MOST, "items": collection(layers) }),
    )
}

fn collection(layers: &[Layer]) -> Value {
    let mut collection = json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]{0,58}$" });
    if !layers.is_empty() {
        collection["enum"] = ids(layers);
    }
    collection
}

/// Which versions of a feature.
pub(super) fn versions() -> Vec<Value> {
    vec![
        query(
            "limit",
            "Versions at most.",
            json!({ "type": "integer", "minimum": 1, "maximum": MOST_VERSIONS, "default": DEFAULT_VERSIONS }),
        ),
        query("before", "Only versions before this one.", json!({ "type": "integer", "format": "int32" })),
    ]
}

/// The number of a version in a path.
pub(super) fn version() -> Value {
    path("version", "A version's number.", &json!({ "type": "integer", "format": "int32", "minimum": 1 }))
}

#[expect(clippy::needless_pass_by_value, reason = "called with documents made in place")]
fn query(name: &str, description: &str, schema: Value) -> Value {
    // An empty value is a value: `?nombre=` asks for empty names.
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

fn list(name: &str, description: &str, schema: Value) -> Value {
    let mut parameter = query(name, description, schema);
    parameter["style"] = json!("form");
    parameter["explode"] = json!(false);
    parameter
}

fn path(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema })
}

fn crs84() -> Value {
    json!({ "type": "string", "enum": crate::http::features::KNOWN_CRS })
}

fn ids(layers: &[Layer]) -> Value {
    json!(layers.iter().map(|layer| layer.id.as_str()).collect::<Vec<_>>())
}

fn schema(attribute: &Attribute) -> Value {
    let mut schema = Map::new();
    let (kind, format) = match attribute.kind {
        AttributeType::Text | AttributeType::Json => ("string", None),
        AttributeType::Integer => ("integer", Some("int64")),
        AttributeType::Number => ("number", Some("double")),
        AttributeType::Boolean => ("boolean", None),
        AttributeType::Date => ("string", Some("date")),
        AttributeType::DateTime => ("string", Some("date-time")),
    };
    schema.insert("type".to_owned(), json!(kind));
    if let Some(format) = format {
        schema.insert("format".to_owned(), json!(format));
    }
    if attribute.kind == AttributeType::Integer {
        schema.insert("minimum".to_owned(), json!(i64::MIN));
        schema.insert("maximum".to_owned(), json!(i64::MAX));
    }
    Value::Object(schema)
}
