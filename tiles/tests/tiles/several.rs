//! Encoded tiles, of one layer and of several.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::Caller;
use layers::{GeometryType, LayerId};
use tiles::engine::{EncodedTile, IndexedTiles, Limits};
use tiles::{Encoding, MOST_BYTES, TileCoord, TileError};

use crate::support::{CENTRE, City, Engine, KINDS, decode, drawn, engine, engine_within, eventually};

fn at(zoom: u8) -> TileCoord {
    TileCoord::holding(zoom, CENTRE.0, CENTRE.1).unwrap()
}

fn ids(names: &[&str]) -> Vec<LayerId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

async fn encoded(engine: &Engine, names: &[&str], tile: TileCoord, encoding: Encoding) -> Option<Arc<EncodedTile>> {
    engine.encoded(&Caller::ANONYMOUS, &ids(names), tile, encoding).await.unwrap()
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
    let unknown = engine.encoded(&Caller::ANONYMOUS, &ids(&["vias", "nada"]), at(16), Encoding::Gzip).await;
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
async fn layers_without_an_index_are_in_it_too_under_the_same_limit() {
    let city = City::new().await;
    city.fill_densely().await;
    let whole = engine(&city).await;
    // Room for that of the lines, and for no other.
    let some = engine_within(&city, 200_000);
    eventually(async || some.size().left_out == 2 && some.has_index(&"vias".parse().unwrap())).await;
    let limits = Limits { at_once: 2, index_bytes: 0, cache_bytes: 0 };
    let none = IndexedTiles::new(city.db.database().clone(), limits, None);
    for zoom in [9, 11, 13, 16] {
        let layers = |tile: &EncodedTile| -> Vec<String> {
            let mut names: Vec<String> = decode(&tile.bytes, at(zoom)).into_iter().map(|drawn| drawn.layer).collect();
            names.dedup();
            names
        };
        for engine in [&some, &none] as [&IndexedTiles; 2] {
            let ask = async |encoding| {
                engine.encoded(&Caller::ANONYMOUS, &ids(&KINDS), at(zoom), encoding).await.unwrap().unwrap()
            };
            let bytes = ask(Encoding::Gzip).await.bytes.len();
            assert!(bytes <= MOST_BYTES, "{zoom}: {bytes}");
            let plain = ask(Encoding::Identity).await;
            let expected = encoded(&whole, &KINDS, at(zoom), Encoding::Identity).await.unwrap();
            let (found, expected) = (layers(&plain), layers(&expected));
            let without_labels = |names: Vec<String>| -> Vec<String> {
                names.into_iter().filter(|name| !name.ends_with("_labels")).collect()
            };
            assert_eq!(without_labels(found), without_labels(expected), "{zoom}: in their order");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_layers_that_are_each_light_are_not_too_large_together() {
    let city = City::new().await;
    let names: Vec<String> = (0..14).map(|number| format!("capa_{number}")).collect();
    for name in &names {
        city.register(name, GeometryType::Point).await;
        // Texts that no compression makes less, in one place.
        city.write(format!(
            "INSERT INTO geo.{name} (nombre, uso, area, geom) SELECT md5('{name}' || n), md5(n || '{name}'), n, \
             ST_Transform(ST_SetSRID(ST_MakePoint({} + 1e-6 * (n % 30), {} + 1e-6 * (n / 30)), 4326), 9377) \
             FROM generate_series(1, 1000) AS n",
            CENTRE.0, CENTRE.1
        ))
        .await;
    }
    let engine = engine_within(&city, 1 << 30);
    let ids: Vec<LayerId> = names.iter().map(|name| name.parse().unwrap()).collect();
    eventually(async || ids.iter().all(|id| engine.has_index(id))).await;
    let alone = encoded(&engine, &["capa_3"], at(15), Encoding::Gzip).await.unwrap();
    assert!(!alone.is_generalised && alone.bytes.len() * names.len() > MOST_BYTES, "{}", alone.bytes.len());
    for zoom in [3, 15, 20] {
        let ask = async |encoding| engine.encoded(&Caller::ANONYMOUS, &ids, at(zoom), encoding).await.unwrap().unwrap();
        let found = ask(Encoding::Gzip).await;
        assert!(found.bytes.len() <= MOST_BYTES && found.is_generalised, "{zoom}: {}", found.bytes.len());
        let drawn = decode(&ask(Encoding::Identity).await.bytes, at(zoom));
        for name in &names {
            assert!(drawn.iter().any(|drawn| drawn.layer == *name), "{zoom}: {name} is left out");
        }
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
    assert_eq!((engine.counts().hits, engine.counts().misses), (0, 2));
    assert!(Arc::ptr_eq(&before, &ask(here).await), "kept");
    assert_eq!((engine.counts().hits, engine.counts().misses, engine.counts().whole), (1, 2, 2));
    let (tiles, bytes) = engine.kept().await;
    assert!(tiles == 2 && bytes > (before.bytes.len() + beside.bytes.len()) as u64, "{tiles} {bytes}");
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
