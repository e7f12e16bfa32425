//! Whatever changes something is in the audit trail, in the transaction of what
//! it changed: where it cannot be recorded it is not done.

use std::time::{Duration, Instant};

use access::account::{self, AccountKind, NewAccount};
use access::audit::{self, Kept};
use access::key::{self, NewKey};
use access::{Caller, Reach, assignment, job, link, session};
use axum::http::{Method, StatusCode};
use lindero::background;
use lindero::http::{Rule, routes};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::attachments::{BOUNDARY, form, png};
use crate::edits::square;
use crate::guessing::mighty;
use crate::session::{Browser, PASSWORD, log_in, person};
use crate::support::{Answer, City};

const OPERATOR: &Caller = &Caller::OPERATOR;

/// A row of the trail: account, dependency, session, address, request.
type Row = (Option<Uuid>, String, Option<Uuid>, Option<String>, String);

/// A change that somebody may make.
struct Change {
    method: &'static str,
    /// The route's template.
    route: &'static str,
    uri: String,
    body: Value,
    /// An attachment's picture in place of the body.
    is_picture: bool,
}

/// Every change that the routes offer, each of which would be made; the one
/// that ends the session itself is the last.
async fn changes(city: &City, boss: &Browser<'_>) -> Vec<Change> {
    let db = city.db.database();
    let home = |name, kind| NewAccount { dependency: "Hacienda".to_owned(), ..NewAccount::new(name, kind) };
    let system = account::create(OPERATOR, db, &home("sensores", AccountKind::System)).await.unwrap().id;
    let new = NewKey { title: "lecturas".to_owned(), permissions: None, expires_at: None };
    let (_, key) = key::create(OPERATOR, db, system, &new).await.unwrap();
    let eva = person(city, "eva", "planner", Reach::default()).await;
    let session = session::list(OPERATOR, db, eva).await.unwrap()[0].id;
    let assigned = assignment::list(OPERATOR, db, eva).await.unwrap()[0].id;
    let invited = account::create(OPERATOR, db, &home("leo", AccountKind::Person)).await.unwrap().id;
    let (link, _) = link::for_account(OPERATOR, db, invited).await.unwrap();
    // It ends with the test.
    let job = job::start(OPERATOR, db, "import", "predios.gpkg").await.unwrap();
    let job_id = job.id();
    std::mem::forget(job);
    drop(log_in(city, "jefa").await);
    let list = boss.get("/session/list").await.json();
    let other = list["sessions"].as_array().unwrap().iter().find(|session| session["current"] != true).unwrap();
    let other = other["id"].as_str().unwrap().to_owned();
    let attached = picture(boss, "/collections/barrios/items/26/attachments", &[]).await;
    assert_eq!(attached.status, StatusCode::CREATED, "{}", attached.text());
    let attached = attached.header("location").strip_prefix("http://localhost:8080").unwrap().to_owned();
    let edit = json!({ "properties": { "nombre": "Otro" } });
    let before = boss.send_with("PATCH", "/collections/barrios/items/24", &[("if-match", "*")], &edit).await;
    assert_eq!(before.status, StatusCode::OK, "{}", before.text());

    let lot =
        |code: &str| json!({ "type": "Feature", "geometry": square(-75.3, 4.4), "properties": { "codigo": code } });
    let item = |id: u32, rest: &str| format!("/collections/barrios/items/{id}{rest}");
    let of = |account, rest: String| format!("/admin/accounts/{account}{rest}");
    let change = |method, route, uri: String, body| Change { method, route, uri, body, is_picture: false };
    let account = "/admin/accounts/{account}";
    vec![
        change("POST", "/admin/accounts", "/admin/accounts".to_owned(), json!({ "name": "ana", "kind": "person" })),
        change("PATCH", account, of(eva, String::new()), json!({ "full_name": "Eva" })),
        change("POST", "/admin/accounts/{account}/link", of(eva, "/link".to_owned()), json!({})),
        change(
            "POST",
            "/admin/accounts/{account}/assignments",
            of(eva, "/assignments".to_owned()),
            json!({ "role": "editor" }),
        ),
        change(
            "DELETE",
            "/admin/accounts/{account}/assignments/{assignment}",
            of(eva, format!("/assignments/{assigned}")),
            json!({}),
        ),
        change(
            "DELETE",
            "/admin/accounts/{account}/sessions/{session}",
            of(eva, format!("/sessions/{session}")),
            json!({}),
        ),
        change("POST", "/admin/accounts/{account}/keys", of(system, "/keys".to_owned()), json!({ "title": "otra" })),
        change("DELETE", "/admin/accounts/{account}/keys/{key}", of(system, format!("/keys/{}", key.id)), json!({})),
        change(
            "PUT",
            "/admin/roles/{role}",
            "/admin/roles/lectura".to_owned(),
            json!({ "id": "lectura", "title": "Lectura", "permissions": ["read_classified"] }),
        ),
        change("PATCH", "/admin/layers/{layer}", "/admin/layers/vias".to_owned(), json!({ "custodian": "Archivo" })),
        change("POST", "/admin/jobs/{job}/cancel", format!("/admin/jobs/{job_id}/cancel"), json!({})),
        change("POST", "/collections/{id}/items", "/collections/barrios/items".to_owned(), lot("N1")),
        change(
            "POST",
            "/collections/{id}/edits",
            "/collections/barrios/edits".to_owned(),
            json!({ "edits": [{ "operation": "delete", "id": 27, "ifMatch": "*" }] }),
        ),
        change("PUT", "/collections/{id}/items/{feature}", item(21, ""), lot("N2")),
        change("PATCH", "/collections/{id}/items/{feature}", item(22, ""), edit),
        change("DELETE", "/collections/{id}/items/{feature}", item(23, ""), json!({})),
        change("POST", "/collections/{id}/items/{feature}/revert", item(24, "/revert"), json!({ "version": 1 })),
        Change {
            is_picture: true,
            ..change("POST", "/collections/{id}/items/{feature}/attachments", item(25, "/attachments"), json!({}))
        },
        change("DELETE", "/collections/{id}/items/{feature}/attachments/{attachment}", attached, json!({})),
        change("DELETE", "/session/list/{id}", format!("/session/list/{other}"), json!({})),
        change("POST", "/session", "/session".to_owned(), json!({ "name": "jefa", "password": PASSWORD })),
        change(
            "PUT",
            "/session/link",
            "/session/link".to_owned(),
            json!({ "token": link.expose(), "password": "guayacán 7 lluvias mansas" }),
        ),
        change(
            "PUT",
            "/session/password",
            "/session/password".to_owned(),
            json!({ "present": PASSWORD, "next": "arrayán 9 nieblas altas" }),
        ),
        change("DELETE", "/session", "/session".to_owned(), json!({})),
    ]
}

async fn picture(who: &Browser<'_>, uri: &str, more: &[(&str, &str)]) -> Answer {
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let own = [("cookie", who.cookies.as_str()), ("x-csrf-token", &who.csrf), ("sec-fetch-site", "same-origin")];
    let headers = [&own[..], &[("content-type", media_type.as_str())], more].concat();
    who.city.send_bytes("POST", uri, &headers, form(&[("file", Some("foto.png"), &png(2, 2))])).await
}

impl Change {
    async fn make(&self, who: &Browser<'_>) -> Answer {
        let more = [("if-match", "*"), ("x-request-id", "cambio-7")];
        if self.is_picture {
            return picture(who, &self.uri, &more).await;
        }
        who.send_with(self.method, &self.uri, &more, &self.body).await
    }
}

/// All that such changes could change, in a digest; but for when things were
/// last looked at.
async fn state(city: &City) -> Vec<(String, Option<String>)> {
    let mut admin = city.db.superuser().await;
    let mut state = Vec::new();
    for (table, without) in [
        ("access.account", ""),
        ("access.assignment", ""),
        ("access.session", "last_seen_at"),
        ("access.key", "last_used_at"),
        ("access.link", ""),
        ("access.role", ""),
        ("access.job", ""),
        ("catalog.layer", ""),
        ("catalog.attachment", ""),
        ("catalog.feature_version", ""),
        ("geo.barrios", ""),
    ] {
        let rows = format!("to_jsonb(t) - '{without}'");
        let digest = format!("SELECT md5(string_agg(({rows})::text, '|' ORDER BY ({rows})::text)) FROM {table} AS t");
        let digest = sqlx::query_scalar(AssertSqlSafe(digest)).fetch_one(&mut admin).await;
        state.push((table.to_owned(), digest.unwrap_or_else(|error| panic!("{table}: {error}"))));
    }
    state
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done_and_what_is_done_is_recorded() {
    let city = City::new().await;
    let boss = mighty(&city, "jefa", &Reach::default()).await;
    let mut admin = city.db.superuser().await;
    let changes = changes(&city, &boss).await;
    // These look, or begin a login elsewhere.
    let others = ["POST /session/link"];
    for route in routes().iter().filter(|route| route.method != Method::GET && route.rule != Rule::Everybody) {
        let of = |change: &Change| route.method.as_str() == change.method && route.path == change.route;
        let what = format!("{} {}", route.method, route.path);
        assert!(others.contains(&what.as_str()) || changes.iter().any(of), "{what} is not among the changes");
    }
    sqlx::raw_sql("UPDATE access.account SET dependency = 'Hacienda' WHERE name = 'jefa'")
        .execute(&mut admin)
        .await
        .unwrap();
    let grants: Vec<String> = sqlx::query_scalar(
        "SELECT format('GRANT INSERT (%I) ON access.audit TO %I', column_name, grantee) \
         FROM information_schema.column_privileges WHERE table_schema = 'access' AND table_name = 'audit' \
            AND privilege_type = 'INSERT' AND grantee IN ('lindero_app', 'lindero_loader')",
    )
    .fetch_all(&mut admin)
    .await
    .unwrap();
    assert!(!grants.is_empty());
    sqlx::raw_sql("REVOKE INSERT ON access.audit FROM lindero_app, lindero_loader").execute(&mut admin).await.unwrap();
    let before = state(&city).await;
    for change in &changes {
        let answer = change.make(&boss).await;
        let what = format!("{} {}: {}", change.method, change.route, answer.text());
        assert!(answer.status.is_server_error(), "{} {what}", answer.status);
        assert_eq!(answer.header("set-cookie"), "", "{what}");
        assert_eq!(state(&city).await, before, "{what}");
    }
    sqlx::raw_sql(AssertSqlSafe(grants.join(";"))).execute(&mut admin).await.unwrap();

    for change in &changes {
        let last: i64 = sqlx::query_scalar("SELECT max(id) FROM access.audit").fetch_one(&mut admin).await.unwrap();
        let answer = change.make(&boss).await;
        let what = format!("{} {}", change.method, change.route);
        assert!(answer.status.is_success(), "{what}: {} {}", answer.status, answer.text());
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT account, dependency, session, host(address), request FROM access.audit WHERE id > $1 AND outcome = 'done'",
        )
        .bind(last)
        .fetch_all(&mut admin)
        .await
        .unwrap();
        assert!(!rows.is_empty(), "{what} is not in the trail");
        for (account, dependency, session, address, request) in rows {
            assert!(account.is_some() && session.is_some(), "{what}: {account:?} {session:?}");
            assert_eq!((address.as_deref(), request.as_str()), (Some("127.0.0.1"), "cambio-7"), "{what}");
            // Whoever follows a link is another than who sent it.
            assert_eq!(dependency, "Hacienda", "{what}");
        }
    }
}

#[tokio::test]
async fn rows_are_sealed_within_seconds_and_the_days_digest_is_a_file() {
    let city = City::new().await;
    let mut tasks = background::start(&city.state);
    person(&city, "eva", "planner", Reach::default()).await;
    drop(log_in(&city, "eva").await);
    let begun = Instant::now();
    let db = city.db.database();
    let folder = city.state.config.audit_dir();
    let verified = loop {
        let verified = audit::verify(OPERATOR, db, Kept { public_key: None, seal: None }).await.unwrap();
        if verified.unsealed == 0 && verified.last.is_some() {
            break verified;
        }
        // Five, and what a busy machine takes.
        assert!(begun.elapsed() < Duration::from_secs(10), "{} rows are not sealed", verified.unsealed);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(verified.found == 0 && verified.rows > 3, "{verified:?}");
    let name = format!("{}.json", verified.last.unwrap().at.format("%Y-%m-%d"));
    let written = loop {
        if let Ok(written) = std::fs::read_to_string(folder.join(&name)) {
            break written;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{name} is not there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let digest: Value = serde_json::from_str(&written).unwrap();
    for member in ["position", "digest", "signature", "public_key"] {
        assert!(!digest[member].is_null(), "{member}: {written}");
    }
    tasks.shutdown().await;
}

#[tokio::test]
async fn the_key_of_an_account_that_is_closed_opens_nothing() {
    let city = City::new().await;
    let db = city.db.database();
    person(&city, "jefa", "administrator", Reach::default()).await;
    let boss = log_in(&city, "jefa").await;
    let system = account::create(OPERATOR, db, &NewAccount::new("sensores", AccountKind::System)).await.unwrap().id;
    let uri = format!("/admin/accounts/{system}");
    let made = boss.send("POST", &format!("{uri}/keys"), &json!({ "title": "lecturas" })).await.json();
    let shown = format!("Bearer {}", made["token"].as_str().unwrap());
    let opens = async || city.get_with("/collections", &[("authorization", &shown)]).await.status;
    for (change, expected) in [
        (json!({ "full_name": "Sensores" }), StatusCode::OK),
        (json!({ "is_disabled": true }), StatusCode::UNAUTHORIZED),
        (json!({ "is_disabled": false }), StatusCode::OK),
        (json!({ "expires_at": "2020-01-01T00:00:00Z" }), StatusCode::UNAUTHORIZED),
        (json!({ "expires_at": null }), StatusCode::OK),
    ] {
        let changed = boss.send("PATCH", &uri, &change).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        assert_eq!(opens().await, expected, "{change}");
    }
    // It was shown once: afterwards what it begins with, and when it was used.
    let listed = boss.get(&format!("{uri}/keys")).await;
    assert!(!listed.text().contains(made["token"].as_str().unwrap()), "{}", listed.text());
    let key = &listed.json()["keys"][0];
    assert!(shown.contains(key["prefix"].as_str().unwrap()) && key["last_used_at"].is_string(), "{key}");
    let gone = boss.send("DELETE", &format!("{uri}/keys/{}", key["id"].as_str().unwrap()), &json!({})).await;
    assert_eq!((gone.status, opens().await), (StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED));
}
