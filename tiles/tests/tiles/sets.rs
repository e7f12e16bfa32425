//! Tiles of the matrix sets that are not Web Mercator's.

use std::collections::{BTreeMap, BTreeSet};

use access::Caller;
use geo::{Area, CoordsIter};
use tiles::postgis::PostgisTiles;
use tiles::{Encoding, MOST_BYTES, MatrixSet, TileCoord};

use crate::equal::compare;
use crate::support::{CENTRE, City, Drawn, KINDS, drawn, engine, st_asmvt};

const SETS: [MatrixSet; 2] = [MatrixSet::WorldCrs84Quad, MatrixSet::MagnaOrigenNacional];
/// The city's centre in EPSG:9377, x before y.
const CENTRE_9377: [f64; 2] = [4_752_388.904, 2_048_868.316];

/// The tile of the set that holds the city's centre, at the scale of that zoom
/// of Web Mercator; `right` and `down` so many tiles away.
fn at(set: MatrixSet, scale: u8, right: i64, down: i64) -> TileCoord {
    let [x, y] = if set == MatrixSet::WorldCrs84Quad { [CENTRE.0, CENTRE.1] } else { CENTRE_9377 };
    let zoom = (0..=set.highest_zoom())
        .find(|zoom| TileCoord::of(set, (*zoom).into(), 0, 0).unwrap().scale_zoom() == scale)
        .unwrap();
    let ([left, top], side) = (set.corner(), set.side(zoom));
    let (row, column) = (((top - y) / side) as i64 + down, ((x - left) / side) as i64 + right);
    TileCoord::of(set, zoom.into(), row as u64, column as u64).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_are_those_of_st_asmvt_in_their_crs() {
    let city = City::new().await;
    let (engine, postgis) = (engine(&city).await, PostgisTiles::new(city.db.database().clone(), 2));
    for set in SETS {
        let mut compared = 0;
        for layer in KINDS {
            for scale in 8..=20 {
                for (right, down) in [(0, 0), (-1, 0), (1, 1)] {
                    let tile = at(set, scale, right, down);
                    let place = format!("{layer} {tile}");
                    let mut ours = drawn(&*engine, &city, layer, tile).await;
                    if scale >= 15 {
                        compare(&ours, &drawn(&postgis, &city, layer, tile).await, &place);
                    }
                    ours.retain(|drawn| drawn.layer == layer);
                    compared += compare(&ours, &st_asmvt(&city, layer, tile).await, &place);
                }
            }
        }
        assert!(compared > 5_000, "{set:?}: {compared} features compared");
    }
}

/// Points of each feature, in the units of a tile, that lie in a band. Not
/// those of squares of a unit, which stand for several that are too small: in
/// each tile for others.
fn within(drawn: &[Drawn], left: f64, band: (f64, f64)) -> BTreeMap<(String, Option<i64>), BTreeSet<[i64; 2]>> {
    let mut points = BTreeMap::new();
    for one in drawn.iter().filter(|one| (one.geometry.unsigned_area() - 1.0).abs() > 1e-9) {
        let here = one.geometry.coords_iter().map(|point| (point.x - left, point.y));
        let here = here.filter(|(x, y)| (band.0..=band.1).contains(x) && (-60.0..=4156.0).contains(y));
        let here: BTreeSet<[i64; 2]> = here.map(|(x, y)| [x as i64, y as i64]).collect();
        if !here.is_empty() {
            points.insert((one.layer.clone(), one.id), here);
        }
    }
    points
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_meet() {
    let city = City::new().await;
    let engine = engine(&city).await;
    for set in SETS {
        let mut shared = 0;
        for layer in KINDS {
            for scale in 15..=19 {
                for (right, down) in [(0, 0), (-1, 0), (0, 1)] {
                    let west = drawn(&*engine, &city, layer, at(set, scale, right, down)).await;
                    let east = drawn(&*engine, &city, layer, at(set, scale, right + 1, down)).await;
                    // What both draw around their common edge, but for labels,
                    // which are in one only, and for the clips' own corners.
                    let (mut west, mut east) =
                        (within(&west, 4096.0, (-60.0, 60.0)), within(&east, 0.0, (-60.0, 60.0)));
                    west.retain(|(layer, _), _| layer != "labels");
                    east.retain(|(layer, _), _| layer != "labels");
                    assert_eq!(west, east, "{layer} {set:?} {scale}");
                    shared += west.values().map(BTreeSet::len).sum::<usize>();
                }
            }
        }
        assert!(shared > 200, "{set:?}: {shared} points shared");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tile_is_too_large_and_what_is_built_up_stays_visible() {
    let city = City::new().await;
    city.fill_densely().await;
    let engine = engine(&city).await;
    let layers: Vec<_> = KINDS.iter().map(|name| name.parse().unwrap()).collect();
    for set in SETS {
        let mut generalised = 0;
        for scale in 4..=20 {
            let tile = at(set, scale, 0, 0);
            let all = engine.encoded(&Caller::ANONYMOUS, &layers, tile, Encoding::Gzip).await.unwrap();
            let Some(all) = all else { continue };
            assert!(all.bytes.len() <= MOST_BYTES, "{tile}: {}", all.bytes.len());
            generalised += u32::from(all.is_generalised);
            if !(8..=12).contains(&scale) {
                continue;
            }
            let bounds = tile.bounds();
            let srid = set.srid();
            let statement = sqlx::AssertSqlSafe(format!(
                "SELECT sum(ST_Area(ST_Intersection(ST_Transform(geom, {srid}), tile))) FROM geo.predios, \
                 ST_Expand(ST_MakeEnvelope($1, $2, $3, $4, {srid}), ($3 - $1) * 64 / 4096) AS tile \
                 WHERE ST_Transform(geom, {srid}) && tile"
            ));
            let statement = bounds.into_iter().fold(sqlx::query_scalar(statement), sqlx::query::QueryScalar::bind);
            let area: f64 = statement.fetch_one(city.db.database().app()).await.unwrap();
            let unit = tile.side() / 4096.0;
            let lots = drawn(&*engine, &city, "predios", tile).await;
            let covered: f64 = lots.iter().map(|lot| lot.geometry.unsigned_area()).sum::<f64>() * unit * unit;
            let part = covered / area;
            assert!((0.8..1.25).contains(&part), "{tile}: {part} of the area in {} lots", lots.len());
            assert!(lots.iter().all(|lot| lot.is_valid), "{tile}");
        }
        assert!(generalised > 3, "{set:?}: {generalised}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tile_of_one_set_is_not_taken_for_that_of_another() {
    let city = City::new().await;
    let engine = engine(&city).await;
    let layers = ["predios".parse().unwrap()];
    let national = at(MatrixSet::MagnaOrigenNacional, 16, 0, 0);
    let (zoom, row, column) = (national.zoom().into(), national.row().into(), national.column().into());
    let mercator = TileCoord::new(zoom, row, column).unwrap();
    let ask = async |tile| engine.encoded(&Caller::ANONYMOUS, &layers, tile, Encoding::Zstd).await.unwrap();
    assert!(ask(national).await.is_some() && ask(mercator).await.is_none());
    assert!(ask(national).await.is_some(), "from the cache");
    for outside in [(19, 0, 0), (0, 1, 0), (0, 0, 1)] {
        assert!(TileCoord::of(MatrixSet::MagnaOrigenNacional, outside.0, outside.1, outside.2).is_err());
    }
    assert!(TileCoord::of(MatrixSet::WorldCrs84Quad, 0, 0, 1).is_ok());
    let outside = TileCoord::of(MatrixSet::WorldCrs84Quad, 3, 0, 16).unwrap_err();
    assert!(outside.to_string().contains("columns 0 to 2 × 2^zoom - 1"), "{outside}");
}
