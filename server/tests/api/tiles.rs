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
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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
