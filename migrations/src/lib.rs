//! The database, step by step.
//!
//! Two kinds of steps. The administrator's ([`ADMIN_STEPS`]): roles,
//! extensions, CRS entries and schemas, which need a superuser and may be run
//! any number of times. Ours ([`run`]): tables and functions, as the role
//! `lindero_owner`, each once, in order, kept by sqlx.

use std::collections::HashSet;

use sqlx::PgConnection;
use sqlx::migrate::Migrator;
use thiserror::Error;

static MIGRATOR: Migrator = sqlx::migrate!("./sql");

/// The administrator's steps, each a name and a script, in order.
pub const ADMIN_STEPS: [(&str, &str); 4] = [
    ("roles", include_str!("../admin/roles.sql")),
    ("extensions", include_str!("../admin/extensions.sql")),
    ("spatial_ref_sys", include_str!("../admin/spatial_ref_sys.sql")),
    ("schemas", include_str!("../admin/schemas.sql")),
];

/// Why the database could not be brought to this program's version.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// The database holds steps that this program does not know.
    #[error(
        "the database was made by a newer version of lindero (its step {0} is unknown here): \
         use that version, or a backup made before it"
    )]
    Newer(i64),
    /// An administrator's step failed.
    #[error("the administrator's step {step:?} failed: {source}")]
    Admin {
        /// The step's name in [`ADMIN_STEPS`].
        step: &'static str,
        /// What PostgreSQL said.
        source: sqlx::Error,
    },
    /// A migration failed.
    #[error("a migration failed: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database could not be asked.
    #[error("the database could not be asked for its migrations: {0}")]
    Database(#[from] sqlx::Error),
}

/// Runs the administrator's steps. `connection` is a superuser's (or of a user
/// that an administrator gave the needed rights), in the database itself.
pub async fn prepare(connection: &mut PgConnection) -> Result<(), MigrationError> {
    for (step, script) in ADMIN_STEPS {
        sqlx::raw_sql(script)
            .execute(&mut *connection)
            .await
            .map_err(|source| MigrationError::Admin { step, source })?;
    }
    Ok(())
}

/// Runs the pending migrations. `connection` is one that may act as
/// `lindero_owner`, which it does until the end.
pub async fn run(connection: &mut PgConnection) -> Result<(), MigrationError> {
    refuse_newer(connection).await?;
    as_owner(connection).await?;
    // Tables are made in the schemas that they name; sqlx's own in `catalog`.
    let outcome = MIGRATOR.run_direct(None, &mut *connection, false).await;
    sqlx::raw_sql("RESET ROLE; RESET search_path").execute(connection).await?;
    Ok(outcome?)
}

/// The descriptions of the migrations that [`run`] would apply. Every one
/// where the database was never prepared.
pub async fn pending(connection: &mut PgConnection) -> Result<Vec<String>, MigrationError> {
    let applied = applied_versions(connection).await?;
    refuse_newer(connection).await?;
    Ok(MIGRATOR
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .map(|migration| format!("{:04} {}", migration.version, migration.description))
        .collect())
}

/// A short text that differs wherever a step of either kind differs.
pub fn fingerprint() -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    ADMIN_STEPS.hash(&mut hasher);
    for migration in MIGRATOR.iter() {
        (migration.version, &migration.checksum).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

async fn refuse_newer(connection: &mut PgConnection) -> Result<(), MigrationError> {
    let known: HashSet<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();
    match applied_versions(connection).await?.into_iter().find(|version| !known.contains(version)) {
        Some(version) => Err(MigrationError::Newer(version)),
        None => Ok(()),
    }
}

async fn applied_versions(connection: &mut PgConnection) -> Result<HashSet<i64>, MigrationError> {
    let table: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('catalog._sqlx_migrations')::text").fetch_one(&mut *connection).await?;
    if table.is_none() {
        return Ok(HashSet::new());
    }
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM catalog._sqlx_migrations").fetch_all(connection).await?;
    Ok(versions.into_iter().collect())
}

async fn as_owner(connection: &mut PgConnection) -> Result<(), MigrationError> {
    sqlx::raw_sql("SET ROLE lindero_owner; SET search_path = catalog, public").execute(connection).await?;
    Ok(())
}
