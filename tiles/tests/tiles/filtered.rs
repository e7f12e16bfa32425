//! Tiles of the features for which a filter is true, and others that the
//! database cuts: under the same limits as those of the index.

use std::collections::BTreeSet;
use std::sync::Arc;

use access::Caller;
use geo::Area;
use layers::LayerId;
use layers::filter::{Filter, FilterLanguage};
use sqlx::AssertSqlSafe;
use tiles::engine::{EncodedTile, IndexedTiles, Limits};
use tiles::postgis::PostgisTiles;
use tiles::{Encoding, MOST_BYTES, TileCoord, TileError};

use crate::equal::compare;
use crate::support::{CENTRE, City, Drawn, KINDS, decode, drawn, st_asmvt};

/// An engine that keeps no index: all is asked of the database.
fn without_index(city: &City) -> IndexedTiles {
    IndexedTiles::new(city.db.database().clone(), Limits { at_once: 2, index_bytes: 0, cache_bytes: 0 }, None)
}

async fn filtered(
    engine: &IndexedTiles,
    city: &City,
    layer: &str,
    filter: &str,
    tile: TileCoord,
    encoding: Encoding,
) -> Option<Arc<EncodedTile>> {
    let layer = city.layer(layer).await;
    let filter = Filter::read(&Caller::ANONYMOUS, &layer, FilterLanguage::Text, filter).unwrap();
    engine.filtered(&Caller::ANONYMOUS, &layer, Some(&filter), None, tile, encoding).await.unwrap()
}

async fn ids(city: &City, layer: &str, condition: &str) -> BTreeSet<i64> {
    let sql = AssertSqlSafe(format!("SELECT fid FROM geo.{layer} WHERE {condition}"));
    sqlx::query_scalar(sql).fetch_all(city.db.database().app()).await.unwrap().into_iter().collect()
}

fn at(zoom: u8) -> TileCoord {
    TileCoord::holding(zoom, CENTRE.0, CENTRE.1).unwrap()
}

/// Its number: to GDAL, what has none has 0.
fn id(drawn: &Drawn) -> Option<i64> {
    drawn.id.filter(|id| *id != 0)
}

/// Without empty texts: GDAL has them for what others of the tile have.
fn without_empty(drawn: &mut Drawn) {
    drawn.attributes.retain(|_, value| value != "StringValue(\"\")");
}

fn only<'a>(drawn: &'a [Drawn], layer: &'a str) -> impl Iterator<Item = &'a Drawn> {
    drawn.iter().filter(move |drawn| drawn.layer == layer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_tile_is_that_of_the_features_that_match() {
    let city = City::new().await;
    let engine = without_index(&city);
    let mut compared = 0;
    for (filter, condition) in [
        ("uso = 'lote'", "uso = 'lote'"),
        ("uso IS NULL AND pisos BETWEEN -20 AND 20", "uso IS NULL AND pisos BETWEEN -20 AND 20"),
        ("NOT activo OR nombre LIKE '%3'", "NOT activo OR nombre LIKE '%3'"),
        ("visto < TIMESTAMP('2026-03-02T00:00:00Z')", "visto < '2026-03-02 00:00Z'"),
        (
            "S_INTERSECTS(geom, BBOX(-75.2340,4.4370,-75.2320,4.4400))",
            "ST_Intersects(geom, ST_Transform(ST_Segmentize(ST_MakeEnvelope(-75.2340,4.4370,-75.2320,4.4400,4326), 0.0005), 9377))",
        ),
    ] {
        for layer in KINDS {
            let matching = ids(&city, layer, condition).await;
            for tile in [at(8), at(11), at(13), at(14), at(15), at(16), at(18)] {
                let place = format!("{layer} {tile:?} {filter}");
                let found = filtered(&engine, &city, layer, filter, tile, Encoding::Identity).await;
                assert!(found.as_ref().is_none_or(|found| !found.is_generalised), "{place}");
                let mut ours = found.map(|found| decode(&found.bytes, tile)).unwrap_or_default();
                assert!(
                    only(&ours, "labels").all(|label| label.id.is_some_and(|id| matching.contains(&id))),
                    "{place}"
                );
                // Areas that nothing could show are drawn together.
                ours.retain(|drawn| drawn.layer == layer && id(drawn).is_some());
                ours.iter_mut().for_each(without_empty);
                let mut theirs = st_asmvt(&city, layer, tile).await;
                theirs.retain(|drawn| drawn.id.is_some_and(|id| matching.contains(&id)));
                theirs.iter_mut().for_each(without_empty);
                compared += compare(&ours, &theirs, &place);
            }
        }
    }
    assert!(compared > 1_000, "{compared} features compared");
    assert_eq!(filtered(&engine, &city, "predios", "pisos = 12345", at(15), Encoding::Gzip).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tile_of_the_database_is_too_large() {
    let city = City::new().await;
    city.fill_densely().await;
    let engine = without_index(&city);
    let layers: Vec<LayerId> = KINDS.iter().map(|name| name.parse().unwrap()).collect();
    for (layer, id) in KINDS.iter().zip(&layers) {
        let mut generalised = BTreeSet::new();
        for zoom in [0, 9, 10, 12, 14, 17] {
            let all = engine.encoded(&Caller::ANONYMOUS, std::slice::from_ref(id), at(zoom), Encoding::Gzip).await;
            let most = filtered(&engine, &city, layer, "NOT uso = 'plaza'", at(zoom), Encoding::Gzip).await;
            for found in [all.unwrap(), most].into_iter().flatten() {
                assert!(found.bytes.len() <= MOST_BYTES, "{layer} {zoom}: {} bytes", found.bytes.len());
                if found.is_generalised {
                    generalised.insert(zoom);
                }
            }
        }
        assert_eq!(generalised.contains(&10), *layer != "vias", "{layer} {generalised:?}");
        assert!(generalised.iter().all(|zoom| *zoom < 15), "{layer} {generalised:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_built_up_stays_visible_also_when_filtered() {
    let city = City::new().await;
    city.fill_densely().await;
    let engine = without_index(&city);
    for zoom in [7, 8, 10, 11, 12, 13] {
        let tile = at(zoom);
        let area: f64 = sqlx::query_scalar(
            "SELECT sum(ST_Area(ST_Intersection(geom, tile))) FROM geo.predios, \
             ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 64.0 / 4096), 9377) AS tile \
             WHERE geom && tile AND uso = 'casa'",
        )
        .bind(i32::from(zoom))
        .bind(tile.column() as i32)
        .bind(tile.row() as i32)
        .fetch_one(city.db.database().app())
        .await
        .unwrap();
        let found = filtered(&engine, &city, "predios", "uso = 'casa'", tile, Encoding::Identity).await.unwrap();
        let drawn = decode(&found.bytes, tile);
        let unit = tile.side() * CENTRE.1.to_radians().cos() / 4096.0;
        let covered: f64 = drawn.iter().map(|lot| lot.geometry.unsigned_area()).sum::<f64>() * unit * unit;
        let part = covered / area;
        assert!((0.8..1.25).contains(&part), "zoom {zoom}: {part} of the area in {} lots", drawn.len());
        assert!(drawn.iter().all(|lot| lot.is_valid), "zoom {zoom}");
        assert!(only(&drawn, "predios").all(|lot| lot.attributes["uso"].contains("casa")), "zoom {zoom}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_match_are_thinned_with_their_counts() {
    let city = City::new().await;
    city.fill_densely().await;
    let engine = without_index(&city);
    let all = ids(&city, "postes", "activo IS NULL").await.len();
    let found = filtered(&engine, &city, "postes", "activo IS NULL", at(9), Encoding::Identity).await.unwrap();
    assert!(found.is_generalised);
    let drawn = decode(&found.bytes, at(9));
    let count = |post: &Drawn| -> usize {
        let Some(text) = post.attributes.get("point_count") else { return 1 };
        assert_eq!(id(post), None, "what stands for several is none of them");
        text.rsplit('(').next().unwrap().trim_end_matches(')').parse().unwrap()
    };
    assert_eq!(drawn.iter().map(count).sum::<usize>(), all, "in {} points", drawn.len());
    assert!(drawn.len() < all / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_too_large_are_left_out_last() {
    let city = City::new().await;
    // Lots over each other, each with 200 kB that no compression makes less.
    city.write(format!(
        "INSERT INTO geo.predios (pisos, nombre, geom) SELECT 777, \
             (SELECT string_agg(md5((n * 10000 + k)::text), '') FROM generate_series(1, 6250) AS k), \
             ST_Multi(ST_Buffer(ST_Transform(ST_SetSRID(ST_MakePoint({}, {}), 4326), 9377), 10 + n)) \
         FROM generate_series(1, 60) AS n",
        CENTRE.0, CENTRE.1
    ))
    .await;
    let engine = without_index(&city);
    for zoom in [12, 17] {
        let found = filtered(&engine, &city, "predios", "pisos = 777", at(zoom), Encoding::Gzip).await.unwrap();
        assert!(found.bytes.len() <= MOST_BYTES && found.is_generalised, "{zoom}: {} bytes", found.bytes.len());
        let found = filtered(&engine, &city, "predios", "pisos = 777", at(zoom), Encoding::Identity).await.unwrap();
        assert!(only(&decode(&found.bytes, at(zoom)), "predios").count() >= 1, "{zoom}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_content_has_equal_tags_and_what_is_hidden_is_unknown() {
    let city = City::new().await;
    let (engine, other) = (without_index(&city), without_index(&city));
    let ask = async |engine| filtered(engine, &city, "postes", "uso = 'lote'", at(15), Encoding::Gzip).await.unwrap();
    let before = ask(&engine).await;
    assert_eq!(before.tag, ask(&other).await.tag);
    assert_ne!(before.tag, filtered(&engine, &city, "postes", "true", at(15), Encoding::Gzip).await.unwrap().tag);
    city.write("UPDATE geo.postes SET uso = 'lote'".to_owned()).await;
    assert_ne!(ask(&engine).await.tag, before.tag, "an edit is in the next tile");

    let mut layer = city.layer("postes").await;
    let filter = Filter::read(&Caller::ANONYMOUS, &layer, FilterLanguage::Text, "true").unwrap();
    layer.definition.visibility = access::Visibility::Reservada;
    let hidden = engine.filtered(&Caller::ANONYMOUS, &layer, Some(&filter), None, at(15), Encoding::Gzip).await;
    assert!(matches!(hidden, Err(TileError::UnknownLayer(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_draws_as_the_index_does() {
    let city = City::new().await;
    let postgis = PostgisTiles::new(city.db.database().clone(), 2);
    let engine = crate::support::engine(&city).await;
    for layer in KINDS {
        for zoom in [8, 12, 14] {
            let of = |mut drawn: Vec<Drawn>| {
                drawn.retain(|drawn| drawn.layer == layer && id(drawn).is_some());
                drawn
            };
            let theirs = of(drawn(&postgis, &city, layer, at(zoom)).await);
            compare(&of(drawn(&*engine, &city, layer, at(zoom)).await), &theirs, &format!("{layer} {zoom}"));
        }
    }
}

/// Names that the statement uses itself, or columns and rows of it have.
const OURS: [&str; 14] = [
    "area", "source", "sized", "ranked", "shown", "load", "placed", "drawn", "features", "tiles", "points", "labels",
    "named", "tile",
];

#[tokio::test(flavor = "multi_thread")]
async fn layers_and_attributes_may_be_called_as_what_the_statement_has() {
    let city = City::new().await;
    let engine = without_index(&city);
    for name in OURS {
        city.register_called(name, &OURS).await;
        let filter = format!("{name} = 'valor {name}'");
        for zoom in [8, 16] {
            let found = filtered(&engine, &city, name, &filter, at(zoom), Encoding::Identity).await;
            let drawn = decode(&found.unwrap_or_else(|| panic!("{name}: an empty tile at {zoom}")).bytes, at(zoom));
            // At the lowest zooms it is a crumb.
            let lot = only(&drawn, name).next().unwrap_or_else(|| panic!("{name} at {zoom}: {drawn:?}"));
            for attribute in OURS {
                assert!(
                    lot.attributes[attribute].contains(&format!("valor {attribute}")),
                    "{name} {attribute} {lot:?}"
                );
            }
        }
        let none = filtered(&engine, &city, name, &format!("{name} = 'otro'"), at(16), Encoding::Identity).await;
        assert_eq!(none, None, "{name}");
    }
}
