//! The catalogue, reading and finding, on a real PostGIS.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use access::{Caller, Subject, Visibility};
use futures::TryStreamExt;
use layers::catalog::{self, CatalogError};
use layers::features::{self, Bbox, FeatureError, FeatureId, Query};
use layers::position::{self, Position};
use layers::search::{self, Found, Search};
use layers::{Layer, Value};
use support::{OPERATOR, id, run};
use testdb::TestDatabase;

/// A layer of `count` points on a line, 100 m apart, from easting 4 750 000.
async fn posts(test: &TestDatabase, count: u32) -> Layer {
    let layer = support::managed(test.database(), "postes", support::definition("Postes de luz")).await;
    run(
        &mut test.superuser().await,
        &format!(
            "INSERT INTO geo.postes (nombre, pisos, geom) SELECT 'Poste ' || n, n, \
             ST_SetSRID(ST_MakePoint(4750000 + 100 * n, 2048800), 9377) FROM generate_series(1, {count}) AS n"
        ),
    )
    .await;
    catalog::get(OPERATOR, test.database(), &layer).await.unwrap()
}

async fn ids(test: &TestDatabase, layer: &Layer, query: Query, limit: usize) -> Vec<i64> {
    let batches: Vec<_> =
        features::batches(&Caller::ANONYMOUS, test.database(), layer, query, limit).try_collect().await.unwrap();
    batches
        .into_iter()
        .flatten()
        .map(|feature| match feature.id {
            FeatureId::Number(number) => number,
            FeatureId::Text(text) => panic!("{text} is no number"),
        })
        .collect()
}

#[tokio::test]
async fn pages_hold_every_feature_once_in_order() {
    let test = TestDatabase::new().await;
    let layer = posts(&test, 2500).await;
    let all = ids(&test, &layer, Query::default(), usize::MAX).await;
    assert_eq!(all, (1..=2500).collect::<Vec<_>>());
    let after = Query::default().after(FeatureId::Number(1200));
    assert_eq!(ids(&test, &layer, after, 1001).await, (1201..=2201).collect::<Vec<_>>());
    let offset = Query::default().skipping(2499);
    assert_eq!(ids(&test, &layer, offset, 10).await, [2500]);
    assert_eq!(ids(&test, &layer, Query::default(), 0).await, [0; 0]);
}

#[tokio::test]
async fn boxes_and_equality_select_what_postgis_selects() {
    let test = TestDatabase::new().await;
    let layer = posts(&test, 300).await;
    let db = test.database();
    let bbox = [-75.25, 4.43, -75.24, 4.45];
    let expected: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM geo.postes WHERE ST_Intersects(ST_Transform(geom, 4326), ST_MakeEnvelope($1, $2, $3, $4, 4326))",
    )
    .bind(bbox[0]).bind(bbox[1]).bind(bbox[2]).bind(bbox[3])
    .fetch_one(db.app())
    .await
    .unwrap();
    assert!(expected > 0);
    let within = Query::default().within(Bbox::from_numbers(&bbox).unwrap());
    assert_eq!(features::count(&Caller::ANONYMOUS, db, &layer, &within).await.unwrap(), expected);
    let world = Query::default().within(Bbox::from_numbers(&[-180.0, -90.0, 180.0, 90.0]).unwrap());
    assert_eq!(features::count(&Caller::ANONYMOUS, db, &layer, &world).await.unwrap(), 300);
    let elsewhere = Query::default().within(Bbox::from_numbers(&[10.0, 40.0, 11.0, 41.0]).unwrap());
    assert_eq!(features::count(&Caller::ANONYMOUS, db, &layer, &elsewhere).await.unwrap(), 0);

    let seventh = Query::default().with_equal(&layer, "nombre", "Poste 7").unwrap();
    assert_eq!(ids(&test, &layer, seventh, 10).await, [7]);
    let none = Query::default().with_equal(&layer, "nombre", "'; DROP TABLE geo.postes; --").unwrap();
    assert_eq!(features::count(&Caller::ANONYMOUS, db, &layer, &none).await.unwrap(), 0);
    let wrong = Query::default().with_equal(&layer, "pisos", "siete").unwrap_err();
    assert_eq!((wrong.parameter.as_str(), wrong.reason.contains("whole number")), ("pisos", true));
    assert!(Query::default().with_equal(&layer, "geom", "x").is_err());
}

#[tokio::test]
async fn a_feature_has_its_values_and_its_place() {
    let test = TestDatabase::new().await;
    let layer = posts(&test, 3).await;
    let feature = features::get(&Caller::ANONYMOUS, test.database(), &layer, "2", None).await.unwrap();
    assert_eq!(feature.values, [Value::Text("Poste 2".to_owned()), Value::Integer(2)]);
    let expected: Vec<u8> =
        sqlx::query_scalar("SELECT ST_AsBinary(ST_Transform(geom, 4326), 'NDR') FROM geo.postes WHERE fid = 2")
            .fetch_one(test.database().app())
            .await
            .unwrap();
    assert_eq!(feature.geometry, Some(expected));
    for unknown in ["4", "x", "", "99999999999999999999"] {
        let error = features::get(&Caller::ANONYMOUS, test.database(), &layer, unknown, None).await.unwrap_err();
        assert!(matches!(error, FeatureError::UnknownFeature { .. }), "{unknown}: {error}");
    }
}

#[tokio::test]
async fn what_is_not_public_does_not_exist_for_the_public() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let mut definition = support::definition("Casos de dengue");
    definition.visibility = Visibility::Clasificada;
    definition.subject = Subject::Cases;
    let layer = support::managed(db, "dengue", definition.clone()).await;

    assert!(matches!(catalog::get(&Caller::ANONYMOUS, db, &layer).await, Err(CatalogError::Unknown(_))));
    assert!(catalog::list(&Caller::ANONYMOUS, db).await.unwrap().is_empty());
    let known = catalog::get(OPERATOR, db, &layer).await.unwrap();
    let read = features::count(&Caller::ANONYMOUS, db, &known, &Query::default()).await;
    assert!(matches!(read, Err(FeatureError::UnknownLayer(_))));
    let here = position::find(&Caller::ANONYMOUS, db, &[known], Position::new(-75.2, 4.4, 0.0).unwrap()).await;
    assert!(here.unwrap().is_empty());

    // Neither the program nor the database lets a layer of cases become public.
    definition.visibility = Visibility::Publica;
    assert!(matches!(catalog::describe(OPERATOR, db, &layer, &definition).await, Err(CatalogError::Definition(_))));
    let forced =
        sqlx::query("UPDATE catalog.layer SET visibility = 'publica' WHERE id = 'dengue'").execute(db.loader());
    assert!(forced.await.unwrap_err().to_string().contains("check constraint"));
    assert!(matches!(
        catalog::remove(&Caller::ANONYMOUS, db, &layer).await,
        Err(CatalogError::Unknown(_) | CatalogError::Denied(_))
    ));
}

#[tokio::test]
async fn the_extent_and_the_count_follow_the_content() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let layer = posts(&test, 10).await;
    assert_eq!((layer.feature_count, layer.extent), (0, None));
    let mut transaction = db.loader().begin().await.unwrap();
    catalog::refresh(OPERATOR, &mut transaction, &layer.id, true).await.unwrap();
    transaction.commit().await.unwrap();
    let layer = catalog::get(&Caller::ANONYMOUS, db, &layer.id).await.unwrap();
    let extent = layer.extent.unwrap();
    assert_eq!(layer.feature_count, 10);
    let expected: (f64, f64, f64, f64) = sqlx::query_as(
        "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) \
         FROM (SELECT ST_Extent(ST_Transform(geom, 4326)) AS e FROM geo.postes) AS s",
    )
    .fetch_one(db.app())
    .await
    .unwrap();
    for (ours, truth) in extent.to_array().into_iter().zip([expected.0, expected.1, expected.2, expected.3]) {
        assert!((ours - truth).abs() < 1e-9, "{extent:?} {expected:?}");
    }
}

#[tokio::test]
async fn somebodys_table_is_published_as_it_is() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let mut admin = test.superuser().await;
    support::ibague(db).await;
    run(
        &mut admin,
        "CREATE SCHEMA obras; CREATE TYPE obras.estado AS ENUM ('abierta', 'cerrada'); \
         CREATE TABLE obras.\"Zanjas\" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), \"Nombre Completo\" varchar(40), \
            valor numeric(12, 2), estado obras.estado, visto timestamp, foto bytea, geom geometry(LineString, 3116)); \
         INSERT INTO obras.\"Zanjas\" (\"Nombre Completo\", valor, estado, visto, geom) VALUES ('Zanja \"A\"', 12.50, 'abierta', \
            '2026-01-02 03:04:05', ST_Transform(ST_GeomFromText('LINESTRING(-75.24 4.43, -75.23 4.44)', 4326), 3116))",
    )
    .await;
    let found = catalog::discover(OPERATOR, &mut admin).await.unwrap();
    let found = found.iter().find(|c| c.table.schema == "obras").unwrap();
    assert_eq!((found.table.key.as_str(), found.srid, found.relation_kind), ("id", 3116, "table"));

    let publication = catalog::Publication {
        id: id("zanjas"),
        municipality: "73001".parse().unwrap(),
        schema: "obras".to_owned(),
        name: "Zanjas".to_owned(),
        key: None,
        geometry: None,
        definition: layers::LayerDefinition {
            title: layers::Text::same("Zanjas"),
            visibility: Visibility::Publica,
            ..Default::default()
        },
    };
    catalog::publish(OPERATOR, &mut admin, &publication).await.unwrap();
    let layer = catalog::get(&Caller::ANONYMOUS, db, &id("zanjas")).await.unwrap();
    let names: Vec<&str> = layer.definition.attributes.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["Nombre Completo", "valor", "estado", "visto"]);
    assert_eq!((layer.feature_count, layer.declared_crs.as_str()), (1, "EPSG:3116"));

    let query = Query::default().with_equal(&layer, "estado", "abierta").unwrap();
    let query = query.with_equal(&layer, "valor", "12.5").unwrap();
    let batches: Vec<_> = features::batches(&Caller::ANONYMOUS, db, &layer, query, 5).try_collect().await.unwrap();
    let feature = &batches[0][0];
    assert_eq!(feature.values[0], Value::Text("Zanja \"A\"".to_owned()));
    assert_eq!(feature.values[1], Value::Number(12.5));
    let again = features::get(&Caller::ANONYMOUS, db, &layer, &feature.id.to_string(), None).await.unwrap();
    assert_eq!(again, *feature);
    let unknown = features::get(&Caller::ANONYMOUS, db, &layer, "no-uuid", None).await;
    assert!(matches!(unknown, Err(FeatureError::UnknownFeature { .. })));

    let here =
        position::find(&Caller::ANONYMOUS, db, &[layer], Position::new(-75.235, 4.435, 30.0).unwrap()).await.unwrap();
    assert_eq!(here[0].features.len(), 1);

    catalog::unpublish(OPERATOR, db, &id("zanjas")).await.unwrap();
    assert!(catalog::list(OPERATOR, db).await.unwrap().is_empty());
    run(&mut admin, "INSERT INTO obras.\"Zanjas\" DEFAULT VALUES").await;
}

#[tokio::test]
async fn names_are_found_whatever_their_accents_and_abbreviations() {
    let test = TestDatabase::new().await;
    let db = test.database();
    support::managed(db, "sitios", support::definition("Sitios")).await;
    run(
        &mut test.superuser().await,
        "INSERT INTO geo.sitios (nombre, geom) SELECT nombre, ST_SetSRID(ST_MakePoint(4752388, 2048868), 9377) \
         FROM unnest(ARRAY['Carrera 3 # 12-34', 'Kr 3 # 34-12 int 5', 'Local 2, Cra 3 12-34 piso 1', 'Biblioteca Darío Echandía', 'Dario', 'Parque Murillo Toro', '100% gas']) AS nombre",
    )
    .await;
    let find = async |text: &str| -> Vec<String> {
        let found = search::find(&Caller::ANONYMOUS, db, &Search::new(text, 10).unwrap()).await.unwrap();
        found
            .into_iter()
            .map(|found| match found {
                Found::Feature { title, bbox, .. } => {
                    assert!(bbox.unwrap().contains(-75.2322, 4.4389) || bbox.unwrap().west < -75.2);
                    title
                }
                Found::Coordinate(coordinate) => coordinate.read_as.to_owned(),
            })
            .collect()
    };
    assert_eq!(find("DARÍO").await, ["Dario", "Biblioteca Darío Echandía"]);
    // As it was typed before the same words in another order.
    let addresses = ["Carrera 3 # 12-34", "Local 2, Cra 3 12-34 piso 1", "Kr 3 # 34-12 int 5"];
    assert_eq!(find("kr 3 12-34").await, addresses);
    assert_eq!(find("toro parque").await, ["Parque Murillo Toro"]);
    assert_eq!(find("%").await, [""; 0]);
    assert_eq!(find("' OR true --").await, [""; 0]);
    assert_eq!(find("4.4389, -75.2322").await, ["EPSG:4326"]);
    assert!(
        Search::new("  ", 10).is_err() && Search::new("x", 0).is_err() && Search::new(&"x".repeat(201), 1).is_err()
    );
}

#[tokio::test]
async fn the_whole_text_is_found_among_thousands_that_hold_it() {
    let test = TestDatabase::new().await;
    let db = test.database();
    support::managed(db, "lotes", support::definition("Lotes")).await;
    run(
        &mut test.superuser().await,
        "INSERT INTO geo.lotes (nombre, geom) SELECT nombre, ST_SetSRID(ST_MakePoint(4752388, 2048868), 9377) \
         FROM (SELECT 'Lote ' || n AS nombre FROM generate_series(1, 3000) AS n UNION ALL SELECT 'Lote') AS all_names",
    )
    .await;
    let found = search::find(&Caller::ANONYMOUS, db, &Search::new("lote", 10).unwrap()).await.unwrap();
    assert_eq!(found.len(), 10);
    assert!(matches!(&found[0], Found::Feature { title, .. } if title == "Lote"), "{found:?}");
}

#[tokio::test]
async fn postgis_holds_the_golden_values_to_a_millimetre() {
    let test = TestDatabase::new().await;
    // standards.md's points, and the urban grids' own origins.
    for (from, to, longitude, latitude, easting, northing) in [
        (4326, 9377, -75.2322, 4.4389, 4_752_388.904, 2_048_868.316),
        (4326, 103_599, -75.2322, 4.4389, 4_752_388.904, 2_048_868.316),
        (4326, 9377, -72.5078, 7.8939, 5_054_232.907, 2_430_300.719),
        (4326, 103_599, -72.5078, 7.8939, 5_054_232.907, 2_430_300.719),
        (4686, 6251, -72.502_870_95, 7.888_936_736_111_11, 842_805.406, 1_364_404.57),
        (4686, 6253, -75.179_925_933_333_3, 4.419_412_827_777_78, 877_634.33, 980_541.348),
    ] {
        let (x, y): (f64, f64) = sqlx::query_as(
            "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Transform(ST_SetSRID(ST_MakePoint($1, $2), $3), $4) AS p) AS s",
        )
        .bind(longitude)
        .bind(latitude)
        .bind(from)
        .bind(to)
        .fetch_one(test.database().app())
        .await
        .unwrap();
        assert!((x - easting).abs() < 0.001 && (y - northing).abs() < 0.001, "{from} {to}: {x} {y}");
    }
}
