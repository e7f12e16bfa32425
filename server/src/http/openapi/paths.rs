//! The operations.

use layers::Layer;
use serde_json::{Map, Value, json};

use super::parameters::{self, reference};
use super::{administration, attachments, editing, schemas};
use crate::http::changes::EVENT_STREAM;
use crate::http::document::{GEOJSON, JSON};
use crate::http::features::{FILTER_PARAMETERS, SCHEMA};
use crate::http::tiles::MVT;

/// Every path. Items are described collection by collection, since each has
/// attributes, and so parameters, of its own.
pub(super) fn paths(layers: &[Layer]) -> Value {
    let mut paths = Map::new();
    let mut add = |path: &str, operation: Value| {
        paths.insert(path.to_owned(), json!({ "get": operation }));
    };
    let json_html = || vec![parameters::format(&["json", "html"]), reference("lang")];
    let of = |names: &[&str]| names.iter().map(|name| reference(name)).collect::<Vec<_>>();

    add(
        "/",
        Operation::new("getLandingPage", "Capabilities", "The landing page", "LandingPage").with(json_html()).json(),
    );
    add(
        "/conformance",
        Operation::new("getConformance", "Capabilities", "What this server conforms to", "Conformance")
            .with(json_html())
            .json(),
    );
    add(
        "/api",
        Operation {
            media_type: super::MEDIA_TYPE,
            ..Operation::new("getApi", "Capabilities", "This description", "Object")
        }
        .with(json_html())
        .json(),
    );
    add(
        "/collections",
        Operation::new("getCollections", "Features", "The catalogue", "Collections").with(json_html()).json(),
    );
    add(
        "/collections/{collectionId}",
        Operation::new("describeCollection", "Features", "One collection", "Collection")
            .with(of(&["collectionId"]))
            .with(json_html())
            .json(),
    );
    add(
        "/collections/{collectionId}/queryables",
        Operation {
            media_type: SCHEMA,
            ..Operation::new("getQueryables", "Features", "What a filter may name, as a JSON Schema", "Queryables")
        }
        .with(of(&["collectionId"]))
        .with(json_html())
        .json(),
    );
    for layer in layers {
        add(&format!("/collections/{}/items", layer.id), items(layer).with(json_html()).json());
    }
    add(
        "/collections/{collectionId}/items/{featureId}",
        Operation { media_type: GEOJSON, ..Operation::new("getFeature", "Features", "One feature", "Feature") }
            .with(of(&["collectionId", "featureId", "datetime"]))
            .with(json_html())
            .json(),
    );
    add(
        "/collections/{collectionId}/schema",
        Operation {
            media_type: SCHEMA,
            ..Operation::new("getSchema", "Features", "What a feature is made of, as a JSON Schema", "Queryables")
        }
        .with(of(&["collectionId"]))
        .with(json_html())
        .json(),
    );
    let told =
        |id: &str, summary: &str, schema| Operation { html: false, ..Operation::new(id, "Features", summary, schema) };
    add(
        "/collections/{collectionId}/items/{featureId}/history",
        told("getHistory", "What a feature was, the latest first", "Versions")
            .with(of(&["collectionId", "featureId", "lang"]))
            .with(parameters::versions())
            .json(),
    );
    add(
        "/collections/{collectionId}/items/{featureId}/history/{version}",
        told("getVersion", "One version of a feature", "Version")
            .with(of(&["collectionId", "featureId", "lang"]))
            .with(vec![parameters::version()])
            .json(),
    );
    add(
        "/tileMatrixSets",
        Operation::new("getTileMatrixSets", "Tiles", "The tile matrix sets", "TileMatrixSets").with(json_html()).json(),
    );
    add(
        "/tileMatrixSets/{tileMatrixSetId}",
        Operation::new("getTileMatrixSet", "Tiles", "One tile matrix set", "TileMatrixSet")
            .with(of(&["tileMatrixSetId"]))
            .with(json_html())
            .json(),
    );
    add(
        "/tiles",
        Operation::new("getDatasetTileSets", "Tiles", "The tilesets of all collections together", "TileSets")
            .with(json_html())
            .json(),
    );
    add(
        "/tiles/{tileMatrixSetId}",
        Operation::new(
            "getDatasetTileSet",
            "Tiles",
            "One tileset of all collections together, also as TileJSON",
            "TileSet",
        )
        .with(of(&["tileMatrixSetId"]))
        .with(vec![parameters::tiled_collections(layers)])
        .with(vec![parameters::format(&["json", "html", "tilejson"]), reference("lang")])
        .json(),
    );
    add(
        "/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}",
        tile(
            "getDatasetTile",
            "A vector tile of several collections",
            &[],
            vec![parameters::tiled_collections(layers)],
        ),
    );
    add(
        "/collections/{collectionId}/tiles",
        Operation::new("getTileSets", "Tiles", "A collection's tilesets", "TileSets")
            .with(of(&["collectionId"]))
            .with(json_html())
            .json(),
    );
    add(
        "/collections/{collectionId}/tiles/{tileMatrixSetId}",
        Operation::new("getTileSet", "Tiles", "One tileset, also as TileJSON", "TileSet")
            .with(of(&["collectionId", "tileMatrixSetId"]))
            .with(vec![parameters::format(&["json", "html", "tilejson"]), reference("lang")])
            .json(),
    );
    add(
        "/collections/{collectionId}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}",
        tile("getTile", "A vector tile", &["collectionId", "datetime"], of(&FILTER_PARAMETERS)),
    );
    add(
        "/changes",
        Operation {
            html: false,
            media_type: EVENT_STREAM,
            ..Operation::new(
                "getChanges",
                "Questions",
                "What changes, as it changes: a stream that does not end",
                "Events",
            )
        }
        .with(vec![parameters::since(), parameters::format(&["events"]), reference("lang")])
        .json(),
    );
    add(
        "/search",
        Operation {
            html: false,
            ..Operation::new("search", "Questions", "Find features and places by text", "SearchResults")
        }
        .with(parameters::search())
        .with(vec![parameters::format(&["json"]), reference("lang")])
        .json(),
    );
    add(
        "/here",
        Operation { html: false, ..Operation::new("here", "Questions", "What is here? Features at a point", "Here") }
            .with(parameters::here(layers))
            .with(vec![parameters::format(&["json"]), reference("lang")])
            .json(),
    );
    editing::add(layers, &mut paths);
    attachments::add(&mut paths);
    administration::add(&mut paths);
    Value::Object(paths)
}

fn items(layer: &Layer) -> Operation {
    let title = layer.definition.title.in_language("en");
    let shared = ["limit", "offset", "bbox", "bbox-crs", "crs", "datetime"];
    Operation {
        id: format!("getFeatures.{}", layer.id),
        summary: format!("Features of {title}, page by page"),
        media_type: GEOJSON,
        ..Operation::new("", "Features", "", "FeatureCollection")
    }
    .with(shared.iter().map(|name| reference(name)).collect())
    .with(FILTER_PARAMETERS.iter().map(|name| reference(name)).collect())
    .with(vec![parameters::cursor(layer)])
    .with(parameters::attributes(layer).collect())
}

fn tile(id: &str, summary: &str, within: &[&str], own: Vec<Value>) -> Value {
    let place = within.iter().chain(&["tileMatrixSetId", "tileMatrix", "tileRow", "tileCol"]);
    let mut operation = Operation { html: false, media_type: MVT, ..Operation::new(id, "Tiles", summary, "Tile") }
        .with(place.map(|name| reference(name)).collect())
        .with(own)
        .with(vec![parameters::format(&["mvt"]), reference("lang")])
        .json();
    operation["responses"]["204"] = json!({ "description": "The tile is empty." });
    operation
}

struct Operation {
    id: String,
    tag: &'static str,
    summary: String,
    schema: &'static str,
    media_type: &'static str,
    html: bool,
    parameters: Vec<Value>,
}

impl Operation {
    fn new(id: &str, tag: &'static str, summary: &str, schema: &'static str) -> Self {
        Self {
            id: id.to_owned(),
            tag,
            summary: summary.to_owned(),
            schema,
            media_type: JSON,
            html: true,
            parameters: Vec::new(),
        }
    }

    fn with(mut self, parameters: Vec<Value>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    fn json(self) -> Value {
        let mut content = Map::new();
        let schema = json!({ "schema": { "$ref": format!("#/components/schemas/{}", self.schema) } });
        content.insert(self.media_type.to_owned(), schema);
        if self.html {
            content.insert("text/html".to_owned(), json!({ "schema": { "type": "string" } }));
        }
        let mut responses = Map::new();
        responses.insert("200".to_owned(), json!({ "description": self.summary, "content": content }));
        responses.insert("304".to_owned(), json!({ "description": "What If-None-Match names is still so." }));
        for status in ["400", "401", "404", "406", "414", "500", "503", "504"] {
            responses.extend(schemas::response(status).map(|reference| (status.to_owned(), reference)));
        }
        json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": self.parameters,
            "responses": responses,
        })
    }
}
