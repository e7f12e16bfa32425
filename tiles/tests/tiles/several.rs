//! Encoded tiles, of one layer and of several.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::Caller;
use layers::LayerId;
use tiles::engine::EncodedTile;
use tiles::{Encoding, MOST_BYTES, TileCoord, TileError};

use crate::support::{CENTRE, City, Engine, KINDS, decode, drawn, engine, eventually};

fn at(zoom: u8) -> TileCoord {
    TileCoord::holding(zoom, CENTRE.0, CENTRE.1).unwrap()
}

fn ids(names: &[&str]) -> Vec<LayerId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

async fn encoded(engine: &Engine, names: &[&str], tile: TileCoord, encoding: Encoding) -> Option<Arc<EncodedTile>> {
    engine.encoded(Caller::Anonymous, &ids(names), tile, encoding).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_layers_are_in_one_tile() {
    let city = City::new().await;
    let engine = engine(&city).await;
    let found = encoded(&engine, &KINDS, at(16), Encoding::Identity).await.unwrap();
    let together = decode(&found.bytes, at(16));
    let names: BTreeSet<&str> = together.iter().map(|drawn| drawn.layer.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["postes", "predios", "predios_labels", "vias"]));
    for layer in KINDS {
        let alone =
            drawn(&*engine, &city, layer, at(16)).await.into_iter().filter(|drawn| drawn.layer == layer).count();
        assert_eq!(together.iter().filter(|drawn| drawn.layer == layer).count(), alone, "{layer}");
    }
    let unknown = engine.encoded(Caller::Anonymous, &ids(&["vias", "nada"]), at(16), Encoding::Gzip).await;
    assert!(matches!(unknown, Err(TileError::UnknownLayer(id)) if id.as_str() == "nada"));
}

#[tokio::test(flavor = "multi_thread")]
async fn together_they_are_not_too_large_either() {
    let city = City::new().await;
    city.fill_densely().await;
    let engine = engine(&city).await;
    for zoom in 0..=18 {
        let Some(found) = encoded(&engine, &KINDS, at(zoom), Encoding::Gzip).await else { continue };
        assert!(found.bytes.len() <= MOST_BYTES, "{zoom}: {}", found.bytes.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_drops_the_tiles_that_it_touches_and_no_others() {
    let city = City::new().await;
    let engine = engine(&city).await;
    let (here, there) =
        (at(17), TileCoord::new(17, u64::from(at(17).row()) + 2, u64::from(at(17).column()) + 1).unwrap());
    let ask = async |tile| encoded(&engine, &["postes", "predios"], tile, Encoding::Gzip).await.unwrap();
    let (before, beside) = (ask(here).await, ask(there).await);
    assert!(Arc::ptr_eq(&before, &ask(here).await), "kept");
    city.write(format!(
        "INSERT INTO geo.predios (nombre, geom) SELECT 'nuevo', ST_Multi(ST_Buffer(ST_Transform(ST_SetSRID( \
         ST_MakePoint({}, {}), 4326), 9377), 3))",
        CENTRE.0, CENTRE.1
    ))
    .await;
    eventually(async || ask(here).await.tag != before.tag).await;
    assert!(Arc::ptr_eq(&beside, &ask(there).await), "what was not touched is kept");
    assert_ne!(ask(here).await.tag, encoded(&engine, &["postes", "predios"], here, Encoding::Zstd).await.unwrap().tag);
}
