//! Attributes that enter later than their layer.

use std::collections::BTreeSet;

use access::Caller;
use layers::catalog;
use tiles::postgis::PostgisTiles;
use tiles::{Encoding, TileCoord};

use crate::support::{CENTRE, City, Drawn, Engine, OPERATOR, decode, drawn, engine, engine_in, eventually};

fn at(zoom: u8) -> TileCoord {
    TileCoord::holding(zoom, CENTRE.0, CENTRE.1).unwrap()
}

/// From that zoom on tiles hold the attribute.
async fn enter(city: &City, layer: &str, attribute: &str, zoom: u8) {
    let layer = city.layer(layer).await;
    let mut definition = layer.definition;
    definition.attributes.iter_mut().find(|known| known.name == attribute).unwrap().min_zoom = zoom;
    catalog::describe(OPERATOR, city.db.database(), &layer.id, &definition).await.unwrap();
}

fn names(drawn: &[Drawn]) -> BTreeSet<&str> {
    drawn.iter().flat_map(|feature| feature.attributes.keys().map(String::as_str)).collect()
}

async fn kept(engine: &Engine, tile: TileCoord) -> Vec<Drawn> {
    let layers = ["predios".parse().unwrap()];
    let found = engine.encoded(&Caller::ANONYMOUS, &layers, tile, Encoding::Identity).await.unwrap();
    decode(&found.unwrap().bytes, tile)
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_in_tiles_from_their_zoom_on() {
    let city = City::new().await;
    enter(&city, "predios", "area", 17).await;
    enter(&city, "predios", "nombre", 16).await;
    enter(&city, "predios", "pisos", 99).await;
    let (engine, postgis) = (engine(&city).await, PostgisTiles::new(city.db.database().clone(), 2));
    for zoom in 14..=18 {
        let ours = drawn(&*engine, &city, "predios", at(zoom)).await;
        let theirs = drawn(&postgis, &city, "predios", at(zoom)).await;
        for (drawn, whose) in [(&ours, "ours"), (&theirs, "theirs")] {
            let held = names(drawn);
            assert!(held.contains("uso") && !held.contains("pisos"), "{whose} {zoom} {held:?}");
            assert_eq!(held.contains("area"), zoom >= 17, "{whose} {zoom}");
            assert_eq!(held.contains("nombre"), zoom >= 16, "{whose} {zoom}");
            // The label goes with its attribute.
            assert_eq!(drawn.iter().any(|drawn| drawn.layer == "labels"), zoom >= 16, "{whose} {zoom}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_it_is_seen_and_no_tile_of_before_is_kept() {
    let city = City::new().await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_in(&city, folder.path()).await;
    let before = kept(&engine, at(16)).await;
    assert!(names(&before).contains("area"));
    enter(&city, "predios", "area", 17).await;
    eventually(async || !names(&kept(&engine, at(16)).await).contains("area")).await;
    assert!(names(&kept(&engine, at(17)).await).contains("area"));
    // Nor by a start: the file is of another description.
    drop(engine);
    enter(&city, "predios", "area", 18).await;
    let engine = engine_in(&city, folder.path()).await;
    assert!(!names(&kept(&engine, at(17)).await).contains("area"));
    assert!(names(&kept(&engine, at(18)).await).contains("area"));
}

#[tokio::test(flavor = "multi_thread")]
async fn generalised_tiles_know_it_too() {
    let city = City::new().await;
    city.fill_densely().await;
    enter(&city, "predios", "uso", 12).await;
    let engine = engine(&city).await;
    for (zoom, is_held) in [(9, false), (11, false), (12, true), (13, true)] {
        let drawn = kept(&engine, at(zoom)).await;
        assert!(drawn.len() > 100 && names(&drawn).contains("activo"), "{zoom}");
        assert_eq!(names(&drawn).contains("uso"), is_held, "{zoom}");
    }
}
