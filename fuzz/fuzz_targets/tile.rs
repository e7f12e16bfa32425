//! Whatever the features are: the tiles are MVT that another decoder reads,
//! within their bounds, their polygons valid.
#![no_main]

use arbitrary::Arbitrary;
use geo::Validation;
use geozero::ToGeo;
use geozero::mvt::Message;
use libfuzzer_sys::fuzz_target;
use lindero_fuzz::{Drawn, features, layer};
use tiles::engine::fuzzing::FuzzedIndex;
use tiles::{EXTENT, TileCoord};

#[derive(Debug, Arbitrary)]
struct Case {
    features: Vec<Drawn>,
    /// Zooms, and how many tiles to the side of the middle.
    tiles: Vec<(u8, i8, i8)>,
}

fuzz_target!(|case: Case| {
    let Some(index) = FuzzedIndex::new(layer(), &features(&case.features)) else { return };
    for (zoom, columns, rows) in case.tiles.iter().take(6) {
        let middle = TileCoord::holding(zoom % 23, -75.234_375, 4.433).expect("in the world");
        let beside = |index: u32, by: i8| u64::from(index.saturating_add_signed((by % 2).into()));
        let (row, column) = (beside(middle.row(), *rows), beside(middle.column(), *columns));
        let Ok(at) = TileCoord::new(middle.zoom().into(), row, column) else { continue };
        let Some(tile) = index.tile(at) else { continue };
        check(&tile.bytes, tile.is_generalised);
    }
});

fn check(bytes: &[u8], is_generalised: bool) {
    let tile = geozero::mvt::Tile::decode(bytes).expect("a tile");
    for layer in &tile.layers {
        assert_eq!((layer.version, layer.extent), (2, Some(EXTENT)));
        assert!(!layer.features.is_empty());
        for feature in &layer.features {
            assert!(feature.tags.len() % 2 == 0);
            for tag in feature.tags.chunks(2) {
                assert!((tag[0] as usize) < layer.keys.len() && (tag[1] as usize) < layer.values.len());
            }
            let geometry = feature.to_geo().expect("a geometry");
            within(&geometry);
            if !is_generalised || feature.r#type == Some(3) {
                assert!(geometry.is_valid() || !matches!(feature.r#type, Some(3)), "{geometry:?}: {:?}", geometry.validation_errors());
            }
        }
    }
}

fn within(geometry: &geo::Geometry<f64>) {
    use geo::CoordsIter;
    for coord in geometry.coords_iter() {
        let most = f64::from(EXTENT) + 256.0;
        assert!((-256.0..=most).contains(&coord.x) && (-256.0..=most).contains(&coord.y), "{coord:?}");
    }
}
