//! The engine beside PostGIS: the same features, attributes and, within a
//! unit, geometries; also after random changes.
#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::Caller;
use geo::{Area, Distance, Euclidean, Geometry, LineString, Point};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use tiles::engine::IndexedTiles;
use tiles::postgis::PostgisTiles;
use tiles::{TileCoord, TileSource, View};
use tokio::task::JoinSet;

use self::support::{City, Drawn, OPERATOR, decode};

const KINDS: [&str; 3] = ["predios", "vias", "postes"];

/// An engine whose indexes are kept until it is dropped.
struct Engine {
    tiles: Arc<IndexedTiles>,
    _keeper: JoinSet<()>,
}

impl Deref for Engine {
    type Target = IndexedTiles;

    fn deref(&self) -> &IndexedTiles {
        &self.tiles
    }
}

/// The engine of a city, its indexes built.
async fn engine(city: &City) -> Engine {
    let engine = engine_within(city, 1 << 30);
    eventually(async || engine.size().features == city.features().await).await;
    engine
}

/// One whose indexes take no more than `budget` bytes; they are being built.
fn engine_within(city: &City, budget: usize) -> Engine {
    let tiles = Arc::new(IndexedTiles::new(city.db.database().clone(), 2, budget));
    let (kept, database) = (tiles.clone(), city.db.database().clone());
    let mut keeper = JoinSet::new();
    keeper.spawn(async move { kept.keep(OPERATOR, &database).await });
    Engine { tiles, _keeper: keeper }
}

async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within a minute");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn drawn(source: &dyn TileSource, city: &City, layer: &str, tile: TileCoord) -> Vec<Drawn> {
    let layer = city.layer(layer).await;
    let found = source.tile(Caller::Anonymous, &layer, tile, &View::whole(&layer)).await.unwrap();
    found.map(|found| decode(&found.bytes, tile)).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_are_those_of_st_asmvt() {
    let city = City::new().await;
    let (engine, postgis) = (engine(&city).await, PostgisTiles::new(city.db.database().clone(), 2));
    let mut compared = 0;
    for layer in KINDS {
        for tile in City::tiles(15..=20) {
            let ours = drawn(&*engine, &city, layer, tile).await;
            let theirs = drawn(&postgis, &city, layer, tile).await;
            compared += compare(&ours, &theirs, &format!("{layer} {tile:?}"));
        }
    }
    assert!(compared > 1_000, "{compared} features compared");
}

/// The same features, but for those under a square unit; equal attributes;
/// geometries within a unit of each other. Ours are valid.
fn compare(ours: &[Drawn], theirs: &[Drawn], place: &str) -> usize {
    for (one, other, whose) in [(ours, theirs, "ours"), (theirs, ours, "theirs")] {
        for drawn in one {
            let found = other.iter().any(|other| other.key() == drawn.key());
            assert!(found || is_tiny(&drawn.geometry), "{place}: only {whose}: {drawn:?}");
        }
    }
    for one in ours {
        assert!(one.is_valid, "{place}: {one:?}");
        let Some(other) = theirs.iter().find(|other| other.key() == one.key()) else { continue };
        assert_eq!(one.attributes, other.attributes, "{place}");
        for (geometry, other) in [(&one.geometry, &other.geometry), (&other.geometry, &one.geometry)] {
            let far = farthest(geometry, other);
            assert!(far <= 1.5, "{place} {:?}: {far} units apart\n{geometry:?}\n{other:?}", one.key());
        }
        let (area, other_area) = (one.geometry.unsigned_area(), other.geometry.unsigned_area());
        let slack = 2.0 + outline(&one.geometry);
        assert!((area - other_area).abs() <= slack, "{place} {:?}: {area} {other_area}", one.key());
    }
    ours.len()
}

/// Whether a geometry covers less than a square unit, or is thinner than a
/// unit, so that snapping one way or the other leaves it or not.
fn is_tiny(geometry: &Geometry) -> bool {
    let area = geometry.unsigned_area();
    area < 1.0 || 2.0 * area <= outline(geometry)
}

fn paths(geometry: &Geometry) -> Vec<LineString> {
    match geometry {
        Geometry::Polygon(polygon) => std::iter::once(polygon.exterior()).chain(polygon.interiors()).cloned().collect(),
        Geometry::MultiPolygon(polygons) => {
            polygons.iter().flat_map(|polygon| paths(&polygon.clone().into())).collect()
        }
        Geometry::LineString(line) => vec![line.clone()],
        Geometry::MultiLineString(lines) => lines.0.clone(),
        Geometry::Point(point) => vec![LineString::from(vec![*point, *point])],
        Geometry::MultiPoint(points) => points.iter().map(|point| LineString::from(vec![*point, *point])).collect(),
        other => panic!("no tile holds {other:?}"),
    }
}

fn outline(geometry: &Geometry) -> f64 {
    use geo::Length;
    paths(geometry).iter().map(|path| Euclidean.length(path)).sum()
}

/// How far the farthest vertex of one is from the outline of the other. Not of
/// those on the clip's edge, outside of what is seen: an edge that runs almost
/// along it ends far from where another does that begins a unit beside.
fn farthest(one: &Geometry, other: &Geometry) -> f64 {
    let outline = paths(other);
    let vertices = paths(one).into_iter().flat_map(LineString::into_points);
    let seen = -60.0..=4096.0 + 60.0;
    vertices
        .filter(|vertex| seen.contains(&vertex.x()) && seen.contains(&vertex.y()))
        .map(|vertex: Point| outline.iter().map(|path| Euclidean.distance(&vertex, path)).fold(f64::INFINITY, f64::min))
        .fold(0.0, f64::max)
}

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
            let cut = async |source: &IndexedTiles| {
                source.tile(Caller::Anonymous, &layer, tile, &View::whole(&layer)).await.unwrap()
            };
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
async fn a_layer_that_is_removed_or_reserved_has_no_tiles() {
    let city = City::new().await;
    let engine = engine(&city).await;
    let tile = TileCoord::holding(16, support::CENTRE.0, support::CENTRE.1).unwrap();
    let layer = city.layer("vias").await;
    let ask = async || engine.tile(Caller::Anonymous, &layer, tile, &View::whole(&layer)).await;
    assert!(ask().await.unwrap().is_some());
    let before = engine.size().features;
    let vias = city.count("vias").await;
    let mut reserved = layer.definition.clone();
    reserved.visibility = access::Visibility::Reservada;
    reserved.legal_reason = "Ley 1712 de 2014, artículo 19".to_owned();
    layers::catalog::describe(OPERATOR, city.db.database(), &layer.id, &reserved).await.unwrap();
    eventually(async || engine.size().features == before - vias).await;
    let layer = city.layer("vias").await;
    let refused = engine.tile(Caller::Anonymous, &layer, tile, &View::whole(&layer)).await;
    assert!(matches!(refused, Err(tiles::TileError::UnknownLayer(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_room_is_cut_by_the_database() {
    let city = City::new().await;
    let engine = engine_within(&city, 100_000);
    eventually(async || engine.size().left_out > 0 && engine.size().features > 0).await;
    assert!(engine.size().bytes <= 100_000, "{:?}", engine.size());
    let postgis = PostgisTiles::new(city.db.database().clone(), 2);
    for layer in KINDS {
        for tile in City::tiles(16..=16) {
            let ours = drawn(&*engine, &city, layer, tile).await;
            compare(&ours, &drawn(&postgis, &city, layer, tile).await, layer);
        }
    }
}
