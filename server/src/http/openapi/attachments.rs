//! The operations with features' attachments.

use layers::attachment;
use serde_json::{Map, Value, json};

use super::parameters::reference;
use super::schemas::response;
use crate::http::document::JSON;

const ALL: &str = "/collections/{collectionId}/items/{featureId}/attachments";
const ONE: &str = "/collections/{collectionId}/items/{featureId}/attachments/{attachmentId}";
const PREVIEW: &str = "/collections/{collectionId}/items/{featureId}/attachments/{attachmentId}/preview";

/// Adds the paths.
pub(super) fn add(paths: &mut Map<String, Value>) {
    let document = |schema: &str| json!({ JSON: { "schema": of(schema) } });
    let file = |types: &[&str]| {
        let binary = || json!({ "schema": { "type": "string", "format": "binary" } });
        types.iter().map(|media_type| ((*media_type).to_owned(), binary())).collect::<Map<_, _>>()
    };
    let form = json!({ "multipart/form-data": {
        "schema": { "type": "object", "required": ["file"], "additionalProperties": false, "properties": {
            "caption": { "type": "string", "maxLength": attachment::MOST_CAPTION },
            "file": { "type": "string", "format": "binary", "description": format!(
                "{}, as its content says; at most {} bytes. What a photograph says of where, when and by what it was \
                 taken is not kept.", attachment::MEDIA_TYPES.join(", "), attachment::MOST_BYTES) },
        } },
        "encoding": { "file": { "contentType": attachment::MEDIA_TYPES.join(", ") } },
    } });
    let read = ["304", "400", "401", "404", "406", "410", "414", "429", "500", "503", "504"];
    let write = ["400", "401", "403", "404", "409", "413", "414", "415", "422", "429", "500", "503", "504"];
    let mut put = |path: &str, method: &str, mut operation: Value| {
        operation["parameters"] = parameters(path);
        paths.entry(path).or_insert_with(|| json!({}))[method] = operation;
    };
    let told = "A feature's photos and documents, the oldest first";
    put(ALL, "get", operation("getAttachments", told, ("200", document("Attachments")), &read));
    let mut added = operation("addAttachment", "Attach a photo or document", ("201", document("Attachment")), &write);
    added["requestBody"] = json!({ "required": true, "content": form });
    put(ALL, "post", added);
    let types = file(&attachment::MEDIA_TYPES).into();
    put(ONE, "get", operation("getAttachment", "A photo or document, as it is kept", ("200", types), &read));
    put(ONE, "delete", operation("removeAttachment", "Remove an attachment", ("204", Value::Null), &write));
    let types = file(&[attachment::PREVIEW_TYPE]).into();
    let small = format!("A photo, at most {} pixels wide and high", attachment::PREVIEW);
    put(PREVIEW, "get", operation("getAttachmentPreview", &small, ("200", types), &read));
}

fn operation(id: &str, summary: &str, (status, content): (&str, Value), others: &[&str]) -> Value {
    let refusals = others.iter().filter_map(|status| Some(((*status).to_owned(), response(status)?)));
    let mut responses: Map<String, Value> = refusals.collect();
    let mut done = json!({ "description": summary });
    if !content.is_null() {
        done["content"] = content;
    }
    responses.insert(status.to_owned(), done);
    json!({ "operationId": id, "tags": ["Attachments"], "summary": summary, "parameters": [], "responses": responses })
}

fn parameters(path: &str) -> Value {
    let mut parameters = vec![reference("collectionId"), reference("featureId")];
    if path.contains("{attachmentId}") {
        parameters.push(json!({ "name": "attachmentId", "in": "path", "required": true,
            "schema": { "type": "string", "format": "uuid" } }));
    }
    parameters.push(reference("lang"));
    parameters.into()
}

fn of(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// Their documents.
pub(super) fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let count = || json!({ "type": "integer", "format": "int64", "minimum": 0 });
    let pixels = || json!({ "type": "integer", "format": "int32", "minimum": 1 });
    json!({
        "Attachments": { "type": "object", "required": ["attachments", "limits", "links"], "properties": {
            "attachments": { "type": "array", "items": of("Attachment") },
            "limits": { "type": "object", "required": ["attachments", "bytes", "pixels", "types"], "properties": {
                "attachments": count(), "bytes": count(), "pixels": count(),
                "types": { "type": "array", "items": text() } } },
            "links": { "type": "array", "items": of("Link") },
        } },
        "Attachment": { "type": "object",
            "required": ["id", "name", "type", "size", "sha256", "created", "links"],
            "properties": {
                "id": { "type": "string", "format": "uuid" },
                "name": text(),
                "caption": text(),
                "type": { "type": "string", "enum": attachment::MEDIA_TYPES },
                "size": count(),
                "sha256": text(),
                "width": pixels(), "height": pixels(),
                "created": { "type": "string", "format": "date-time" },
                "links": { "type": "array", "items": of("Link") },
            } },
    })
}
