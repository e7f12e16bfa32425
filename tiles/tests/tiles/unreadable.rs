//! Features whose geometry cannot be on a map.

use std::io;
use std::sync::{Arc, Mutex};

use crate::support::{CENTRE, City, OPERATOR, drawn, eventually};
use tiles::TileCoord;
use tiles::engine::{IndexedTiles, Limits};
use tracing_subscriber::fmt::MakeWriter;

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The lines that tell of features that are left out.
    fn told(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains("left out of the tiles")).map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

const OF_NO_NUMBER: &str = "ST_SetSRID(ST_MakePoint('NaN', 2048868), 9377)";
const FAR_AWAY: &str = "ST_SetSRID(ST_MakePoint(1e20, 1e20), 9377)";
const ENDLESS: &str = "ST_SetSRID(ST_MakePoint('Infinity', 2048868), 9377)";

#[tokio::test]
async fn they_are_counted_and_named_once_and_the_others_are_served() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    // Of this thread, on which the keeper runs too.
    let _guard = tracing::subscriber::set_default(subscriber);
    let city = City::new().await;
    for (fid, geometry) in [(90_001, OF_NO_NUMBER), (90_002, FAR_AWAY), (90_003, ENDLESS)] {
        city.write(format!("INSERT INTO geo.postes (fid, geom) VALUES ({fid}, {geometry})")).await;
    }
    city.write("INSERT INTO geo.postes (fid, geom) VALUES (90004, NULL), (90005, 'SRID=9377;POINT EMPTY')".to_owned())
        .await;
    let folder = tempfile::tempdir().unwrap();
    let database = city.db.database();
    let limits = Limits { at_once: 2, index_bytes: 1 << 30, cache_bytes: 0 };
    let new = || IndexedTiles::new(database.clone(), limits, Some(folder.path().to_owned()));
    let tile = TileCoord::holding(13, CENTRE.0, CENTRE.1).unwrap();

    let engine = new();
    let looked = async {
        engine.ready().await;
        assert_eq!(engine.size().unreadable, 3);
        assert!(drawn(&engine, &city, "postes", tile).await.len() > 100);
        // Mended, removed, and another one that is not well.
        city.write(
            "UPDATE geo.postes SET geom = ST_SetSRID(ST_MakePoint(4752388, 2048868), 9377) WHERE fid = 90001"
                .to_owned(),
        )
        .await;
        eventually(async || engine.size().unreadable == 2).await;
        city.write("DELETE FROM geo.postes WHERE fid = 90002".to_owned()).await;
        eventually(async || engine.size().unreadable == 1).await;
        city.write(format!("UPDATE geo.postes SET geom = {OF_NO_NUMBER} WHERE fid = 7")).await;
        eventually(async || engine.size().unreadable == 2).await;
        assert!(drawn(&engine, &city, "postes", tile).await.iter().any(|post| post.id == Some(90_001)));
        // The same again: nothing new is told.
        city.write("UPDATE geo.postes SET nombre = 'otro' WHERE fid IN (7, 90003, 8)".to_owned()).await;
        eventually(async || {
            let posts = drawn(&engine, &city, "postes", tile).await;
            posts.iter().any(|post| post.attributes.values().any(|value| value.contains("otro")))
        })
        .await;
    };
    tokio::select! { () = engine.keep(OPERATOR, database) => unreachable!("it goes on for ever"), () = looked => {} }
    let told = log.told();
    assert_eq!(told.len(), 4, "{told:?}");
    for fid in ["90001", "90002", "90003", "7"] {
        assert_eq!(
            told.iter().filter(|line| line.contains(&format!("feature=\"{fid}\""))).count(),
            1,
            "{fid}: {told:?}"
        );
    }

    // The file knows of those that there were when it was written.
    drop(engine);
    let engine = new();
    let looked = async {
        engine.ready().await;
        assert_eq!(engine.size().unreadable, 2);
    };
    tokio::select! { () = engine.keep(OPERATOR, database) => unreachable!("it goes on for ever"), () = looked => {} }
}
