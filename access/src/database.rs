//! The connections to PostgreSQL, one pool a role.
//!
//! Requests run as `lindero_app`, which reads and writes rows and owns
//! nothing; imports and publications run as `lindero_loader`, which owns the
//! schema `geo`. Nothing here runs as a superuser.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor};

/// A database role of ours, made by the `migrations` crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Owns our schemas; runs migrations only.
    Owner,
    /// Owns the schema `geo`; runs imports and publications.
    Loader,
    /// Answers requests.
    App,
}

impl Role {
    /// The role's name in PostgreSQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "lindero_owner",
            Self::Loader => "lindero_loader",
            Self::App => "lindero_app",
        }
    }
}

/// Where the database is and how a connection becomes one of our roles.
#[derive(Debug, Clone)]
pub struct Target {
    options: PgConnectOptions,
    login_as_role: bool,
}

impl Target {
    /// The private cluster: `options` name its socket folder and database;
    /// each connection logs in as the role itself (peer authentication).
    pub fn private_cluster(options: PgConnectOptions) -> Self {
        Self { options, login_as_role: true }
    }

    /// A database of somebody's server, as `DATABASE_URL` gives it: each
    /// connection logs in with that user, then takes the role (`SET ROLE`).
    pub fn from_url(url: &str) -> Result<Self, sqlx::Error> {
        Ok(Self { options: PgConnectOptions::from_str(url)?, login_as_role: false })
    }

    /// The options of a connection as the login user (with the private
    /// cluster: whoever `options` name), for the administrator's statements.
    pub fn admin_options(&self) -> PgConnectOptions {
        session(self.options.clone())
    }

    /// Whether this is a database that `DATABASE_URL` names.
    pub fn is_external(&self) -> bool {
        !self.login_as_role
    }

    /// A pool of at most `max_connections`, every connection of which acts as
    /// `role`. Connects at first use.
    pub fn pool(&self, role: Role, max_connections: u32) -> PgPool {
        let mut options = session(self.options.clone()).application_name("lindero");
        if role == Role::App {
            options = options.options([
                // A request that nobody waits for any more must not go on here.
                ("statement_timeout", "30s"),
                // How much of a layer a box covers decides how to read it, and a plan
                // made for all boxes knows nothing of it: after five such requests
                // PostgreSQL would take it (measured on 196 949 predios, a page of 1 000
                // within a box: 17 ms, from the sixth on 100 ms).
                ("plan_cache_mode", "force_custom_plan"),
            ]);
        }
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(Duration::from_secs(10))
            .idle_timeout(Duration::from_mins(5))
            // The same round trip tells whether it is alive.
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(is_at_rest(connection)));
        if self.login_as_role {
            options = options.username(role.name());
            return pool.connect_lazy_with(options);
        }
        let set_role = format!("SET ROLE {}", role.name());
        pool.after_connect(move |connection, _| {
            let statement = AssertSqlSafe(set_role.clone());
            Box::pin(async move { connection.execute(statement).await.map(drop) })
        })
        .connect_lazy_with(options)
    }
}

/// Whether a connection out of the pool is alive, and in no transaction any more.
///
/// A request that is given up while its transaction begins leaves one open of
/// which sqlx does not know: what is done next on that connection would be in
/// it, refused where it only reads, and else lost without a word.
async fn is_at_rest(connection: &mut PgConnection) -> sqlx::Result<bool> {
    Ok(match connection.begin_with("SELECT 1").await {
        // It began none, and was in none.
        Err(sqlx::Error::BeginFailed) => true,
        Ok(left_open) => left_open.rollback().await.is_ok(),
        Err(_) => false,
    })
}

/// Session settings that every statement of ours relies on: times are UTC,
/// and no name resolves but in the catalogue's and PostGIS's schemas.
fn session(options: PgConnectOptions) -> PgConnectOptions {
    options.options([("TimeZone", "UTC"), ("search_path", "public"), ("lock_timeout", "30s")])
}

/// The pools that the domain crates work with.
#[derive(Debug, Clone)]
pub struct Database {
    app: PgPool,
    loader: PgPool,
    target: Arc<Target>,
}

impl Database {
    /// Pools on `target`: up to `app_connections` for requests, four for
    /// imports. Nothing connects yet.
    pub fn new(target: Target, app_connections: u32) -> Self {
        Self {
            app: target.pool(Role::App, app_connections),
            loader: target.pool(Role::Loader, 4),
            target: Arc::new(target),
        }
    }

    /// The pool that answers requests (role `lindero_app`).
    pub fn app(&self) -> &PgPool {
        &self.app
    }

    /// The pool for imports and publications (role `lindero_loader`).
    pub fn loader(&self) -> &PgPool {
        &self.loader
    }

    /// Where the pools connect to.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Closes every connection, waiting for those in use.
    pub async fn close(&self) {
        self.app.close().await;
        self.loader.close().await;
    }
}
