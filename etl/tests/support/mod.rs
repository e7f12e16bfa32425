//! A fresh database, a temporary folder, and imports into the one from the
//! other.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::unused_self,
    reason = "a module of several test programs, each of which uses a part"
)]

use std::path::{Path, PathBuf};

use access::{Caller, Database};
use etl::import::{ImportError, ImportRequest, Quiet, Reader, Report, known_municipality};
use layers::{Layer, catalog};
use sqlx::{PgConnection, Row};
use tempfile::TempDir;
use testdb::TestDatabase;
use tokio_util::sync::CancellationToken;

pub struct World {
    database: TestDatabase,
    folder: TempDir,
}

impl World {
    /// An empty database that knows Ibagué.
    pub async fn new() -> Self {
        let database = TestDatabase::new().await;
        let ibague = known_municipality(&"73001".parse().unwrap()).unwrap();
        layers::municipality::put(&Caller::OPERATOR, database.database(), &ibague).await.unwrap();
        Self { database, folder: TempDir::new().unwrap() }
    }

    pub fn db(&self) -> &Database {
        self.database.database()
    }

    pub fn url(&self) -> String {
        self.database.url()
    }

    pub async fn admin(&self) -> PgConnection {
        self.database.superuser().await
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file with this content, and the request to create a layer from it.
    pub fn request(&self, file: &str, content: impl AsRef<[u8]>, layer: &str) -> ImportRequest {
        std::fs::write(self.path(file), content).unwrap();
        self.request_for(&self.path(file), layer)
    }

    pub fn request_for(&self, file: &Path, layer: &str) -> ImportRequest {
        ImportRequest::new(file, layer.parse().unwrap(), reader())
    }

    /// The same request for other content.
    pub fn request_with(&self, content: &str, request: &ImportRequest) -> ImportRequest {
        std::fs::write(&request.file, content).unwrap();
        request.clone()
    }

    pub async fn import(&self, request: &ImportRequest) -> Result<Report, ImportError> {
        etl::import::run(&Caller::OPERATOR, self.db(), request, &Quiet, CancellationToken::new()).await
    }

    pub async fn layer(&self, id: &str) -> Option<Layer> {
        catalog::get(&Caller::OPERATOR, self.db(), &id.parse().unwrap()).await.ok()
    }

    /// Operation and number of features of every entry of the layer's feed.
    pub async fn changes(&self, layer: &str) -> Vec<(String, Option<i64>)> {
        let mut admin = self.admin().await;
        let rows = sqlx::query("SELECT operation, features FROM catalog.change WHERE layer = $1 ORDER BY seq")
            .bind(layer)
            .fetch_all(&mut admin)
            .await
            .unwrap();
        rows.iter().map(|row| (row.get("operation"), row.get("features"))).collect()
    }

    /// Removes a layer.
    pub async fn clear(&self, layer: &str) {
        catalog::remove(&Caller::OPERATOR, self.db(), &layer.parse().unwrap()).await.unwrap();
    }

    /// The tables that an import would leave behind.
    pub async fn leftovers(&self) -> Vec<String> {
        let mut admin = self.admin().await;
        sqlx::query_scalar(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('staging', 'geo') ORDER BY 1",
        )
        .fetch_all(&mut admin)
        .await
        .unwrap()
    }
}

pub fn reader() -> Reader {
    Reader { program: env!("CARGO_BIN_EXE_lindero-read").into(), arguments: Vec::new(), misbehave: None }
}
