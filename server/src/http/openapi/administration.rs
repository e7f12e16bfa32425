//! The operations of `/session` and `/admin`.

use serde_json::{Map, Value, json};

use super::{audit, identity, managing, schemas};
use crate::http::document::JSON;

/// Method, path, id, summary, what is sent, what is answered and with which status.
pub(super) type Operation = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<(&'static str, &'static str)>,
);

const OPERATIONS: &[Operation] = &[
    ("get", "/session", "getSession", "Who came in, and what it may do", None, Some(("200", "SessionDocument"))),
    ("post", "/session", "logIn", "Log in", Some("Login"), Some(("201", "SessionDocument"))),
    ("delete", "/session", "logOut", "Log out", None, None),
    (
        "post",
        "/session/link",
        "lookAtLink",
        "What a one-time link is for",
        Some("OneTimeLink"),
        Some(("200", "LinkDocument")),
    ),
    (
        "put",
        "/session/link",
        "followLink",
        "Set a password by a one-time link, and log in",
        Some("FollowedLink"),
        Some(("201", "SessionDocument")),
    ),
    ("put", "/session/password", "changePassword", "Change one's own password", Some("PasswordChange"), None),
    (
        "get",
        "/session/oidc/{provider}",
        "beginLogin",
        "Log in at an identity provider: sends the browser there",
        None,
        None,
    ),
    (
        "get",
        "/session/oidc/{provider}/callback",
        "finishLogin",
        "Where the identity provider sends the browser back",
        None,
        None,
    ),
    ("get", "/session/list", "getOwnSessions", "One's own sessions", None, Some(("200", "Sessions"))),
    ("delete", "/session/list/{sessionId}", "endOwnSession", "End one of one's own sessions", None, None),
    ("get", "/admin/accounts", "getAccounts", "The accounts that one manages", None, Some(("200", "Accounts"))),
    ("post", "/admin/accounts", "createAccount", "Make an account", Some("NewAccount"), Some(("201", "Account"))),
    ("get", "/admin/accounts/{accountId}", "getAccount", "An account", None, Some(("200", "Account"))),
    (
        "patch",
        "/admin/accounts/{accountId}",
        "changeAccount",
        "Change or close an account",
        Some("AccountChange"),
        Some(("200", "Account")),
    ),
    (
        "post",
        "/admin/accounts/{accountId}/link",
        "createLink",
        "Make a one-time link, to set a password",
        None,
        Some(("201", "NewLink")),
    ),
    (
        "get",
        "/admin/accounts/{accountId}/assignments",
        "getAssignments",
        "The roles of an account",
        None,
        Some(("200", "Assignments")),
    ),
    (
        "post",
        "/admin/accounts/{accountId}/assignments",
        "assign",
        "Assign a role",
        Some("NewAssignment"),
        Some(("201", "Assignment")),
    ),
    ("delete", "/admin/accounts/{accountId}/assignments/{assignmentId}", "unassign", "Take a role back", None, None),
    (
        "get",
        "/admin/accounts/{accountId}/sessions",
        "getSessions",
        "The sessions of an account",
        None,
        Some(("200", "Sessions")),
    ),
    ("delete", "/admin/accounts/{accountId}/sessions/{sessionId}", "endSession", "End a session", None, None),
    ("get", "/admin/accounts/{accountId}/keys", "getKeys", "The keys of an account", None, Some(("200", "Keys"))),
    (
        "post",
        "/admin/accounts/{accountId}/keys",
        "createKey",
        "Make a key; it is shown this once",
        Some("NewKey"),
        Some(("201", "CreatedKey")),
    ),
    ("delete", "/admin/accounts/{accountId}/keys/{keyId}", "revokeKey", "Take a key back", None, None),
    (
        "get",
        "/admin/access-review",
        "getAccessReview",
        "Who may do what, where, and when each last came in and did something",
        None,
        Some(("200", "AccessReview")),
    ),
    ("get", "/admin/roles", "getRoles", "The roles", None, Some(("200", "Roles"))),
    (
        "put",
        "/admin/roles/{roleId}",
        "putRole",
        "Make a role, or say what it allows",
        Some("Role"),
        Some(("200", "Role")),
    ),
    (
        "get",
        "/admin/audit",
        "searchAudit",
        "Rows of the audit trail, the newest first",
        None,
        Some(("200", "AuditRows")),
    ),
    (
        "get",
        "/admin/audit/seal",
        "getAuditSeal",
        "How the audit trail stands: its last seal, its last verification",
        None,
        Some(("200", "AuditState")),
    ),
];

/// Adds the paths.
pub(super) fn add(paths: &mut Map<String, Value>) {
    for (method, path, id, summary, sent, answered) in OPERATIONS.iter().chain(managing::OPERATIONS) {
        let reference = |kind: &str, name: &str| json!({ "$ref": format!("#/components/{kind}/{name}") });
        let mut responses = Map::new();
        match answered {
            Some((status, schema)) => {
                let content = json!({ JSON: { "schema": reference("schemas", schema) } });
                responses.insert((*status).to_owned(), json!({ "description": summary, "content": content }));
            }
            None => drop(responses.insert("204".to_owned(), json!({ "description": summary }))),
        }
        for status in ["400", "401", "403", "404", "409", "410", "413", "414", "415", "429", "500", "503", "504"] {
            responses.extend(schemas::response(status).map(|reference| (status.to_owned(), reference)));
        }
        let mut parameters: Vec<Value> = path.split('/').filter_map(parameter).collect();
        if *path == "/admin/audit" {
            parameters.extend(audit::parameters());
            let csv = json!({ "schema": { "type": "string" } });
            responses["200"]["content"]["text/csv"] = csv;
        }
        let mut operation = json!({
            "operationId": id,
            "tags": [if path.starts_with("/admin") { "Administration" } else { "Session" }],
            "summary": summary,
            "parameters": parameters,
            "responses": responses,
        });
        if let Some(schema) = sent {
            let content = json!({ JSON: { "schema": reference("schemas", schema) } });
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        identity::complete(id, &mut operation);
        paths.entry((*path).to_owned()).or_insert_with(|| json!({}))[*method] = operation;
    }
    managing::complete(paths);
}

/// The parameter of a part of a path that is one.
fn parameter(part: &str) -> Option<Value> {
    let name = part.strip_prefix('{')?.strip_suffix('}')?;
    let schema = if matches!(name, "roleId" | "layerId" | "provider") { json!({ "type": "string" }) } else { uuid() };
    Some(json!({ "name": name, "in": "path", "required": true, "schema": schema }))
}

fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

/// Their documents.
pub(super) fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let instant = || json!({ "type": "string", "format": "date-time" });
    let or_null = |mut schema: Value| {
        schema["nullable"] = true.into();
        schema
    };
    let list = |name: &str| json!({ "type": "array", "items": { "$ref": format!("#/components/schemas/{name}") } });
    let object = |required: &[&str], properties: Value, closed: bool| {
        let mut schema = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if closed {
            schema["additionalProperties"] = false.into();
        }
        schema
    };
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let municipality = || json!({ "type": "string", "pattern": "^[0-9]{5}$" });
    let networks = || {
        json!({ "type": "array", "maxItems": 50, "items": text(),
        "description": "From these networks alone (10.20.0.0/16); none: from anywhere." })
    };
    let windows = || {
        json!({ "type": "array", "maxItems": 50, "items": reference("Window"),
        "description": "Then alone, by Colombia's clock; none: at any time. A window that does not end later than it \
            begins ends on the next day." })
    };
    let minute = || json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" });
    let kind = json!({ "type": "string", "enum": ["person", "system"] });
    let own_name = json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9._@+-]{0,99}$" });
    let named = || json!({ "type": "string", "maxLength": 200 });
    let permissions = json!({ "type": "array", "items": { "type": "string", "enum":
        access::Permissions::all().iter().map(access::Permission::code).collect::<Vec<_>>() } });
    json!({
        "Login": object(&["name", "password"], json!({ "name": text(), "password": text() }), true),
        "OneTimeLink": object(&["token"], json!({ "token": text() }), true),
        "FollowedLink": object(&["token", "password"],
            json!({ "token": text(), "name": or_null(own_name.clone()), "password": text() }), true),
        "PasswordChange": object(&["present", "next"], json!({ "present": text(), "next": text() }), true),
        "LinkDocument": object(&["for"], json!({
            "for": { "type": "string", "enum": ["first_administrator", "password"] }, "name": or_null(text()) }), false),
        "NewLink": object(&["href", "expires_at"], json!({ "href": text(), "expires_at": instant() }), false),
        "SessionDocument": object(&["rights"], json!({
            "account": { "allOf": [reference("Account")], "nullable": true },
            "rights": list("Right"),
            "providers": list("Provider"),
            "csrf": or_null(json!({ "type": "string", "description": "X-CSRF-Token of what changes something." })),
        }), false),
        "Provider": object(&["id", "title", "href"], json!({ "id": text(), "title": text(),
            "href": { "type": "string", "description": "Where a browser goes to log in; may be given `return`." } }), false),
        "LoggedOut": object(&["end_session"], json!({ "end_session": { "type": "string", "format": "uri" } }), false),
        "Reach": object(&[], json!({ "municipality": municipality(), "dependency": text(), "layer": text() }), true),
        "Right": object(&["permissions", "reach"],
            json!({ "permissions": permissions, "reach": reference("Reach") }), false),
        "NewAccount": object(&["name", "kind"], json!({
            "name": own_name, "kind": kind, "full_name": named(), "email": named(), "municipality": or_null(municipality()),
            "dependency": named(), "expires_at": or_null(instant()), "networks": networks(), "hours": windows() }), true),
        "AccountChange": object(&[], json!({
            "full_name": or_null(named()), "email": or_null(named()), "dependency": or_null(named()),
            "is_disabled": or_null(json!({ "type": "boolean" })), "expires_at": or_null(instant()),
            "networks": or_null(networks()), "hours": or_null(windows()) }), true),
        "Account": object(&["id", "name", "kind"], json!({
            "id": uuid(), "name": text(), "kind": kind, "full_name": text(), "email": text(),
            "municipality": or_null(municipality()), "dependency": text(), "has_password": { "type": "boolean" },
            "provider": or_null(text()), "is_disabled": { "type": "boolean" }, "expires_at": or_null(instant()),
            "created_at": instant(), "last_login_at": or_null(instant()), "networks": networks(), "hours": windows() }), false),
        "Window": object(&["days", "from", "to"], json!({
            "days": { "type": "array", "minItems": 1, "items": { "type": "string",
                "enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] } },
            "from": minute(), "to": minute() }), true),
        "Accounts": object(&["accounts"], json!({ "accounts": list("Account") }), false),
        "NewAssignment": object(&["role"], json!({
            "role": text(), "reach": reference("Reach"), "expires_at": or_null(instant()) }), true),
        "Assignment": object(&["id", "role"], json!({
            "id": uuid(), "role": text(), "municipality": municipality(), "dependency": text(), "layer": text(),
            "expires_at": or_null(instant()), "assigned_at": instant(), "provider": or_null(text()) }), false),
        "Assignments": object(&["assignments"], json!({ "assignments": list("Assignment") }), false),
        "Session": object(&["id", "method"], json!({
            "id": uuid(), "method": text(), "address": or_null(text()), "user_agent": text(), "created_at": instant(),
            "last_seen_at": instant(), "expires_at": instant() }), false),
        "Sessions": object(&["sessions"], json!({ "sessions": list("Session") }), false),
        "Held": { "allOf": [reference("Assignment"),
            object(&["permissions"], json!({ "permissions": permissions }), false)] },
        "ReviewedAccount": object(&["account", "standing", "roles"], json!({
            "account": reference("Account"), "standing": { "type": "string", "enum": ["open", "closed", "ended"] },
            "roles": list("Held"), "keys": { "type": "integer" }, "last_key_used_at": or_null(instant()),
            "last_action_at": or_null(instant()), "last_action": or_null(text()) }), false),
        "AccessReview": object(&["accounts"], json!({ "accounts": list("ReviewedAccount") }), false),
        "NewKey": object(&["title"], json!({
            "title": { "type": "string", "minLength": 1, "maxLength": 100 }, "permissions": or_null(permissions.clone()),
            "expires_at": or_null(instant()) }), true),
        "Key": object(&["id", "title", "prefix"], json!({
            "id": uuid(), "title": text(), "prefix": text(), "permissions": or_null(permissions.clone()),
            "expires_at": or_null(instant()), "last_used_at": or_null(instant()), "created_at": instant(),
            "revoked_at": or_null(instant()) }), false),
        "Keys": object(&["keys"], json!({ "keys": list("Key") }), false),
        "CreatedKey": object(&["token", "key"], json!({ "token": text(), "key": reference("Key") }), false),
        "Role": object(&["id", "title", "permissions"], json!({
            "id": { "type": "string", "pattern": "^[a-z][a-z0-9_]{0,58}$" }, "title": { "type": "string", "maxLength": 100 },
            "title_en": { "type": "string", "maxLength": 100 }, "permissions": permissions }), true),
        "Roles": object(&["roles"], json!({ "roles": list("Role") }), false),
    })
}
