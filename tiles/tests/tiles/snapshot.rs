//! Indexes as files.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::equal::compare;
use crate::support::{City, KINDS, OPERATOR, drawn, engine_in, eventually};
use tiles::TileCoord;
use tiles::engine::{Files, IndexedTiles, Limits};
use tiles::postgis::PostgisTiles;

/// Which file it is: another one is there when it was written anew.
fn identity(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).ok().map(|metadata| metadata.ino())
}

async fn compare_all(engine: &tiles::engine::IndexedTiles, city: &City) {
    let postgis = PostgisTiles::new(city.db.database().clone(), 2);
    for layer in KINDS {
        for tile in City::tiles(15..=17) {
            let ours = drawn(engine, city, layer, tile).await;
            compare(&ours, &drawn(&postgis, city, layer, tile).await, &format!("{layer} {tile:?}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_goes_on_from_them() {
    let city = City::new().await;
    let folder = tempfile::tempdir().unwrap();
    let files = KINDS.map(|layer| folder.path().join(format!("{layer}.tiles")));
    drop(engine_in(&city, folder.path()).await);
    let written = files.clone().map(|file| identity(&file).expect("a file"));
    // What changes while nobody follows.
    city.write("UPDATE geo.predios SET geom = ST_Translate(geom, 25, 9) WHERE fid % 50 = 3".to_owned()).await;
    city.write("DELETE FROM geo.vias WHERE fid % 10 = 1".to_owned()).await;
    let engine = engine_in(&city, folder.path()).await;
    assert!(engine.size().file_bytes > 0);
    compare_all(&engine, &city).await;
    assert_eq!(files.map(|file| identity(&file).unwrap()), written, "read, not written anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_whole_is_built_anew() {
    let city = City::new().await;
    let folder = tempfile::tempdir().unwrap();
    drop(engine_in(&city, folder.path()).await);
    let path = folder.path().join("predios.tiles");
    let whole = fs::read(&path).unwrap();
    let edit = |at: u64, bytes: &[u8]| {
        fs::write(&path, &whole).unwrap();
        let mut file = OpenOptions::new().write(true).open(&path).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(bytes).unwrap();
    };
    let length = whole.len() as u64;
    let cases: Vec<Box<dyn Fn()>> = vec![
        Box::new(|| fs::write(&path, b"").unwrap()),
        Box::new(|| fs::write(&path, &whole[..20]).unwrap()),
        Box::new(|| fs::write(&path, &whole[..whole.len() / 2]).unwrap()),
        Box::new(|| edit(8, &99_u32.to_le_bytes())),
        Box::new(|| edit(30, b"!!!")),
        Box::new(|| edit(length / 2, &[whole[whole.len() / 2] ^ 1])),
        Box::new(|| edit(length - 1, &[whole[whole.len() - 1] ^ 128])),
    ];
    for (number, spoil) in cases.iter().enumerate() {
        spoil();
        let spoiled = fs::read(&path).unwrap();
        let engine = engine_in(&city, folder.path()).await;
        eventually(async || fs::read(&path).unwrap() != spoiled).await;
        compare_all(&engine, &city).await;
        assert!(engine.size().file_bytes > 0, "case {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_says_which_layers_have_none() {
    let city = City::new().await;
    let folder = tempfile::tempdir().unwrap();
    let look = || Files::look(folder.path()).unwrap().unwrap();
    let within = |index_bytes: usize| {
        let limits = Limits { at_once: 2, index_bytes, cache_bytes: 0 };
        IndexedTiles::new(city.db.database().clone(), limits, Some(folder.path().to_owned()))
    };
    let start = async |engine: IndexedTiles| {
        let keep = engine.keep(OPERATOR, city.db.database());
        tokio::select! { () = keep => unreachable!("it goes on for ever"), () = engine.ready() => {} }
    };
    assert_eq!(Files::look(&folder.path().join("nothing")).unwrap(), None);
    start(within(1_000)).await;
    let files = look();
    let names: Vec<&str> = files.without.iter().map(|(layer, _)| layer.as_str()).collect();
    assert_eq!(names, ["postes", "predios", "vias"]);
    assert!(files.without.iter().all(|(_, why)| why.contains("more memory than the 1000 bytes")), "{files:?}");
    assert_eq!((files.indexes, files.bytes), (0, 0));
    start(within(1 << 30)).await;
    let files = look();
    assert_eq!((files.indexes, files.without.as_slice()), (3, &[][..]));
    assert!(files.largest > 10_000 && files.bytes > files.largest, "{files:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_some_layers_only() {
    let city = City::new().await;
    let limits = Limits { at_once: 2, index_bytes: 1 << 30, cache_bytes: 0 };
    let engine = IndexedTiles::new(city.db.database().clone(), limits, None).only(["vias".parse().unwrap()]);
    let keep = engine.keep(OPERATOR, city.db.database());
    tokio::select! { () = keep => unreachable!("it goes on for ever"), () = engine.ready() => {} }
    assert_eq!(engine.size().features, city.count("vias").await);
    let tile = TileCoord::holding(16, crate::support::CENTRE.0, crate::support::CENTRE.1).unwrap();
    assert!(!drawn(&engine, &city, "predios", tile).await.is_empty(), "the database cuts the others");
    assert_eq!(engine.counts().database, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_is_gone_leaves_none() {
    let city = City::new().await;
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_in(&city, folder.path()).await;
    let id = "postes".parse().unwrap();
    layers::catalog::remove(crate::support::OPERATOR, city.db.database(), &id).await.unwrap();
    eventually(async || !folder.path().join("postes.tiles").exists()).await;
    assert!(!engine.has_index(&id));
    drop(engine);
    fs::write(folder.path().join("nadie.tiles"), b"x").unwrap();
    fs::write(folder.path().join(".tmpx"), b"x").unwrap();
    let tile = TileCoord::holding(16, crate::support::CENTRE.0, crate::support::CENTRE.1).unwrap();
    let limits = tiles::engine::Limits { at_once: 2, index_bytes: 1 << 30, cache_bytes: 0 };
    let engine = tiles::engine::IndexedTiles::new(city.db.database().clone(), limits, Some(folder.path().to_owned()));
    let keeping = engine.keep(crate::support::OPERATOR, city.db.database());
    let looked = eventually(async || !folder.path().join("nadie.tiles").exists() && engine.size().features > 0);
    tokio::select! { () = keeping => unreachable!("it goes on for ever"), () = looked => {} }
    assert!(!folder.path().join(".tmpx").exists());
    assert!(!drawn(&engine, &city, "vias", tile).await.is_empty());
}
