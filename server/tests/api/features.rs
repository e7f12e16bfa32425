//! Collections, pages of features, single features.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{City, link};

#[tokio::test]
async fn the_catalogue_lists_what_the_public_may_see() {
    let city = City::new().await;
    let document = city.get("/collections").await.json();
    let ids: Vec<&str> = document["collections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|collection| collection["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["barrios", "ejes", "lotes", "postes", "sitios", "vias"]);
}

#[tokio::test]
async fn what_is_not_public_is_not_there() {
    let city = City::new().await;
    for id in ["expedientes", "personas", "nada", "Barrios", "no-es-id"] {
        for rest in
            ["", "/items", "/items/1", "/tiles", "/tiles/WebMercatorQuad", "/tiles/WebMercatorQuad/14/7990/4768"]
        {
            let answer = city.get(&format!("/collections/{id}{rest}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}{rest}");
            assert_eq!(answer.json()["detail"], json!(format!("there is no collection {id:?}")), "{id}{rest}");
        }
    }
    let here = city.get("/here?lon=-75.2322&lat=4.4389&tolerance=1000&collections=sitios,personas").await;
    assert_eq!(here.status, StatusCode::NOT_FOUND);
    let here = city.get("/here?lon=-75.2322&lat=4.4389&tolerance=1000").await.json();
    assert!(!here.to_string().contains("personas") && !here.to_string().contains("expedientes"));
    assert!(here["collections"].as_array().unwrap().len() >= 4, "{here}");
}

#[tokio::test]
async fn a_page_is_geojson_with_its_numbers_and_links() {
    let city = City::new().await;
    let answer = city.get("/collections/barrios/items?limit=3").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/geo+json");
    assert_eq!(answer.header("content-crs"), "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>");
    let page = answer.json();
    assert_eq!(
        (&page["type"], &page["numberMatched"], &page["numberReturned"]),
        (&json!("FeatureCollection"), &json!(400), &json!(3))
    );
    let first = &page["features"][0];
    assert_eq!(first["type"], "Feature");
    assert_eq!(first["id"], 1);
    assert_eq!(
        first["properties"],
        json!({
            "codigo": "B000", "nombre": "Barrio «0»", "estrato": 1, "area_m2": first["properties"]["area_m2"],
            "fundado": "1900-01-01", "revisado": "2026-01-01T13:00:00Z", "activo": true, "ficha": { "n": 0 }
        })
    );
    let [longitude, latitude] = [0, 1].map(|axis| first["geometry"]["coordinates"][0][0][0][axis].as_f64().unwrap());
    assert!((-75.3..-75.1).contains(&longitude) && (4.4..4.5).contains(&latitude), "longitude is first");
    assert!(link(&page, "next").is_some() && link(&page, "prev").is_none());
}

/// Every id of a collection, page by page.
async fn all(city: &City, start: &str) -> Vec<Value> {
    let mut ids = Vec::new();
    let mut page = city.get(start).await.json();
    loop {
        let features = page["features"].as_array().unwrap();
        assert_eq!(page["numberReturned"], features.len());
        ids.extend(features.iter().map(|feature| feature["id"].clone()));
        let Some(next) = link(&page, "next") else { return ids };
        page = city.follow(next).await.json();
    }
}

#[tokio::test]
async fn cursors_lose_and_repeat_nothing() {
    let city = City::new().await;
    for (id, count, limits) in [
        ("sitios", 2500, &[2500, 2499, 1250, 1000, 999, 617][..]),
        ("postes", 300, &[300, 100, 7]),
        ("ejes", 21, &[1, 20, 21, 22]),
    ] {
        for limit in limits {
            let mut ids = all(&city, &format!("/collections/{id}/items?limit={limit}")).await;
            assert_eq!(ids.len(), count, "{id} {limit}");
            ids.sort_by_key(Value::to_string);
            ids.dedup();
            assert_eq!(ids.len(), count, "{id} {limit}: no id comes twice");
        }
    }
}
