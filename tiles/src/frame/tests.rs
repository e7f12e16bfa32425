use layers::crs::Transformation;
use proptest::prelude::*;

use super::*;
use crate::matrix_set::HALF;
use crate::world::place;

/// Latitude, longitude to northing, easting.
const GOLDEN: [(f64, f64, f64, f64); 2] =
    [(4.4389, -75.2322, 2_048_868.316, 4_752_388.904), (7.8939, -72.5078, 2_430_300.719, 5_054_232.907)];
/// A step of the national square, in metres.
const STEP: f64 = 2_560_000.0 / 4_294_967_296.0;

fn national() -> &'static National {
    National::get().unwrap()
}

/// Where the step lies in EPSG:9377, x before y.
fn metres([x, y]: [i64; 2]) -> [f64; 2] {
    [3_400_000.0 + x as f64 * STEP, 3_440_000.0 - y as f64 * STEP]
}

/// A place's longitude and latitude.
fn degrees(place: Place) -> [f64; 2] {
    let part = place.map(|step| f64::from(step) / 4_294_967_296.0);
    [part[0] * 360.0 - 180.0, ((0.5 - part[1]) * std::f64::consts::TAU).sinh().atan().to_degrees()]
}

fn mercator(longitude: f64, latitude: f64) -> Place {
    place(longitude / 180.0 * HALF, latitude.to_radians().tan().asinh() * 6_378_137.0)
}

#[test]
fn golden_values_hold_to_a_step_of_the_index() {
    for (latitude, longitude, northing, easting) in GOLDEN {
        let [x, y] = metres(national().project(mercator(longitude, latitude)));
        assert!((x - easting).abs() < 0.005 && (y - northing).abs() < 0.005, "{x} {y}");
    }
}

/// What is stated: within the area of use a place comes within 0.4 mm of where
/// PROJ has it, of which 0.3 mm are half a step of the national square: less
/// than a quarter of the least unit of a tile.
#[test]
fn between_the_nodes_it_is_proj_to_a_step() {
    let proj = Transformation::new("EPSG:4326", "EPSG:9377").unwrap();
    let mut greatest = 0.0_f64;
    // Six points or so of each cell: nodes are 0.18° apart.
    for row in 0..280 {
        for column in 0..250 {
            let place = mercator(-84.77 + f64::from(column) * 0.0716, -4.23 + f64::from(row) * 0.0705);
            let [longitude, latitude] = degrees(place);
            let (easting, northing) = proj.point(longitude, latitude).unwrap();
            let [x, y] = metres(national().project(place));
            greatest = greatest.max((x - easting).abs()).max((y - northing).abs());
        }
    }
    assert!(greatest < 0.000_4, "{greatest} m");
}

#[test]
fn the_area_of_a_unit_is_known_in_the_index() {
    let set = MatrixSet::WorldCrs84Quad;
    let north = TileCoord::of(set, 14, 3000, 4770).unwrap();
    let [_, south, _, top] = north.bounds();
    // Seconds are as long as Mercator's steps along, and shorter across.
    let across = f64::midpoint(south, top).to_radians().cos();
    let unit = f64::from(1 << (32 - 15 - 12));
    assert!((square(north) / (unit * unit / across) - 1.0).abs() < 1e-3, "{}", square(north));

    let ibague = TileCoord::of(MatrixSet::MagnaOrigenNacional, 11, 1112, 1081).unwrap();
    let [west, south, east, north] = ibague.bounds();
    assert!(west < 4_752_388.9 && east > 4_752_388.9 && south < 2_048_868.3 && north > 2_048_868.3);
    // As long as on the ground, within a hundredth: the index takes the earth for a sphere.
    let step = 2.0 * HALF / 4_294_967_296.0 * 4.4389_f64.to_radians().cos();
    let unit = ibague.side() / f64::from(EXTENT);
    let part = square(ibague) * step * step / (unit * unit);
    assert!((part - 1.0).abs() < 0.01, "{part}");
}

fn square(tile: TileCoord) -> f64 {
    let square = match Frame::of(tile).unwrap().grid {
        AnyGrid::Mercator(grid) => grid.square(),
        AnyGrid::Degrees(grid) => grid.square(),
        AnyGrid::National(grid) => grid.square(),
    };
    square.unwrap() as f64
}

fn tiles(set: MatrixSet) -> impl Strategy<Value = TileCoord> {
    (0..=set.highest_zoom(), any::<u32>(), any::<u32>()).prop_map(move |(zoom, row, column)| {
        let [columns, rows] = set.size(zoom);
        TileCoord::of(set, zoom.into(), (row % rows).into(), (column % columns).into()).unwrap()
    })
}

fn units(frame: &Frame, place: Place) -> [i32; 2] {
    match frame.grid {
        AnyGrid::Mercator(grid) => Grid::to_units(grid, place),
        AnyGrid::Degrees(grid) => grid.to_units(place),
        AnyGrid::National(grid) => grid.to_units(place),
    }
}

/// The place at which a point of a tile lies, in units from its corner.
fn place_at(frame: &Frame, x: f64, y: f64) -> Option<Place> {
    let point = |window: Window| {
        let [west, north, east, _] = window.edges(0.0);
        let unit = (east - west) / f64::from(EXTENT);
        [west + x * unit, north + y * unit]
    };
    let place = match frame.grid {
        AnyGrid::Mercator(window) => point(window),
        AnyGrid::Degrees(grid) => grid.projection.unproject(point(grid.window)),
        AnyGrid::National(grid) => grid.projection.unproject(point(grid.window)),
    };
    let within = place.iter().all(|step| (0.0..4_294_967_295.0).contains(step));
    within.then(|| place.map(|step| step.round() as u32))
}

fn any_tile() -> impl Strategy<Value = TileCoord> {
    prop_oneof![
        tiles(MatrixSet::WebMercatorQuad),
        tiles(MatrixSet::WorldCrs84Quad),
        tiles(MatrixSet::MagnaOrigenNacional)
    ]
}

proptest! {
    #[test]
    fn all_of_a_tile_lies_in_its_area(tile in any_tile(), x in -255.0..4351.0, y in -255.0..4351.0) {
        let frame = Frame::of(tile).unwrap();
        let area = frame.area(256);
        if let Some([x, y]) = place_at(&frame, x, y) {
            prop_assert!(area[0] <= x && x <= area[2] && area[1] <= y && y <= area[3], "{tile} {x} {y} {area:?}");
        }
    }

    #[test]
    fn the_way_back_is_the_way_there(tile in any_tile(), x in 0.0..4096.0, y in 0.0..4096.0) {
        let frame = Frame::of(tile).unwrap();
        if let Some(place) = place_at(&frame, x, y) {
            let [column, row] = units(&frame, place).map(f64::from);
            // Half a unit, and at the highest zooms steps, which are more.
            let step = 9.4e-3 / (tile.side() * tile.set().metres() / f64::from(EXTENT));
            let most = 0.6 + 1.5 * step;
            prop_assert!((column - x).abs() <= most && (row - y).abs() <= most, "{tile} {x} {column} {y} {row}");
        }
    }

    #[test]
    fn neighbours_agree_on_every_place(tile in any_tile(), x in 0.0..4096.0, y in 0.0..4096.0) {
        let frame = Frame::of(tile).unwrap();
        let [columns, rows] = tile.set().size(tile.zoom());
        let (row, column) = ((tile.row() + 1) % rows, (tile.column() + 1) % columns);
        let other = TileCoord::of(tile.set(), tile.zoom().into(), row.into(), column.into()).unwrap();
        if let Some(place) = place_at(&frame, x, y).filter(|_| row > 0 && column > 0) {
            let (ours, theirs) = (units(&frame, place), units(&Frame::of(other).unwrap(), place));
            prop_assert_eq!(ours.map(|unit| unit - 4096), theirs);
        }
    }

    #[test]
    fn longitude_and_latitude_are_those_of_the_place(longitude in -179.9..179.9, latitude in -85.0..85.0) {
        let [x, y] = Degrees::get().project(mercator(longitude, latitude)).map(|step| step as f64 / 4_294_967_296.0 * 360.0);
        // A step is 8.4e-8 degrees.
        prop_assert!((x - 180.0 - longitude).abs() < 5e-8 && (90.0 - y - latitude).abs() < 9e-8, "{x} {y}");
    }
}
