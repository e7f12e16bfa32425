//! The engine after changes.

use access::Caller;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use tiles::engine::IndexedTiles;
use tiles::{Encoding, TileCoord, TileSource};

use crate::support::{self, City, OPERATOR, engine, eventually};

/// One write to the layer of areas.
#[derive(Debug, Clone)]
enum Write {
    Insert(i64),
    Move(i64, f64),
    Rename(i64),
    Delete(i64),
    DeleteMany(i64),
    Truncate,
}

fn writes() -> impl Strategy<Value = Vec<Write>> {
    let one = prop_oneof![
        4 => (1..4_i64).prop_map(Write::Insert),
        4 => (0..200_i64, -300.0..300.0).prop_map(|(key, by)| Write::Move(key, by)),
        3 => (0..200_i64).prop_map(Write::Rename),
        3 => (0..200_i64).prop_map(Write::Delete),
        1 => (0..4_i64).prop_map(Write::DeleteMany),
        1 => Just(Write::Truncate),
    ];
    prop::collection::vec(one, 1..12)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_history_the_tiles_are_those_of_an_index_built_anew() {
    let city = City::new().await;
    let followed = engine(&city).await;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for round in 0..12 {
        let history = writes().new_tree(&mut runner).unwrap().current();
        for write in &history {
            city.write(write_sql(write)).await;
        }
        let anew = engine(&city).await;
        let layer = city.layer("predios").await;
        for tile in City::tiles(15..=16) {
            let cut = async |source: &IndexedTiles| source.tile(&Caller::ANONYMOUS, &layer, tile).await.unwrap();
            let wanted = cut(&anew).await;
            // What was built anew is as the table is; the other gets there.
            eventually(async || cut(&followed).await == wanted).await;
        }
        drop(anew);
        if round % 4 == 3 {
            city.fill().await;
        }
    }
}

fn write_sql(write: &Write) -> String {
    match write {
        Write::Insert(many) => format!(
            "INSERT INTO geo.predios (nombre, pisos, area, uso, geom) SELECT 'nuevo ' || n, n, n * 1.5, 'lote', \
             ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(4752388 + n * 37, 2048868 + {many} * 11), 9377), 20, 2)) \
             FROM generate_series(1, {many}) AS n"
        ),
        Write::Move(key, by) => {
            format!("UPDATE geo.predios SET geom = ST_Translate(geom, {by}, {by} / 2) WHERE fid % 200 = {key}")
        }
        Write::Rename(key) => format!("UPDATE geo.predios SET nombre = nombre || '!' WHERE fid % 200 = {key}"),
        Write::Delete(key) => format!("DELETE FROM geo.predios WHERE fid % 200 = {key}"),
        Write::DeleteMany(part) => format!("DELETE FROM geo.predios WHERE fid % 4 = {part}"),
        Write::Truncate => "TRUNCATE geo.predios".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_is_reserved_is_for_those_who_may_see_it() {
    let city = City::new().await;
    let engine = engine(&city).await;
    let tile = TileCoord::holding(16, support::CENTRE.0, support::CENTRE.1).unwrap();
    let layer = city.layer("vias").await;
    let ask =
        async |caller: &Caller| engine.encoded(caller, std::slice::from_ref(&layer.id), tile, Encoding::Gzip).await;
    let is_unknown = async || matches!(ask(&Caller::ANONYMOUS).await, Err(tiles::TileError::UnknownLayer(_)));
    assert!(ask(&Caller::ANONYMOUS).await.unwrap().is_some());
    let before = engine.size().features;
    let vias = city.count("vias").await;
    let mut reserved = layer.definition.clone();
    reserved.visibility = access::Visibility::Reservada;
    reserved.legal_reason = "Ley 1712 de 2014, artículo 19".to_owned();
    layers::catalog::describe(OPERATOR, city.db.database(), &layer.id, &reserved).await.unwrap();
    eventually(is_unknown).await;
    assert!(ask(OPERATOR).await.unwrap().is_some());
    assert_eq!(engine.size().features, before);

    // What tells of persons has no index: it stays in the database.
    reserved.subject = access::Subject::Dwellings;
    layers::catalog::describe(OPERATOR, city.db.database(), &layer.id, &reserved).await.unwrap();
    eventually(async || engine.size().features == before - vias).await;
    assert!(is_unknown().await && ask(OPERATOR).await.unwrap().is_some());

    layers::catalog::remove(OPERATOR, city.db.database(), &layer.id).await.unwrap();
    assert!(matches!(ask(OPERATOR).await, Err(tiles::TileError::UnknownLayer(_))));
}
