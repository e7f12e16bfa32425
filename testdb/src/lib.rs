//! A fresh PostGIS database for a test, cloned from a migrated template.
//!
//! `make test` starts a throw-away cluster and names it in
//! `LINDERO_TEST_DATABASE_URL` (a superuser, database `postgres`).
//! Without that variable the tests that need it fail and say so.

use std::str::FromStr;

use access::Database;
use access::database::Target;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

/// The environment variable that names the cluster.
pub const VARIABLE: &str = "LINDERO_TEST_DATABASE_URL";

/// A database of its own, dropped at the end of the test.
pub struct TestDatabase {
    name: String,
    server: String,
    database: Database,
}

impl TestDatabase {
    /// Makes a database with every migration applied.
    ///
    /// # Panics
    /// Where there is no cluster: a test cannot go on without it.
    pub async fn new() -> Self {
        let server = server_url();
        let name = format!("test_{}", Uuid::new_v4().simple());
        let mut connection = connect(&server, "postgres").await;
        let template = ensure_template(&server, &mut connection).await;
        execute(&mut connection, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let database = Database::new(Target::from_url(&url_of(&server, &name)).expect("a URL"), 8);
        Self { name, server, database }
    }

    /// The pools of the three roles.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// A superuser's URL of this database, for `psql`, `ogr2ogr` or a server.
    pub fn url(&self) -> String {
        url_of(&self.server, &self.name)
    }

    /// A superuser's connection: what somebody with `psql` has.
    pub async fn superuser(&self) -> PgConnection {
        connect(&self.server, &self.name).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A thread of its own: `drop` may run inside a runtime, or in none.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut connection = connect(&server, "postgres").await;
                execute(&mut connection, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            });
        });
        let _ = dropped.join();
    }
}

/// Makes the template of these migrations once, whichever test process comes
/// first, and returns its name.
async fn ensure_template(server: &str, connection: &mut PgConnection) -> String {
    let name = format!("lindero_template_{}", migrations::fingerprint());
    execute(connection, "SELECT pg_advisory_lock(7300154001)").await;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut *connection)
        .await
        .expect("pg_database can be read");
    if !exists {
        // Under another name until it is whole: a test that dies half-way
        // must not leave a template that looks ready.
        execute(connection, &format!("DROP DATABASE IF EXISTS {name}_unfinished WITH (FORCE)")).await;
        execute(connection, &format!("CREATE DATABASE {name}_unfinished")).await;
        let mut template = connect(server, &format!("{name}_unfinished")).await;
        migrations::prepare(&mut template).await.expect("the administrator's steps run");
        migrations::run(&mut template).await.expect("the migrations run");
        template.close().await.expect("a connection closes");
        execute(connection, &format!("ALTER DATABASE {name}_unfinished RENAME TO {name}")).await;
    }
    execute(connection, "SELECT pg_advisory_unlock(7300154001)").await;
    name
}

fn server_url() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run `make test`, or `eval \"$(scripts/test-cluster start)\"` first")
    })
}

fn url_of(server: &str, name: &str) -> String {
    let mut url = url::Url::parse(server).expect("a URL");
    url.set_path(name);
    url.into()
}

async fn connect(server: &str, name: &str) -> PgConnection {
    let options = PgConnectOptions::from_str(&url_of(server, name)).expect("a URL");
    PgConnection::connect_with(&options).await.expect("the test cluster answers")
}

async fn execute(connection: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.expect("the statement runs");
}
