//! Administering layers, jobs, and looking after the server.

use access::{Caller, Reach, Visibility, job};
use axum::http::StatusCode;
use layers::catalog;
use serde_json::{Value, json};

use crate::session::{Browser, log_in, only, person};
use crate::support::{Answer, City};

const OPERATOR: &Caller = &Caller::OPERATOR;

/// Changes the layer as it is now.
async fn change(who: &Browser<'_>, layer: &str, body: &Value) -> Answer {
    let uri = format!("/admin/layers/{layer}");
    let tag = who.get(&uri).await.header("etag").to_owned();
    who.send_with("PATCH", &uri, &[("if-match", &tag)], body).await
}

async fn audited(city: &City, action: &str) -> Vec<Value> {
    sqlx::query_scalar("SELECT to_jsonb(a) FROM access.audit AS a WHERE action = $1 ORDER BY id")
        .bind(action)
        .fetch_all(city.db.database().app())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_classified_attribute_vanishes_for_the_public_at_once() {
    let city = City::new().await;
    person(&city, "ana", "administrator", Reach::default()).await;
    let ana = log_in(&city, "ana").await;
    let uri = "/collections/barrios/items?limit=1";
    assert!(city.get(uri).await.json()["features"][0]["properties"].get("area_m2").is_some());

    let classify = json!({ "attributes": [{ "name": "area_m2", "visibility": "clasificada",
        "legal_reason": "Ley 1712 de 2014, artículo 18, literal a" }] });
    let changed = change(&ana, "barrios", &classify).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
    assert_eq!(changed.json()["classified_attributes"], 1);
    assert!(city.get(uri).await.json()["features"][0]["properties"].get("area_m2").is_none());
    assert!(ana.get(uri).await.json()["features"][0]["properties"].get("area_m2").is_some());
    let rows = audited(&city, "describe_layer").await;
    assert_eq!((rows.len(), &rows[0]["layer"], &rows[0]["account_name"]), (1, &json!("barrios"), &json!("ana")));
    assert_eq!(rows[0]["detail"]["attributes"], json!([{ "name": "area_m2", "visibility": "clasificada" }]));

    let open = json!({ "attributes": [{ "name": "area_m2", "visibility": null }] });
    assert_eq!(change(&ana, "barrios", &open).await.status, StatusCode::OK);
    assert!(city.get(uri).await.json()["features"][0]["properties"].get("area_m2").is_some());
}

#[tokio::test]
async fn what_is_said_is_drawn_and_what_is_wrong_is_named() {
    let city = City::new().await;
    person(&city, "ana", "administrator", Reach::default()).await;
    let ana = log_in(&city, "ana").await;
    let said = json!({
        "title": { "es": "Barrios legalizados", "en": "Legal barrios" }, "min_zoom": 12, "update_frequency": "monthly",
        "attributes": [{ "name": "estrato", "values": [
            { "value": "1", "title": { "es": "Bajo" }, "color": "#aa0000" }, { "value": "6", "title": { "es": "Alto" } } ] }],
    });
    assert_eq!(change(&ana, "barrios", &said).await.status, StatusCode::OK);
    let seen = city.get("/collections/barrios").await.json();
    assert_eq!((&seen["lindero"]["title"]["en"], &seen["lindero"]["minZoom"]), (&json!("Legal barrios"), &json!(12)));
    // What was not named is as it was.
    assert_eq!(seen["lindero"]["dependency"], "Secretaría de Planeación");
    for (body, field) in [
        (json!({ "title": { "es": " ", "en": "x" } }), "title.es"),
        (json!({ "visibility": "clasificada" }), "legal_reason"),
        (json!({ "visibility": "secreta" }), "visibility"),
        (json!({ "label": "nombres" }), "label"),
        (json!({ "classify_by": "area_m2" }), "classify_by"),
        (json!({ "min_zoom": 99 }), "min_zoom"),
        (json!({ "min_zoom": -1 }), "min_zoom"),
        (json!({ "licence": "x".repeat(300) }), "licence"),
        (json!({ "attributes": [{ "name": "fid" }] }), "attributes[0].name"),
        (
            json!({ "attributes": [{ "name": "codigo" }, { "name": "area_m2", "visibility": "reservada" }] }),
            "attributes[1].legal_reason",
        ),
        (
            json!({ "attributes": [{ "name": "nombre", "visibility": "clasificada", "legal_reason": "x" }] }),
            "attributes[0].visibility",
        ),
        (
            json!({ "attributes": [{ "name": "estrato", "values": [{ "value": "1", "color": "red" }] }] }),
            "attributes[0].values[0].color",
        ),
        (
            json!({ "attributes": [{ "name": "estrato", "values": [{ "value": "x" }] }] }),
            "attributes[0].values[0].value",
        ),
        (json!({ "attributes": [{ "name": "area_m2", "values": [] }] }), "attributes[0].values"),
    ] {
        let refused = change(&ana, "barrios", &body).await;
        assert_eq!((refused.status, &refused.json()["parameter"]), (StatusCode::BAD_REQUEST, &json!(field)), "{body}");
    }
    // Neither what it is made of, nor whose features they are.
    for body in [
        json!({ "subject": "thing" }),
        json!({ "attributes": [{ "name": "codigo", "type": "integer" }] }),
        json!({ "definition": {} }),
    ] {
        assert_eq!(change(&ana, "barrios", &body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(audited(&city, "describe_layer").await.len(), 1);
}

#[tokio::test]
async fn two_who_change_a_layer_do_not_overwrite_each_other() {
    let city = City::new().await;
    person(&city, "ana", "administrator", Reach::default()).await;
    let ana = log_in(&city, "ana").await;
    let uri = "/admin/layers/sitios";
    let tag = ana.get(uri).await.header("etag").to_owned();
    let with = |tag: String, es: &'static str| {
        let ana = &ana;
        async move { ana.send_with("PATCH", uri, &[("if-match", &tag)], &json!({ "title": { "es": es } })).await }
    };
    assert_eq!(with(tag.clone(), "Sitios de interés").await.status, StatusCode::OK);
    let late = with(tag, "Lugares").await;
    assert_eq!(
        (late.status, &late.json()["type"]),
        (StatusCode::PRECONDITION_FAILED, &json!("urn:problem-type:lindero:layer-changed"))
    );
    let blind = ana.send("PATCH", uri, &json!({ "title": { "es": "Lugares" } })).await;
    assert_eq!(blind.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(ana.get(uri).await.json()["title"]["es"], "Sitios de interés");
}

#[tokio::test]
async fn layers_are_managed_as_far_as_the_right_reaches_and_no_further() {
    let city = City::new().await;
    person(&city, "ana", "administrator", only("sitios")).await;
    person(&city, "eva", "planner", Reach::default()).await;
    let (ana, eva) = (log_in(&city, "ana").await, log_in(&city, "eva").await);
    let ids = |answer: &Answer| -> Vec<String> {
        let document = answer.json();
        document["layers"].as_array().unwrap().iter().map(|layer| layer["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&ana.get("/admin/layers").await), ["sitios"]);
    assert_eq!(eva.get("/admin/layers").await.status, StatusCode::FORBIDDEN);
    for (layer, expected) in
        [("barrios", StatusCode::FORBIDDEN), ("personas", StatusCode::NOT_FOUND), ("nada", StatusCode::NOT_FOUND)]
    {
        let uri = format!("/admin/layers/{layer}");
        assert_eq!(ana.get(&uri).await.status, expected, "{layer}");
        let body = json!({ "title": { "es": "x" } });
        let sent = ana.send_with("PATCH", &uri, &[("if-match", "\"x\"")], &body).await;
        assert_eq!(sent.status, expected, "{layer}");
    }
    // An administrator sees no reserved attribute: it neither names nor loses it.
    let id = "sitios".parse().unwrap();
    let mut definition = catalog::get(OPERATOR, city.db.database(), &id).await.unwrap().definition;
    definition.attributes[1].visibility = Some(Visibility::Reservada);
    definition.search = vec!["tipo".to_owned()];
    catalog::describe(OPERATOR, city.db.database(), &id, &definition).await.unwrap();
    let shown = ana.get("/admin/layers/sitios").await;
    assert!(!shown.text().contains("tipo"), "{}", shown.text());
    for body in [json!({ "label": "tipo" }), json!({ "attributes": [{ "name": "tipo", "visibility": null }] })] {
        let refused = change(&ana, "sitios", &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text());
        assert!(!refused.text().contains("fewer may see"), "{}", refused.text());
    }
    assert_eq!(change(&ana, "sitios", &json!({ "custodian": "Archivo" })).await.status, StatusCode::OK);
    let kept = catalog::get(OPERATOR, city.db.database(), &id).await.unwrap().definition;
    assert_eq!((kept.attributes[1].visibility, kept.search.len()), (Some(Visibility::Reservada), 1));
    // What is reserved from now on is out of its own reach too.
    let reserve = json!({ "visibility": "reservada", "legal_reason": "Ley 1712 de 2014, artículo 19" });
    assert_eq!(change(&ana, "sitios", &reserve).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ana.get("/admin/layers/sitios").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_layer_is_not_given_to_a_dependency_that_one_does_not_manage() {
    let city = City::new().await;
    let planning = Reach { dependency: Some("Secretaría de Planeación".to_owned()), ..Reach::default() };
    person(&city, "ana", "administrator", planning).await;
    let ana = log_in(&city, "ana").await;
    let moved = change(&ana, "barrios", &json!({ "dependency": "Secretaría de Salud" })).await;
    assert_eq!(moved.status, StatusCode::FORBIDDEN, "{}", moved.text());
    assert_eq!(change(&ana, "barrios", &json!({ "custodian": "SIG" })).await.status, StatusCode::OK);
}

#[tokio::test]
async fn jobs_are_listed_and_stopped_by_whoever_operates() {
    let city = City::new().await;
    person(&city, "ana", "administrator", Reach::default()).await;
    person(&city, "eva", "administrator", only("sitios")).await;
    let (ana, eva) = (log_in(&city, "ana").await, log_in(&city, "eva").await);
    let db = city.db.database();
    let running = job::start(OPERATOR, db, "import", "barrios").await.unwrap();
    let hidden = job::start(OPERATOR, db, "import", "personas").await.unwrap();
    let report = json!({ "read": 7, "rejections": [{ "row": "Pérez" }] });
    hidden.finish(job::Outcome::Failed("la fila 3 no sirve".to_owned(), Some(report))).await.unwrap();
    let page = ana.get("/admin/jobs?limit=1").await.json();
    assert_eq!((&page["has_more"], page["jobs"].as_array().unwrap().len()), (&json!(true), 1));
    let failed = &page["jobs"][0];
    assert_eq!(
        (&failed["subject"], &failed["message"], &failed["report"]),
        (&json!(""), &Value::Null, &json!({ "read": 7 }))
    );
    let before = format!("/admin/jobs?before={}", failed["id"].as_str().unwrap());
    let older = ana.get(&before).await.json();
    assert_eq!((&older["jobs"][0]["subject"], &older["has_more"]), (&json!("barrios"), &json!(false)));
    assert_eq!(ana.get("/admin/jobs?state=running").await.json()["jobs"].as_array().unwrap().len(), 1);
    for uri in ["/admin/jobs?state=x", "/admin/jobs?limit=0", "/admin/jobs?before=x", "/admin/jobs?q=x"] {
        assert_eq!(ana.get(uri).await.status, StatusCode::BAD_REQUEST, "{uri}");
    }
    let cancel = format!("/admin/jobs/{}/cancel", running.id());
    assert_eq!(eva.send("POST", &cancel, &json!({})).await.status, StatusCode::FORBIDDEN);
    assert_eq!(eva.get("/admin/jobs").await.status, StatusCode::FORBIDDEN);
    assert_eq!(ana.send("POST", &cancel, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert!(running.progress(1, Some(2)).await.unwrap(), "it is asked to stop");
    running.finish(job::Outcome::Cancelled).await.unwrap();
    assert_eq!(ana.send("POST", &cancel, &json!({})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(audited(&city, "cancel_job").await.len(), 1);
}

#[tokio::test]
async fn the_server_says_how_it_is_to_whoever_operates_it() {
    let city = City::new().await;
    person(&city, "ana", "administrator", Reach::default()).await;
    person(&city, "leo", "auditor", Reach::default()).await;
    let (ana, leo) = (log_in(&city, "ana").await, log_in(&city, "leo").await);
    assert_eq!(leo.get("/admin/health").await.status, StatusCode::FORBIDDEN);
    let answer = ana.get("/admin/health").await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    let health = answer.json();
    let check = |name: &str| {
        let checks = health["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}: {health}")).clone()
    };
    assert_eq!(check("database")["status"], "ok");
    assert!(check("database")["figures"]["postgis"].as_str().unwrap().starts_with('3'));
    assert!(check("disk")["figures"]["free"].as_u64().unwrap() > 0);
    // Nobody seals here: what was done until now waits.
    assert!(check("seal")["figures"]["waiting"].as_i64().unwrap() > 0);
    // Nobody follows the feed either.
    assert_eq!(check("changes")["status"], "warning");
    assert_eq!(check("jobs"), json!({ "check": "jobs", "status": "ok", "figures": { "running": 0, "failed": 0 } }));
}
