//! Tiles of several collections at once, decoded by GDAL.

use std::process::Command;

use axum::http::StatusCode;
use serde_json::Value;
use tiles::TileCoord;

use crate::support::{City, link};

fn at(zoom: u8) -> TileCoord {
    TileCoord::holding(zoom, -75.2322, 4.4389).unwrap()
}

fn path(tile: TileCoord) -> String {
    format!("/tiles/WebMercatorQuad/{}/{}/{}", tile.zoom(), tile.row(), tile.column())
}

/// The names of a tile's layers, in their order, and of how many features each
/// is, as `ogrinfo` tells.
fn layers(bytes: &[u8], tile: TileCoord) -> Vec<(String, u64)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{}/{}", tile.zoom(), tile.column()));
    std::fs::create_dir_all(&path).unwrap();
    let file = path.join(format!("{}.pbf", tile.row()));
    std::fs::write(&file, bytes).unwrap();
    let output = Command::new("ogrinfo").args(["-al", "-so", "-oo", "CLIP=NO"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("Layer name: ")).map(str::to_owned);
    let counts =
        text.lines().filter_map(|line| line.strip_prefix("Feature Count: ")).map(|count| count.parse().unwrap());
    names.zip(counts).collect()
}

#[tokio::test]
async fn a_tile_of_the_dataset_holds_every_public_layer() {
    let city = City::new().await;
    let all = city.get(&path(at(15))).await;
    assert_eq!(all.status, StatusCode::OK, "{}", String::from_utf8_lossy(&all.body));
    assert_eq!(all.header("content-type"), "application/vnd.mapbox-vector-tile");
    assert!(all.header("cache-control").contains("public") && all.header("etag").starts_with('"'));
    let found = layers(&all.body, at(15));
    let document = city.get("/collections").await.json();
    let ids: Vec<&str> = document["collections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|collection| collection["id"].as_str().unwrap())
        .collect();
    let features: Vec<&(String, u64)> = found.iter().filter(|(name, _)| !name.ends_with("_labels")).collect();
    let names: Vec<&str> = features.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ids, "in the catalogue's order, and none that is not public");
    assert!(found.iter().any(|(name, count)| name == "barrios_labels" && *count > 0), "{found:?}");
    for (name, count) in features {
        let alone = path(at(15)).replacen("/tiles", &format!("/collections/{name}/tiles"), 1);
        let alone = layers(&city.get(&alone).await.body, at(15));
        assert_eq!(alone.iter().find(|(layer, _)| layer == name).map(|(_, count)| count), Some(count), "{name}");
    }
    let same = city.get_with(&path(at(15)), &[("if-none-match", all.header("etag"))]).await;
    assert_eq!(same.status, StatusCode::NOT_MODIFIED);
    let gzip = city.get_with(&path(at(15)), &[("accept-encoding", "gzip")]).await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    let far = TileCoord::new(14, 0, 0).unwrap();
    assert_eq!(city.get(&path(far)).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn collections_says_which_and_in_which_order() {
    let city = City::new().await;
    for (asked, expected) in [
        ("vias,barrios", vec!["vias", "barrios", "barrios_labels"]),
        ("barrios,vias", vec!["barrios", "barrios_labels", "vias"]),
        ("sitios,sitios,vias,sitios", vec!["sitios", "vias"]),
        ("barrios", vec!["barrios", "labels"]),
    ] {
        let answer = city.get(&format!("{}?collections={asked}", path(at(15)))).await;
        assert_eq!(answer.status, StatusCode::OK, "{asked}");
        let names: Vec<String> = layers(&answer.body, at(15)).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{asked}");
        let set = city.get(&format!("/tiles/WebMercatorQuad?collections={asked}")).await.json();
        let described = set["layers"].as_array().unwrap().iter().map(|layer| layer["id"].as_str().unwrap());
        assert!(described.eq(expected.iter().copied().filter(|name| !name.ends_with("labels"))), "{asked}");
        let tilejson = city.get(&format!("/tiles/WebMercatorQuad?f=tilejson&collections={asked}")).await.json();
        let told: Vec<&str> =
            tilejson["vector_layers"].as_array().unwrap().iter().map(|layer| layer["id"].as_str().unwrap()).collect();
        assert_eq!(told, expected, "{asked}");
        let template = tilejson["tiles"][0].as_str().unwrap();
        let tile = at(15);
        let address = template
            .replace("{z}", &tile.zoom().to_string())
            .replace("{y}", &tile.row().to_string())
            .replace("{x}", &tile.column().to_string());
        assert_eq!(city.follow(&address).await.body, answer.body, "{asked}");
    }
    let plain = city.get(&format!("{}?collections=vias", path(at(15)))).await;
    let alone = path(at(15)).replacen("/tiles", "/collections/vias/tiles", 1);
    assert_eq!(city.get(&alone).await.header("etag"), plain.header("etag"), "one alone is its own tile");
}

#[tokio::test]
async fn what_cannot_be_asked_of_the_dataset_is_named() {
    let city = City::new().await;
    let many = vec!["vias"; 64].join(",");
    let unknown: Vec<String> = (0..65).map(|number| format!("capa_{number}")).collect();
    let tile = path(at(15));
    assert_eq!(city.get(&format!("{tile}?collections={many}")).await.status, StatusCode::OK, "each counts once");
    for place in [tile.as_str(), "/tiles/WebMercatorQuad"] {
        for (query, parameter, said) in [
            ("collections=".to_owned(), "collections", ""),
            ("collections=vias,,barrios".to_owned(), "collections", ""),
            ("collections=nada".to_owned(), "collections", "no collection \"nada\""),
            ("collections=vias,expedientes".to_owned(), "collections", "no collection \"expedientes\""),
            ("collections=vias,personas".to_owned(), "collections", "no collection \"personas\""),
            (format!("collections={}", unknown.join(",")), "collections", "64 collections at most"),
            ("collections=vias&collections=barrios".to_owned(), "collections", "more than once"),
            ("filter=true".to_owned(), "filter", "no parameter"),
            ("collections=vias&filter=true&filter-lang=cql2-text".to_owned(), "filter", "no parameter"),
        ] {
            let answer = city.get(&format!("{place}?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{place}?{query}: {}", answer.text());
            let problem = answer.json();
            assert_eq!(problem["parameter"], parameter, "{query}");
            assert!(problem["detail"].as_str().unwrap().contains(said), "{query}: {problem}");
        }
    }
    for (rest, status) in [
        ("/tiles/WebMercatorQuad/0/0/1", 404),
        ("/tiles/WebMercatorQuad/23/0/0", 404),
        ("/tiles/WebMercatorQuad/a/0/0", 400),
        ("/tiles/Nada/0/0/0", 404),
        ("/tiles/Nada", 404),
        ("/tiles?f=xml", 400),
    ] {
        assert_eq!(city.get(rest).await.status.as_u16(), status, "{rest}");
    }
}

#[tokio::test]
async fn the_dataset_leads_to_its_tiles() {
    let city = City::new().await;
    let landing = city.get("/").await.json();
    let list =
        city.follow(link(&landing, "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector").unwrap()).await.json();
    let entry = &list["tilesets"][0];
    assert_eq!((&entry["dataType"], &entry["crs"].is_string()), (&Value::from("vector"), &true));
    let set = city.follow(link(entry, "self").unwrap()).await.json();
    assert!(set["layers"].as_array().unwrap().len() > 5);
    let scheme = link(&set, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme").unwrap();
    assert_eq!(city.follow(scheme).await.json()["id"], "WebMercatorQuad");
    let item = set["links"].as_array().unwrap().iter().find(|link| link["rel"] == "item").unwrap();
    assert_eq!((&item["templated"], &item["type"]), (&true.into(), &"application/vnd.mapbox-vector-tile".into()));
    let tile = at(14);
    let address = item["href"].as_str().unwrap();
    let address = address
        .replace("{tileMatrix}", &tile.zoom().to_string())
        .replace("{tileRow}", &tile.row().to_string())
        .replace("{tileCol}", &tile.column().to_string());
    assert_eq!(city.follow(&address).await.status, StatusCode::OK);
    for set in list["tilesets"].as_array().unwrap() {
        let set = city.follow(link(set, "self").unwrap()).await.json();
        let scheme =
            city.follow(link(&set, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme").unwrap()).await.json();
        let far = format!("/tiles/{}/0/0/0?collections=barrios,sitios,lotes", scheme["id"].as_str().unwrap());
        let status = city.get(&far).await.status.as_u16();
        assert!([200, 204].contains(&status), "{far}: {status}");
    }
    let elsewhere = city.get("/tiles/WorldCRS84Quad?f=tilejson").await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND, "TileJSON has no other set");
    let classes = city.get("/conformance").await.json()["conformsTo"].to_string();
    for class in ["ogcapi-tiles-1/1.0/conf/dataset-tilesets", "ogcapi-tiles-1/1.0/conf/collections-selection"] {
        assert!(classes.contains(class), "{class}");
    }
    let page = city.get("/tiles/WebMercatorQuad?f=html&lang=en").await.text();
    assert!(page.contains("<code>barrios</code>") && !page.contains("expedientes"));
}
