//! What the tile engine has, and has done.

use ::metrics::{counter, describe_counter, describe_gauge, gauge};
use ::tiles::engine::IndexedTiles;

const FEATURES: &str = "lindero_tile_index_features";
const BYTES: &str = "lindero_tile_index_bytes";
const FILE_BYTES: &str = "lindero_tile_index_file_bytes";
const LEFT_OUT: &str = "lindero_tile_index_layers_left_out";
const UNREADABLE: &str = "lindero_tile_index_unreadable_features";
const CACHED: &str = "lindero_tile_cache_tiles";
const CACHE_BYTES: &str = "lindero_tile_cache_bytes";
const LOOKED_UP: &str = "lindero_tile_cache_requests_total";
const CUT: &str = "lindero_tiles_cut_total";

pub(super) fn describe() {
    describe_gauge!(FEATURES, "Features of which tiles are cut in this process.");
    describe_gauge!(BYTES, "The process's own memory that the tile indexes take, about.");
    describe_gauge!(FILE_BYTES, "Files of the tile indexes, which are mapped: memory that the kernel manages.");
    describe_gauge!(LEFT_OUT, "Layers that found no room in the memory for tile indexes.");
    describe_gauge!(UNREADABLE, "Features that no tile holds, since their geometry cannot be on a map.");
    describe_gauge!(CACHED, "Tiles that are kept as they are sent.");
    describe_gauge!(CACHE_BYTES, "Memory of the tiles that are kept.");
    describe_counter!(LOOKED_UP, "Tiles that were looked for in the cache, by whether one that holds was there.");
    describe_counter!(CUT, "Tiles that were cut: whole, generalised, or by the database (each layer counts).");
}

/// Sets what is measured when asked.
pub(super) async fn measure(tiles: &IndexedTiles) {
    let size = tiles.size();
    gauge!(FEATURES).set(size.features as f64);
    gauge!(BYTES).set(size.bytes as f64);
    gauge!(FILE_BYTES).set(size.file_bytes as f64);
    gauge!(LEFT_OUT).set(size.left_out as f64);
    gauge!(UNREADABLE).set(size.unreadable as f64);
    let (cached, bytes) = tiles.kept().await;
    gauge!(CACHED).set(cached as f64);
    gauge!(CACHE_BYTES).set(bytes as f64);
    let counts = tiles.counts();
    counter!(LOOKED_UP, "outcome" => "hit").absolute(counts.hits);
    counter!(LOOKED_UP, "outcome" => "miss").absolute(counts.misses);
    counter!(CUT, "form" => "whole").absolute(counts.whole);
    counter!(CUT, "form" => "generalised").absolute(counts.generalised);
    counter!(CUT, "form" => "database").absolute(counts.database);
}
