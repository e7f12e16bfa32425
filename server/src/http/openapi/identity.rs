//! What is particular to the operations of coming in and of the access review.

use serde_json::{Value, json};

use super::parameters;
use crate::http::admin::REVIEW_CSV;

/// Parameters of the query: operation, name, what it is.
const QUERY: &[(&str, &str, &str)] = &[
    ("beginLogin", "return", "The path of the page of this server to which the browser comes back."),
    ("finishLogin", "state", "What the browser was given to bring back."),
    ("finishLogin", "code", "By what the provider vouches for somebody."),
    ("finishLogin", "error", "Why it does not."),
    ("finishLogin", "iss", "Which provider answers."),
];

/// Adds to an operation what its line in the table does not say.
pub(super) fn complete(id: &str, operation: &mut Value) {
    let summary = operation["summary"].clone();
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.extend(QUERY.iter().filter(|(of, ..)| *of == id).map(|(_, name, description)| {
            json!({ "name": name, "in": "query", "description": description, "schema": { "type": "string" } })
        }));
        if id == "getAccessReview" {
            parameters.push(parameters::format(&["json", "csv"]));
        }
    }
    let responses = &mut operation["responses"];
    match id {
        "beginLogin" | "finishLogin" => {
            if let Some(responses) = responses.as_object_mut() {
                responses.shift_remove("204");
            }
            let location = json!({ "description": "Where to.", "schema": { "type": "string", "format": "uri" } });
            responses["303"] = json!({ "description": summary, "headers": { "Location": location } });
        }
        "logOut" => {
            let schema = json!({ "$ref": "#/components/schemas/LoggedOut" });
            responses["200"] = json!({
                "description": "Out here; the browser is to go on to end what it has at the identity provider",
                "content": { "application/json": { "schema": schema } },
            });
        }
        "getAccessReview" => {
            responses["200"]["content"][REVIEW_CSV] = json!({ "schema": { "type": "string" } });
            responses["406"] = json!({ "$ref": "#/components/responses/NotAcceptable" });
        }
        _ => {}
    }
}
