//! The operations of `/admin` on layers, jobs and the server's health.

use serde_json::{Map, Value, json};

use super::administration::Operation;

pub(super) const OPERATIONS: &[Operation] = &[
    ("get", "/admin/layers", "getManagedLayers", "The layers that one manages", None, Some(("200", "ManagedLayers"))),
    (
        "get",
        "/admin/layers/{layerId}",
        "getManagedLayer",
        "What is said of a layer; its ETag goes with a change",
        None,
        Some(("200", "ManagedLayer")),
    ),
    (
        "patch",
        "/admin/layers/{layerId}",
        "changeLayer",
        "Say anew what a layer is: who may see it, its attributes, how it is drawn. What is not named stays",
        Some("LayerChange"),
        Some(("200", "ManagedLayer")),
    ),
    ("get", "/admin/jobs", "getJobs", "The server's jobs, the newest first", None, Some(("200", "Jobs"))),
    ("post", "/admin/jobs/{jobId}/cancel", "cancelJob", "Ask a running job to stop", None, None),
    ("get", "/admin/health", "getHealth", "How the server is", None, Some(("200", "Health"))),
];

/// What only some of them take and answer.
pub(super) fn complete(paths: &mut Map<String, Value>) {
    let query = |name: &str, schema: Value| json!({ "name": name, "in": "query", "schema": schema });
    paths["/admin/jobs"]["get"]["parameters"] = json!([
        query("state", json!({ "type": "string", "enum": ["running", "done", "failed", "cancelled", "interrupted"] })),
        query("before", json!({ "type": "string", "format": "uuid" })),
        query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 })),
    ]);
    let change = &mut paths["/admin/layers/{layerId}"]["patch"];
    if let Some(parameters) = change["parameters"].as_array_mut() {
        parameters.push(json!({ "name": "If-Match", "in": "header", "schema": { "type": "string" },
            "description": "The ETag of the layer as it was read. Needed." }));
    }
    change["responses"]["204"] = json!({ "description": "Changed; whoever changed it may not see it any more" });
    for (status, name) in [("412", "Changed"), ("428", "PreconditionRequired")] {
        change["responses"][status] = json!({ "$ref": format!("#/components/responses/{name}") });
    }
}

/// Their documents.
pub(super) fn schemas() -> Value {
    let string = || json!({ "type": "string" });
    let instant = || json!({ "type": "string", "format": "date-time" });
    let number = || json!({ "type": "integer" });
    let or_null = |mut schema: Value| {
        schema["nullable"] = true.into();
        schema
    };
    let at_most = |longest: usize| json!({ "type": "string", "maxLength": longest });
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let list = |name: &str| json!({ "type": "array", "items": { "$ref": format!("#/components/schemas/{name}") } });
    let visibility = || json!({ "type": "string", "enum": ["publica", "clasificada", "reservada"] });
    let zoom = || json!({ "type": "integer", "minimum": 0, "maximum": 30 });
    let closed = |required: &[&str], properties: Value| {
        let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    };
    let open = |required: &[&str], properties: Value| json!({ "type": "object", "required": required, "properties": properties });
    let frequency = json!({ "type": "string", "enum": ["continual", "daily", "weekly", "fortnightly", "monthly",
        "quarterly", "biannually", "annually", "asNeeded", "irregular", "notPlanned", "unknown"] });
    let summary = json!({
        "id": string(), "municipality": string(), "kind": { "type": "string", "enum": ["managed", "published"] },
        "title": reference("SaidText"), "sector": string(), "sector_title": reference("SaidText"), "visibility": visibility(),
        "subject": string(), "dependency": string(), "geometry_type": string(), "feature_count": number(),
        "content_updated_at": instant(), "overdue": { "type": "boolean" }, "classified_attributes": number(),
    });
    let mut layer = summary.clone();
    layer["version"] = json!({ "type": "string", "description": "What the ETag says." });
    layer["definition"] = json!({ "type": "object", "description": "As `lindero layer show --toml` has it." });
    json!({
        "SaidText": closed(&[], json!({ "es": string(), "en": string() })),
        "ManagedLayerSummary": open(&["id", "title", "visibility"], summary),
        "ManagedLayers": open(&["layers"], json!({ "layers": list("ManagedLayerSummary") })),
        "ManagedLayer": open(&["id", "version", "definition"], layer),
        "LayerChange": closed(&[], json!({
            "title": reference("SaidText"), "description": reference("SaidText"), "sector": at_most(200),
            "visibility": visibility(), "legal_reason": at_most(2000), "dependency": at_most(200),
            "custodian": at_most(200), "source": at_most(2000), "licence": at_most(200), "update_frequency": frequency,
            "label": or_null(string()), "classify_by": or_null(string()), "min_zoom": zoom(),
            "attributes": list("AttributeChange"),
        })),
        "AttributeChange": closed(&["name"], json!({
            "name": string(), "title": reference("SaidText"), "visibility": or_null(visibility()),
            "legal_reason": at_most(2000), "unit": or_null(at_most(200)), "min_zoom": zoom(), "values": list("SaidValue"),
        })),
        "SaidValue": closed(&["value"], json!({
            "value": at_most(200), "title": reference("SaidText"),
            "color": or_null(json!({ "type": "string", "pattern": "^#[0-9a-fA-F]{6}$" })),
        })),
        "Job": open(&["id", "kind", "subject", "state"], json!({
            "id": { "type": "string", "format": "uuid" }, "kind": string(),
            "subject": { "type": "string", "description": "Empty where it is a layer that the caller may not see." },
            "state": { "type": "string", "enum": ["running", "done", "failed", "cancelled", "interrupted"] },
            "done": number(), "total": or_null(number()), "message": or_null(string()),
            "report": or_null(json!({ "type": "object" })), "cancel_requested": { "type": "boolean" },
            "started_at": instant(), "finished_at": or_null(instant()) })),
        "Jobs": open(&["jobs", "has_more"], json!({ "jobs": list("Job"), "has_more": { "type": "boolean" } })),
        "HealthCheck": open(&["check", "status", "figures"], json!({
            "check": string(), "status": { "type": "string", "enum": ["ok", "warning", "problem"] },
            "figures": { "type": "object" } })),
        "Health": open(&["status", "version", "started_at", "checked_at", "checks"], json!({
            "status": { "type": "string", "enum": ["ok", "warning", "problem"] }, "version": string(),
            "started_at": instant(), "checked_at": instant(), "memory_bytes": or_null(json!({ "type": "number" })),
            "checks": list("HealthCheck") })),
    })
}
