//! The operations that edit features.

use layers::Layer;
use serde_json::{Map, Value, json};

use super::parameters::reference;
use crate::http::document::{GEOJSON, JSON};

/// What is sent as a merge patch (RFC 7396).
const MERGE_PATCH: &str = "application/merge-patch+json";

/// An operation that edits.
struct Edit {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    /// Its body's media type and schema.
    sent: Option<(&'static str, &'static str)>,
    /// What is answered: status, media type, schema.
    answered: Option<(&'static str, &'static str, &'static str)>,
    /// Whether it must be said which version is meant.
    is_of_version: bool,
}

const ITEMS: &str = "/collections/{collectionId}/items";
const ITEM: &str = "/collections/{collectionId}/items/{featureId}";

const EDITS: [Edit; 6] = [
    Edit {
        method: "post",
        path: ITEMS,
        id: "createFeature",
        summary: "Add a feature",
        sent: Some((GEOJSON, "NewFeature")),
        answered: Some(("201", GEOJSON, "Feature")),
        is_of_version: false,
    },
    Edit {
        method: "put",
        path: ITEM,
        id: "replaceFeature",
        summary: "Replace a feature; attributes that are not said lose their value",
        sent: Some((GEOJSON, "NewFeature")),
        answered: Some(("200", GEOJSON, "Feature")),
        is_of_version: true,
    },
    Edit {
        method: "patch",
        path: ITEM,
        id: "updateFeature",
        summary: "Change what is said of a feature",
        sent: Some((MERGE_PATCH, "FeaturePatch")),
        answered: Some(("200", GEOJSON, "Feature")),
        is_of_version: true,
    },
    Edit {
        method: "delete",
        path: ITEM,
        id: "deleteFeature",
        summary: "Delete a feature",
        sent: None,
        answered: None,
        is_of_version: true,
    },
    Edit {
        method: "post",
        path: "/collections/{collectionId}/edits",
        id: "editFeatures",
        summary: "Many edits in one transaction, all or none",
        sent: Some((JSON, "Edits")),
        answered: Some(("200", JSON, "Edited")),
        is_of_version: false,
    },
    Edit {
        method: "post",
        path: "/collections/{collectionId}/items/{featureId}/revert",
        id: "revertFeature",
        summary: "Make a feature what it was; one that is gone comes back",
        sent: Some((JSON, "Revert")),
        answered: Some(("200", GEOJSON, "Feature")),
        is_of_version: true,
    },
];

/// Adds the paths. Items are described collection by collection, as reading
/// them is: they are one path.
pub(super) fn add(layers: &[Layer], paths: &mut Map<String, Value>) {
    let (of_items, others): (Vec<&Edit>, Vec<&Edit>) = EDITS.iter().partition(|edit| edit.path == ITEMS);
    for (edit, layer) in of_items.into_iter().flat_map(|edit| layers.iter().map(move |layer| (edit, layer))) {
        let mut operation = edit.describe();
        operation["operationId"] = format!("{}.{}", edit.id, layer.id).into();
        let collection = reference("collectionId");
        if let Some(parameters) = operation["parameters"].as_array_mut() {
            parameters.retain(|parameter| *parameter != collection);
        }
        paths.entry(format!("/collections/{}/items", layer.id)).or_insert_with(|| json!({}))[edit.method] = operation;
    }
    for edit in others {
        paths.entry(edit.path).or_insert_with(|| json!({}))[edit.method] = edit.describe();
    }
}

impl Edit {
    fn describe(&self) -> Value {
        let header = |name: &str, description: &str, required: bool| json!({ "name": name, "in": "header", "required": required, "description": description, "schema": { "type": "string" } });
        let mut parameters = vec![reference("collectionId")];
        if self.path.contains("{featureId}") {
            parameters.push(reference("featureId"));
        }
        parameters.push(reference("lang"));
        if self.is_of_version {
            parameters.push(header("If-Match", "The ETag with which the feature was read.", false));
        }
        if self.sent.is_none_or(|(media_type, _)| media_type != JSON) {
            parameters.push(header("Lindero-Reason", "Why, kept with the versions: percent-encoded UTF-8.", false));
        }
        let mut responses = responses(&[
            "400", "401", "403", "404", "409", "412", "413", "414", "415", "422", "428", "429", "500", "503", "504",
        ]);
        match self.answered {
            Some((status, media_type, schema)) => {
                responses.insert(status.to_owned(), answer(self.summary, media_type, schema));
            }
            None => drop(responses.insert("204".to_owned(), json!({ "description": self.summary }))),
        }
        if self.id == "revertFeature" {
            responses.insert("201".to_owned(), answer("It is there again.", GEOJSON, "Feature"));
        }
        let mut operation = json!({
            "operationId": self.id,
            "tags": ["Editing"],
            "summary": self.summary,
            "parameters": parameters,
            "responses": responses,
        });
        if let Some((media_type, schema)) = self.sent {
            let content = json!({ media_type: { "schema": of(schema) } });
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        operation
    }
}

fn of(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn answer(description: &str, media_type: &str, schema: &str) -> Value {
    json!({ "description": description, "content": { media_type: { "schema": of(schema) } } })
}

fn responses(statuses: &[&str]) -> Map<String, Value> {
    let response = |status: &&str| super::schemas::response(status).map(|reference| ((*status).to_owned(), reference));
    statuses.iter().filter_map(response).collect()
}

/// Their documents.
pub(super) fn schemas() -> Value {
    let closed = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false });
    let text = || json!({ "type": "string" });
    let any = |description: &str| json!({ "type": "object", "nullable": true, "description": description });
    let geometry = || any("A GeoJSON geometry in longitude and latitude (CRS84).");
    let properties = || any("The attributes' values, by their names.");
    let id = || json!({ "type": "integer", "format": "int64" });
    let version = || json!({ "type": "integer", "format": "int32" });
    let instant = || json!({ "type": "string", "format": "date-time", "nullable": true });
    let nullable = || json!({ "type": "string", "nullable": true });
    let if_match = || json!({ "type": "string", "description": "The ETag with which the feature was read, or *." });
    let operation = |name: &str| json!({ "type": "string", "enum": [name] });
    let list = |schema: Value| json!({ "type": "array", "items": schema });
    json!({
        "NewFeature": { "type": "object", "required": ["type", "geometry", "properties"], "properties": {
            "type": { "type": "string", "enum": ["Feature"] }, "geometry": geometry(), "properties": properties() } },
        "FeaturePatch": closed(&[], json!({ "geometry": geometry(), "properties": { "type": "object" } })),
        "Edits": closed(&["edits"], json!({
            "reason": { "type": "string", "nullable": true, "maxLength": layers::edit::MOST_REASON },
            "edits": { "type": "array", "minItems": 1, "maxItems": layers::edit::MOST, "items": { "oneOf": [
                closed(&["operation", "feature"], json!({ "operation": operation("create"), "feature": of("NewFeature") })),
                closed(&["operation", "id", "ifMatch", "feature"], json!({ "operation": operation("replace"),
                    "id": id(), "ifMatch": if_match(), "feature": of("NewFeature") })),
                closed(&["operation", "id", "ifMatch", "patch"], json!({ "operation": operation("update"),
                    "id": id(), "ifMatch": if_match(), "patch": of("FeaturePatch") })),
                closed(&["operation", "id", "ifMatch"], json!({ "operation": operation("delete"),
                    "id": id(), "ifMatch": if_match() })),
            ] } } })),
        "Edited": { "type": "object", "required": ["edits"], "properties": { "edits": list(json!({
            "type": "object", "required": ["operation", "id", "etag"], "properties": {
                "operation": text(), "id": id(), "etag": nullable() } })) } },
        "Revert": closed(&["version"], json!({ "version": version(), "reason": nullable() })),
        "Versions": { "type": "object", "required": ["versions", "numberMatched", "links"], "properties": {
            "collection": text(), "id": id(), "numberMatched": { "type": "integer" }, "versions": list(of("Version")),
            "links": list(of("Link")) } },
        "Version": { "type": "object", "required": ["version", "operation", "since", "until", "changes", "feature"],
            "properties": {
                "version": version(),
                "operation": { "type": "string", "enum": ["create", "update", "delete"] },
                "since": instant(), "until": instant(),
                "by": nullable(), "source": nullable(), "application": nullable(), "address": nullable(),
                "reason": nullable(),
                "changes": list(text()),
                "feature": any("The feature as it was; null where it is gone."),
            } },
    })
}
