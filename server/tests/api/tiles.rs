//! Tiles, decoded by GDAL.

use std::collections::BTreeMap;
use std::process::Command;

use axum::http::StatusCode;
use serde_json::Value;
use tiles::TileCoord;

use crate::support::City;

/// A tile's features as GDAL's MVT driver reads them: longitude and latitude.
fn decode(bytes: &[u8], tile: TileCoord, layer: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    // The driver takes the tile's place from its path: z/x/y.
    let path = folder.path().join(format!("{}/{}", tile.zoom(), tile.column()));
    std::fs::create_dir_all(&path).unwrap();
    let file = path.join(format!("{}.pbf", tile.row()));
    std::fs::write(&file, bytes).unwrap();
    let output = Command::new("ogr2ogr")
        .args(["-f", "GeoJSON", "/vsistdout/", "-t_srs", "EPSG:4326", "-oo", "CLIP=NO"])
        .args([file.as_os_str(), layer.as_ref()])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    if complaint.contains("Couldn't fetch requested layer") {
        return Vec::new();
    }
    assert!(output.status.success(), "{complaint}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["features"].as_array().unwrap().clone()
}

fn path(layer: &str, tile: TileCoord) -> String {
    format!("/collections/{layer}/tiles/WebMercatorQuad/{}/{}/{}", tile.zoom(), tile.row(), tile.column())
}

fn at(zoom: u8) -> TileCoord {
    TileCoord::holding(zoom, -75.2322, 4.4389).unwrap()
}

#[tokio::test]
async fn a_tile_holds_the_layers_features_with_ids_and_attributes() {
    let city = City::new().await;
    for layer in ["barrios", "vias", "sitios", "lotes", "postes", "ejes"] {
        for zoom in [14, 15, 17] {
            let answer = city.get(&path(layer, at(zoom))).await;
            assert_eq!(answer.status, StatusCode::OK, "{layer} {zoom} {}", String::from_utf8_lossy(&answer.body));
            assert_eq!(answer.header("content-type"), "application/vnd.mapbox-vector-tile");
            let features = decode(&answer.body, at(zoom), layer);
            assert!(!features.is_empty(), "{layer} {zoom}");
            if zoom > 14 {
                compare(&city, layer, &features).await;
            }
        }
    }
}

/// The attributes are those that GeoJSON has, but for what a tile cannot hold.
async fn compare(city: &City, layer: &str, features: &[Value]) {
    let all = city.get(&format!("/collections/{layer}/items?limit=10000")).await.json();
    let by_id: BTreeMap<String, &Value> = all["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feature| (feature["id"].to_string(), &feature["properties"]))
        .collect();
    for feature in features {
        let mut properties = feature["properties"].as_object().unwrap().clone();
        let Some(id) = properties.remove("mvt_id").filter(|id| !id.is_null()) else { continue };
        let expected = by_id[&id.to_string()];
        for (name, value) in &properties {
            let wanted = &expected[name];
            let same = value == wanted
                || value.as_f64().zip(wanted.as_f64()).is_some_and(|(a, b)| (a - b).abs() < 1e-6)
                || wanted.as_bool().map(|flag| u8::from(flag).into()) == value.as_u64();
            assert!(same, "{layer} {id} {name}: {value} is not {wanted}");
        }
    }
}

#[tokio::test]
async fn a_detailed_tile_holds_every_feature_that_touches_it() {
    let city = City::new().await;
    let mut admin = city.db.superuser().await;
    for (layer, table, geometry, buffer) in [
        ("barrios", "geo.barrios", "geom", 64),
        ("vias", "geo.vias", "geom", 64),
        ("sitios", "geo.sitios", "geom", 256),
        ("lotes", "catastro.lotes", "the_geom", 64),
        ("postes", "catastro.postes", "geom", 256),
    ] {
        for zoom in 15..=18 {
            let tile = at(zoom);
            // Well within the buffer, so that rounding to the grid decides nothing.
            let count = |margin: f64| {
                let sql = format!(
                    "SELECT count(*) FROM {table} WHERE ST_Intersects(ST_Transform({geometry}, 3857), \
                        ST_TileEnvelope($1, $2, $3, margin => $4))"
                );
                sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql))
                    .bind(i32::from(zoom))
                    .bind(tile.column() as i32)
                    .bind(tile.row() as i32)
                    .bind(margin)
            };
            let margin = f64::from(buffer) / 4096.0;
            let least = count(margin - 0.001).fetch_one(&mut admin).await.unwrap();
            let most = count(margin + 0.001).fetch_one(&mut admin).await.unwrap();
            let answer = city.get(&path(layer, tile)).await;
            let found = decode(&answer.body, tile, layer).len() as i64;
            assert!((least..=most).contains(&found), "{layer} {zoom}: {found} is not {least} to {most}");
        }
    }
}

#[tokio::test]
async fn a_barrio_is_labelled_once_at_each_zoom() {
    let city = City::new().await;
    for zoom in [13, 14, 15] {
        // Every tile around the city's centre that could hold a label.
        let mut names = Vec::new();
        let centre = at(zoom);
        let around = 1_u32 << zoom.saturating_sub(12);
        for row in centre.row().saturating_sub(around)..=centre.row() + around {
            for column in centre.column().saturating_sub(around)..=centre.column() + around {
                let tile = TileCoord::new(zoom.into(), row.into(), column.into()).unwrap();
                let answer = city.get(&path("barrios", tile)).await;
                if answer.status == StatusCode::OK {
                    let labels = decode(&answer.body, tile, "labels");
                    assert!(labels.iter().all(|label| label["geometry"]["type"] == "Point"), "{zoom}");
                    names.extend(labels.iter().map(|label| label["properties"]["name"].as_str().unwrap().to_owned()));
                }
            }
        }
        // One has no name, one no geometry.
        assert_eq!(names.len(), 398, "{zoom}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 398, "{zoom}: none twice");
    }
}

#[tokio::test]
async fn features_enter_at_the_zoom_that_the_layer_says() {
    let city = City::new().await;
    assert_eq!(city.get(&path("barrios", at(9))).await.status, StatusCode::NO_CONTENT, "below its lowest zoom");
    assert_eq!(city.get(&path("barrios", at(10))).await.status, StatusCode::OK);
    assert_eq!(city.get(&path("vias", at(10))).await.status, StatusCode::NO_CONTENT);
    let classes = |features: Vec<Value>| {
        let mut classes: Vec<String> = features.iter().map(|road| road["properties"]["clase"].to_string()).collect();
        classes.sort();
        classes.dedup();
        classes
    };
    let main = decode(&city.get(&path("vias", at(12))).await.body, at(12), "vias");
    assert_eq!(classes(main), ["\"arterial\""]);
    let all = decode(&city.get(&path("vias", at(14))).await.body, at(14), "vias");
    assert_eq!(classes(all), ["\"arterial\"", "\"local\"", "null"]);
}

#[tokio::test]
async fn a_network_that_says_what_is_seen_keeps_its_short_stretches() {
    let city = City::new().await;
    let mut admin = city.db.superuser().await;
    // Ten metres: a quarter of a pixel at zoom 11.
    let row: (i64,) = sqlx::query_as(
        "INSERT INTO geo.vias (nombre, clase, geom) SELECT 'Tramo corto', 'arterial', \
         ST_SetSRID(ST_MakeLine(ST_MakePoint(x, y, 1), ST_MakePoint(x + 10, y, 1)), 9377) \
         FROM (SELECT 4754000 AS x, 2048600 AS y) AS middle RETURNING fid",
    )
    .fetch_one(&mut admin)
    .await
    .unwrap();
    let roads = decode(&city.get(&path("vias", at(11))).await.body, at(11), "vias");
    assert!(roads.iter().any(|road| road["properties"]["mvt_id"] == row.0), "{roads:?}");
}

#[tokio::test]
async fn a_tile_is_tagged_by_its_content_and_compressed_once() {
    let city = City::new().await;
    let path = path("barrios", at(15));
    let plain = city.get(&path).await;
    assert!(plain.header("cache-control").contains("public") && plain.header("vary").contains("accept-encoding"));
    assert!(plain.header("etag").starts_with('"'), "a strong tag");
    let again = city.get(&path).await;
    assert_eq!((again.header("etag"), &again.body), (plain.header("etag"), &plain.body));
    let gzip = city.get_with(&path, &[("accept-encoding", "gzip")]).await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    assert!(gzip.body.len() < plain.body.len());
    assert_ne!(gzip.header("etag"), plain.header("etag"), "other bytes, another tag");
    for answer in [&plain, &gzip] {
        let headers =
            [("if-none-match", answer.header("etag")), ("accept-encoding", answer.header("content-encoding"))];
        let same = city.get_with(&path, &headers).await;
        assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(same.header("etag"), answer.header("etag"));
    }
    let mut admin = city.db.superuser().await;
    sqlx::query("UPDATE geo.barrios SET estrato = 6").execute(&mut admin).await.unwrap();
    let changed = city.get_with(&path, &[("if-none-match", plain.header("etag"))]).await;
    assert_eq!(changed.status, StatusCode::OK, "an edit is in the next tile");
}

#[tokio::test]
async fn tiles_that_are_not_there() {
    let city = City::new().await;
    let base = "/collections/barrios/tiles";
    for (rest, status) in [
        ("WebMercatorQuad/14/0/0", 204),
        ("WebMercatorQuad/0/0/1", 404),
        ("WebMercatorQuad/23/0/0", 404),
        ("WebMercatorQuad/14/16384/0", 404),
        ("WebMercatorQuad/14/-1/0", 404),
        ("WebMercatorQuad/99999999999999999999/0/0", 404),
        ("WebMercatorQuad/a/0/0", 400),
        ("WebMercatorQuad/14/0/0.5", 400),
        ("WebMercatorQuad/14/0/0.pbf", 400),
        ("WorldCRS84Quad/0/0/0", 404),
        ("WorldCRS84Quad", 404),
    ] {
        let answer = city.get(&format!("{base}/{rest}")).await;
        assert_eq!(answer.status.as_u16(), status, "{rest}");
    }
    // Every layer can be asked for at every zoom, the whole world included.
    for layer in ["barrios", "vias", "sitios", "lotes", "postes", "ejes"] {
        for zoom in 0..=22 {
            let status = city.get(&path(layer, at(zoom))).await.status.as_u16();
            assert!([200, 204].contains(&status), "{layer} {zoom}: {status}");
        }
    }
}
