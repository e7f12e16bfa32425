//! Imports into a real PostGIS, through the confined reader.

mod support;

use access::Caller;
use access::audit::{self, Wanted};
use etl::import::{ImportError, Mode};
use layers::catalog;
use serde_json::json;
use sqlx::Row;
use support::World;

const ZONES: &str = r#"{"type":"FeatureCollection","features":[
 {"type":"Feature","properties":{"codigo":"01","nombre":"Centro","cupos":5,"abierta":true,"desde":"2021-03-01","otros":{"a":[1,2]}},"geometry":{"type":"Point","coordinates":[-75.2322,4.4389]}},
 {"type":"Feature","properties":{"codigo":"02","nombre":"Salado","cupos":null,"abierta":false,"desde":null,"otros":null},"geometry":{"type":"Point","coordinates":[-75.15,4.45]}},
 {"type":"Feature","properties":{"codigo":"03","nombre":"Ñame","cupos":7,"abierta":true,"desde":"2021-03-02","otros":null},"geometry":{"type":"Point","coordinates":[-75.2,4.43]}}]}"#;

#[tokio::test]
async fn a_file_becomes_a_layer() {
    let world = World::new().await;
    let report = world.import(&world.request("zonas.geojson", ZONES, "zonas")).await.unwrap();
    assert!(report.committed);
    assert_eq!((report.read, report.inserted, report.rejected), (3, 3, 0));
    let layer = catalog::get(&Caller::OPERATOR, world.db(), &"zonas".parse().unwrap()).await.unwrap();
    assert_eq!(layer.feature_count, 3);
    assert_eq!(layer.declared_crs, "EPSG:4326");
    assert_eq!(layer.definition.label.as_deref(), Some("nombre"));
    let mut admin = world.admin().await;
    let row = sqlx::query(
        "SELECT municipality, fid, codigo, cupos, abierta, desde::text, otros::text, ST_SRID(geom) AS srid, \
            ST_X(geom) AS x, ST_Y(geom) AS y FROM geo.zonas ORDER BY fid LIMIT 1",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    assert_eq!(row.get::<String, _>("municipality"), "73001");
    assert_eq!(row.get::<String, _>("codigo"), "01");
    assert_eq!(row.get::<i64, _>("cupos"), 5);
    assert!(row.get::<bool, _>("abierta"));
    assert_eq!(row.get::<String, _>("otros"), "{\"a\": [1, 2]}");
    assert_eq!(row.get::<i32, _>("srid"), 9377);
    assert!((row.get::<f64, _>("x") - 4_752_388.904).abs() < 0.001);
    assert!((row.get::<f64, _>("y") - 2_048_868.316).abs() < 0.001);
    let again = world.import(&world.request("zonas.geojson", ZONES, "zonas")).await.unwrap_err();
    assert!(matches!(again, ImportError::Exists(_)), "{again}");

    // Both are in the audit trail.
    let wanted = Wanted { layer: Some("zonas".to_owned()), ..Wanted::default() };
    let rows = audit::search(&Caller::OPERATOR, world.db(), &wanted, 10).await.unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.action.as_str(), row.outcome.as_str(), &row.detail)).collect();
    let failed = json!({ "mode": "create", "ended": "failed" });
    let done = json!({ "mode": "create", "inserted": 3, "updated": 0, "deleted": 0, "unchanged": 0, "rejected": 0 });
    assert_eq!(rows, [("import", "failed", &Some(failed)), ("import", "done", &Some(done))]);
}

#[tokio::test]
async fn only_what_differs_is_written() {
    let world = World::new().await;
    let mut request = world.request("zonas.geojson", ZONES, "zonas");
    request.key = Some("codigo".into());
    world.import(&request).await.unwrap();
    let changes = world.changes("zonas").await;

    request.mode = Mode::Replace;
    let same = world.import(&request).await.unwrap();
    assert_eq!((same.inserted, same.updated, same.deleted, same.unchanged), (0, 0, 0, 3));
    assert_eq!(world.changes("zonas").await, changes, "nothing changed, nothing is recorded");

    let edited = ZONES.replace("Salado", "El Salado").replace("\"03\"", "\"04\"");
    let mut request = world.request("zonas.geojson", &edited, "zonas");
    request.mode = Mode::Replace;
    let report = world.import(&request).await.unwrap();
    assert_eq!((report.inserted, report.updated, report.deleted, report.unchanged), (1, 1, 1, 1));
    // What each was is kept, with who changed it and from which file.
    let versions: Vec<(String, i32, String, Option<String>)> = sqlx::query_as(
        "SELECT v.operation, v.version, c.account_name, c.reason FROM catalog.feature_version AS v \
         JOIN catalog.changeset AS c ON c.id = v.changeset WHERE v.layer = 'zonas' ORDER BY v.operation",
    )
    .fetch_all(&mut world.admin().await)
    .await
    .unwrap();
    let by = |operation: &str, version| {
        (operation.to_owned(), version, "operator".to_owned(), Some("zonas.geojson".to_owned()))
    };
    assert_eq!(versions, [by("create", 1), by("delete", 2), by("update", 2)]);
    let recorded = world.changes("zonas").await;
    let new: Vec<&(String, Option<i64>)> = recorded[changes.len()..].iter().filter(|c| c.0 != "catalog").collect();
    assert_eq!(new.len(), 3, "{new:?}");
    assert!(new.iter().all(|change| change.1 == Some(1)), "{new:?}");

    let mut request = world.request("otra.geojson", ZONES, "zonas");
    request.mode = Mode::Upsert;
    let report = world.import(&request).await.unwrap();
    assert_eq!((report.inserted, report.updated, report.deleted, report.unchanged), (1, 1, 0, 1));

    request.mode = Mode::Append;
    let refused = world.import(&world.request_with(&edited, &request)).await.unwrap_err();
    assert!(refused.to_string().contains("rejected"), "{refused}");
}

#[tokio::test]
async fn without_a_key_whole_rows_are_compared() {
    let world = World::new().await;
    let request = world.request("zonas.geojson", ZONES, "zonas");
    world.import(&request).await.unwrap();
    let edited = ZONES.replace("Salado", "El Salado");
    let mut request = world.request("zonas.geojson", &edited, "zonas");
    request.mode = Mode::Replace;
    let report = world.import(&request).await.unwrap();
    assert_eq!((report.inserted, report.updated, report.deleted, report.unchanged), (1, 0, 1, 2));
    request.mode = Mode::Append;
    let report = world.import(&request).await.unwrap();
    assert_eq!((report.inserted, report.unchanged), (3, 0));
}

#[tokio::test]
async fn rejected_rows_undo_everything_unless_allowed() {
    let world = World::new().await;
    let broken = ZONES.replace("[-75.15,4.45]", "[12.5,41.9]");
    let mut request = world.request("zonas.geojson", &broken, "zonas");
    let rejects = world.path("rejects.geojson");
    request.rejects = Some(rejects.clone());
    let Err(ImportError::TooManyRejects { report, .. }) = world.import(&request).await else { panic!("rejected") };
    assert_eq!(report.rejections[0].row, 2);
    assert_eq!(report.rejections[0].value.as_deref(), Some("12.5, 41.9"));
    assert!(world.layer("zonas").await.is_none());

    request.max_rejects = 1;
    let report = world.import(&request).await.unwrap();
    assert_eq!((report.inserted, report.rejected), (2, 1));

    // Mended, the file of rejected rows is imported too.
    let mended = std::fs::read_to_string(&rejects)
        .unwrap()
        .replace("12.5, 41.9", "-75.15, 4.45")
        .replace("12.5,41.9", "-75.15,4.45");
    let mut request = world.request("mended.geojson", &mended, "zonas");
    request.mode = Mode::Append;
    let report = world.import(&request).await.unwrap();
    assert_eq!((report.inserted, report.rejected), (1, 0));
    let layer = world.layer("zonas").await.unwrap();
    assert_eq!(layer.feature_count, 3);
    assert!(layer.definition.attribute("lindero_reason").is_none());
}

#[tokio::test]
async fn repeated_keys_are_rejected() {
    let world = World::new().await;
    let mut request = world.request("zonas.geojson", ZONES.replace("\"03\"", "\"01\""), "zonas");
    request.key = Some("codigo".into());
    request.max_rejects = 1;
    request.rejects = Some(world.path("repeated.geojson"));
    let report = world.import(&request).await.unwrap();
    assert_eq!((report.inserted, report.rejected), (2, 1));
    let written = std::fs::read_to_string(world.path("repeated.geojson")).unwrap();
    assert!(written.contains("Ñame") && written.contains("is repeated") && !written.contains("Salado"), "{written}");
    assert!(report.rejections[0].reason.contains("row 1"), "{:?}", report.rejections);
    assert_eq!(report.rejections[0].value.as_deref(), Some("01"));
}

#[tokio::test]
async fn a_table_is_joined_by_key() {
    let world = World::new().await;
    world.import(&world.request("zonas.geojson", ZONES, "zonas")).await.unwrap();
    let mut request = world.request("conexiones.csv", "codigo;nombre;conexiones\n01;x;12\n02;y;7\n", "zonas");
    request.join = Some(etl::import::Join::Key { attribute: "codigo".into(), column: "codigo".into() });
    let report = world.import(&request).await.unwrap();
    assert_eq!((report.updated, report.rejected), (2, 0));
    let layer = world.layer("zonas").await.unwrap();
    assert!(layer.definition.attribute("conexiones").is_some());
    assert!(layer.definition.attribute("nombre_2").is_some(), "the layer's own name is kept");
    let again = world.import(&request).await.unwrap();
    assert_eq!((again.updated, again.unchanged), (0, 2));
    assert_eq!(world.layer("zonas").await.unwrap().definition, layer.definition);
}
