//! Editing features over HTTP, and what they were.

use access::account::{self, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::key::{self, NewKey};
use access::{Caller, Reach, Visibility};
use axum::http::StatusCode;
use layers::catalog;
use lindero::background;
use serde_json::{Value, json};

use crate::support::{Answer, City};

const OPERATOR: &Caller = &Caller::OPERATOR;

/// A program that may edit a layer.
pub(crate) struct Editor<'a> {
    pub(crate) city: &'a City,
    pub(crate) key: String,
}

impl<'a> Editor<'a> {
    pub(crate) async fn of(city: &'a City, layer: &str) -> Self {
        Self::named(city, "sig", layer).await
    }

    pub(crate) async fn named(city: &'a City, name: &str, layer: &str) -> Self {
        let db = city.db.database();
        let account = account::create(OPERATOR, db, &NewAccount::new(name, AccountKind::System)).await.unwrap().id;
        let reach = Reach { layer: Some(layer.to_owned()), ..Reach::default() };
        let editor = NewAssignment { role: "editor".to_owned(), reach, expires_at: None };
        assignment::assign(OPERATOR, db, account, &editor).await.unwrap();
        let new = NewKey { title: "prueba".to_owned(), permissions: None, expires_at: None };
        let (token, _) = key::create(OPERATOR, db, account, &new).await.unwrap();
        Self { city, key: format!("Bearer {}", token.expose()) }
    }

    async fn get(&self, uri: &str) -> Answer {
        self.city.get_with(uri, &[("authorization", &self.key)]).await
    }

    pub(crate) async fn send(&self, method: &str, uri: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [headers, &[("authorization", self.key.as_str())]].concat();
        self.city.put_in(method, uri, &headers, body).await
    }
}

pub(crate) fn square(west: f64, south: f64) -> Value {
    let (east, north) = (west + 0.0005, south + 0.0005);
    json!({ "type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]] })
}

fn feature(properties: &Value) -> Value {
    json!({ "type": "Feature", "geometry": square(-75.30, 4.40), "properties": properties })
}

const ITEMS: &str = "/collections/barrios/items";

#[tokio::test]
async fn a_feature_is_made_changed_replaced_and_deleted() {
    let city = City::new().await;
    let editor = Editor::of(&city, "barrios").await;
    let new =
        feature(&json!({ "codigo": "B900", "nombre": "Nuevo", "estrato": 3, "revisado": "2026-11-20T08:00:00-05:00" }));
    let made = editor.send("POST", ITEMS, &[], &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!((made.header("content-type"), made.header("cache-control")), ("application/geo+json", "no-store"));
    let item = made.header("location").strip_prefix("http://localhost:8080").unwrap().to_owned();
    let read = city.get(&item).await;
    assert_eq!(
        (read.header("etag"), &read.json()["properties"]["revisado"]),
        (made.header("etag"), &json!("2026-11-20T13:00:00Z"))
    );
    assert!(!read.header("etag").starts_with("W/"));
    // The table keeps several parts.
    assert_eq!(read.json()["geometry"]["type"], "MultiPolygon");

    let patch = json!({ "properties": { "nombre": "Otro", "estrato": null } });
    let without = editor.send("PATCH", &item, &[], &patch).await;
    assert_eq!(
        (without.status, &without.json()["type"]),
        (StatusCode::PRECONDITION_REQUIRED, &json!("urn:problem-type:lindero:precondition-required"))
    );
    // A proxy that compresses weakens the tag.
    let weak = format!("W/{}", made.header("etag"));
    let changed =
        editor.send("PATCH", &item, &[("if-match", &weak), ("lindero-reason", "revisi%C3%B3n")], &patch).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    let document = changed.json();
    assert_eq!((&document["properties"]["nombre"], &document["properties"]["estrato"]), (&json!("Otro"), &Value::Null));
    assert_eq!(document["geometry"], read.json()["geometry"]);

    let late = editor.send("PUT", &item, &[("if-match", made.header("etag"))], &new).await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    let conflict = &late.json()["conflicts"][0];
    assert_eq!(
        (&conflict["etag"], &conflict["feature"]["properties"]["nombre"]),
        (&json!(changed.header("etag")), &json!("Otro"))
    );
    let replaced = editor
        .send("PUT", &item, &[("if-match", changed.header("etag"))], &feature(&json!({ "codigo": "B900" })))
        .await;
    assert_eq!((replaced.status, &replaced.json()["properties"]["nombre"]), (StatusCode::OK, &Value::Null));

    let history = editor.get(&format!("{item}/history")).await.json();
    let told = |at: usize, member: &str| history["versions"][at][member].clone();
    assert_eq!(history["numberMatched"], 3);
    assert_eq!(
        [told(1, "by"), told(1, "source"), told(1, "reason"), told(1, "address")],
        [json!("sig"), json!("api"), json!("revisión"), json!("127.0.0.1")]
    );
    assert_eq!(told(1, "changes"), json!(["/properties/nombre", "/properties/estrato"]));
    // What everybody may see, but not who made it.
    let public = city.get(&format!("{item}/history?limit=1")).await.json();
    assert_eq!((&public["versions"][0]["by"], &public["versions"][0]["operation"]), (&Value::Null, &json!("update")));
    assert!(public["links"].as_array().unwrap().iter().any(|link| link["rel"] == "next"));
    assert_eq!(city.get(&format!("{item}/history/2")).await.json()["feature"]["properties"]["nombre"], "Otro");
    assert_eq!(city.get(&format!("{item}/history/9")).await.status, StatusCode::NOT_FOUND);

    let back = editor
        .send(
            "POST",
            &format!("{item}/revert"),
            &[("if-match", replaced.header("etag"))],
            &json!({ "version": 1, "reason": "así era" }),
        )
        .await;
    assert_eq!((back.status, back.header("etag")), (StatusCode::OK, made.header("etag")));
    let gone = editor.send("DELETE", &item, &[("if-match", "*")], &json!({})).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(city.get(&item).await.status, StatusCode::NOT_FOUND);
    let back = editor.send("POST", &format!("{item}/revert"), &[], &json!({ "version": 1 })).await;
    assert_eq!((back.status, back.header("etag")), (StatusCode::CREATED, made.header("etag")), "{}", back.text());
}

#[tokio::test]
async fn everything_that_is_wrong_is_in_one_answer() {
    let city = City::new().await;
    let editor = Editor::of(&city, "barrios").await;
    let batch = json!({ "edits": [
        { "operation": "create", "feature": feature(&json!({ "codigo": "B012", "estrato": 9 })) },
        { "operation": "create", "feature": feature(&json!({ "codigo": "B901", "area_m2": "grande" })) },
    ] });
    let refused = editor.send("POST", "/collections/barrios/edits?lang=es", &[], &batch).await;
    assert_eq!(
        (refused.status, &refused.json()["type"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("urn:problem-type:lindero:invalid-feature"))
    );
    assert_eq!(
        refused.json()["violations"],
        json!([
            { "edit": 0, "pointer": "/properties/codigo", "rule": "unique", "detail": "otro elemento ya tiene este valor" },
            { "edit": 0, "pointer": "/properties/estrato", "rule": "domain", "detail": "debe ser uno de: 1, 2, 3, 4, 5, 6" },
            { "edit": 1, "pointer": "/properties/area_m2", "rule": "type", "detail": "debe ser un número" },
        ])
    );
    assert_eq!(city.get(&format!("{ITEMS}?codigo=B901")).await.json()["numberMatched"], 0);
    for (uri, body, status) in [
        ("/collections/barrios/edits", json!({ "edits": [] }), StatusCode::BAD_REQUEST),
        ("/collections/barrios/edits", json!({ "edits": [], "who": "me" }), StatusCode::BAD_REQUEST),
        ("/collections/barrios/edits", json!({ "edits": [{ "operation": "drop" }] }), StatusCode::BAD_REQUEST),
        (ITEMS, json!({ "type": "FeatureCollection", "features": [] }), StatusCode::BAD_REQUEST),
        (
            ITEMS,
            json!({ "type": "Feature", "geometry": { "type": "Polygon", "coordinates": [[[1]]] }, "properties": {} }),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            ITEMS,
            json!({ "type": "Feature", "geometry": { "type": "Polygon", "coordinates": "x" }, "properties": {} }),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        ("/collections/postes/edits", json!({ "edits": [] }), StatusCode::FORBIDDEN),
        ("/collections/expedientes/items", feature(&json!({})), StatusCode::NOT_FOUND),
        ("/collections/barrios/items?lang=fr", feature(&json!({})), StatusCode::BAD_REQUEST),
    ] {
        let answer = editor.send("POST", uri, &[], &body).await;
        assert_eq!(answer.status, status, "{uri} {body}: {}", answer.text());
    }
    let put = editor
        .send(
            "PUT",
            "/collections/barrios/items/1",
            &[("if-match", "*")],
            &json!({ "type": "Feature", "id": 2, "geometry": null, "properties": null }),
        )
        .await;
    assert_eq!((put.status, &put.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!("id")));
    let long = editor
        .send(
            "DELETE",
            "/collections/barrios/items/1",
            &[("if-match", "*"), ("lindero-reason", &"x".repeat(501))],
            &json!({}),
        )
        .await;
    assert_eq!((long.status, &long.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!("reason")));
    let media = city.ask("POST", ITEMS, &[("authorization", &editor.key), ("content-type", "text/plain")]).await;
    assert_eq!(media.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    // Ten megabytes, for batches; a login's body is a short one.
    let vast = json!({ "reason": "x".repeat(3 << 20), "edits": [] });
    let refused = editor.send("POST", "/collections/barrios/edits", &[], &vast).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let login = city.put_in("POST", "/session", &[], &vast).await;
    assert_eq!(
        (login.status, &login.json()["type"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("urn:problem-type:lindero:payload-too-large"))
    );
}

#[tokio::test]
async fn who_may_not_edit_changes_nothing() {
    let city = City::new().await;
    let editor = Editor::of(&city, "sitios").await;
    let stranger = [("if-match", "*")];
    for (method, uri) in [
        ("PUT", "/collections/barrios/items/1"),
        ("PATCH", "/collections/barrios/items/1"),
        ("DELETE", "/collections/barrios/items/1"),
    ] {
        let body = if method == "PATCH" { json!({ "properties": { "nombre": "mío" } }) } else { feature(&json!({})) };
        for answer in
            [editor.send(method, uri, &stranger, &body).await, city.put_in(method, uri, &stranger, &body).await]
        {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {uri}");
        }
    }
    let collection = |answer: Answer| answer.json()["lindero"]["editable"].clone();
    assert_eq!(collection(editor.get("/collections/sitios").await), true);
    assert_eq!(collection(editor.get("/collections/barrios").await), false);
    assert_eq!(collection(city.get("/collections/sitios").await), false);
}

#[tokio::test]
async fn a_reserved_attribute_is_in_no_version() {
    let city = City::new().await;
    let (db, id) = (city.db.database(), "barrios".parse().unwrap());
    let mut definition = catalog::get(OPERATOR, db, &id).await.unwrap().definition;
    definition.attributes[3].visibility = Some(Visibility::Reservada);
    catalog::describe(OPERATOR, db, &id, &definition).await.unwrap();
    let editor = Editor::of(&city, "barrios").await;
    let item = "/collections/barrios/items/12";
    let patch = json!({ "properties": { "nombre": "Uno" } });
    assert_eq!(editor.send("PATCH", item, &[("if-match", "*")], &patch).await.status, StatusCode::OK);
    sqlx::query("UPDATE geo.barrios SET area_m2 = 12345.5 WHERE fid = 12").execute(db.app()).await.unwrap();
    let moment = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    for uri in [
        format!("{item}/history"),
        format!("{item}/history/1"),
        format!("{item}?datetime={moment}"),
        format!("{ITEMS}?datetime={moment}&limit=400"),
        "/collections/barrios/schema".to_owned(),
    ] {
        let answer = editor.get(&uri).await;
        assert_eq!(answer.status, StatusCode::OK, "{uri}: {}", answer.text());
        assert!(!answer.text().contains("area_m2") && !answer.text().contains("12345.5"), "{uri}");
    }
    let probe = editor.send("PATCH", item, &[("if-match", "*")], &json!({ "properties": { "area_m2": 1 } })).await;
    let other = editor.send("PATCH", item, &[("if-match", "*")], &json!({ "properties": { "no_such": 1 } })).await;
    assert_eq!(probe.text().replace("area_m2", "?"), other.text().replace("no_such", "?"));
}

#[tokio::test]
async fn what_there_was_is_told_by_items_and_tiles() {
    let city = City::new().await;
    let mut tasks = background::start(&city.state);
    city.tiles.ready().await;
    let db = city.db.database();
    let now = || chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let before = now();
    sqlx::query("UPDATE geo.sitios SET nombre = 'Otro nombre'").execute(db.app()).await.unwrap();
    let between = now();
    sqlx::query("DELETE FROM geo.sitios").execute(db.app()).await.unwrap();
    let items =
        async |moment: &str| city.get(&format!("/collections/sitios/items?limit=1&datetime={moment}")).await.json();
    let (first, second, last) = (items(&before).await, items(&between).await, items(&now()).await);
    assert_ne!(first["features"][0]["properties"]["nombre"], "Otro nombre");
    assert_eq!(second["features"][0]["properties"]["nombre"], "Otro nombre");
    assert_eq!((&last["numberMatched"], &first["numberMatched"]), (&json!(0), &second["numberMatched"]));
    assert_eq!(items(&format!("../{between}")).await["features"], second["features"]);
    assert_eq!(items("2000-01-01T00:00:00Z").await["numberMatched"], 0);
    let tile = |moment: String| format!("/collections/sitios/tiles/WebMercatorQuad/12/1997/1191?datetime={moment}");
    let holds = |answer: &Answer| answer.body.windows(11).any(|window| window == b"Otro nombre");
    let (first, second) = (city.get(&tile(before)).await, city.get(&tile(between)).await);
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
    assert!(!holds(&first) && holds(&second));
    assert_eq!(city.get(&tile(now())).await.status, StatusCode::NO_CONTENT);
    assert_eq!(city.get(&tile("never".to_owned())).await.status, StatusCode::BAD_REQUEST);
    tasks.shutdown().await;
}

#[tokio::test]
async fn the_schema_says_what_a_form_needs() {
    let city = City::new().await;
    let schema = city.get("/collections/barrios/schema").await;
    assert_eq!(schema.header("content-type"), "application/schema+json");
    let schema = schema.json();
    assert_eq!(schema["properties"]["estrato"]["enum"], json!([1, 2, 3, 4, 5, 6]));
    assert_eq!(schema["properties"]["geometry"]["format"], "geometry-multipolygon");
    assert_eq!(schema["properties"]["fundado"]["format"], "date");
    assert!(schema["properties"].get("ficha").is_some() && schema["required"] == json!([]));
    assert_eq!(city.get("/collections/expedientes/schema").await.status, StatusCode::NOT_FOUND);
}
