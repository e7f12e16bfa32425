//! Tiles that would be too large if they held everything as it is.

use std::io::Write;
use std::time::Duration;

use access::Caller;
use flate2::Compression;
use flate2::write::GzEncoder;
use geo::Area;
use tiles::engine::{IndexedTiles, Told};
use tiles::{MOST_BYTES, Tile, TileCoord, TileSource};
use tokio::time::timeout;

use crate::support::{CENTRE, City, KINDS, decode, engine, eventually};

async fn tile(source: &IndexedTiles, city: &City, layer: &str, tile: TileCoord) -> Option<Tile> {
    let layer = city.layer(layer).await;
    source.tile(&Caller::ANONYMOUS, &layer, tile).await.unwrap()
}

fn gzip_length(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().len()
}

fn at(zoom: u8) -> TileCoord {
    TileCoord::holding(zoom, CENTRE.0, CENTRE.1).unwrap()
}

/// A tile's side in metres on the ground at the city's latitude.
fn metres(tile: TileCoord) -> f64 {
    tile.side() * CENTRE.1.to_radians().cos()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tile_is_too_large() {
    let city = City::new().await;
    city.fill_densely().await;
    let engine = engine(&city).await;
    for layer in KINDS {
        let mut generalised = Vec::new();
        for zoom in 0..=20 {
            let Some(found) = tile(&engine, &city, layer, at(zoom)).await else { continue };
            let bytes = gzip_length(&found.bytes);
            assert!(bytes <= MOST_BYTES, "{layer} {zoom}: {bytes} bytes");
            if found.is_generalised {
                generalised.push(zoom);
            }
        }
        let expected = layer != "vias";
        assert_eq!(generalised.contains(&12), expected, "{layer} {generalised:?}");
        assert!(generalised.iter().all(|zoom| *zoom < 15), "{layer} {generalised:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_built_up_stays_visible() {
    let city = City::new().await;
    city.fill_densely().await;
    let engine = engine(&city).await;
    for zoom in 8..=12 {
        let (column, row) = (at(zoom).column() as i32, at(zoom).row() as i32);
        let area: f64 = sqlx::query_scalar(
            "SELECT sum(ST_Area(ST_Intersection(geom, tile))) FROM geo.predios, \
             ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 64.0 / 4096), 9377) AS tile WHERE geom && tile",
        )
        .bind(i32::from(zoom))
        .bind(column)
        .bind(row)
        .fetch_one(city.db.database().app())
        .await
        .unwrap();
        let found = tile(&engine, &city, "predios", at(zoom)).await.unwrap();
        let unit = metres(at(zoom)) / 4096.0;
        let drawn = decode(&found.bytes, at(zoom));
        let covered: f64 = drawn.iter().map(|lot| lot.geometry.unsigned_area()).sum::<f64>() * unit * unit;
        let part = covered / area;
        assert!((0.8..1.25).contains(&part), "zoom {zoom}: {part} of the area in {} lots", drawn.len());
        let invalid = drawn.iter().find(|lot| !lot.is_valid);
        assert!(invalid.is_none(), "zoom {zoom}: {invalid:?}");
        assert!(drawn.iter().any(|lot| lot.attributes.contains_key("uso")), "zoom {zoom}");
        let names = drawn.iter().filter(|lot| lot.layer == "predios").count();
        assert!(names > 100, "zoom {zoom}: {names}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn points_are_thinned_with_their_counts() {
    let city = City::new().await;
    city.fill_densely().await;
    let engine = engine(&city).await;
    let all = city.count("postes").await as i64;
    for zoom in [8, 10] {
        let found = tile(&engine, &city, "postes", at(zoom)).await.unwrap();
        assert!(found.is_generalised);
        let drawn = decode(&found.bytes, at(zoom));
        let count = |attributes: &std::collections::BTreeMap<String, String>| -> i64 {
            let Some(text) = attributes.get("point_count") else { return 1 };
            text.rsplit('(').next().unwrap().trim_end_matches(')').parse().unwrap()
        };
        let counted: i64 = drawn.iter().map(|post| count(&post.attributes)).sum();
        assert_eq!(counted, all, "zoom {zoom}: in {} points", drawn.len());
        assert!(drawn.len() < 5_000, "zoom {zoom}: {}", drawn.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_changes_they_are_those_of_an_index_built_anew() {
    let city = City::new().await;
    city.fill_densely().await;
    let followed = engine(&city).await;
    for change in [
        "UPDATE geo.predios SET geom = ST_Translate(geom, 400, 30) WHERE fid % 700 = 3",
        "DELETE FROM geo.predios WHERE fid % 900 = 5",
        "INSERT INTO geo.predios (nombre, uso, geom) SELECT 'nuevo', 'casa', \
             ST_Multi(ST_SetSRID(ST_MakeEnvelope(4752388 + n, 2048868, 4752388 + n + 30, 2048868 + 40), 9377)) \
             FROM generate_series(1, 5) AS n",
        "UPDATE geo.predios SET uso = 'plaza' WHERE fid % 800 = 7",
    ] {
        city.write(change.to_owned()).await;
        let anew = engine(&city).await;
        for zoom in [7, 9, 11, 12, 13, 14] {
            let wanted = tile(&anew, &city, "predios", at(zoom)).await;
            eventually(async || tile(&followed, &city, "predios", at(zoom)).await == wanted).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_when_the_features_show_it_and_again_when_the_levels_do() {
    let city = City::new().await;
    city.fill_densely().await;
    let followed = engine(&city).await;
    let mut changes = followed.changes(&Caller::ANONYMOUS, None);
    let before = tile(&followed, &city, "predios", at(12)).await.unwrap();
    assert!(before.is_generalised);
    let statement = "UPDATE geo.predios SET geom = ST_Translate(geom, 400, 30) WHERE fid % 700 = 3";
    city.write(statement.to_owned()).await;
    let anew = engine(&city).await;
    let wanted = tile(&anew, &city, "predios", at(12)).await.unwrap();
    let mut is_told_of_features = false;
    let generalised = loop {
        let told = timeout(Duration::from_mins(1), changes.next()).await.expect("it is told");
        // An index that was just built may be told of as a whole.
        let Told::Layers(layers) = told else { continue };
        let Some(change) = layers.into_iter().find(|change| change.layer.as_str() == "predios") else { continue };
        is_told_of_features |= !change.features.is_empty();
        if !change.generalised.is_empty() {
            break change.generalised;
        }
    };
    assert!(is_told_of_features);
    // At the first asking after it was told.
    assert_eq!(tile(&followed, &city, "predios", at(12)).await.unwrap(), wanted);
    let shown = at(12).extent(0.0).unwrap();
    assert!(generalised.iter().any(|place| place.intersection(shown).is_some()), "{generalised:?}");
}
