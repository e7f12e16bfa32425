//! The database that a command works with: that of `DATABASE_URL`, or the
//! private cluster's, running already or started for the command's duration.
//! In either case it is prepared and migrated.

use std::sync::Arc;

use access::Database;
use access::database::Target;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use thiserror::Error;

use crate::cluster::{self, Cluster, ClusterError, Purpose};
use crate::config::Config;

/// Why there is no database to work with.
#[derive(Debug, Error)]
pub enum DatabaseError {
    /// The private cluster cannot be used.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// `DATABASE_URL` is no URL of a database.
    #[error("DATABASE_URL is not valid ({0}): it must be as postgresql://user:password@host:5432/database")]
    Url(sqlx::Error),
    /// The database does not answer.
    #[error("the database cannot be reached: {0}")]
    Unreachable(sqlx::Error),
    /// An administrator must do something first.
    #[error(
        "the database must be prepared by its administrator ({reason}). Give the administrator this SQL, to be run \
         in the same database by a superuser:\n\n{sql}"
    )]
    NeedsAdministrator {
        /// What the login user may not do.
        reason: String,
        /// What the administrator is to run.
        sql: String,
    },
    /// A preparation or migration failed.
    #[error(transparent)]
    Migration(#[from] migrations::MigrationError),
    /// The database failed while it was prepared.
    #[error("the database failed while it was prepared: {0}")]
    Failed(#[from] sqlx::Error),
}

/// A database in use. Close it with [`Session::close`]: the last user of the
/// private cluster stops it.
#[derive(Debug)]
pub struct Session {
    database: Database,
    cluster: Option<Arc<Cluster>>,
}

/// Serialises the preparations of several processes. Any number does that
/// nobody else uses.
const PREPARATION_LOCK: i64 = 0x4c49_4e44_4552_4f01;

/// Opens the configured database, prepared and migrated.
pub async fn open(config: &Config, purpose: Purpose) -> Result<Session, DatabaseError> {
    let (target, cluster) = attach(config, purpose).await?;
    let prepared = if target.is_external() { prepare_external(&target).await } else { prepare_private(&target).await };
    let session = Session { database: Database::new(target, config.database_connections), cluster };
    if let Err(error) = prepared {
        session.close().await?;
        return Err(error);
    }
    Ok(session)
}

/// Reaches the configured database as it is, neither prepared nor migrated.
pub async fn attach(config: &Config, purpose: Purpose) -> Result<(Target, Option<Arc<Cluster>>), DatabaseError> {
    if let Some(url) = &config.database_url {
        return Ok((Target::from_url(url.expose()).map_err(DatabaseError::Url)?, None));
    }
    let config = config.clone();
    let cluster = blocking(move || Cluster::open(&config, purpose)).await?;
    Ok((Target::private_cluster(cluster.connect_options()), Some(Arc::new(cluster))))
}

impl Session {
    /// The pools.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The private cluster, where that is the database.
    pub fn cluster(&self) -> Option<&Arc<Cluster>> {
        self.cluster.as_ref()
    }

    /// Closes the connections, and stops the private cluster where nobody
    /// else uses it.
    pub async fn close(self) -> Result<(), ClusterError> {
        self.database.close().await;
        leave(self.cluster).await
    }
}

/// Ends the use of the private cluster that [`attach`] began.
pub async fn leave(cluster: Option<Arc<Cluster>>) -> Result<(), ClusterError> {
    // Somebody who still holds it ends the use when dropping it.
    match cluster.and_then(Arc::into_inner) {
        Some(cluster) => blocking(move || cluster.close()).await,
        None => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClusterError> + Send + 'static,
) -> Result<T, ClusterError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

async fn prepare_private(target: &Target) -> Result<(), DatabaseError> {
    let options = target.admin_options();
    let mut server =
        PgConnection::connect_with(&options.clone().database("postgres")).await.map_err(DatabaseError::Unreachable)?;
    lock(&mut server).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(cluster::DATABASE)
        .fetch_one(&mut server)
        .await?;
    if !exists {
        // The name is ours and needs no quoting.
        let statement = format!("CREATE DATABASE {}", cluster::DATABASE);
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut server).await?;
    }
    let mut connection = PgConnection::connect_with(&options).await.map_err(DatabaseError::Unreachable)?;
    migrations::prepare(&mut connection).await?;
    migrations::run(&mut connection).await?;
    connection.close().await?;
    // Releases the lock.
    server.close().await?;
    Ok(())
}

async fn prepare_external(target: &Target) -> Result<(), DatabaseError> {
    let mut connection =
        PgConnection::connect_with(&target.admin_options()).await.map_err(DatabaseError::Unreachable)?;
    lock(&mut connection).await?;
    if !is_prepared(&mut connection).await? {
        // All of it or nothing: a user who may do half must leave no half.
        sqlx::raw_sql("BEGIN").execute(&mut connection).await?;
        if let Err(error) = migrations::prepare(&mut connection).await {
            sqlx::raw_sql("ROLLBACK").execute(&mut connection).await?;
            let sql = administrators_sql(&mut connection).await?;
            return Err(DatabaseError::NeedsAdministrator { reason: error.to_string(), sql });
        }
        sqlx::raw_sql("COMMIT").execute(&mut connection).await?;
    }
    migrations::run(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    // Another process may be preparing for longer than lock_timeout.
    sqlx::raw_sql("SET lock_timeout = 0").execute(&mut *connection).await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(PREPARATION_LOCK).execute(&mut *connection).await?;
    sqlx::raw_sql("RESET lock_timeout").execute(connection).await.map(drop)
}

/// Whether what the administrator's steps make is there, and the login user
/// may act as our roles.
pub async fn is_prepared(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let there: bool = sqlx::query_scalar(
        "SELECT (SELECT count(*) = 3 FROM pg_extension WHERE extname IN ('postgis', 'pg_trgm', 'unaccent')) \
            AND (SELECT count(*) = 4 FROM pg_namespace WHERE nspname IN ('access', 'catalog', 'geo', 'staging')) \
            AND (SELECT coalesce(bool_and(pg_has_role(current_user, oid, 'MEMBER')), false) AND count(*) = 3 \
                 FROM pg_roles WHERE rolname IN ('lindero_owner', 'lindero_loader', 'lindero_app')) \
            AND to_regclass('public.spatial_ref_sys') IS NOT NULL",
    )
    .fetch_one(&mut *connection)
    .await?;
    if !there {
        return Ok(false);
    }
    sqlx::query_scalar("SELECT count(*) = 4 FROM public.spatial_ref_sys WHERE srid IN (9377, 103599, 6251, 6253)")
        .fetch_one(connection)
        .await
}

/// The administrator's steps as one script, with the roles given to the login
/// user of `connection`.
pub async fn administrators_sql(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    let grant: String = sqlx::query_scalar(
        "SELECT format('GRANT lindero_owner, lindero_loader, lindero_app TO %I;', session_user::text)",
    )
    .fetch_one(connection)
    .await?;
    let steps: Vec<&str> = migrations::ADMIN_STEPS.iter().map(|(_, script)| script.trim_end()).collect();
    Ok(format!("{}\n\n{grant}\n", steps.join("\n\n")))
}
