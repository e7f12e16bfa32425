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

#[tokio::test]
async fn pages_by_offset_go_both_ways() {
    let city = City::new().await;
    let page = city.get("/collections/sitios/items?limit=100&offset=150").await.json();
    assert_eq!(page["features"][0]["id"], 151);
    let previous = city.follow(link(&page, "prev").unwrap()).await.json();
    assert_eq!(previous["features"][0]["id"], 51);
    let next = city.follow(link(&page, "next").unwrap()).await.json();
    assert_eq!(next["features"][0]["id"], 251);
    let beyond = city.get("/collections/sitios/items?offset=99999999999999999999").await.json();
    assert_eq!((&beyond["numberReturned"], &beyond["numberMatched"]), (&json!(0), &json!(2500)));
    assert!(link(&beyond, "next").is_none());
}

#[tokio::test]
async fn more_than_the_most_is_the_most() {
    let city = City::new().await;
    for limit in ["10001", "99999999999999999999999"] {
        let page = city.get(&format!("/collections/sitios/items?limit={limit}")).await.json();
        assert_eq!(page["numberReturned"], 2500);
    }
}

#[tokio::test]
async fn attributes_select() {
    let city = City::new().await;
    for (query, count) in [
        ("nombre=Barrio%20%C2%AB12%C2%BB", 1),
        ("estrato=1", 66),
        ("estrato=1&activo=true", 66),
        ("activo=false", 200),
        ("fundado=1900-02-01", 1),
        ("revisado=2026-01-01T13:00:00Z", 1),
        ("nombre=nadie", 0),
        ("nombre=%27%20OR%20true--", 0),
        ("datetime=2026-01-01T00:00:00Z/..", 400),
    ] {
        let page = city.get(&format!("/collections/barrios/items?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert_eq!(page.json()["numberMatched"], count, "{query}");
    }
    let posts = city.get("/collections/postes/items?Estado=malo").await.json();
    assert_eq!(posts["numberMatched"], 100);
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let city = City::new().await;
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("offset=-1", "offset"),
        ("bbox=1,2,3", "bbox"),
        ("bbox=1,2,3,4,5", "bbox"),
        ("bbox=a,b,c,d", "bbox"),
        ("bbox=NaN,0,1,1", "bbox"),
        ("bbox=4.4,-75.3,4.5,-75.1&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4326", "bbox-crs"),
        ("bbox=-75,95,-74,96", "bbox"),
        ("crs=http://www.opengis.net/def/crs/EPSG/0/9377", "crs"),
        ("datetime=yesterday", "datetime"),
        ("cursor=bjEx%21", "cursor"),
        ("cursor=dGFiYw", "cursor"),
        ("cursor=bjE&offset=3", "offset"),
        ("barrio=1", "barrio"),
        ("estrato=uno", "estrato"),
        ("activo=si", "activo"),
        ("area_m2=inf", "area_m2"),
        ("ficha=1", "ficha"),
        ("geom=1", "geom"),
        ("lang=de", "lang"),
        ("f=xml", "f"),
    ] {
        let answer = city.get(&format!("/collections/barrios/items?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:problem-type:lindero:invalid-parameter", "{query}");
        assert_eq!(problem["parameter"], parameter, "{query}");
    }
    for path in [
        "/",
        "/conformance",
        "/api",
        "/collections",
        "/collections/barrios",
        "/collections/barrios/items/1",
        "/tileMatrixSets",
        "/tileMatrixSets/WebMercatorQuad",
        "/collections/barrios/tiles",
        "/collections/barrios/tiles/WebMercatorQuad",
        "/collections/barrios/tiles/WebMercatorQuad/0/0/0",
    ] {
        let answer = city.get(&format!("{path}?unknown=1")).await;
        assert_eq!(
            (answer.status, &answer.json()["parameter"]),
            (StatusCode::BAD_REQUEST, &json!("unknown")),
            "{path}"
        );
    }
    // What is none of an enumeration's values is equal to none of them.
    assert_eq!(city.get("/collections/postes/items?Estado=feo").await.json()["numberMatched"], 0);
    assert_eq!(city.get("/collections/postes/items?cursor=dGFiYw").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_feature_has_its_own_address() {
    let city = City::new().await;
    let answer = city.get("/collections/barrios/items/12").await;
    assert_eq!(answer.header("content-type"), "application/geo+json");
    let feature = answer.json();
    assert_eq!((&feature["type"], &feature["id"]), (&json!("Feature"), &json!(12)));
    assert!(link(&feature, "collection").unwrap().ends_with("/collections/barrios?f=json"));
    let again = city.get_with("/collections/barrios/items/12", &[("if-none-match", answer.header("etag"))]).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));

    let page = city.get("/collections/ejes/items?limit=1").await.json();
    assert_eq!(page["features"][0]["id"], "eje/1?");
    let feature = city.get("/collections/ejes/items/eje%2F1%3F").await;
    assert_eq!(feature.status, StatusCode::OK);
    for id in ["0", "-1", "401", "abc", "1.5", "99999999999999999999", "%20", "1%20"] {
        let answer = city.get(&format!("/collections/barrios/items/{id}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
    }
    assert_eq!(city.get("/collections/postes/items/no-uuid").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_missing_is_null_and_heights_are_kept() {
    let city = City::new().await;
    let feature = city.get("/collections/barrios/items/7").await.json();
    for name in ["nombre", "estrato", "revisado", "fundado", "activo"] {
        assert_eq!(feature["properties"][name], Value::Null, "{name}");
    }
    assert_eq!(city.get("/collections/barrios/items/8").await.json()["geometry"], Value::Null);
    let road = city.get("/collections/vias/items/1").await.json();
    assert_eq!(road["geometry"]["coordinates"][0][2], 1285.25);
}

#[tokio::test]
async fn every_crs_arrives_as_longitude_and_latitude() {
    let city = City::new().await;
    let mut admin = city.db.superuser().await;
    for (layer, table, key, geometry) in [
        ("barrios", "geo.barrios", "fid", "geom"),
        ("postes", "catastro.postes", "id", "geom"),
        ("lotes", "catastro.lotes", "gid", "the_geom"),
        ("ejes", "catastro.ejes", "codigo", "geom"),
    ] {
        let page = city.get(&format!("/collections/{layer}/items?limit=10000")).await.json();
        for feature in page["features"].as_array().unwrap().iter().filter(|feature| !feature["geometry"].is_null()) {
            let id = feature["id"].as_str().map_or_else(|| feature["id"].to_string(), str::to_owned);
            let distance: f64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "SELECT ST_HausdorffDistance(ST_Transform({geometry}, 4326), ST_GeomFromGeoJSON($1)) \
                 FROM {table} WHERE {key}::text = $2"
            )))
            .bind(feature["geometry"].to_string())
            .bind(&id)
            .fetch_one(&mut admin)
            .await
            .unwrap();
            assert!(distance < 1e-7, "{layer} {id}: {distance} degrees");
        }
    }
}

/// A box's features are those that intersect it, as PostGIS says of the box
/// with its edges as they bend in the layer's CRS.
#[tokio::test]
async fn a_box_selects_what_postgis_selects() {
    let city = City::new().await;
    let mut admin = city.db.superuser().await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let boxes = (-75.25..-75.18_f64, 4.42..4.48_f64, 0.0..0.04_f64, 0.0..0.04_f64);
    for _ in 0..40 {
        use proptest::strategy::{Strategy, ValueTree};
        let (west, south, width, height) = boxes.new_tree(&mut runner).unwrap().current();
        let bbox = [west, south, west + width, south + height];
        let text = bbox.map(|number| number.to_string()).join(",");
        for (layer, table, geometry) in [
            ("barrios", "geo.barrios", "geom"),
            ("postes", "catastro.postes", "geom"),
            ("lotes", "catastro.lotes", "the_geom"),
            ("ejes", "catastro.ejes", "geom"),
        ] {
            let expected: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "SELECT count(*) FROM {table} WHERE ST_Intersects({geometry}, ST_Transform(ST_Segmentize( \
                    ST_MakeEnvelope($1, $2, $3, $4, 4326), 0.0005), ST_SRID({geometry})))"
            )))
            .bind(bbox[0])
            .bind(bbox[1])
            .bind(bbox[2])
            .bind(bbox[3])
            .fetch_one(&mut admin)
            .await
            .unwrap();
            let page = city.get(&format!("/collections/{layer}/items?limit=10000&bbox={text}")).await.json();
            assert_eq!(page["numberMatched"], expected, "{layer} {text}");
            assert_eq!(page["numberReturned"], expected, "{layer} {text}");
        }
    }
}

#[tokio::test]
async fn a_box_far_away_is_empty_and_the_world_is_everything() {
    let city = City::new().await;
    for (bbox, count) in [
        ("100,-50,120,-40", 0),
        ("-180,-90,180,90", 21),
        ("170,-90,-170,90", 0),
        ("-76,4,-100,-74,5,9000", 21),
        ("100,-90,-70,90", 21),
    ] {
        let page = city.get(&format!("/collections/vias/items?limit=100&bbox={bbox}")).await;
        assert_eq!(page.json()["numberMatched"], count, "{bbox}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_on_the_way_breaks_the_answer_off() {
    let city = City::new().await;
    let mut admin = city.db.superuser().await;
    // The first batch of 1 000 can be read; a value in the second cannot.
    sqlx::raw_sql(
        "CREATE FUNCTION catastro.breaks(bigint) RETURNS text LANGUAGE plpgsql STABLE AS \
            $$ BEGIN IF $1 = 1500 THEN RAISE 'broken'; END IF; RETURN 'x'; END $$; \
         CREATE VIEW catastro.fragil AS SELECT fid, catastro.breaks(fid) AS texto, geom FROM geo.sitios; \
         GRANT EXECUTE ON FUNCTION catastro.breaks(bigint) TO lindero_app; GRANT SELECT ON catastro.fragil TO lindero_app; \
         INSERT INTO catalog.layer (municipality, id, kind, table_schema, table_name, key_column, key_type, \
            geometry_column, geometry_type, storage_srid, declared_crs, visibility, subject, sector, definition, change_capture) \
         SELECT municipality, 'fragil', 'published', 'catastro', 'fragil', 'fid', 'bigint', 'geom', 'Point', 9377, \
            'EPSG:9377', 'publica', 'thing', 'otros', \
            '{\"title\": {\"es\": \"Frágil\"}, \"visibility\": \"publica\", \"attributes\": [{\"name\": \"texto\"}]}', \
            'comparison' FROM catalog.layer WHERE id = 'sitios'",
    )
    .execute(&mut admin)
    .await
    .unwrap();
    let base = city.listen().await;
    // Within the first batch the failure is an answer of its own.
    let whole = city.get("/collections/fragil/items?limit=1000&offset=1000").await;
    assert_eq!(whole.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!whole.text().contains("broken"), "the cause stays in the log");
    // Later the connection is cut, and what came is no JSON document.
    let output = std::process::Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", &format!("{base}/collections/fragil/items?limit=2500")])
        .output()
        .unwrap();
    assert!(!output.status.success(), "curl notices that the transfer was cut");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with(r#"{"type":"FeatureCollection","features":[{"#));
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_err());
}

#[tokio::test]
async fn a_statement_for_a_request_has_its_time() {
    let city = City::new().await;
    let limit: String = sqlx::query_scalar("SHOW statement_timeout").fetch_one(city.db.database().app()).await.unwrap();
    assert_eq!(limit, "30s");
}

#[tokio::test]
async fn without_its_database_the_server_says_to_come_back() {
    let city = City::new().await;
    city.db.database().close().await;
    for path in [
        "/",
        "/collections",
        "/collections/barrios/items",
        "/collections/barrios/tiles/WebMercatorQuad/0/0/0",
        "/search?q=a",
        "/here?lon=0&lat=0",
        "/api",
    ] {
        let answer = city.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("retry-after"), "5");
        assert_eq!(answer.json()["type"], "urn:problem-type:lindero:unavailable");
    }
}
