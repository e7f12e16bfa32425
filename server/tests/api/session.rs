//! Coming in, and what is then seen and done.

use std::time::Duration;

use access::account::{self, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::key::{self, NewKey};
use access::{Caller, Reach, Visibility, link};
use axum::http::StatusCode;
use layers::catalog;
use lindero::background;
use lindero::config::Settings;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::support::{Answer, City};

const OPERATOR: &Caller = &Caller::OPERATOR;
pub(crate) const PASSWORD: &str = "ceiba violeta 41 nubes";

/// What a browser keeps.
pub(crate) struct Browser<'a> {
    pub(crate) city: &'a City,
    pub(crate) cookies: String,
    pub(crate) csrf: String,
}

impl<'a> Browser<'a> {
    fn new(city: &'a City) -> Self {
        Self { city, cookies: String::new(), csrf: String::new() }
    }

    fn of(city: &'a City, answer: &Answer) -> Self {
        let cookies = answer.headers.get_all("set-cookie").iter();
        let cookies: Vec<&str> = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
        Self { city, cookies: cookies.join("; "), csrf: answer.json()["csrf"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.city.get_with(uri, &[("cookie", &self.cookies)]).await
    }

    pub(crate) async fn send(&self, method: &str, uri: &str, body: &Value) -> Answer {
        self.send_with(method, uri, &[], body).await
    }

    pub(crate) async fn send_with(&self, method: &str, uri: &str, more: &[(&str, &str)], body: &Value) -> Answer {
        let own = [("cookie", self.cookies.as_str()), ("x-csrf-token", &self.csrf), ("sec-fetch-site", "same-origin")];
        self.city.put_in(method, uri, &[&own, more].concat(), body).await
    }
}

pub(crate) async fn log_in<'a>(city: &'a City, name: &str) -> Browser<'a> {
    let answer = city.put_in("POST", "/session", &[], &json!({ "name": name, "password": PASSWORD })).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    Browser::of(city, &answer)
}

pub(crate) async fn person(city: &City, name: &str, role: &str, reach: Reach) -> Uuid {
    let new = NewAccount::new(name, AccountKind::Person);
    let db = city.db.database();
    let account = account::create(OPERATOR, db, &new).await.unwrap().id;
    let assigned = NewAssignment { role: role.to_owned(), reach, expires_at: None };
    assignment::assign(OPERATOR, db, account, &assigned).await.unwrap();
    let (token, _) = link::for_account(OPERATOR, db, account).await.unwrap();
    let body = json!({ "token": token.expose(), "password": PASSWORD });
    assert_eq!(city.put_in("PUT", "/session/link", &[], &body).await.status, StatusCode::CREATED);
    account
}

pub(crate) fn only(layer: &str) -> Reach {
    Reach { layer: Some(layer.to_owned()), ..Reach::default() }
}

#[tokio::test]
async fn the_first_administrator_is_made_by_the_link() {
    let city = City::new().await;
    let token = link::for_first_administrator(OPERATOR, city.db.database()).await.unwrap().unwrap();
    let look = city.put_in("POST", "/session/link", &[], &json!({ "token": token.expose() })).await;
    assert_eq!(look.json(), json!({ "for": "first_administrator", "name": null }));
    let follow = async |name: &str, password: &str| {
        let body = json!({ "token": token.expose(), "name": name, "password": password });
        city.put_in("PUT", "/session/link", &[], &body).await
    };
    let weak = follow("ana", "contraseña123").await;
    assert_eq!((weak.status, &weak.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!("password")));
    let come_in = follow("ana", PASSWORD).await;
    assert_eq!(come_in.status, StatusCode::CREATED, "{}", come_in.text());
    let cookie = come_in.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let ana = Browser::of(&city, &come_in);
    assert_eq!(ana.get("/session").await.json()["account"]["name"], "ana");
    assert_eq!(ana.get("/session").await.header("cache-control"), "no-store");
    assert_eq!(follow("eva", PASSWORD).await.status, StatusCode::GONE);

    // From here on, by the pages alone.
    let body = json!({ "name": "eva", "kind": "person", "dependency": "Secretaría de Planeación" });
    let eva = ana.send("POST", "/admin/accounts", &body).await;
    assert_eq!(eva.status, StatusCode::CREATED, "{}", eva.text());
    let id = eva.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(ana.send("POST", "/admin/accounts", &body).await.status, StatusCode::CONFLICT);
    let link = ana.send("POST", &format!("/admin/accounts/{id}/link"), &json!({})).await.json();
    let (_, token) = link["href"].as_str().unwrap().split_once("/#link=").unwrap();
    let body = json!({ "token": token, "password": "guayacán 7 lluvias mansas" });
    let come_in = city.put_in("PUT", "/session/link", &[], &body).await;
    let eva = Browser::of(&city, &come_in);
    assert_eq!(eva.get("/admin/accounts").await.status, StatusCode::FORBIDDEN);
    // The trail names who came in.
    let came_in: Vec<String> =
        sqlx::query_scalar("SELECT account_name FROM access.audit WHERE action = 'log_in' ORDER BY id")
            .fetch_all(city.db.database().app())
            .await
            .unwrap();
    assert_eq!(came_in, ["ana", "eva"]);
    let assigned = json!({ "role": "planner", "reach": { "dependency": "Secretaría de Planeación" } });
    let given = ana.send("POST", &format!("/admin/accounts/{id}/assignments"), &assigned).await;
    assert_eq!(given.status, StatusCode::CREATED, "{}", given.text());
    assert_eq!(eva.get("/session").await.json()["rights"][0]["permissions"], json!(["read_classified"]));
    // More than what is listed cannot be put in.
    for (uri, body) in [
        ("/admin/accounts", json!({ "name": "leo", "kind": "person", "is_disabled": false })),
        ("/admin/accounts", json!({ "name": "leo", "kind": "person", "password": "x" })),
        ("/admin/accounts", json!({ "name": "leo", "kind": "person", "rights": [] })),
        ("/session", json!({ "name": "eva", "password": PASSWORD, "role": "administrator" })),
    ] {
        let refused = ana.send("POST", uri, &body).await;
        assert!(refused.status.is_client_error(), "{uri} {body}: {}", refused.status);
    }
}

#[tokio::test]
async fn who_may_see_a_layer_sees_it_everywhere_and_nobody_else_does() {
    let city = City::new().await;
    person(&city, "eva", "planner", only("expedientes")).await;
    person(&city, "leo", "planner", only("personas")).await;
    let (eva, leo) = (log_in(&city, "eva").await, log_in(&city, "leo").await);
    let tile = "tiles/WebMercatorQuad/12/1997/1191";
    for uri in [
        "/collections/expedientes",
        "/collections/expedientes/items?limit=3",
        "/collections/expedientes/items/1",
        "/collections/expedientes/queryables",
        &format!("/collections/expedientes/{tile}"),
        &format!("/collections/expedientes/{tile}?filter=tipo%3D%27cam%27"),
        &format!("/{tile}?collections=expedientes"),
        "/here?lon=-75.23&lat=4.445&collections=expedientes",
    ] {
        let (seen, others) = (eva.get(uri).await, [city.get(uri).await, leo.get(uri).await]);
        assert!(seen.status.is_success(), "{uri}: {} {}", seen.status, seen.text());
        assert!(seen.header("cache-control").starts_with("private"), "{uri}: {}", seen.header("cache-control"));
        assert!(seen.header("vary").contains("cookie"), "{uri}");
        for other in others {
            assert!(other.status.is_client_error() && other.status != StatusCode::FORBIDDEN, "{uri}: {}", other.status);
        }
    }
    // Persons are for those alone who may see persons, whatever else they may.
    assert_eq!(leo.get("/collections/personas").await.status, StatusCode::NOT_FOUND);
    assert_eq!(city.get("/collections/barrios").await.header("cache-control"), "public, no-cache");
    let listed = async |browser: &Browser<'_>| browser.get("/collections").await.text().contains("\"expedientes\"");
    assert!(listed(&eva).await && !listed(&leo).await && !listed(&Browser::new(&city)).await);
}

#[tokio::test]
async fn a_reserved_attribute_is_for_those_who_may_see_it_also_in_tiles() {
    let city = City::new().await;
    let (db, id) = (city.db.database(), "sitios".parse().unwrap());
    let mut definition = catalog::get(OPERATOR, db, &id).await.unwrap().definition;
    definition.attributes[1].visibility = Some(Visibility::Clasificada);
    catalog::describe(OPERATOR, db, &id, &definition).await.unwrap();
    person(&city, "eva", "planner", only("sitios")).await;
    let eva = log_in(&city, "eva").await;
    let mut tasks = background::start(&city.state);
    city.tiles.ready().await;
    let holds = |answer: &Answer| answer.body.windows(4).any(|window| window == b"tipo");
    for uri in [
        "/collections/sitios/items?limit=3",
        "/collections/sitios/items/1",
        "/collections/sitios/queryables",
        "/collections/sitios/tiles/WebMercatorQuad/14/7989/4767",
        "/tiles/WebMercatorQuad/14/7989/4767?collections=sitios",
        "/collections/sitios/tiles/WebMercatorQuad/14/7989/4767",
    ] {
        // Each kind twice, so that a kept answer of one would be seen by the other.
        for _ in 0..2 {
            assert!(holds(&eva.get(uri).await), "{uri}");
            assert!(!holds(&city.get(uri).await), "{uri}");
        }
    }
    assert_eq!(eva.get("/collections/sitios/items?tipo=cam").await.status, StatusCode::OK);
    assert_eq!(city.get("/collections/sitios/items?tipo=cam").await.status, StatusCode::BAD_REQUEST);
    tasks.shutdown().await;
}

#[tokio::test]
async fn a_cookie_changes_nothing_without_its_page() {
    let city = City::new().await;
    person(&city, "jefa", "administrator", Reach::default()).await;
    let boss = log_in(&city, "jefa").await;
    let body = json!({ "name": "eva", "kind": "person" });
    let cookie = ("cookie", boss.cookies.as_str());
    let csrf = ("x-csrf-token", boss.csrf.as_str());
    for headers in [
        vec![cookie],
        vec![cookie, ("x-csrf-token", "")],
        vec![cookie, ("x-csrf-token", "AAAA")],
        vec![cookie, csrf, ("origin", "https://evil.example")],
        vec![cookie, csrf, ("origin", "null")],
        vec![cookie, csrf, ("sec-fetch-site", "cross-site")],
        vec![cookie, csrf, ("sec-fetch-site", "same-site")],
    ] {
        let answer = city.put_in("POST", "/admin/accounts", &headers, &body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    // Nor does a page of another site log anybody in.
    let typed = json!({ "name": "jefa", "password": PASSWORD });
    let forced = city.put_in("POST", "/session", &[("origin", "https://evil.example")], &typed).await;
    assert_eq!((forced.status, forced.header("set-cookie")), (StatusCode::FORBIDDEN, ""));
    // A form is no JSON.
    let form = city.ask("POST", "/session", &[("content-type", "application/x-www-form-urlencoded")]).await;
    assert_eq!(form.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    // Another session's token is not this one's.
    let other = log_in(&city, "jefa").await;
    let mixed = [cookie, ("x-csrf-token", other.csrf.as_str())];
    assert_eq!(city.put_in("POST", "/admin/accounts", &mixed, &body).await.status, StatusCode::FORBIDDEN);
    let own = [cookie, csrf, ("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")];
    assert_eq!(city.put_in("POST", "/admin/accounts", &own, &body).await.status, StatusCode::CREATED);
    // What may be read across sites is read without cookies.
    let preflight = [("origin", "https://evil.example"), ("access-control-request-method", "POST")];
    let allowed = city.ask("OPTIONS", "/admin/accounts", &preflight).await;
    assert!(!allowed.header("access-control-allow-methods").contains("POST"));
    assert_eq!(allowed.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn a_session_is_its_own_and_ends() {
    let city = City::new().await;
    person(&city, "eva", "planner", Reach::default()).await;
    // Fixation: what the browser showed before opens nothing after.
    let planted = [("cookie", "lindero_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")];
    let typed = json!({ "name": "eva", "password": PASSWORD });
    let answer = city.put_in("POST", "/session", &planted, &typed).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert!(!answer.header("set-cookie").contains("AAAAAAAAAA"));
    assert_eq!(city.get_with("/session", &planted).await.json()["account"], Value::Null);

    let (eva, other) = (Browser::of(&city, &answer), log_in(&city, "eva").await);
    let sessions = eva.get("/session/list").await.json()["sessions"].clone();
    assert_eq!(sessions.as_array().map(Vec::len), Some(3));
    assert!(sessions[0]["address"] == "127.0.0.1" && !sessions.to_string().contains("token"));
    let newest = format!("/session/list/{}", sessions[0]["id"].as_str().unwrap());
    assert_eq!(eva.send("DELETE", &newest, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(other.get("/session").await.json()["account"], Value::Null);

    let left = eva.send("DELETE", "/session", &json!({})).await;
    assert!(left.status == StatusCode::NO_CONTENT && left.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(eva.get("/session").await.json()["account"], Value::Null, "the cookie that was stolen before");
    assert_eq!(eva.get("/collections/expedientes").await.status, StatusCode::NOT_FOUND);
    assert_eq!(eva.get("/session/list").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_password_says_nothing_of_the_account() {
    let city = City::new().await;
    person(&city, "eva", "planner", Reach::default()).await;
    let refused = async |name: &str| {
        let answer = city.put_in("POST", "/session", &[], &json!({ "name": name, "password": "no es esta 12" })).await;
        (answer.status, answer.text(), answer.headers.get("set-cookie").cloned())
    };
    let (known, unknown) = (refused("eva").await, refused("nadie").await);
    assert_eq!((known.0, &known.2), (StatusCode::UNAUTHORIZED, &None));
    assert_eq!(known, unknown);
    let mut last = known;
    for _ in 0..20 {
        last = refused("eva").await;
    }
    assert_eq!(last.0, StatusCode::TOO_MANY_REQUESTS, "{}", last.1);
    for nasty in ["' OR 1=1 --", "eva\r\nset-cookie: x=1", "eva\u{0}", "\u{202e}ave", &"a".repeat(100_000)] {
        let (status, ..) = refused(nasty).await;
        assert!(status.is_client_error(), "{status}");
    }
}

#[tokio::test]
async fn a_key_opens_what_it_was_made_for() {
    let city = City::new().await;
    let db = city.db.database();
    let new = NewAccount::new("sensores", AccountKind::System);
    let system = account::create(OPERATOR, db, &new).await.unwrap().id;
    let assigned = NewAssignment { role: "planner".into(), reach: only("expedientes"), expires_at: None };
    assignment::assign(OPERATOR, db, system, &assigned).await.unwrap();
    let new = NewKey { title: "lecturas".into(), permissions: None, expires_at: None };
    let (token, made) = key::create(OPERATOR, db, system, &new).await.unwrap();
    let with = |key: &str| format!("Bearer {key}");
    let get = async |uri: &str, key: &str| city.get_with(uri, &[("authorization", &with(key))]).await;
    assert_eq!(get("/collections/expedientes", token.expose()).await.status, StatusCode::OK);
    assert_eq!(get("/collections/personas", token.expose()).await.status, StatusCode::NOT_FOUND);
    assert_eq!(get("/admin/accounts", token.expose()).await.status, StatusCode::FORBIDDEN);
    key::revoke(OPERATOR, db, system, made.id).await.unwrap();
    for key in [token.expose(), "lindero_x", "", "x y z"] {
        let refused = get("/collections/barrios", key).await;
        assert_eq!((refused.status, refused.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"), "{key}");
    }
}

#[tokio::test]
async fn a_stream_of_changes_ends_with_its_session() {
    let city = City::with(Settings::default()).await;
    person(&city, "eva", "planner", Reach::default()).await;
    let eva = log_in(&city, "eva").await;
    let mut tasks = background::start(&city.state);
    city.tiles.ready().await;
    let begun = Instant::now();
    // Read whole: the answer ends, though the server goes on.
    let headers = [("cookie", eva.cookies.as_str()), ("accept", "text/event-stream")];
    let stream = city.get_with("/changes", &headers);
    let leave = async {
        assert_eq!(eva.send("DELETE", "/session", &json!({})).await.status, StatusCode::NO_CONTENT);
    };
    let (answer, ()) = timeout(Duration::from_secs(20), async { tokio::join!(stream, leave) }).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert!(begun.elapsed() < Duration::from_secs(15));
    tasks.shutdown().await;
}

#[tokio::test]
async fn the_address_is_a_trusted_proxys_word_only() {
    let proxies = Some(vec!["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()]);
    let behind = City::with(Settings { trusted_proxies: proxies, ..Settings::default() }).await;
    let open = City::new().await;
    for (city, forwarded, expected) in [
        (&behind, ("x-forwarded-for", "203.0.113.9, 198.51.100.4"), "198.51.100.4"),
        (&behind, ("x-forwarded-for", "203.0.113.9, 198.51.100.4, 10.1.1.1"), "198.51.100.4"),
        (&behind, ("forwarded", "for=203.0.113.9, for=\"[2001:db8::7]\""), "2001:db8::7"),
        (&open, ("x-forwarded-for", "198.51.100.4"), "127.0.0.1"),
    ] {
        let name = format!("p{}", Uuid::now_v7().simple());
        let account = person(city, &name, "planner", Reach::default()).await;
        let typed = json!({ "name": name, "password": PASSWORD });
        assert_eq!(city.put_in("POST", "/session", &[forwarded], &typed).await.status, StatusCode::CREATED);
        let address: String =
            sqlx::query_scalar("SELECT host(address) FROM access.session WHERE account = $1 ORDER BY id DESC LIMIT 1")
                .bind(account)
                .fetch_one(city.db.database().app())
                .await
                .unwrap();
        assert_eq!(address, expected, "{forwarded:?}");
    }
}

#[tokio::test]
async fn the_access_review_is_of_the_accounts_that_one_manages() {
    let city = City::new().await;
    let db = city.db.database();
    let of = |dependency: &str| Reach { dependency: Some(dependency.into()), ..Reach::default() };
    person(&city, "jefa", "administrator", Reach::default()).await;
    let boss = person(&city, "jefe-salud", "administrator", of("Salud")).await;
    let health = NewAccount { dependency: "Salud".into(), ..NewAccount::new("leo", AccountKind::Person) };
    let leo = account::create(OPERATOR, db, &NewAccount { full_name: "=HYPERLINK(1)".into(), ..health }).await.unwrap();
    let closed = account::AccountChange { is_disabled: Some(true), ..account::AccountChange::default() };
    account::change(OPERATOR, db, leo.id, &closed).await.unwrap();

    let jefa = log_in(&city, "jefa").await;
    let changed = jefa.send("PATCH", &format!("/admin/accounts/{boss}"), &json!({ "dependency": "Salud" })).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let review = jefa.get("/admin/access-review").await.json()["accounts"].clone();
    let names: Vec<_> = review.as_array().unwrap().iter().map(|known| known["account"]["name"].clone()).collect();
    assert_eq!(names, ["jefa", "jefe-salud", "leo"]);
    assert!(review[0]["last_action"] == "change_account" && review[0]["last_action_at"].is_string(), "{review}");
    assert_eq!(
        (&review[1]["roles"][0]["role"], &review[1]["roles"][0]["dependency"]),
        (&json!("administrator"), &json!("Salud"))
    );
    assert!(review[1]["roles"][0]["permissions"].as_array().unwrap().contains(&json!("manage_accounts")));
    assert_eq!((&review[2]["standing"], &review[2]["roles"]), (&json!("closed"), &json!([])));

    let own = log_in(&city, "jefe-salud").await;
    let seen = own.get("/admin/access-review").await.json()["accounts"].clone();
    assert_eq!(seen.as_array().map(Vec::len), Some(2), "of that dependency alone: {seen}");
    let table = jefa.get("/admin/access-review?f=csv").await;
    assert_eq!((table.status, table.header("content-type")), (StatusCode::OK, "text/csv; charset=utf-8"));
    assert_eq!(table.header("cache-control"), "no-store");
    let text = table.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(
        lines[0].starts_with("account,kind,full_name,") && lines[3].starts_with("leo,person,'=HYPERLINK(1),"),
        "{text}"
    );
    person(&city, "eva", "planner", Reach::default()).await;
    assert_eq!(log_in(&city, "eva").await.get("/admin/access-review").await.status, StatusCode::FORBIDDEN);
}
