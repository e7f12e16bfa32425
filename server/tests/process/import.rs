//! `lindero import` killed, interrupted and asked for the impossible: the real
//! binary over a real database.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use access::Caller;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::PgConnection;
use tempfile::TempDir;
use testdb::TestDatabase;

/// Rows enough that the copy is seen while it runs.
const ROWS: usize = 60_000;

struct City {
    database: TestDatabase,
    folder: TempDir,
}

impl City {
    async fn new() -> Self {
        let database = TestDatabase::new().await;
        let ibague = etl::import::known_municipality(&"73001".parse().unwrap()).unwrap();
        layers::municipality::put(&Caller::OPERATOR, database.database(), &ibague).await.unwrap();
        Self { database, folder: TempDir::new().unwrap() }
    }

    fn points(&self) -> PathBuf {
        let mut table = String::from("nombre,longitud,latitud\n");
        for row in 0..ROWS {
            let (x, y) = (row % 300, row / 300);
            let _ = writeln!(table, "punto {row},{:.6},{:.6}", -75.3 + x as f64 * 1e-4, 4.4 + y as f64 * 1e-4);
        }
        let path = self.folder.path().join("puntos.csv");
        std::fs::write(&path, table).unwrap();
        path
    }

    fn import(&self, file: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lindero"));
        command
            .arg("import")
            .arg(file)
            .env("DATABASE_URL", self.database.url())
            .env("LINDERO_DATA_DIR", self.folder.path().join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// An import of many points, caught in the middle of its COPY.
    #[expect(clippy::zombie_processes, reason = "whoever asked for the child waits for it")]
    async fn halfway(&self, admin: &mut PgConnection) -> Child {
        let mut child = self.import(&self.points()).spawn().unwrap();
        let begun = Instant::now();
        loop {
            let copying: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 0)",
            )
            .fetch_one(&mut *admin)
            .await
            .unwrap();
            if copying {
                return child;
            }
            if begun.elapsed() > Duration::from_mins(2) {
                child.kill().unwrap();
                panic!("the import never began to copy: {:?}", child.wait_with_output());
            }
            tokio::task::yield_now().await;
        }
    }

    async fn leftovers(&self, admin: &mut PgConnection) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname IN ('geo', 'staging')")
            .fetch_one(admin)
            .await
            .unwrap()
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[tokio::test]
async fn a_killed_import_leaves_nothing_and_can_be_repeated() {
    let city = City::new().await;
    let mut admin = city.database.superuser().await;
    let mut child = city.halfway(&mut admin).await;
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    // The transaction ends when PostgreSQL meets the end of the connection;
    // then the job is seen to be dead.
    let mut interrupted = Vec::new();
    while interrupted.is_empty() {
        interrupted = etl::import::clean_abandoned(&Caller::OPERATOR, city.database.database()).await.unwrap();
    }
    while city.leftovers(&mut admin).await > 0 {
        tokio::task::yield_now().await;
    }
    let layers = layers::catalog::list(&Caller::OPERATOR, city.database.database()).await.unwrap();
    assert!(layers.is_empty());

    let again = city.import(&city.points()).output().unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let layers = layers::catalog::list(&Caller::OPERATOR, city.database.database()).await.unwrap();
    assert_eq!(layers[0].feature_count, ROWS as i64);
}

#[tokio::test]
async fn an_interrupted_import_undoes_itself() {
    let city = City::new().await;
    let mut admin = city.database.superuser().await;
    let child = city.halfway(&mut admin).await;
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(city.leftovers(&mut admin).await, 0);
    let state: String = sqlx::query_scalar("SELECT state FROM access.job").fetch_one(&mut admin).await.unwrap();
    assert_eq!(state, "cancelled");
}

#[tokio::test]
async fn a_report_is_written_as_json() {
    let city = City::new().await;
    let file = city.folder.path().join("a.csv");
    std::fs::write(&file, "nombre,longitud,latitud\nuno,-75.23,4.43\ndos,,\n").unwrap();
    let report = city.folder.path().join("report.json");
    let rejects = city.folder.path().join("rejects.csv");
    let output = city
        .import(&file)
        .args(["--as", "sitios", "--report"])
        .arg(&report)
        .arg("--rejects")
        .arg(&rejects)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["read"], 2);
    assert_eq!(report["committed"], false);
    assert_eq!(report["rejections"][0]["row"], 2);
    let rejects = std::fs::read_to_string(&rejects).unwrap();
    assert!(rejects.starts_with("nombre,longitud,latitud,lindero_row,lindero_reason\ndos,,,2,"), "{rejects}");
}
