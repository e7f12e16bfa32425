//! Every route says who may ask, and nobody gets further.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use lindero::http::{Rule, routes};
use serde_json::{Value, json};

use crate::support::City;

/// A template without the names of its parameters.
pub(crate) fn form(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Routes that the API's description leaves out: files, and what monitors ask.
const OUTSIDE: [&str; 5] = ["/assets/{}", "/health/live", "/health/ready", "/metrics", "/pages/style.css"];

#[tokio::test]
async fn the_description_has_every_route_and_its_rule() {
    let city = City::new().await;
    let api = city.get("/api?f=json").await.json();
    let mut described = BTreeSet::new();
    for (path, operations) in api["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let rule = operation["x-lindero-access"].as_str().unwrap_or_default();
            assert!(!rule.is_empty(), "{method} {path} does not say who may ask");
            // A collection's own path is of the route of all.
            let path = match path.split('/').collect::<Vec<_>>()[..] {
                ["", "collections", id, "items"] if !id.starts_with('{') => "/collections/{}/items".to_owned(),
                _ => form(path),
            };
            described.insert((method.to_uppercase(), path));
        }
    }
    let made: BTreeSet<_> = routes()
        .iter()
        .map(|route| (route.method.to_string(), form(route.path)))
        .filter(|(_, path)| !OUTSIDE.contains(&path.as_str()))
        .collect();
    assert_eq!(made, described);
}

/// A body that a route would take.
pub(crate) fn body(path: &str) -> Value {
    match form(path).as_str() {
        "/collections/{}/items" | "/collections/{}/items/{}" => {
            json!({ "type": "Feature", "geometry": null, "properties": {} })
        }
        "/collections/{}/edits" => json!({ "edits": [] }),
        "/collections/{}/items/{}/revert" => json!({ "version": 1 }),
        "/session/password" => json!({ "present": "x", "next": "y" }),
        "/admin/accounts" => json!({ "name": "eva", "kind": "person" }),
        "/admin/accounts/{}/assignments" => json!({ "role": "planner" }),
        "/admin/accounts/{}/keys" => json!({ "title": "x" }),
        "/admin/roles/{}" => json!({ "id": "00000000-0000-7000-8000-000000000000", "title": "x", "permissions": [] }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn nobody_may_what_needs_an_account() {
    let city = City::new().await;
    let mut asked = 0;
    for route in routes().iter().filter(|route| matches!(route.rule, Rule::Own | Rule::May(_))) {
        let path: Vec<&str> = route
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { "00000000-0000-7000-8000-000000000000" } else { part })
            .collect();
        let (method, path) = (route.method.as_str(), path.join("/"));
        let answer = if route.method == Method::GET {
            city.get(&path).await
        } else {
            city.put_in(method, &path, &[], &body(route.path)).await
        };
        let refusals = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
        assert!(refusals.contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        asked += 1;
    }
    assert!(asked > 15, "{asked}");
}
