//! The tile matrix sets, and the tilesets that collections have in each.

use axum::http::StatusCode;
use serde_json::Value;
use tiles::MatrixSet;

use crate::support::City;

#[tokio::test]
async fn every_set_has_tiles_and_says_where_they_lie() {
    let city = City::new().await;
    let listed = city.get("/collections/barrios/tiles").await.json();
    let ids = city.get("/tileMatrixSets").await.json();
    for (number, set) in MatrixSet::ALL.into_iter().enumerate() {
        assert_eq!(ids["tileMatrixSets"][number]["id"], set.id());
        let definition = city.get(&format!("/tileMatrixSets/{}", set.id())).await.json();
        let tileset = city.get(&format!("/collections/barrios/tiles/{}", set.id())).await.json();
        for document in [&ids["tileMatrixSets"][number], &listed["tilesets"][number], &tileset] {
            assert_eq!(document["crs"], definition["crs"], "{document}");
        }
        assert_eq!(tileset["tileMatrixSetURI"], definition["uri"], "both or none");
        let link = |rel: &str| {
            let links = tileset["links"].as_array().unwrap();
            let link = links.iter().find(|link| link["rel"] == rel).unwrap();
            link["href"].as_str().unwrap().to_owned()
        };
        assert!(
            link("http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme").ends_with(&format!("/{}?f=json", set.id()))
        );
        assert_eq!(tileset["layers"][0]["maxTileMatrix"], set.highest_zoom().to_string());

        // Where the city's centre is, by the definition alone.
        let zoom = set.zoom_at_scale(15);
        let matrix = &definition["tileMatrices"][usize::from(zoom)];
        let number = |value: &Value| value.as_f64().unwrap();
        let [origin_x, origin_y] = match definition["orderedAxes"][0].as_str().unwrap() {
            "N" => [&matrix["pointOfOrigin"][1], &matrix["pointOfOrigin"][0]].map(number),
            _ => [&matrix["pointOfOrigin"][0], &matrix["pointOfOrigin"][1]].map(number),
        };
        let [x, y] = match set {
            MatrixSet::WebMercatorQuad => [-8_374_810.2, 494_628.5],
            MatrixSet::WorldCrs84Quad => [-75.2322, 4.4389],
            MatrixSet::MagnaOrigenNacional => [4_752_388.904, 2_048_868.316],
        };
        let side = number(&matrix["cellSize"]) * number(&matrix["tileWidth"]);
        let (row, column) = (((origin_y - y) / side).floor(), ((x - origin_x) / side).floor());
        let template = link("item");
        let path = template.find("/collections").map(|start| &template[start..]).unwrap();
        let [zoom, row, column] = [zoom.to_string(), row.to_string(), column.to_string()];
        let path = path.replace("{tileMatrix}", &zoom).replace("{tileRow}", &row).replace("{tileCol}", &column);
        let found = city.get_with(&path, &[("accept-encoding", "gzip")]).await;
        assert_eq!((found.status, found.header("content-encoding")), (StatusCode::OK, "gzip"), "{path}");
        let again = city.get_with(&path, &[("accept-encoding", "gzip"), ("if-none-match", found.header("etag"))]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
    }
}

#[tokio::test]
async fn tilejson_is_of_web_mercator_only() {
    let city = City::new().await;
    let tileset = "/collections/barrios/tiles/MagnaOrigenNacional";
    let refused = city.get(&format!("{tileset}?f=tilejson")).await;
    let not_acceptable = city.get_with(tileset, &[("accept", "application/tilejson+json")]).await;
    for (answer, status) in [(refused, StatusCode::NOT_FOUND), (not_acceptable, StatusCode::NOT_ACCEPTABLE)] {
        assert_eq!(answer.status, status);
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("WebMercatorQuad") && detail.contains("MagnaOrigenNacional"), "{detail}");
    }
    let either = city.get_with(tileset, &[("accept", "application/tilejson+json, application/json;q=0.5")]).await;
    assert_eq!(either.json()["crs"], "http://www.opengis.net/def/crs/EPSG/0/9377");
    assert_eq!(city.get(&format!("{tileset}?f=xml")).await.status, StatusCode::BAD_REQUEST);
}
