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
        ("WorldCRS84Quad/14/0/0", 204),
        ("WorldCRS84Quad/0/0/2", 404),
        ("WorldCRS84Quad/0/1/0", 404),
        ("WorldCRS84Quad/22/0/0", 404),
        ("MagnaOrigenNacional/14/0/0", 204),
        ("MagnaOrigenNacional/0/0/1", 404),
        ("MagnaOrigenNacional/19/0/0", 404),
        ("MagnaOrigenNacional/a/0/0", 400),
        ("WGS1984Quad/0/0/0", 404),
        ("WGS1984Quad", 404),
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

/// A filter as a parameter.
fn filter(text: &str) -> String {
    format!("?filter={}", percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC))
}

#[tokio::test]
async fn a_filtered_tile_holds_the_features_that_match() {
    let city = City::new().await;
    let mut admin = city.db.superuser().await;
    for (layer, table, key, text, condition) in [
        ("barrios", "geo.barrios", "fid", "estrato = 1", "estrato = 1"),
        ("barrios", "geo.barrios", "fid", "estrato IN (2,3) AND activo", "estrato IN (2, 3) AND activo"),
        ("vias", "geo.vias", "fid", "clase = 'local'", "clase = 'local'"),
        (
            "lotes",
            "catastro.lotes",
            "gid",
            "S_INTERSECTS(the_geom, BBOX(-75.2330,4.4380,-75.2315,4.4395))",
            "ST_Intersects(the_geom, ST_Transform(ST_Segmentize( \
                ST_MakeEnvelope(-75.2330, 4.4380, -75.2315, 4.4395, 4326), 0.0001), ST_SRID(the_geom)))",
        ),
    ] {
        for zoom in [14, 15, 17] {
            let tile = at(zoom);
            let all = decode(&city.get(&path(layer, tile)).await.body, tile, layer);
            let answer = city.get(&format!("{}{}", path(layer, tile), filter(text))).await;
            assert_eq!(answer.status, StatusCode::OK, "{text}: {}", String::from_utf8_lossy(&answer.body));
            let ids = |features: &[Value]| -> Vec<i64> {
                let mut ids: Vec<i64> =
                    features.iter().map(|feature| feature["properties"]["mvt_id"].as_i64().unwrap()).collect();
                ids.sort_unstable();
                ids
            };
            let sql = format!("SELECT {key}::bigint FROM {table} WHERE {condition}");
            let matching: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut admin).await.unwrap();
            let expected: Vec<i64> = ids(&all).into_iter().filter(|id| matching.contains(id)).collect();
            assert!(expected.len() < all.len(), "{layer} {zoom} {text}");
            assert_eq!(ids(&decode(&answer.body, tile, layer)), expected, "{layer} {zoom} {text}");
        }
    }
}

#[tokio::test]
async fn a_filtered_tile_is_answered_as_others_are() {
    let city = City::new().await;
    let plain = city.get(&path("barrios", at(15))).await;
    let address = format!("{}{}", path("barrios", at(15)), filter("estrato = 1"));
    let some = city.get(&address).await;
    assert_eq!(some.header("cache-control"), plain.header("cache-control"));
    assert_eq!(some.header("content-type"), "application/vnd.mapbox-vector-tile");
    assert!(some.header("vary").contains("accept-encoding"));
    assert_ne!(some.header("etag"), plain.header("etag"));
    let gzip = city.get_with(&address, &[("accept-encoding", "gzip")]).await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let same = city.get_with(&address, &[("if-none-match", some.header("etag"))]).await;
    assert_eq!((same.status, same.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let all = city.get(&format!("{}{}", path("barrios", at(15)), filter("geom IS NOT NULL"))).await;
    assert_eq!(all.header("etag"), plain.header("etag"), "the tag is of the content");
    let none = city.get(&format!("{}{}", path("barrios", at(15)), filter("estrato = 77"))).await;
    assert_eq!(none.status, StatusCode::NO_CONTENT);
    let json = "filter-lang=cql2-json&filter=%7B%22op%22:%22=%22,%22args%22:[%7B%22property%22:%22estrato%22%7D,1]%7D";
    let json = city.get(&format!("{}?{json}", path("barrios", at(15)))).await;
    assert_eq!(json.header("etag"), some.header("etag"));
    let alone = city.get(&format!("{}?filter-lang=cql2-json", path("barrios", at(15)))).await;
    assert_eq!(alone.header("etag"), plain.header("etag"), "a language without a filter is none");
}

#[tokio::test]
async fn a_wrong_filter_of_a_tile_is_named() {
    let city = City::new().await;
    let path = path("barrios", at(15));
    for (query, parameter, said) in [
        ("filter=", "filter", "character 1"),
        ("filter=estrato%20%3D", "filter", "character 10"),
        ("filter=nada%20%3D%201", "filter", "no property \"nada\""),
        ("filter=estrato%20%3D%20%27uno%27", "filter", "cannot be compared"),
        ("filter=true&filter=true", "filter", "more than once"),
        ("filter=true&filter-lang=cql", "filter-lang", "cql2-json"),
        ("filter=true&filter-crs=http://www.opengis.net/def/crs/EPSG/0/9377", "filter-crs", "CRS84"),
        ("filter=true&estrato=1", "estrato", "no parameter"),
    ] {
        let answer = city.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {}", answer.text());
        let problem = answer.json();
        assert_eq!(problem["parameter"], parameter, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{query}: {problem}");
    }
    for layer in ["expedientes", "personas", "nada"] {
        let answer = city.get(&format!("{}?filter=tipo%20%3D%201", self::path(layer, at(15)))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let overflow = city.get(&format!("{path}{}", filter("estrato ^ 999 > 1"))).await;
    assert_eq!(overflow.status, StatusCode::BAD_REQUEST, "{}", overflow.text());
}
