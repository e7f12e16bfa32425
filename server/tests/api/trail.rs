//! The audit trail: what is in it, and who reads it.

use access::account::{self, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::audit::{self, OF_ACCOUNT, OF_ANYBODY, Row, Wanted};
use access::key::{self, NewKey};
use access::{Caller, Origin, Reach, Scope};
use axum::http::StatusCode;
use layers::catalog;
use lindero::background;
use serde_json::{Value, json};

use crate::session::{Browser, log_in, only, person};
use crate::support::City;

const OPERATOR: &Caller = &Caller::OPERATOR;
const TILE: &str = "tiles/WebMercatorQuad/12/1997/1191";

/// The rows of an action, the newest first, once what was noted is written.
async fn rows(city: &City, action: &str) -> Vec<Row> {
    city.state.trail.write().await.unwrap();
    let wanted = Wanted { action: Some(action.parse().unwrap()), ..Wanted::default() };
    audit::search(OPERATOR, city.db.database(), &wanted, audit::MOST).await.unwrap()
}

#[tokio::test]
async fn what_somebody_is_denied_is_in_the_trail() {
    let city = City::new().await;
    let account = person(&city, "eva", "planner", only("vias")).await;
    let other = person(&city, "leo", "planner", only("vias")).await;
    let eva = log_in(&city, "eva").await;
    for (uri, tried, layer) in [
        ("/collections/expedientes", "see this layer", Some("expedientes")),
        ("/collections/expedientes/items?limit=1", "see this layer", Some("expedientes")),
        ("/collections/expedientes/items/1", "see this layer", Some("expedientes")),
        (&format!("/collections/expedientes/{TILE}"), "see this layer", Some("expedientes")),
        (&format!("/collections/personas/{TILE}"), "see this layer", Some("personas")),
        ("/admin/accounts", "see accounts", None),
        ("/admin/roles", "see roles", None),
        (&format!("/admin/accounts/{other}"), "see this account", None),
        ("/admin/audit", "read the audit trail", None),
        ("/admin/audit?f=csv", "read the audit trail", None),
        ("/admin/audit/seal", "see the audit trail's seal", None),
    ] {
        let before = rows(&city, "attempt").await.len();
        let answer = city.get_with(uri, &[("cookie", &eva.cookies), ("x-request-id", "ask-7")]).await;
        assert!(matches!(answer.status.as_u16(), 403 | 404), "{uri}: {}", answer.status);
        let rows = rows(&city, "attempt").await;
        assert_eq!(rows.len(), before + 1, "{uri}");
        let row = &rows[0];
        assert_eq!((row.outcome.as_str(), row.subject.as_str()), ("denied", tried), "{uri}");
        assert_eq!((row.layer.as_deref(), row.account), (layer, Some(account)), "{uri}");
        assert_eq!((row.account_name.as_str(), row.address.as_deref()), ("eva", Some("127.0.0.1")));
        assert!(row.session.is_some() && row.request == "ask-7", "{row:?}");
    }
    // A cookie without its page's token.
    let headers = [("cookie", eva.cookies.as_str())];
    assert_eq!(city.put_in("DELETE", "/session", &headers, &json!({})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(rows(&city, "attempt").await[0].subject, "change something without the session's token");
    // What is nowhere is no secret: nobody is denied anything.
    let before = rows(&city, "attempt").await.len();
    assert_eq!(eva.get("/collections/nada").await.status, StatusCode::NOT_FOUND);
    assert_eq!(rows(&city, "attempt").await.len(), before);
}

#[tokio::test]
async fn a_key_that_is_denied_something_is_in_the_trail() {
    let city = City::new().await;
    let db = city.db.database();
    let system = account::create(OPERATOR, db, &NewAccount::new("sensores", AccountKind::System)).await.unwrap().id;
    let assigned = NewAssignment { role: "planner".into(), reach: only("vias"), expires_at: None };
    assignment::assign(OPERATOR, db, system, &assigned).await.unwrap();
    let new = NewKey { title: "lecturas".into(), permissions: None, expires_at: None };
    let (token, made) = key::create(OPERATOR, db, system, &new).await.unwrap();
    let shown = format!("Bearer {}", token.expose());
    let denied = city.get_with("/collections/expedientes", &[("authorization", &shown)]).await;
    assert_eq!(denied.status, StatusCode::NOT_FOUND);
    let row = rows(&city, "attempt").await.remove(0);
    assert_eq!((row.key, row.account, row.session), (Some(made.id), Some(system), None));
    // What opens nothing is not written down.
    let unknown = city.get_with("/collections", &[("authorization", "Bearer lindero_secreto")]).await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    let row = rows(&city, "attempt").await.remove(0);
    assert_eq!((row.key, row.account), (None, None));
    assert!(row.subject.starts_with("come in by a key") && !format!("{row:?}").contains("secreto"), "{row:?}");
}

#[tokio::test]
async fn a_flood_of_denials_fills_no_disk() {
    let city = City::new().await;
    person(&city, "eva", "planner", only("vias")).await;
    let eva = log_in(&city, "eva").await;
    for _ in 0..OF_ACCOUNT + 40 {
        assert_eq!(eva.get("/collections/expedientes").await.status, StatusCode::NOT_FOUND);
        assert_eq!(city.get("/collections/expedientes").await.status, StatusCode::NOT_FOUND);
    }
    let rows = rows(&city, "attempt").await;
    let (known, unknown): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.account.is_some());
    assert_eq!((known.len(), unknown.len()), (OF_ACCOUNT as usize, OF_ANYBODY as usize));
}

#[tokio::test]
async fn reads_of_what_is_not_public_are_in_the_trail() {
    let city = City::new().await;
    let account = person(&city, "eva", "planner", Reach::default()).await;
    let eva = log_in(&city, "eva").await;
    for (uri, by, feature) in [
        ("/collections/expedientes/items?limit=3", "items", ""),
        ("/collections/expedientes/items?limit=3&f=html", "items", ""),
        ("/collections/expedientes/items?filter=tipo%3D%27no%27", "items", ""),
        ("/collections/expedientes/items/2", "item", "2"),
        ("/collections/expedientes/items/3/history", "history", "3"),
        ("/here?lon=-75.23&lat=4.445&tolerance=1000&collections=expedientes", "here", ""),
        ("/search?q=Sitio%203", "search", ""),
    ] {
        let before = rows(&city, "read_reserved").await.len();
        let answer = eva.get(uri).await;
        assert_eq!(answer.status, StatusCode::OK, "{uri}: {}", answer.text());
        let rows = rows(&city, "read_reserved").await;
        if by == "here" && !answer.text().contains("expedientes") {
            continue;
        }
        assert_eq!(rows.len(), before + 1, "{uri}");
        let row = &rows[0];
        assert_eq!((row.layer.as_deref(), row.municipality.as_deref()), (Some("expedientes"), Some("73001")), "{uri}");
        assert_eq!((row.account, row.subject.as_str()), (Some(account), feature), "{uri}");
        assert_eq!(row.detail, Some(json!({ "by": by })), "{uri}");
    }
    // What everybody sees is nobody's business, nor what is not there.
    let before = rows(&city, "read_reserved").await.len();
    for uri in ["/collections/vias/items", "/collections/expedientes", "/collections/expedientes/items/77"] {
        eva.get(uri).await;
    }
    city.get("/collections/vias/items").await;
    assert_eq!(rows(&city, "read_reserved").await.len(), before);
}

#[tokio::test]
async fn a_map_full_of_tiles_is_one_row() {
    let city = City::new().await;
    person(&city, "eva", "planner", Reach::default()).await;
    let (eva, uri) = (log_in(&city, "eva").await, format!("/collections/expedientes/{TILE}"));
    // Cut by the database, then by the index.
    assert!(eva.get(&uri).await.status.is_success());
    let mut tasks = background::start(&city.state);
    city.tiles.ready().await;
    for uri in [
        &uri,
        &format!("/{TILE}"),
        &format!("/{TILE}?collections=expedientes"),
        &format!("{uri}?filter=tipo%3D%27cam%27"),
    ] {
        for _ in 0..3 {
            assert!(eva.get(uri).await.status.is_success(), "{uri}");
        }
    }
    assert!(eva.get(&format!("/collections/barrios/{TILE}")).await.status.is_success());
    tasks.shutdown().await;
    let rows = rows(&city, "read_reserved").await;
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((row.layer.as_deref(), &row.detail), (Some("expedientes"), &Some(json!({ "by": "tiles" }))));
}

#[tokio::test]
async fn without_the_trail_nothing_reserved_is_shown() {
    let city = City::new().await;
    person(&city, "eva", "planner", Reach::default()).await;
    let eva = log_in(&city, "eva").await;
    // Nobody writes what is noted, until no more can be.
    let origin = Origin { address: None, request: "".into() };
    let (somebody, municipality) = (Caller::ANONYMOUS.noted(origin, &city.state.trail), "73001".parse().unwrap());
    let scope = Scope { municipality: &municipality, dependency: "", layer: "expedientes" };
    let noted = (0..1_000_000).take_while(|n| audit::note_read(&somebody, &scope, &n.to_string(), json!({})).is_ok());
    assert!((1000..100_000).contains(&noted.count()));
    for uri in ["items/1", "items", TILE] {
        let refused = eva.get(&format!("/collections/expedientes/{uri}")).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{uri}");
    }
    assert_eq!(eva.get("/collections/vias/items").await.status, StatusCode::OK, "what is public is");
    city.state.trail.write().await.unwrap();
    assert_eq!(eva.get("/collections/expedientes/items/1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_done_to_a_layer_is_in_the_trail() {
    let city = City::new().await;
    let db = city.db.database();
    let published = rows(&city, "publish").await;
    let layers: Vec<_> = published.iter().filter_map(|row| row.layer.clone()).collect();
    assert_eq!(layers, ["ejes", "lotes", "postes"]);
    assert_eq!(published[0].account_name, "operator");
    let id = "vias".parse().unwrap();
    let definition = catalog::get(OPERATOR, db, &id).await.unwrap().definition;
    catalog::describe(OPERATOR, db, &id, &definition).await.unwrap();
    catalog::remove(OPERATOR, db, &id).await.unwrap();
    catalog::remove(OPERATOR, db, &"lotes".parse().unwrap()).await.unwrap();
    for (action, layer) in [("describe_layer", "vias"), ("remove_layer", "vias"), ("unpublish", "lotes")] {
        let rows = rows(&city, action).await;
        assert_eq!((rows.len(), rows[0].layer.as_deref()), (1, Some(layer)), "{action}");
        assert_eq!(rows[0].municipality.as_deref(), Some("73001"));
    }
}

/// A trail with something of each kind in it.
async fn lived_in(city: &City) -> Browser<'_> {
    person(city, "eva", "planner", Reach::default()).await;
    person(city, "audita", "auditor", Reach::default()).await;
    let eva = log_in(city, "eva").await;
    for uri in ["/collections/expedientes/items/1", "/collections/expedientes/items/2", "/admin/accounts"] {
        eva.get(uri).await;
    }
    let auditor = log_in(city, "audita").await;
    city.state.trail.write().await.unwrap();
    auditor
}

fn ids(document: &Value) -> Vec<i64> {
    document["rows"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn the_auditor_finds_what_happened() {
    let city = City::new().await;
    let auditor = lived_in(&city).await;
    let found = async |query: &str| {
        let answer = auditor.get(&format!("/admin/audit?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store");
        ids(&answer.json())
    };
    let all = found("").await;
    assert!(all.len() > 10 && all.is_sorted_by(|one, next| one > next), "{all:?}");
    for (query, expected) in [
        ("account=eva&action=read_reserved", 2),
        ("action=read_reserved&layer=expedientes&municipality=73001", 2),
        ("action=read_reserved&municipality=54001", 0),
        ("action=read_reserved&subject=2", 1),
        ("action=read_reserved&address=127.0.0.0/8", 2),
        ("action=read_reserved&address=127.0.0.1", 2),
        ("action=read_reserved&address=10.0.0.1", 0),
        ("action=read_reserved&from=2020-01-01T00:00:00-05:00", 2),
        ("action=read_reserved&to=2020-01-01T00:00:00-05:00", 0),
        ("account=eva&outcome=denied", 1),
        ("account=eva%27%20OR%201%3D1%20--", 0),
    ] {
        assert_eq!(found(query).await.len(), expected, "{query}");
    }
    for query in ["action=no", "outcome=no", "from=ayer", "address=x", "municipality=x", "cursor=x", "limit=0", "a=b"] {
        let refused = auditor.get(&format!("/admin/audit?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
    // Page by page it is the same.
    let (mut paged, mut next) = (Vec::new(), Some("/admin/audit?limit=4".to_owned()));
    while let Some(uri) = next {
        let page = auditor.get(&uri).await.json();
        paged.extend(ids(&page));
        next = page["next"].as_str().map(|href| href.strip_prefix("http://localhost:8080").unwrap().to_owned());
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn what_is_taken_out_is_whole_and_in_the_trail() {
    let city = City::new().await;
    let auditor = lived_in(&city).await;
    let many = i64::from(audit::MOST) * 2 + 5;
    sqlx::query("INSERT INTO access.audit (action, outcome, subject) SELECT 'export', 'done', '=1+' || n FROM generate_series(1, $1) AS n")
        .bind(many)
        .execute(&mut city.db.superuser().await)
        .await
        .unwrap();
    let answer = auditor.get("/admin/audit?f=csv&action=export").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert!(answer.header("content-type").starts_with("text/csv"));
    assert!(answer.header("content-disposition").starts_with("attachment"));
    let text = answer.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len() as i64, many + 1);
    assert!(lines[0].starts_with("id,at,action,outcome,account") && lines[1].contains(",'=1+"), "{}", lines[1]);
    let taken = rows(&city, "export_audit").await;
    assert_eq!((taken.len(), taken[0].account_name.as_str()), (1, "audita"));
    assert_eq!(taken[0].detail.as_ref().unwrap()["action"], "export");
    let seal = auditor.get("/admin/audit/seal").await.json();
    assert!(seal["seal"].is_null() && seal["unsealed"].as_i64() > Some(many), "{seal}");
}

#[tokio::test]
async fn an_auditor_reads_as_far_as_the_permission_reaches() {
    let city = City::new().await;
    lived_in(&city).await;
    person(&city, "parte", "auditor", only("expedientes")).await;
    person(&city, "otra", "auditor", only("vias")).await;
    let (part, other) = (log_in(&city, "parte").await, log_in(&city, "otra").await);
    let rows = part.get("/admin/audit").await.json()["rows"].clone();
    let layers: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["layer"].as_str()).collect();
    assert_eq!(layers, [Some("expedientes"); 2]);
    assert_eq!(ids(&other.get("/admin/audit").await.json()), Vec::<i64>::new());
    // A filter opens nothing.
    assert_eq!(ids(&other.get("/admin/audit?layer=expedientes").await.json()), Vec::<i64>::new());
    assert_eq!(other.get("/admin/audit?f=csv").await.text().lines().count(), 1);
    // Nor does managing everything else.
    person(&city, "jefa", "administrator", Reach::default()).await;
    let boss = log_in(&city, "jefa").await;
    assert_eq!(boss.get("/admin/audit").await.status, StatusCode::FORBIDDEN);
}
