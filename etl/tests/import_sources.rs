//! Formats, encodings, coordinate systems, geometries: what becomes of them.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::path::Path;
use std::process::Command;

use etl::import::{ImportError, ImportRequest};
use layers::{AttributeType, GeometryType};
use sqlx::Row;
use support::World;

fn geojson(features: &[(&str, &str)]) -> String {
    let features: Vec<String> = features
        .iter()
        .map(|(properties, geometry)| {
            format!("{{\"type\":\"Feature\",\"properties\":{properties},\"geometry\":{geometry}}}")
        })
        .collect();
    format!("{{\"type\":\"FeatureCollection\",\"features\":[{}]}}", features.join(","))
}

const SQUARE: &str =
    r#"{"type":"Polygon","coordinates":[[[-75.20,4.43],[-75.19,4.43],[-75.19,4.44],[-75.20,4.44],[-75.20,4.43]]]}"#;

/// Makes a file of another format from a GeoJSON, by GDAL's own hand.
fn convert(from: &Path, to: &Path, arguments: &[&str]) {
    let status = Command::new("ogr2ogr").args(arguments).arg(to).arg(from).status().unwrap();
    assert!(status.success(), "ogr2ogr to {}", to.display());
}

async fn message(world: &World, request: &ImportRequest) -> String {
    let error = world.import(request).await.unwrap_err().to_string();
    assert!(world.leftovers().await.is_empty(), "half a layer after: {error}");
    error
}

#[tokio::test]
async fn every_format_gives_the_same_features() {
    let world = World::new().await;
    let source = world.path("fuente.geojson");
    std::fs::write(
        &source,
        geojson(&[
            (r#"{"codigo":"001","nombre":"Peñón Ñ","n":1}"#, SQUARE),
            (
                r#"{"codigo":"002","nombre":"Belén","n":2}"#,
                &SQUARE.replace("-75.20", "-75.21").replace("-75.19", "-75.205"),
            ),
        ]),
    )
    .unwrap();
    for (file, arguments) in [
        ("a.gpkg", &[][..]),
        ("a.shp", &["-lco", "ENCODING=UTF-8"]),
        ("b.shp", &["-lco", "ENCODING=CP1252"]),
        ("a.fgb", &[]),
        ("a.kml", &["-f", "LIBKML"]),
        ("a.kmz", &["-f", "LIBKML"]),
        ("a.gml", &["-f", "GML"]),
        ("a.tab", &["-f", "MapInfo File"]),
        ("a.mif", &["-f", "MapInfo File", "-dsco", "FORMAT=MIF"]),
        ("a.geojsonl", &["-f", "GeoJSONSeq"]),
        ("a.csv", &["-lco", "GEOMETRY=AS_WKT"]),
        ("c.gpkg", &["-t_srs", "EPSG:3116"]),
        ("a.sqlite", &["-f", "SQLite", "-dsco", "SPATIALITE=YES"]),
    ] {
        let path = world.path(file);
        convert(&source, &path, arguments);
        let id = file.replace('.', "_");
        let mut request = world.request_for(&path, &id);
        if file == "a.csv" {
            request.declared_crs = Some("EPSG:4326".into());
        }
        let report = world.import(&request).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!((report.inserted, report.rejected), (2, 0), "{file}: {report:?}");
        let mut admin = world.admin().await;
        let statement = format!(
            "SELECT (SELECT count(*) FROM geo.{id} AS t WHERE to_jsonb(t)::text LIKE '%Peñón Ñ%')::int AS named, \
                round(sum(ST_Area(geom)))::float8 AS area, count(DISTINCT ST_GeometryType(geom))::int AS types FROM geo.{id}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(statement)).fetch_one(&mut admin).await.unwrap();
        assert_eq!(row.get::<i32, _>("named"), 1, "{file}: names keep their letters");
        let area: f64 = row.get("area");
        assert!((area - 1_839_000.0).abs() < 5_000.0, "{file}: {area}");
        assert_eq!(row.get::<i32, _>("types"), 1, "{file}");
    }
}

#[tokio::test]
async fn zipped_and_gzipped_files_are_unpacked() {
    let world = World::new().await;
    let source = world.path("fuente.geojson");
    std::fs::write(&source, geojson(&[(r#"{"codigo":"001"}"#, SQUARE)])).unwrap();
    std::fs::create_dir(world.path("z")).unwrap();
    convert(&source, &world.path("z/barrios.shp"), &[]);
    let zipped = Command::new("python3")
        .args(["-m", "zipfile", "-c"])
        .arg(world.path("barrios.zip"))
        .arg(world.path("z"))
        .status()
        .unwrap();
    assert!(zipped.success());
    assert_eq!(world.import(&world.request_for(&world.path("barrios.zip"), "a")).await.unwrap().inserted, 1);
    assert!(Command::new("gzip").arg(&source).status().unwrap().success());
    assert_eq!(world.import(&world.request_for(&world.path("fuente.geojson.gz"), "b")).await.unwrap().inserted, 1);
}

#[tokio::test]
async fn a_wrong_zone_is_refused_and_the_right_one_named() {
    let world = World::new().await;
    let source = world.path("fuente.geojson");
    std::fs::write(&source, geojson(&[("{}", SQUARE)])).unwrap();
    convert(&source, &world.path("a.gpkg"), &["-t_srs", "EPSG:3116"]);
    convert(&world.path("a.gpkg"), &world.path("c.csv"), &["-lco", "GEOMETRY=AS_WKT"]);
    let text = message(&world, &world.request_for(&world.path("c.csv"), "c")).await;
    assert!(text.contains("--crs EPSG:3116"), "{text}");

    // The same numbers, declared to be of the next zone.
    convert(&world.path("a.gpkg"), &world.path("b.gpkg"), &["-a_srs", "EPSG:3117"]);
    let mut request = world.request_for(&world.path("b.gpkg"), "b");
    let text = message(&world, &request).await;
    assert!(text.contains("EPSG:3117") && text.contains("--crs EPSG:3116"), "{text}");
    request.declared_crs = Some("EPSG:3116".into());
    assert_eq!(world.import(&request).await.unwrap().inserted, 1);
}

#[tokio::test]
async fn swapped_coordinates_are_refused_and_the_flag_named() {
    let world = World::new().await;
    let mut request = world.request("a.csv", "nombre,longitud,latitud\nuno,4.4389,-75.2322\ndos,4.44,-75.23\n", "a");
    let text = message(&world, &request).await;
    assert!(text.contains("--swap-xy"), "{text}");
    request.swap_xy = true;
    let report = world.import(&request).await.unwrap();
    assert_eq!(report.inserted, 2);
    let layer = world.layer("a").await.unwrap();
    assert!(layer.extent.unwrap().west < -75.0);
}

#[tokio::test]
async fn places_elsewhere_are_told_or_refused() {
    let world = World::new().await;
    let bogota = geojson(&[("{}", r#"{"type":"Point","coordinates":[-74.08,4.6]}"#)]);
    let report = world.import(&world.request("bogota.geojson", bogota, "bogota")).await.unwrap();
    assert!(report.warnings.iter().any(|warning| warning.contains("Ibagué")), "{:?}", report.warnings);
    world.clear("bogota").await;
    let vaduz = geojson(&[("{}", r#"{"type":"Point","coordinates":[9.52,47.14]}"#)]);
    let mut request = world.request("vaduz.geojson", vaduz, "vaduz");
    let text = message(&world, &request).await;
    assert!(text.contains("--allow-outside"), "{text}");
    request.allow_outside = true;
    assert_eq!(world.import(&request).await.unwrap().inserted, 1);
}

#[tokio::test]
async fn codes_stay_text_in_a_table() {
    let world = World::new().await;
    let table = "COD_DANE_A;zona;Población;área;escala;longitud;latitud\n\
                 7300110000000000010105;01;12;1,5;1:5000;-75,2516;4,4528\n\
                 7300110000000000010108;02;;2;1:5000;-75,2479;4,4497\n";
    let report = world.import(&world.request("t.csv", table, "t")).await.unwrap();
    assert_eq!(report.inserted, 2);
    let kinds: Vec<(&str, AttributeType)> = report.columns.iter().map(|c| (c.name.as_str(), c.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("cod_dane_a", AttributeType::Text),
            ("zona", AttributeType::Text),
            ("poblacion", AttributeType::Integer),
            ("area", AttributeType::Number),
            ("escala", AttributeType::Text),
        ]
    );
}

#[tokio::test]
async fn a_table_in_windows_encoding_keeps_its_letters() {
    let world = World::new().await;
    let table = b"nombre;longitud;latitud\nBel\xe9n;-75.23;4.43\n";
    let report = world.import(&world.request("t.csv", table, "t")).await.unwrap();
    assert_eq!(report.encoding.as_deref(), Some("windows-1252"));
    let mut admin = world.admin().await;
    let name: String = sqlx::query_scalar("SELECT nombre FROM geo.t").fetch_one(&mut admin).await.unwrap();
    assert_eq!(name, "Belén");
}

#[tokio::test]
async fn a_spreadsheet_with_coordinates_becomes_points() {
    let world = World::new().await;
    std::fs::write(world.path("t.csv"), "codigo,nombre,longitud,latitud\n007,Bélgica,-75.23,4.43\n").unwrap();
    for file in ["t.xlsx", "t.ods"] {
        convert(&world.path("t.csv"), &world.path(file), &[]);
        let report = world.import(&world.request_for(&world.path(file), &file.replace('.', "_"))).await.unwrap();
        assert_eq!(report.inserted, 1, "{file}");
        assert_eq!(report.columns[0].kind, AttributeType::Text);
    }
    let mut admin = world.admin().await;
    let code: String = sqlx::query_scalar("SELECT codigo FROM geo.t_xlsx").fetch_one(&mut admin).await.unwrap();
    assert_eq!(code, "007");
}

#[tokio::test]
async fn invalid_geometries_are_repaired_or_rejected() {
    let world = World::new().await;
    let spike = r#"{"type":"Polygon","coordinates":[[[-75.20,4.43],[-75.19,4.43],[-75.18,4.43],[-75.19,4.43],[-75.19,4.44],[-75.20,4.44],[-75.20,4.43]]]}"#;
    let bow =
        r#"{"type":"Polygon","coordinates":[[[-75.20,4.43],[-75.19,4.44],[-75.19,4.43],[-75.20,4.44],[-75.20,4.43]]]}"#;
    let content = geojson(&[("{}", SQUARE), ("{}", spike), ("{}", bow), ("{}", "null")]);
    let mut request = world.request("a.geojson", content, "a");
    let Err(ImportError::TooManyRejects { report, .. }) = world.import(&request).await else { panic!("rejected") };
    assert_eq!((report.repaired, report.rejected), (1, 2));
    let rows: Vec<u64> = report.rejections.iter().map(|rejection| rejection.row).collect();
    assert_eq!(rows, [3, 4]);
    assert!(report.rejections[0].reason.contains("Self-intersection"), "{:?}", report.rejections[0]);
    assert!(report.rejections[1].reason.contains("no geometry"));
    request.max_rejects = 2;
    let report = world.import(&request).await.unwrap();
    assert_eq!(report.inserted, 2);
    let mut admin = world.admin().await;
    let valid: bool =
        sqlx::query_scalar("SELECT bool_and(ST_IsValid(geom)) FROM geo.a").fetch_one(&mut admin).await.unwrap();
    assert!(valid);
}

#[tokio::test]
async fn singles_become_multis_and_heights_are_kept_where_there_are_any() {
    let world = World::new().await;
    let line = r#"{"type":"LineString","coordinates":[[-75.2,4.43,1200.5],[-75.19,4.43,1201]]}"#;
    let multi = r#"{"type":"MultiLineString","coordinates":[[[-75.2,4.43,0],[-75.19,4.43,0]]]}"#;
    world.import(&world.request("a.geojson", geojson(&[("{}", line), ("{}", multi)]), "a")).await.unwrap();
    let layer = world.layer("a").await.unwrap();
    assert_eq!(layer.geometry_type, GeometryType::MultiLineString);
    assert!(layer.dimension.has_z());
    let mut request = world.request("b.geojson", geojson(&[("{}", line)]), "b");
    request.keep_z = Some(false);
    world.import(&request).await.unwrap();
    let flat = world.layer("b").await.unwrap();
    assert_eq!(flat.geometry_type, GeometryType::LineString);
    assert!(!flat.dimension.has_z());
    let zero = geojson(&[("{}", r#"{"type":"Point","coordinates":[-75.2,4.43,0]}"#)]);
    world.import(&world.request("c.geojson", zero, "c")).await.unwrap();
    assert!(!world.layer("c").await.unwrap().dimension.has_z());
}

#[tokio::test]
async fn domains_and_required_attributes_are_checked() {
    let world = World::new().await;
    let definition = layers::LayerDefinition::from_toml(
        "title = { es = \"Vías\" }\n[[attributes]]\nname = \"estado\"\nrequired = true\n\
         domain = { values = [{ value = \"bueno\" }, { value = \"malo\" }] }\n\
         [[attributes]]\nname = \"ancho\"\ntype = \"number\"\nunit = \"m\"\ndomain = { range = { min = 0.0, max = 60.0 } }\n",
    )
    .unwrap();
    let content = geojson(&[
        (r#"{"estado":"bueno","ancho":7}"#, SQUARE),
        (r#"{"estado":"regular","ancho":7}"#, SQUARE),
        (r#"{"estado":"malo","ancho":-1}"#, SQUARE),
        (r#"{"ancho":3}"#, SQUARE),
    ]);
    let mut request = world.request("v.geojson", content, "v");
    request.definition = Some(definition);
    let Err(ImportError::TooManyRejects { report, .. }) = world.import(&request).await else { panic!("rejected") };
    let found: Vec<(u64, Option<&str>, Option<&str>)> =
        report.rejections.iter().map(|r| (r.row, r.field.as_deref(), r.value.as_deref())).collect();
    assert_eq!(
        found,
        [(2, Some("estado"), Some("regular")), (3, Some("ancho"), Some("-1")), (4, Some("estado"), Some(""))]
    );
}

#[tokio::test]
async fn a_file_of_several_layers_asks_which() {
    let world = World::new().await;
    let source = world.path("fuente.geojson");
    std::fs::write(&source, geojson(&[("{}", SQUARE)])).unwrap();
    convert(&source, &world.path("a.gpkg"), &["-nln", "barrios"]);
    convert(&source, &world.path("a.gpkg"), &["-update", "-nln", "comunas"]);
    let mut request = world.request_for(&world.path("a.gpkg"), "a");
    let text = message(&world, &request).await;
    assert!(text.contains("barrios") && text.contains("comunas") && text.contains("--layer"), "{text}");
    request.source_layer = Some("comunas".into());
    assert_eq!(world.import(&request).await.unwrap().source_layer, "comunas");
}

#[tokio::test]
async fn a_table_is_joined_by_location() {
    let world = World::new().await;
    let other = SQUARE.replace("-75.20", "-75.21").replace("-75.19", "-75.201");
    let content = geojson(&[(r#"{"m":"a"}"#, SQUARE), (r#"{"m":"b"}"#, &other)]);
    world.import(&world.request("m.geojson", content, "m")).await.unwrap();
    let census = "COD;personas;estrato;X;Y\n1;10;3;-75.195;4.435\n2;5;4;-75.196;4.436\n3;7;2;-75.205;4.435\n";
    let mut request = world.request("c.csv", census, "m");
    request.declared_crs = Some("EPSG:4326".into());
    request.fields = Some(vec!["personas".into()]);
    request.join = Some(etl::import::Join::Location { within: 0.0, sum: false });
    let refused = world.import(&request).await.unwrap_err().to_string();
    assert!(refused.contains("1 of 3 rows"), "{refused}");
    request.join = Some(etl::import::Join::Location { within: 0.0, sum: true });
    let report = world.import(&request).await.unwrap();
    assert_eq!(report.updated, 2);
    let mut admin = world.admin().await;
    let persons: Vec<i64> =
        sqlx::query_scalar("SELECT personas FROM geo.m ORDER BY m").fetch_all(&mut admin).await.unwrap();
    assert_eq!(persons, [15, 7]);
}
