//! Archives of a small city, read back with the reader of the `pmtiles` crate.

#[allow(dead_code, reason = "some of it is for other tests")]
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Mutex;

use access::Caller;
use access::audit::{self, Wanted};
use async_trait::async_trait;
use bytes::Bytes;
use layers::{Layer, LayerId};
use pmtiles::{AsyncPmTilesReader, Compression, MmapBackend, TileType};
use tempfile::TempDir;
use tiles::archive::{self, ArchiveError, Contents, OneLayer, Progress, Report, Served, Source, Target};
use tiles::postgis::PostgisTiles;
use tiles::{Encoding, TileCoord, TileError, TileSource};

use crate::support::City;

/// Remembers what it was told: zooms, tiles that were promised and looked at.
#[derive(Default)]
struct Told(Mutex<Vec<(u8, u64, u64)>>);

impl Progress for Told {
    fn zoom(&self, zoom: u8, tiles: u64) {
        self.0.lock().unwrap().push((zoom, tiles, 0));
    }

    fn looked(&self) {
        self.0.lock().unwrap().last_mut().unwrap().2 += 1;
    }
}

struct Room {
    city: City,
    source: PostgisTiles,
    folder: TempDir,
}

impl Room {
    async fn new() -> Self {
        let city = City::new().await;
        let source = PostgisTiles::new(city.db.database().clone(), 2);
        Self { city, source, folder: TempDir::new().unwrap() }
    }

    async fn write(
        &self,
        layer: &Layer,
        zooms: RangeInclusive<u8>,
        target: Target<'_>,
    ) -> Result<Report, ArchiveError> {
        let source = OneLayer { tiles: &self.source, layer, caller: &Caller::ANONYMOUS };
        archive::write(&source, self.city.db.database(), &contents(layer, zooms), target, 2, &Told::default()).await
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn contents(layer: &Layer, zooms: RangeInclusive<u8>) -> Contents<'_> {
    Contents {
        name: "La ciudad",
        layers: std::slice::from_ref(layer),
        zooms,
        caller: &Caller::ANONYMOUS,
        by: &Caller::OPERATOR,
    }
}

fn to(path: &Path) -> Target<'_> {
    Target { path, overwrite: false }
}

async fn open(path: &Path) -> AsyncPmTilesReader<MmapBackend> {
    AsyncPmTilesReader::new_with_path(path).await.unwrap()
}

fn address(tile: TileCoord) -> pmtiles::TileCoord {
    pmtiles::TileCoord::new(tile.zoom(), tile.column(), tile.row()).unwrap()
}

/// Every tile of the zoom that the layer's extent touches, and those around.
fn around(layer: &Layer, zoom: u8) -> Vec<TileCoord> {
    let extent = layer.extent.unwrap();
    let first = TileCoord::holding(zoom, extent.west, extent.north).unwrap();
    let last = TileCoord::holding(zoom, extent.east, extent.south).unwrap();
    let rows = first.row().saturating_sub(1)..=last.row() + 1;
    let columns = first.column().saturating_sub(1)..=last.column() + 1;
    rows.flat_map(|row| columns.clone().map(move |column| (row, column)))
        .filter_map(|(row, column)| TileCoord::new(zoom.into(), row.into(), column.into()).ok())
        .collect()
}

async fn measured(city: &City, layer: &str) -> Layer {
    let mut transaction = city.db.database().loader().begin().await.unwrap();
    layers::catalog::refresh(crate::support::OPERATOR, &mut transaction, &layer.parse().unwrap(), true).await.unwrap();
    transaction.commit().await.unwrap();
    city.layer(layer).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_tile_by_tile_what_the_source_answers() {
    let room = Room::new().await;
    for (name, layers) in [("predios", &["predios", "labels"][..]), ("vias", &["vias"]), ("postes", &["postes"])] {
        let layer = measured(&room.city, name).await;
        let path = room.folder.path().join(name);
        let (told, contents) = (Told::default(), contents(&layer, 3..=17));
        let source = OneLayer { tiles: &room.source, layer: &layer, caller: &Caller::ANONYMOUS };
        let report = archive::write(&source, room.city.db.database(), &contents, to(&path), 2, &told).await.unwrap();
        let told = told.0.into_inner().unwrap();
        assert_eq!(told.iter().map(|(zoom, ..)| *zoom).collect::<Vec<_>>(), (0..=17).collect::<Vec<_>>());
        assert!(told.iter().all(|(_, promised, looked)| promised == looked), "{told:?}");

        let wanted = Wanted { layer: Some(name.to_owned()), ..Wanted::default() };
        let rows = audit::search(&Caller::OPERATOR, room.city.db.database(), &wanted, 10).await.unwrap();
        let exports: Vec<_> = rows.iter().filter(|row| row.action == "export").collect();
        assert_eq!((exports.len(), exports[0].account_name.as_str()), (1, "operator"), "{rows:?}");

        let reader = open(&path).await;
        let mut held = 0;
        for tile in (0..=17).flat_map(|zoom| around(&layer, zoom)) {
            let answered = room.source.tile(&Caller::ANONYMOUS, &layer, tile).await.unwrap();
            let answered = answered.filter(|_| tile.zoom() >= 3);
            let kept = reader.get_tile_decompressed(address(tile)).await.unwrap();
            assert!(kept == answered.map(|tile| tile.bytes), "{name} {tile:?}");
            held += u64::from(kept.is_some());
        }
        let header = reader.get_header();
        assert!(held > 30, "{held}");
        assert_eq!(report.tiles, held);
        assert_eq!(header.n_addressed_tiles().unwrap().get(), held);
        assert_eq!(report.bytes, std::fs::metadata(&path).unwrap().len());
        assert_eq!((header.min_zoom, header.max_zoom), (*report.zooms.start(), 17));
        assert_eq!((header.tile_type, header.tile_compression), (TileType::Mvt, Compression::Gzip));
        assert_eq!(header.internal_compression(), Compression::Gzip);
        assert!(header.clustered());
        let extent = layer.extent.unwrap();
        for (kept, expected) in [
            (header.min_longitude, extent.west),
            (header.min_latitude, extent.south),
            (header.max_longitude, extent.east),
            (header.max_latitude, extent.north),
        ] {
            assert!((kept - expected).abs() < 1e-6, "{kept} {expected}");
        }
        assert!(extent.contains(header.center_longitude, header.center_latitude));

        let metadata: serde_json::Value = serde_json::from_str(&reader.get_metadata().await.unwrap()).unwrap();
        assert_eq!(metadata["name"], "La ciudad");
        let described = metadata["vector_layers"].as_array().unwrap();
        assert_eq!(described.iter().map(|layer| layer["id"].as_str().unwrap()).collect::<Vec<_>>(), layers);
        assert_eq!(described[0]["maxzoom"], 17);
        assert_eq!(described[0]["fields"].as_object().unwrap().len(), 7);
    }
    assert_eq!(room.files().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_a_map_is_what_the_engine_serves_generalised_too() {
    let room = Room::new().await;
    room.city.fill_densely().await;
    let engine = crate::support::engine(&room.city).await;
    let ids: Vec<LayerId> = crate::support::KINDS.map(|name| name.parse().unwrap()).to_vec();
    let mut layers = Vec::new();
    for name in crate::support::KINDS {
        layers.push(measured(&room.city, name).await);
    }
    let path = room.folder.path().join("map");
    let contents =
        Contents { name: "El mapa", layers: &layers, zooms: 0..=14, caller: &Caller::ANONYMOUS, by: &Caller::OPERATOR };
    let source = Served { tiles: &engine, layers: &ids, caller: &Caller::ANONYMOUS };
    let database = room.city.db.database();
    let report = archive::write(&source, database, &contents, to(&path), 2, &Told::default()).await.unwrap();
    let reader = open(&path).await;
    let (mut held, mut generalised) = (0, 0);
    for tile in (0..=14).flat_map(|zoom| around(&layers[0], zoom)) {
        let answered = engine.encoded(&Caller::ANONYMOUS, &ids, tile, Encoding::Identity).await.unwrap();
        generalised += u32::from(answered.as_ref().is_some_and(|tile| tile.is_generalised));
        let kept = reader.get_tile_decompressed(address(tile)).await.unwrap();
        assert!(kept == answered.map(|tile| tile.bytes.clone()), "{tile:?}");
        held += u64::from(kept.is_some());
    }
    assert_eq!(report.tiles, held);
    assert!(generalised > 5, "{generalised}");
    let metadata: serde_json::Value = serde_json::from_str(&reader.get_metadata().await.unwrap()).unwrap();
    let described = metadata["vector_layers"].as_array().unwrap();
    let names: Vec<_> = described.iter().map(|layer| layer["id"].as_str().unwrap()).collect();
    assert_eq!(names, ["predios", "predios_labels", "vias", "postes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_small_for_the_tiles_above_is_in_those_below() {
    let room = Room::new().await;
    let crumb = "ST_Multi(ST_Translate(ST_SetSRID(ST_MakeEnvelope(0, 0, 0.4, 0.4), 9377), 4772388, 2068868))";
    room.city.write(format!("DELETE FROM geo.predios; INSERT INTO geo.predios (geom) VALUES ({crumb})")).await;
    let layer = measured(&room.city, "predios").await;
    let path = room.folder.path().join("crumb");
    let report = room.write(&layer, 0..=18, to(&path)).await.unwrap();
    assert!(*report.zooms.start() >= 15, "{report:?}");
    let extent = layer.extent.unwrap();
    let tile = TileCoord::holding(18, extent.west, extent.south).unwrap();
    assert!(open(&path).await.get_tile(address(tile)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_tiles_are_kept_once() {
    let room = Room::new().await;
    let square = "ST_Multi(ST_SetSRID(ST_MakeEnvelope(4750000, 2046000, 4756000, 2052000), 9377))";
    room.city.write(format!("DELETE FROM geo.predios; INSERT INTO geo.predios (geom) VALUES ({square})")).await;
    let layer = measured(&room.city, "predios").await;
    let path = room.folder.path().join("square");
    let report = room.write(&layer, 16..=16, to(&path)).await.unwrap();
    let reader = open(&path).await;
    let kept = reader.get_header().n_tile_contents().unwrap().get();
    assert!(report.tiles > 80 && kept <= report.tiles / 2, "{kept} of {report:?}");
    let mut held = 0;
    for tile in around(&layer, 16) {
        let answered = room.source.tile(&Caller::ANONYMOUS, &layer, tile).await.unwrap().map(|tile| tile.bytes);
        assert_eq!(reader.get_tile_decompressed(address(tile)).await.unwrap(), answered);
        held += u64::from(answered.is_some());
    }
    assert_eq!(held, report.tiles);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_and_leaves_nothing() {
    let room = Room::new().await;
    let layer = room.city.layer("postes").await;
    let path = room.folder.path().join("archive");
    let refused = room.write(&layer, RangeInclusive::new(9, 8), to(&path)).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Zooms { lowest: 9, highest: 8 }), "{refused}");
    let refused = room.write(&layer, 0..=23, to(&path)).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Zooms { .. }), "{refused}");
    let refused = room.write(&layer, 0..=8, to(room.folder.path())).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::NoFile(_)), "{refused}");
    let refused = room.write(&layer, 0..=8, to(&room.folder.path().join("none/archive"))).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Write { .. }), "{refused}");

    let mut hidden = layer.clone();
    hidden.definition.visibility = access::Visibility::Reservada;
    let refused = room.write(&hidden, 0..=8, to(&path)).await.unwrap_err();
    assert_eq!(refused.to_string(), "there is no layer postes");

    std::fs::write(&path, "precious").unwrap();
    let refused = room.write(&layer, 0..=8, to(&path)).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Exists(_)), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    let over = Target { path: &path, overwrite: true };
    room.city.write("DELETE FROM geo.vias".to_owned()).await;
    let refused = room.write(&room.city.layer("vias").await, 0..=8, over).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Empty { .. }), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");

    room.write(&layer, 0..=8, over).await.unwrap();
    assert_eq!(open(&path).await.get_header().max_zoom, 8);
    assert_eq!(room.files(), ["archive"]);
}

/// Tiles until the third, which fails or never comes.
struct Breaks<'a> {
    tiles: OneLayer<'a>,
    asked: Mutex<u8>,
    fails: bool,
}

#[async_trait]
impl Source for Breaks<'_> {
    async fn tile(&self, tile: TileCoord) -> Result<Option<Bytes>, TileError> {
        let asked = {
            let mut asked = self.asked.lock().unwrap();
            *asked += 1;
            *asked
        };
        match asked {
            3.. if self.fails => Err(TileError::Busy),
            3.. => std::future::pending().await,
            _ => self.tiles.tile(tile).await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_breaks_off_leaves_nothing() {
    let room = Room::new().await;
    let layer = room.city.layer("postes").await;
    let path = room.folder.path().join("archive");
    let (contents, database, told) = (contents(&layer, 14..=16), room.city.db.database(), Told::default());
    let tiles = || OneLayer { tiles: &room.source, layer: &layer, caller: &Caller::ANONYMOUS };

    let source = Breaks { tiles: tiles(), asked: Mutex::default(), fails: true };
    let refused = archive::write(&source, database, &contents, to(&path), 1, &told).await.unwrap_err();
    assert!(matches!(refused, ArchiveError::Tile(TileError::Busy)), "{refused}");
    assert!(room.files().is_empty(), "{:?}", room.files());

    let source = Breaks { tiles: tiles(), asked: Mutex::default(), fails: false };
    let third = async {
        while *source.asked.lock().unwrap() < 3 {
            tokio::task::yield_now().await;
        }
        room.files().len()
    };
    tokio::select! {
        outcome = archive::write(&source, database, &contents, to(&path), 1, &told) => panic!("{outcome:?}"),
        files = third => assert_eq!(files, 1),
    }
    assert!(room.files().is_empty(), "{:?}", room.files());
}
