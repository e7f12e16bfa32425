//! What is said of a collection's tiles.

use layers::{AttributeType, Extent, GeometryType, Layer, crs};
use serde_json::{Map, Value, json};
use tiles::{HIGHEST_ZOOM, MatrixSet, generalisation};

use super::{MVT, matrix_set};
use crate::http::asked::Asked;
use crate::http::document::JSON;
use crate::http::links::{self, Link};

const TILING_SCHEME: &str = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme";

/// `/collections/{id}/tiles`.
pub(super) fn tilesets(asked: &Asked, layer: &Layer) -> Value {
    let of = |set: MatrixSet| {
        let mut entry = heading(layer.definition.title.in_language(asked.language.code()), set);
        let here = asked.base.join(&format!("/collections/{}/tiles/{}?f=json", layer.id, set.id()));
        entry["links"] = json!([Link::new("self", JSON, here), scheme(asked, set), template(asked, layer, set)]);
        entry
    };
    json!({ "links": links::own(asked, JSON), "tilesets": MatrixSet::ALL.map(of) })
}

/// `/collections/{id}/tiles/{set}`. No limits of rows and columns: the extent
/// is as it was last measured, and viewers would not ask for what came since.
pub(super) fn tileset(asked: &Asked, layer: &Layer, set: MatrixSet) -> Value {
    let mut links = links::own(asked, JSON);
    if set == MatrixSet::WebMercatorQuad {
        links.push(Link::new("alternate", JSON, asked.url_with(&[("f", Some("tilejson"))])).titled("TileJSON"));
    }
    links.push(scheme(asked, set));
    links.push(template(asked, layer, set));
    let mut document = heading(layer.definition.title.in_language(asked.language.code()), set);
    let steps = generalisation(layer);
    let steps: Vec<&str> = steps.iter().map(|step| step.in_language(asked.language.code())).collect();
    document["description"] = json!(steps.join(" "));
    if let Some(extent) = layer.extent {
        document["boundingBox"] = bounding_box(extent);
    }
    document["layers"] = json!([described(asked, layer, set)]);
    document["links"] = json!(links);
    document
}

/// A layer of a tileset.
pub(super) fn described(asked: &Asked, layer: &Layer, set: MatrixSet) -> Value {
    let mut described = json!({
        "id": layer.id,
        "title": layer.definition.title.in_language(asked.language.code()),
        "dataType": "vector",
        "minTileMatrix": set.zoom_at_scale(layer.definition.min_zoom).to_string(),
        "maxTileMatrix": set.highest_zoom().to_string(),
        "propertiesSchema": { "type": "object", "properties": properties(asked, layer) },
    });
    if let Some(dimension) = dimension(layer.geometry_type) {
        described["geometryDimension"] = json!(dimension);
    }
    described
}

/// TileJSON 3.0, of WebMercatorQuad.
pub(super) fn tilejson(asked: &Asked, layer: &Layer) -> Value {
    let language = asked.language.code();
    let address = asked.base.join(&format!("/collections/{}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}", layer.id));
    let vector_layers = vector_layers(asked, layer, &tiles::labels(false, &layer.id));
    let mut document = json!({
        "tilejson": "3.0.0",
        "name": layer.definition.title.in_language(language),
        "description": layer.definition.description.in_language(language),
        "tiles": [address],
        "minzoom": layer.definition.min_zoom,
        "maxzoom": HIGHEST_ZOOM,
        "vector_layers": vector_layers,
    });
    if !layer.definition.source.is_empty() {
        // TileJSON's attribution may be HTML: viewers put it into their page.
        document["attribution"] = json!(maud::html! { (layer.definition.source) }.into_string());
    }
    if let Some(extent) = layer.extent {
        document["bounds"] = json!(extent.to_array());
    }
    document
}

/// A layer in TileJSON: that of its features, and that of their labels.
pub(super) fn vector_layers(asked: &Asked, layer: &Layer, labels: &str) -> Vec<Value> {
    let language = asked.language.code();
    let fields: Map<String, Value> = layer
        .definition
        .attributes
        .iter()
        .filter(|attribute| attribute.kind != AttributeType::Json)
        .map(|attribute| (attribute.name.clone(), json!(attribute.title.in_language(language))))
        .collect();
    let mut vector_layers = vec![json!({
        "id": layer.id,
        "description": layer.definition.description.in_language(language),
        "minzoom": layer.definition.min_zoom,
        "maxzoom": HIGHEST_ZOOM,
        "fields": fields,
    })];
    if dimension(layer.geometry_type).is_none_or(|dimension| dimension == 2) && layer.definition.label.is_some() {
        vector_layers.push(json!({
            "id": labels,
            "minzoom": layer.definition.min_zoom,
            "maxzoom": HIGHEST_ZOOM,
            "fields": { "name": "" },
        }));
    }
    vector_layers
}

/// The address of a tile as OGC's documents name its parts.
pub(super) fn ogc_template(asked: &Asked, layer: &Layer, set: MatrixSet) -> String {
    let set = set.id();
    asked.base.join(&format!("/collections/{}/tiles/{set}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", layer.id))
}

fn template(asked: &Asked, layer: &Layer, set: MatrixSet) -> Link {
    Link::new("item", MVT, ogc_template(asked, layer, set)).templated()
}

/// The link to the tile matrix set.
pub(super) fn scheme(asked: &Asked, set: MatrixSet) -> Link {
    Link::new(TILING_SCHEME, JSON, matrix_set::address(asked, set))
}

/// What every tileset says of itself.
pub(super) fn heading(title: &str, set: MatrixSet) -> Value {
    let mut heading = json!({ "title": title, "dataType": "vector", "crs": matrix_set::crs(set) });
    if let Some(uri) = matrix_set::uri(set) {
        heading["tileMatrixSetURI"] = json!(uri);
    }
    heading
}

pub(super) fn bounding_box(extent: Extent) -> Value {
    let [west, south, east, north] = extent.to_array();
    json!({ "lowerLeft": [west, south], "upperRight": [east, north], "crs": crs::CRS84 })
}

fn properties(asked: &Asked, layer: &Layer) -> Map<String, Value> {
    let known = layer.definition.attributes.iter().filter(|attribute| attribute.kind != AttributeType::Json);
    known
        .map(|attribute| {
            let json_type = match attribute.kind {
                AttributeType::Integer => "integer",
                AttributeType::Number => "number",
                AttributeType::Boolean => "boolean",
                _ => "string",
            };
            let title = attribute.title.in_language(asked.language.code());
            (attribute.name.clone(), json!({ "type": json_type, "title": title }))
        })
        .collect()
}

fn dimension(geometry_type: GeometryType) -> Option<u8> {
    match geometry_type {
        GeometryType::Point | GeometryType::MultiPoint => Some(0),
        GeometryType::LineString | GeometryType::MultiLineString => Some(1),
        GeometryType::Polygon | GeometryType::MultiPolygon => Some(2),
        GeometryType::GeometryCollection | GeometryType::Geometry => None,
    }
}
