//! The audit trail's parameters and documents.

use access::audit::{Action, MOST, Outcome};
use serde_json::{Map, Value, json};

/// The parameters of the audit trail's search: name, what it is, its schema.
pub(super) fn parameters() -> Vec<Value> {
    let text = || json!({ "type": "string" });
    let instant = || json!({ "type": "string", "format": "date-time" });
    let parameters = [
        ("from", "Of this instant or later", instant()),
        ("to", "Before this instant", instant()),
        ("account", "By this account: its id, or its name", text()),
        ("action", "What was done", json!({ "type": "string", "enum": Action::ALL.map(Action::code) })),
        ("outcome", "How it ended", json!({ "type": "string", "enum": Outcome::ALL.map(Outcome::code) })),
        ("municipality", "The municipality that it concerns", json!({ "type": "string", "pattern": "^[0-9]{5}$" })),
        ("layer", "The layer that it concerns", text()),
        ("subject", "What it was done to", text()),
        ("address", "From this address, or a network as 10.0.0.0/8", text()),
        ("cursor", "Older than this row", json!({ "type": "integer", "format": "int64" })),
        ("limit", "Rows of a page", json!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": 100 })),
        (
            "f",
            "csv: all of them, as one file; that it was taken out is in the trail",
            json!({ "type": "string", "enum": ["json", "csv"] }),
        ),
    ];
    let parameter =
        |(name, what, schema)| json!({ "name": name, "in": "query", "description": what, "schema": schema });
    parameters.into_iter().map(parameter).collect()
}

/// Its documents.
pub(super) fn schemas() -> Value {
    let or_null = |schema: Value| with(schema, "nullable", true.into());
    let text = || json!({ "type": "string" });
    let number = || json!({ "type": "integer", "format": "int64" });
    let instant = || json!({ "type": "string", "format": "date-time" });
    let uuid = || json!({ "type": "string", "format": "uuid" });
    let row = [
        ("id", number()),
        ("at", instant()),
        ("action", text()),
        ("outcome", text()),
        ("account", or_null(uuid())),
        ("account_name", text()),
        ("dependency", text()),
        ("session", or_null(uuid())),
        ("key", or_null(uuid())),
        ("address", or_null(text())),
        ("request", text()),
        ("municipality", or_null(text())),
        ("layer", or_null(text())),
        ("subject", text()),
        ("detail", or_null(json!({}))),
        ("database_role", text()),
        ("application", text()),
    ];
    let seal =
        [("position", number()), ("digest", text()), ("at", instant()), ("signature", text()), ("public_key", text())];
    let verification = [
        ("at", instant()),
        ("rows", number()),
        ("seals", number()),
        ("unsealed", number()),
        ("found", number()),
        ("findings", json!({ "type": "array", "items": { "type": "object" } })),
    ];
    let rows = json!({ "type": "array", "items": { "$ref": "#/components/schemas/AuditRow" } });
    let state = [
        ("seal", or_null(object(seal))),
        ("unsealed", number()),
        ("unsealed_since", or_null(instant())),
        ("verification", or_null(object(verification))),
    ];
    json!({
        "AuditRow": object(row),
        "AuditRows": object([("rows", rows), ("next", or_null(text()))]),
        "AuditState": object(state),
    })
}

/// An object that has all of them.
fn object<const N: usize>(properties: [(&str, Value); N]) -> Value {
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    let required = json!(required);
    let properties: Map<String, Value> =
        properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn with(mut schema: Value, name: &str, value: Value) -> Value {
    schema[name] = value;
    schema
}
