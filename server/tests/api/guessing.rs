//! Whoever guesses an id learns nothing: what is another dependency's, or
//! another municipality's, is told word for word as what there is not.

use access::account::{self, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::key::{self, NewKey};
use access::{Caller, Reach, job, session};
use axum::http::{Method, StatusCode};
use layers::catalog;
use layers::municipality::{self, Municipality};
use lindero::http::{Route, routes};
use serde_json::Value;
use uuid::Uuid;

use crate::attachments::{BOUNDARY, form, png};
use crate::rules::body;
use crate::session::{Browser, log_in, person};
use crate::support::{Answer, City};

const OPERATOR: &Caller = &Caller::OPERATOR;
const ROLES: [&str; 4] = ["administrator", "editor", "planner", "auditor"];

/// Ids by the names that the routes' templates have for them.
type Ids<'a> = &'a [(&'a str, String)];

/// The route's path with those ids; none where it has others.
fn path(route: &Route, ids: Ids<'_>) -> Option<String> {
    let part = |part: &str| {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        name.map_or(Some(part.to_owned()), |name| {
            ids.iter().find(|(known, _)| *known == name).map(|(_, id)| id.clone())
        })
    };
    Some(route.path.split('/').map(part).collect::<Option<Vec<_>>>()?.join("/"))
}

async fn ask(city: &City, who: Option<&Browser<'_>>, route: &Route, path: &str) -> Answer {
    let (method, body) = (route.method.as_str(), body(route.path));
    let more = [("if-match", "*")];
    if method == "POST" && route.path.ends_with("/attachments") {
        return attach(city, who, path).await;
    }
    match who {
        Some(who) if route.method == Method::GET => who.get(path).await,
        Some(who) => who.send_with(method, path, &more, &body).await,
        None if route.method == Method::GET => city.get(path).await,
        None => city.put_in(method, path, &more, &body).await,
    }
}

/// A picture that would be taken.
async fn attach(city: &City, who: Option<&Browser<'_>>, path: &str) -> Answer {
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let mut headers = vec![("content-type", media_type.as_str())];
    if let Some(who) = who {
        headers.extend([
            ("cookie", who.cookies.as_str()),
            ("x-csrf-token", &who.csrf),
            ("sec-fetch-site", "same-origin"),
        ]);
    }
    city.send_bytes("POST", path, &headers, form(&[("file", Some("foto.png"), &png(2, 2))])).await
}

/// What an answer tells, but for the ids and the request's own.
fn told(answer: &Answer, ids: Ids<'_>) -> (StatusCode, String) {
    let mut text = answer.text();
    if let Ok(Value::Object(mut problem)) = serde_json::from_str(&text) {
        problem.remove("instance");
        text = Value::Object(problem).to_string();
    }
    // The longest first: one may be part of another.
    let mut known: Vec<&String> = ids.iter().map(|(_, id)| id).filter(|id| id.len() > 1).collect();
    known.sort_by_key(|id| std::cmp::Reverse(id.len()));
    (answer.status, known.into_iter().fold(text, |text, id| text.replace(id.as_str(), "?")))
}

/// Asks every route that has only such ids, of what there is and of what there
/// is not; returns how many.
async fn compare(city: &City, who: Option<&Browser<'_>>, there: Ids<'_>, nowhere: Ids<'_>, must: &str) -> usize {
    let mut asked = 0;
    let is_meant = |route: &&Route| route.path.contains(&format!("{{{must}}}")) && !route.path.starts_with("/session/");
    for route in routes().iter().filter(is_meant) {
        let (Some(known), Some(unknown)) = (path(route, there), path(route, nowhere)) else { continue };
        let unknown = told(&ask(city, who, route, &unknown).await, nowhere);
        let known = told(&ask(city, who, route, &known).await, there);
        let what = format!("{} {}", route.method, route.path);
        assert_eq!(known, unknown, "{what}");
        let refusals = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED];
        assert!(refusals.contains(&known.0), "{what}: {} {}", known.0, known.1);
        asked += 1;
    }
    asked
}

/// Somebody who may everything, there.
pub(crate) async fn mighty<'a>(city: &'a City, name: &str, reach: &Reach) -> Browser<'a> {
    let account = person(city, name, ROLES[0], reach.clone()).await;
    for role in &ROLES[1..] {
        let assigned = NewAssignment { role: (*role).to_owned(), reach: reach.clone(), expires_at: None };
        assignment::assign(OPERATOR, city.db.database(), account, &assigned).await.unwrap();
    }
    log_in(city, name).await
}

/// Those who guess: of another dependency, of another municipality, of another layer.
async fn guessers(city: &City) -> Vec<Browser<'_>> {
    let cucuta = Municipality {
        code: "54001".parse().unwrap(),
        name: "Cúcuta".to_owned(),
        department: "Norte de Santander".to_owned(),
        inhabitants: None,
        extent: layers::Extent { west: -72.6, south: 7.7, east: -72.4, north: 8.0 },
    };
    municipality::put(OPERATOR, city.db.database(), &cucuta).await.unwrap();
    let dependency = Reach { dependency: Some("Salud".to_owned()), ..Reach::default() };
    let municipality = Reach { municipality: Some(cucuta.code), ..Reach::default() };
    let layer = Reach { layer: Some("vias".to_owned()), ..Reach::default() };
    vec![
        mighty(city, "salud", &dependency).await,
        mighty(city, "cucuta", &municipality).await,
        mighty(city, "vias", &layer).await,
    ]
}

fn ids<const N: usize>(all: [(&'static str, &str); N]) -> [(&'static str, String); N] {
    all.map(|(name, id)| (name, id.to_owned()))
}

#[tokio::test]
async fn a_layer_above_ones_clearance_is_none() {
    let city = City::new().await;
    let guessers = guessers(&city).await;
    let tile = [("set", "WebMercatorQuad"), ("zoom", "14"), ("row", "7989"), ("column", "4767")];
    let of = |layer: &str| -> Vec<(&str, String)> {
        let rest = [("feature", "1"), ("version", "1"), ("attachment", "00000000-0000-7000-8000-000000000000")];
        let own = [("id", layer), ("layer", layer)];
        own.into_iter().chain(rest).chain(tile).map(|(name, id)| (name, id.to_owned())).collect()
    };
    for hidden in ["expedientes", "personas"] {
        for who in [None].into_iter().chain(guessers.iter().map(Some)) {
            let asked = compare(&city, who, &of(hidden), &of("no_hay_tal_capa"), "id").await;
            assert!(asked > 20, "{asked} routes");
            compare(&city, who, &of(hidden), &of("no_hay_tal_capa"), "layer").await;
            for uri in [
                "/here?lon=-75.23&lat=4.445&collections={}",
                "/tiles/WebMercatorQuad/14/7989/4767?collections={}",
                "/tiles/WebMercatorQuad?collections=barrios,{}",
            ] {
                let of = async |layer: &str| {
                    let uri = uri.replace("{}", layer);
                    let answer = if let Some(who) = who { who.get(&uri).await } else { city.get(&uri).await };
                    told(&answer, &ids([("id", layer)]))
                };
                assert_eq!(of(hidden).await, of("no_hay_tal_capa").await, "{uri}");
            }
        }
    }
}

#[tokio::test]
async fn a_row_of_another_municipality_is_in_no_layer() {
    let city = City::new().await;
    let boss = mighty(&city, "jefa", &Reach::default()).await;
    let (before, here) = (city.get("/collections/barrios/items?limit=1").await.json(), "/here?lon=-75.23&lat=4.445");
    let found = city.get(here).await.json();
    let mut admin = city.db.superuser().await;
    // Another municipality's row, in the same table: it lies over all of ours.
    sqlx::raw_sql(
        "INSERT INTO geo.barrios (municipality, fid, codigo, nombre, estrato, geom) SELECT '54001', 7777, 'AJENO1', \
            'Ajeno', 3, ST_Multi(ST_Expand(ST_Extent(geom)::geometry(Polygon, 9377), 1000)) FROM geo.barrios; \
         UPDATE geo.barrios SET nombre = 'Ajeno otra vez' WHERE fid = 7777",
    )
    .execute(&mut admin)
    .await
    .unwrap();
    let of = |feature: &str| ids([("id", "barrios"), ("feature", feature), ("version", "1")]);
    for who in [None, Some(&boss)] {
        let asked = compare(&city, who, &of("7777"), &of("8888"), "feature").await;
        assert!(asked >= 8, "{asked} routes");
    }
    let gone = "00000000-0000-7000-8000-000000000000";
    let attached = |feature: &str| [&of(feature)[..], &ids([("attachment", gone)])].concat();
    compare(&city, Some(&boss), &attached("7777"), &attached("8888"), "attachment").await;

    // It is counted, found, measured and drawn nowhere.
    let after = city.get("/collections/barrios/items?limit=1").await.json();
    assert_eq!(after["numberMatched"], before["numberMatched"]);
    assert_eq!(city.get("/collections/barrios/items?codigo=AJENO1").await.json()["numberMatched"], 0);
    assert_eq!(city.get("/search?q=AJENO1").await.json()["results"], serde_json::json!([]));
    assert_eq!(city.get(here).await.json(), found);
    let filtered = "/collections/barrios/tiles/WebMercatorQuad/12/1997/1191?filter=codigo%3D%27AJENO1%27";
    assert_eq!(city.get(filtered).await.status, StatusCode::NO_CONTENT);
    let whole = city.get("/collections/barrios/tiles/WebMercatorQuad/14/7989/4767").await;
    assert!(whole.status == StatusCode::OK && !whole.body.windows(5).any(|window| window == b"Ajeno"));
    let extent = city.get("/collections/barrios").await.json()["extent"]["spatial"].clone();
    let mut transaction = city.db.database().loader().begin().await.unwrap();
    let id = "barrios".parse().unwrap();
    let (count, _) = catalog::refresh(OPERATOR, &mut transaction, &id, true).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(count, before["numberMatched"].as_i64().unwrap());
    assert_eq!(city.get("/collections/barrios").await.json()["extent"]["spatial"], extent);
    // Nor does it change by what is edited here.
    let there: String = sqlx::query_scalar("SELECT nombre FROM geo.barrios WHERE municipality = '54001'")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(there, "Ajeno otra vez");
}

#[tokio::test]
async fn accounts_and_what_is_theirs_are_nobody_elses() {
    let city = City::new().await;
    let db = city.db.database();
    let guessers = guessers(&city).await;
    let home = |name: &str, kind| NewAccount {
        municipality: Some("73001".parse().unwrap()),
        dependency: "Hacienda".to_owned(),
        ..NewAccount::new(name, kind)
    };
    // A system with a key, and somebody with a session; both with a role.
    let system = account::create(OPERATOR, db, &home("sensores", AccountKind::System)).await.unwrap().id;
    let new = NewKey { title: "lecturas".to_owned(), permissions: None, expires_at: None };
    let (_, key) = key::create(OPERATOR, db, system, &new).await.unwrap();
    let treasury = Reach { dependency: Some("Hacienda".to_owned()), ..Reach::default() };
    let victim = person(&city, "eva", "planner", treasury).await;
    sqlx::query("UPDATE access.account SET municipality = '73001', dependency = 'Hacienda' WHERE id = $1")
        .bind(victim)
        .execute(&mut city.db.superuser().await)
        .await
        .unwrap();
    let eva = log_in(&city, "eva").await;
    let session = session::list(OPERATOR, db, victim).await.unwrap()[0].id;
    let assigned = assignment::list(OPERATOR, db, victim).await.unwrap()[0].id;
    let running = job::start(OPERATOR, db, "import", "predios.gpkg").await.unwrap();

    let random = || Uuid::now_v7().to_string();
    for (number, who) in guessers.iter().enumerate() {
        for (account, rest) in
            [(system, vec![("key", key.id)]), (victim, vec![("session", session), ("assignment", assigned)])]
        {
            let there: Vec<_> =
                rest.iter().chain([&("account", account)]).map(|(name, id)| (*name, id.to_string())).collect();
            let nowhere: Vec<_> = there.iter().map(|(name, _)| (*name, random())).collect();
            let asked = compare(&city, Some(who), &there, &nowhere, "account").await;
            assert!(asked >= 9, "{asked} routes");
        }
        // By way of an account that one manages.
        let own = NewAccount {
            municipality: (number == 1).then(|| "54001".parse().unwrap()),
            dependency: "Salud".to_owned(),
            ..NewAccount::new(&format!("propia-{number}"), AccountKind::System)
        };
        let own = account::create(OPERATOR, db, &own).await.unwrap().id.to_string();
        for (name, id) in [("key", key.id), ("session", session), ("assignment", assigned)] {
            let there = [("account", own.clone()), (name, id.to_string())];
            let nowhere = [("account", own.clone()), (name, random())];
            assert_eq!(compare(&city, Some(who), &there, &nowhere, name).await, 1, "{name}");
        }
        // One's own sessions, and another's; jobs are whoever's who operates.
        let there = [("id", session.to_string()), ("job", running.id().to_string())];
        let nowhere = [("id", random()), ("job", random())];
        let path = |ids: Ids<'_>| format!("/session/list/{}", ids[0].1);
        let mut answers = Vec::new();
        for ids in [&there, &nowhere] {
            answers.push(told(&who.send("DELETE", &path(ids), &serde_json::json!({})).await, ids));
        }
        assert!(answers[0] == answers[1] && answers[0].0 == StatusCode::NOT_FOUND, "{answers:?}");
        assert_eq!(compare(&city, Some(who), &there, &nowhere, "job").await, 1);
        let audit = who.get(&format!("/admin/audit?account={victim}")).await;
        assert!(!audit.text().contains("eva"), "{}", audit.text());
    }
    // Nothing came of it.
    assert_eq!(eva.get("/session").await.json()["account"]["name"], "eva");
    assert_eq!(assignment::list(OPERATOR, db, victim).await.unwrap().len(), 1);
    assert!(key::list(OPERATOR, db, system).await.unwrap()[0].revoked_at.is_none());
    assert!(!running.progress(1, None).await.unwrap(), "it was told to stop");
}
