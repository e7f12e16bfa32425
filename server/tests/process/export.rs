//! `lindero export`: the real binary over a real database.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use access::Caller;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testdb::TestDatabase;

use crate::harness::{eventually, text};

/// The first bytes of every archive: its name, and the version of its format.
const MAGIC: &[u8] = b"PMTiles\x03";

struct City {
    database: TestDatabase,
    folder: TempDir,
}

impl City {
    /// With a public layer of points, `puntos`, and one that is not, `reserva`.
    async fn new() -> Self {
        let city = Self { database: TestDatabase::new().await, folder: TempDir::new().unwrap() };
        let ibague = etl::import::known_municipality(&"73001".parse().unwrap()).unwrap();
        layers::municipality::put(&Caller::OPERATOR, city.database.database(), &ibague).await.unwrap();
        let mut table = String::from("nombre,longitud,latitud\n");
        for row in 0..400 {
            let (x, y) = (f64::from(row % 20), f64::from(row / 20));
            let _ = writeln!(table, "punto {row},{:.6},{:.6}", -75.3 + x * 1e-3, 4.4 + y * 1e-3);
        }
        for (layer, public) in [("puntos", Some("--public")), ("reserva", None)] {
            let file = city.path(&format!("{layer}.csv"));
            std::fs::write(&file, &table).unwrap();
            let imported = city.lindero("import").arg(&file).args(public).output().unwrap();
            assert!(imported.status.success(), "{}", text(&imported));
        }
        city
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn lindero(&self, subcommand: &str) -> Command {
        let mut command = crate::harness::lindero(crate::harness::binary());
        command
            .arg(subcommand)
            .env("DATABASE_URL", self.database.url())
            .env("LINDERO_DATA_DIR", self.path("data"))
            .current_dir(self.folder.path());
        command
    }

    fn export(&self, arguments: &[&str]) -> Output {
        self.lindero("export").args(["--tiles", "--output", "archive.pmtiles"]).args(arguments).output().unwrap()
    }

    /// The files beside the archive whose names have its name within.
    fn archives(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("archive")).collect()
    }
}

fn is_archive(path: &Path) -> bool {
    std::fs::read(path).unwrap().starts_with(MAGIC)
}

#[tokio::test]
async fn a_file_is_replaced_only_when_asked() {
    let city = City::new().await;
    let path = city.path("archive.pmtiles");
    std::fs::write(&path, "precious").unwrap();
    let output = city.export(&["puntos", "--max-zoom", "12"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("--overwrite"), "{}", text(&output));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");

    let output = city.export(&["puntos", "--max-zoom", "12", "--overwrite"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("zooms 0 to 12"), "{}", text(&output));
    assert!(is_archive(&path));
    assert_eq!(city.archives(), ["archive.pmtiles"]);

    // The same content, the same bytes.
    let bytes = std::fs::read(&path).unwrap();
    let output = city.export(&["puntos", "--max-zoom", "12", "--overwrite"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(std::fs::read(&path).unwrap() == bytes);
}

#[tokio::test]
async fn only_what_there_is_and_the_public_sees_is_exported() {
    let city = City::new().await;
    for (arguments, said) in [
        (&["nada"][..], "there is no layer nada"),
        (&["reserva"], "--private"),
        (&["puntos", "--min-zoom", "9", "--max-zoom", "8"], "there are no zooms from 9 to 8"),
        (&["puntos", "--max-zoom", "23"], "from 0 to 22"),
    ] {
        let output = city.export(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output).contains(said), "{arguments:?}: {}", text(&output));
        assert!(city.archives().is_empty(), "{:?}", city.archives());
    }
    let output = city.export(&["reserva", "--private", "--max-zoom", "10"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(is_archive(&city.path("archive.pmtiles")));
    // Who took it out, and what, is in the trail; what was refused is no export.
    let exported: Vec<(String, String)> =
        sqlx::query_as("SELECT layer, account_name FROM access.audit WHERE action = 'export' AND outcome = 'done'")
            .fetch_all(city.database.database().app())
            .await
            .unwrap();
    assert_eq!(exported, [("reserva".to_owned(), "operator".to_owned())]);
    assert_eq!(city.lindero("export").args(["puntos", "--output", "x"]).output().unwrap().status.code(), Some(2));
}

#[tokio::test]
async fn several_layers_are_one_archive() {
    let city = City::new().await;
    let path = city.path("archive.pmtiles");
    let csv = city.path("otros.csv");
    std::fs::write(&csv, "nombre,longitud,latitud\nuno,-75.25,4.42\n").unwrap();
    assert!(city.lindero("import").arg(&csv).arg("--public").output().unwrap().status.success());
    for (arguments, of) in [
        (&["puntos", "otros"][..], "2 layers"),
        (&["puntos", "otros", "puntos"], "2 layers"),
        (&["--all"], "2 layers"),
        (&["--all", "--private"], "3 layers"),
        (&["puntos", "reserva", "--private"], "2 layers"),
    ] {
        let output = city.export(&[arguments, &["--max-zoom", "10", "--overwrite", "--name", "La ciudad"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(&format!("tiles of {of}, zooms 0 to 10")), "{}", text(&output));
        assert!(is_archive(&path));
    }
    let output = city.export(&["puntos", "reserva", "--overwrite"]);
    assert!(text(&output).contains("reserva") && text(&output).contains("--private"), "{}", text(&output));
    for arguments in [&[][..], &["puntos", "--all"]] {
        assert_eq!(city.export(arguments).status.code(), Some(2), "{arguments:?}");
    }
    // Nothing but what was asked for is left beside it.
    let entries = std::fs::read_dir(city.folder.path()).unwrap();
    let hidden: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name()).filter(|name| name.as_encoded_bytes()[0] == b'.').collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[tokio::test]
async fn an_interrupted_export_leaves_nothing() {
    let city = City::new().await;
    for signal in [Signal::INT, Signal::TERM] {
        // More tiles than anybody waits for.
        let mut command = city.lindero("export");
        command.args(["puntos", "--tiles", "--max-zoom", "22", "--output", "archive.pmtiles"]);
        let child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        eventually("the export has begun", || (!city.archives().is_empty()).then_some(()));
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output));
        assert!(text(&output).contains("nothing of it is left"), "{}", text(&output));
        assert!(city.archives().is_empty(), "{:?}", city.archives());
    }
}
