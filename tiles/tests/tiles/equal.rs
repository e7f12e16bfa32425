//! The engine beside PostGIS: the same features, attributes and, within a
//! unit, geometries.

use geo::{Area, Distance, Euclidean, Geometry, LineString, Point};
use tiles::postgis::PostgisTiles;

use crate::support::{City, Drawn, KINDS, drawn, engine, engine_within, eventually, st_asmvt};

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

#[tokio::test(flavor = "multi_thread")]
async fn from_afar_too_where_all_that_is_there_fits() {
    let city = City::new().await;
    let engine = engine(&city).await;
    let mut compared = 0;
    for layer in KINDS {
        for tile in City::tiles(6..=14) {
            let mut ours = drawn(&*engine, &city, layer, tile).await;
            ours.retain(|drawn| drawn.layer == layer);
            compared += compare(&ours, &st_asmvt(&city, layer, tile).await, &format!("{layer} {tile:?}"));
        }
    }
    assert!(compared > 1_000, "{compared} features compared");
}

/// The same features, but for those under a square unit; equal attributes;
/// geometries within a unit of each other. Ours are valid.
pub(crate) fn compare(ours: &[Drawn], theirs: &[Drawn], place: &str) -> usize {
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
        if is_tiny(&one.geometry) && is_tiny(&other.geometry) {
            continue;
        }
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
/// unit (when snapped, about), so that snapping one way or the other leaves it
/// or not.
fn is_tiny(geometry: &Geometry) -> bool {
    let area = geometry.unsigned_area();
    area < 1.0 || 2.0 * area <= 1.1 * outline(geometry)
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
