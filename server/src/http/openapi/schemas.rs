//! The documents that are answered.

use serde_json::{Value, json};

use crate::http::problem;

/// The answers other than right that operations may give: status, name, what
/// they mean.
const RESPONSES: [(&str, &str, &str); 17] = [
    ("400", "InvalidRequest", "A parameter is unknown or has a value that it cannot have."),
    ("401", "Unauthorized", "Nobody came in who may do this, or the key is not good."),
    ("403", "Forbidden", "Whoever came in may not do this, or a page of another site sent it."),
    ("404", "NotFound", "There is no such resource, or it is not public."),
    ("406", "NotAcceptable", "The formats that Accept names do not exist here."),
    ("409", "Conflict", "What is there already is in the way."),
    ("410", "Gone", "It was there and is no more: a link that was used or is too old, a file that is lost."),
    ("412", "Changed", "Somebody else changed it meanwhile: of features, `conflicts` has what is there now."),
    ("413", "PayloadTooLarge", "The body, or the file in it, is too large."),
    ("414", "UriTooLong", "The URL is too long."),
    ("415", "UnsupportedMediaType", "The body, or the file in it, is of a type that is not read here."),
    (
        "422",
        "InvalidFeature",
        "Rules of the layer are broken, of which `violations` has all; or a file cannot be read.",
    ),
    ("428", "PreconditionRequired", "It must be said which version is meant (If-Match)."),
    ("429", "TooManyRequests", "Too many attempts; see Retry-After."),
    ("500", "Internal", "The server failed."),
    ("503", "Unavailable", "The server cannot answer at the moment; see Retry-After."),
    ("504", "Timeout", "The answer took too long."),
];

/// Those answers.
pub(super) fn responses() -> Value {
    let content = json!({ problem::MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let response = |(_, name, description): &(&str, &str, &str)| {
        ((*name).to_owned(), json!({ "description": description, "content": content }))
    };
    Value::Object(RESPONSES.iter().map(response).collect())
}

/// A reference to the answer with that status.
pub(super) fn response(status: &str) -> Option<Value> {
    let (_, name, _) = RESPONSES.iter().find(|(known, ..)| *known == status)?;
    Some(json!({ "$ref": format!("#/components/responses/{name}") }))
}

/// The documents' schemas.
pub(super) fn schemas() -> Value {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let text = || json!({ "type": "string" });
    let list = |items: Value| json!({ "type": "array", "items": items });
    let box_of = || json!({ "type": "array", "minItems": 4, "maxItems": 4, "items": { "type": "number" } });
    json!({
        "Object": { "type": "object" },
        "Events": { "type": "string", "description": "Server-sent events (HTML standard). `changed`: {\"collections\": \
            [{\"id\", \"features\", \"generalised\", \"described\"}]}, where features and generalised are boxes (west, south, \
            east, north in degrees): where features were and are that changed, and where generalised tiles did, \
            which follow some seconds later; described says that what the catalogue says changed. `everything`: any \
            collection may have changed anywhere. Each event's id is a position for since." },
        "Tile": { "type": "string", "format": "binary" },
        "Problem": object(&["type", "title", "status"], json!({
            "type": { "type": "string", "format": "uri" },
            "title": text(),
            "status": { "type": "integer" },
            "detail": text(),
            "parameter": { "type": "string", "description": "The parameter at fault." },
        })),
        "Link": object(&["href", "rel"], json!({
            "href": text(), "rel": text(), "type": text(), "title": text(), "templated": { "type": "boolean" },
        })),
        "Text": object(&["es", "en"], json!({ "es": text(), "en": text() })),
        "LandingPage": object(&["title", "links", "lindero"], json!({
            "title": text(),
            "description": text(),
            "links": list(reference("Link")),
            "lindero": object(&["version", "municipalities", "changes"], json!({
                "version": text(),
                "changes": { "type": "string", "description": "What changed up to here is in what is answered now: since of /changes." },
                "municipalities": list(object(&["code", "name", "department", "extent"], json!({
                    "code": { "type": "string", "pattern": "^[0-9]{5}$", "description": "DIVIPOLA" },
                    "name": text(),
                    "department": text(),
                    "inhabitants": { "type": "integer", "nullable": true },
                    "extent": box_of(),
                }))),
            })),
        })),
        "Queryables": object(&["$schema", "$id", "type", "properties"], json!({
            "$schema": text(),
            "$id": text(),
            "type": { "type": "string", "enum": ["object"] },
            "title": text(),
            "description": text(),
            "properties": { "type": "object", "additionalProperties": { "type": "object" } },
            "additionalProperties": { "type": "boolean" },
        })),
        "Conformance": object(&["conformsTo"], json!({ "conformsTo": list(text()) })),
        "Collections": object(&["links", "collections"], json!({
            "links": list(reference("Link")),
            "numberMatched": { "type": "integer" },
            "numberReturned": { "type": "integer" },
            "collections": list(reference("Collection")),
        })),
        "Collection": object(&["id", "links", "lindero"], json!({
            "id": text(),
            "title": text(),
            "description": text(),
            "itemType": text(),
            "crs": list(text()),
            "links": list(reference("Link")),
            "extent": object(&["spatial"], json!({
                "spatial": object(&["bbox", "crs"], json!({ "bbox": list(box_of()), "crs": text() })),
            })),
            "lindero": reference("Layer"),
        })),
        "Layer": layer(),
        "FeatureCollection": object(&["type", "features", "links", "numberMatched", "numberReturned", "timeStamp"], json!({
            "type": { "type": "string", "enum": ["FeatureCollection"] },
            "features": list(reference("Feature")),
            "links": list(reference("Link")),
            "numberMatched": { "type": "integer", "minimum": 0 },
            "numberReturned": { "type": "integer", "minimum": 0 },
            "timeStamp": { "type": "string", "format": "date-time" },
        })),
        "Feature": object(&["type", "id", "geometry", "properties"], json!({
            "type": { "type": "string", "enum": ["Feature"] },
            "id": { "oneOf": [{ "type": "integer" }, text()] },
            "geometry": { "nullable": true, "allOf": [reference("Geometry")] },
            "properties": { "type": "object" },
            "links": list(reference("Link")),
        })),
        "Geometry": object(&["type"], json!({
            "type": { "type": "string", "enum": [
                "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection",
            ] },
            "coordinates": { "type": "array", "items": {} },
            "geometries": list(reference("Geometry")),
        })),
        "TileMatrixSets": object(&["tileMatrixSets"], json!({
            "links": list(reference("Link")),
            "tileMatrixSets": list(object(&["id", "links"], json!({ "id": text(), "links": list(reference("Link")) }))),
        })),
        "TileMatrixSet": object(&["id", "crs", "tileMatrices"], json!({
            "id": text(),
            "title": text(),
            "uri": text(),
            "crs": text(),
            "description": text(),
            "orderedAxes": list(text()),
            "wellKnownScaleSet": text(),
            "boundingBox": object(&["lowerLeft", "upperRight"], json!({
                "lowerLeft": list(json!({ "type": "number" })),
                "upperRight": list(json!({ "type": "number" })),
                "crs": text(),
                "orderedAxes": list(text()),
            })),
            "tileMatrices": list(object(
                &["id", "scaleDenominator", "cellSize", "pointOfOrigin", "tileWidth", "tileHeight", "matrixWidth", "matrixHeight"],
                json!({
                    "id": text(),
                    "scaleDenominator": { "type": "number" },
                    "cellSize": { "type": "number" },
                    "cornerOfOrigin": text(),
                    "pointOfOrigin": list(json!({ "type": "number" })),
                    "tileWidth": { "type": "integer" },
                    "tileHeight": { "type": "integer" },
                    "matrixWidth": { "type": "integer" },
                    "matrixHeight": { "type": "integer" },
                }),
            )),
        })),
        "TileSets": object(&["links", "tilesets"], json!({
            "links": list(reference("Link")),
            "tilesets": list(object(&["dataType", "crs", "links"], json!({ "links": list(reference("Link")) }))),
        })),
        "TileSet": { "anyOf": [
            object(&["dataType", "crs", "links", "layers"], json!({
                "title": text(),
                "dataType": { "type": "string", "enum": ["vector"] },
                "crs": text(),
                "tileMatrixSetURI": text(),
                "links": list(reference("Link")),
                "layers": list(json!({ "type": "object" })),
            })),
            object(&["tilejson", "tiles", "vector_layers"], json!({
                "tilejson": { "type": "string", "enum": ["3.0.0"] },
                "tiles": list(text()),
                "bounds": box_of(),
                "minzoom": { "type": "integer" },
                "maxzoom": { "type": "integer" },
                "vector_layers": list(object(&["id", "fields"], json!({ "id": text(), "fields": { "type": "object" } }))),
            })),
        ] },
        "SearchResults": object(&["query", "results"], json!({
            "query": text(),
            "results": list(object(&["kind", "title", "subtitle", "bbox"], json!({
                "kind": { "type": "string", "enum": ["feature", "coordinate"] },
                "collection": text(),
                "collectionTitle": text(),
                "id": text(),
                "title": text(),
                "subtitle": text(),
                "bbox": { "type": "array", "nullable": true, "minItems": 4, "maxItems": 4, "items": { "type": "number" } },
            }))),
        })),
        "Here": object(&["point", "truncated", "collections"], json!({
            "point": { "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "number" } },
            "truncated": { "type": "boolean" },
            "collections": list(object(&["id", "title", "sector", "numberReturned", "features"], json!({
                "id": text(),
                "title": text(),
                "sector": text(),
                "numberReturned": { "type": "integer", "minimum": 1 },
                "features": list(reference("Feature")),
            }))),
        })),
    })
}

/// What Lindero knows of a layer beside OGC's members.
fn layer() -> Value {
    let text = || json!({ "type": "string" });
    let optional = || json!({ "type": "string", "nullable": true });
    let both = || json!({ "$ref": "#/components/schemas/Text" });
    object(
        &["municipality", "kind", "title", "sector", "geometryType", "featureCount", "visibility", "attributes"],
        json!({
            "municipality": text(),
            "kind": { "type": "string", "enum": ["managed", "published"] },
            "title": both(),
            "description": both(),
            "sector": text(),
            "sectorTitle": both(),
            "sectorRank": { "type": "integer" },
            "geometryType": text(),
            "storageCrs": text(),
            "featureCount": { "type": "integer", "minimum": 0 },
            "visibility": text(),
            "subject": text(),
            "dependency": text(),
            "custodian": text(),
            "source": text(),
            "licence": text(),
            "updateFrequency": text(),
            "updated": { "type": "string", "format": "date-time" },
            "overdue": { "type": "boolean" },
            "naturalKey": optional(),
            "label": optional(),
            "classifyBy": optional(),
            "minZoom": { "type": "integer", "minimum": 0 },
            "attributes": { "type": "array", "items": object(&["name", "type", "title"], json!({
                "name": text(),
                "type": { "type": "string", "enum": ["text", "integer", "number", "boolean", "date", "date_time", "json"] },
                "title": both(),
                "unit": optional(),
                "domain": { "type": "object", "nullable": true },
            })) },
        }),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "called with documents made in place")]
fn object(required: &[&str], properties: Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}
