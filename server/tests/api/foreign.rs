//! What other programs read: GDAL and OWSLib.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::City;

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program)
        .args(arguments)
        // Nothing between us and the server, whatever the machine's settings.
        .env("no_proxy", "127.0.0.1")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn ogrinfo_lists_the_collections() {
    let city = City::new().await;
    let base = city.listen().await;
    let listed = String::from_utf8(run("ogrinfo", &[&format!("OAPIF:{base}")]).stdout).unwrap();
    for id in ["barrios", "vias", "sitios", "postes", "lotes", "ejes"] {
        assert!(listed.contains(&format!(": {id}")), "{id}: {listed}");
    }
    assert!(!listed.contains("personas") && !listed.contains("expedientes"), "{listed}");
}

/// Every feature that ogr2ogr brings equals its row: attributes the same, the
/// geometry within 1e-7 degrees.
#[tokio::test(flavor = "multi_thread")]
async fn what_ogr2ogr_reads_is_what_postgis_holds() {
    let city = City::new().await;
    let base = city.listen().await;
    let mut admin = city.db.superuser().await;
    // By an attribute whose values are unique: GDAL numbers the features itself.
    for (layer, table, key, geometry, columns) in [
        ("barrios", "geo.barrios", "codigo", "geom", "codigo, nombre, estrato, fundado, activo"),
        ("vias", "geo.vias", "nombre", "geom", "nombre, clase"),
        ("sitios", "geo.sitios", "nombre", "geom", "nombre, tipo"),
        ("postes", "catastro.postes", "tile", "geom", "\"Estado\", tile, altura"),
        ("lotes", "catastro.lotes", "stored", "the_geom", "stored"),
        ("ejes", "catastro.ejes", "nombre", "geom", "nombre"),
    ] {
        let source = format!("OAPIF:{base}/collections/{layer}");
        let arguments =
            ["-f", "GeoJSON", "/vsistdout/", &source, "-lco", "COORDINATE_PRECISION=9", "-oo", "PAGE_SIZE=333"];
        let document: Value = serde_json::from_slice(&run("ogr2ogr", &arguments).stdout).unwrap();
        let features = document["features"].as_array().unwrap();
        let sql = format!(
            "WITH read AS (SELECT f #>> '{{properties,{key}}}' AS id, f -> 'properties' AS properties, \
                    CASE WHEN jsonb_typeof(f -> 'geometry') = 'object' THEN ST_GeomFromGeoJSON(f -> 'geometry') END AS geometry \
                FROM jsonb_array_elements($1) AS f), \
             held AS (SELECT {key}::text AS id, (SELECT to_jsonb(a) FROM (SELECT {columns}) AS a) AS properties, \
                    ST_Transform({geometry}, 4326) AS geometry FROM {table}) \
             SELECT count(*), count(*) FILTER (WHERE read.id IS NULL OR held.id IS NULL), \
                    count(*) FILTER (WHERE NOT read.properties @> jsonb_strip_nulls(held.properties)), \
                    max(coalesce(ST_HausdorffDistance(read.geometry, held.geometry), \
                        CASE WHEN read.geometry IS NULL AND held.geometry IS NULL THEN 0 ELSE 1 END)) \
             FROM read FULL JOIN held USING (id)"
        );
        let (count, alone, differing, farthest): (i64, i64, i64, f64) = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(sqlx::types::Json(features))
            .fetch_one(&mut admin)
            .await
            .unwrap();
        let expected: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(&mut admin)
            .await
            .unwrap();
        assert_eq!((count, alone, differing), (expected, 0, 0), "{layer}: rows, missing or added, other attributes");
        assert!(farthest < 1e-7, "{layer}: {farthest} degrees");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn owslib_lists_and_pages() {
    // `scripts/python` prints it, and installs the pinned packages.
    let Some(python) = std::env::var_os("LINDERO_TEST_PYTHON") else {
        println!("skipped: LINDERO_TEST_PYTHON names no Python with OWSLib (run `make test`)");
        return;
    };
    let city = City::new().await;
    let base = city.listen().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/owslib_client.py");
    let output = run(&python.to_string_lossy(), &[script, &base]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "barrios ejes lotes postes sitios vias; 2500 of 2500");
}
