//! The database: versions, extensions, roles, CRS entries, migrations,
//! triggers.

use access::database::Target;
use access::{Caller, Database};
use layers::{ChangeCapture, catalog};
use sqlx::{Connection, PgConnection};

use super::Report;
use super::machine::{GOLDEN, MILLIMETRE};
use crate::database::{administrators_sql, is_prepared};

pub(super) async fn examine(target: &Target, report: &mut Report) {
    let mut connection = match PgConnection::connect_with(&target.admin_options()).await {
        Ok(connection) => connection,
        Err(error) => {
            let advice = if target.is_external() {
                "check DATABASE_URL, and that its server runs and lets this machine in"
            } else {
                "`lindero serve` makes the database at its start; if it does not, look into its log"
            };
            return report.problem("database", format!("it cannot be reached: {error}"), advice);
        }
    };
    if let Err(error) = look(target, &mut connection, report).await {
        report.problem("database", format!("it refused a question: {error}"), "look into the database's log");
    }
    // Closed or not, it is dropped now.
    let _ = connection.close().await;
}

async fn look(target: &Target, connection: &mut PgConnection, report: &mut Report) -> Result<(), sqlx::Error> {
    versions(connection, report).await?;
    if !is_prepared(connection).await? {
        let sql = administrators_sql(connection).await?;
        let advice = if target.is_external() {
            format!("let a superuser run this in the database:\n\n{sql}")
        } else {
            "`lindero serve` prepares it at its next start".to_owned()
        };
        report.problem("prepared", "the administrator's steps have not all been run", advice);
        return Ok(());
    }
    report.ok("prepared", "roles, extensions, schemas and CRS entries are there");
    roles(connection, report).await?;
    golden_values(connection, report).await?;
    migrations(connection, report).await;
    triggers(target, connection, report).await;
    Ok(())
}

async fn versions(connection: &mut PgConnection, report: &mut Report) -> Result<(), sqlx::Error> {
    let (version, number, encoding): (String, i32, String) = sqlx::query_as(
        "SELECT current_setting('server_version'), current_setting('server_version_num')::int, \
                current_setting('server_encoding')",
    )
    .fetch_one(&mut *connection)
    .await?;
    if number >= 150_000 {
        report.ok("database", format!("PostgreSQL {version} answers"));
    } else {
        report.problem("database", format!("PostgreSQL {version}"), "use PostgreSQL 15 or later");
    }
    if encoding != "UTF8" {
        let advice = "make the database anew with ENCODING 'UTF8'";
        report.problem("encoding", format!("the database's encoding is {encoding}"), advice);
    }
    let extensions: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT e.extname::text, e.extversion, a.default_version FROM pg_extension AS e \
         LEFT JOIN pg_available_extensions AS a ON a.name = e.extname \
         WHERE e.extname IN ('postgis', 'pg_trgm', 'unaccent') ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    for name in ["postgis", "pg_trgm", "unaccent"] {
        match extensions.iter().find(|(extension, ..)| extension == name) {
            Some((_, installed, Some(available))) if installed != available => report.warn(
                "extension",
                format!("{name} {installed}, while {available} is installed on the server"),
                format!("let a superuser run: ALTER EXTENSION {name} UPDATE;"),
            ),
            Some((_, installed, _)) => report.ok("extension", format!("{name} {installed}")),
            None => report.problem(
                "extension",
                format!("{name} is missing"),
                format!("let a superuser run: CREATE EXTENSION {name} SCHEMA public;"),
            ),
        }
    }
    Ok(())
}

async fn roles(connection: &mut PgConnection, report: &mut Report) -> Result<(), sqlx::Error> {
    let powerful: Vec<String> = sqlx::query_scalar(
        "SELECT rolname::text FROM pg_roles WHERE rolname IN ('lindero_owner', 'lindero_loader', 'lindero_app') \
            AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls) ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    let owned: Vec<String> = sqlx::query_scalar(
        "SELECT nspname::text FROM pg_namespace WHERE pg_get_userbyid(nspowner) <> \
            CASE WHEN nspname IN ('geo', 'staging') THEN 'lindero_loader' ELSE 'lindero_owner' END \
            AND nspname IN ('access', 'catalog', 'geo', 'staging') ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    for role in &powerful {
        report.problem(
            "roles",
            format!("the role {role} has more power than it needs"),
            format!("let a superuser run: ALTER ROLE {role} NOSUPERUSER NOCREATEROLE NOCREATEDB NOBYPASSRLS;"),
        );
    }
    for schema in &owned {
        let owner = if matches!(schema.as_str(), "geo" | "staging") { "lindero_loader" } else { "lindero_owner" };
        report.problem(
            "roles",
            format!("the schema {schema} is not owned by {owner}"),
            format!("let a superuser run: ALTER SCHEMA {schema} OWNER TO {owner};"),
        );
    }
    if powerful.is_empty() && owned.is_empty() {
        report.ok("roles", "lindero_owner, lindero_loader and lindero_app, none with more power than it needs");
    }
    Ok(())
}

async fn golden_values(connection: &mut PgConnection, report: &mut Report) -> Result<(), sqlx::Error> {
    let mut worst: f64 = 0.0;
    for (longitude, latitude, easting, northing) in GOLDEN {
        let (x, y): (f64, f64) = sqlx::query_as(
            "SELECT ST_X(p), ST_Y(p) FROM ST_Transform(ST_SetSRID(ST_MakePoint($1, $2), 4326), 9377) AS p",
        )
        .bind(longitude)
        .bind(latitude)
        .fetch_one(&mut *connection)
        .await?;
        worst = worst.max((x - easting).abs()).max((y - northing).abs());
    }
    if worst <= MILLIMETRE {
        report.ok("crs", "PostGIS knows 9377, 6251, 6253 and 103599; 9377 agrees with its golden values to 1 mm");
    } else {
        report.problem(
            "crs",
            format!("PostGIS's EPSG:9377 deviates by {worst:.4} m from its golden values"),
            "delete the rows 9377, 6251, 6253 and 103599 of spatial_ref_sys; `lindero serve` makes them anew. \
             If it stays so, the database server's PROJ data is damaged",
        );
    }
    Ok(())
}

async fn migrations(connection: &mut PgConnection, report: &mut Report) {
    // A login user need not be able to read the owner's tables by itself.
    let acts = sqlx::raw_sql("SET ROLE lindero_owner").execute(&mut *connection).await;
    let pending = migrations::pending(connection).await;
    let back = sqlx::raw_sql("RESET ROLE").execute(&mut *connection).await;
    match (acts.and(back), pending) {
        (Ok(_), Ok(pending)) if pending.is_empty() => report.ok("migrations", "none is pending"),
        (Ok(_), Ok(pending)) => report.problem(
            "migrations",
            format!("pending: {}", pending.join(", ")),
            "start this version's `lindero serve`: it runs them",
        ),
        (Ok(_), Err(error)) => {
            report.problem("migrations", error.to_string(), "use the version that made the database");
        }
        (Err(error), _) => report.problem("migrations", error.to_string(), "look into the database's log"),
    }
}

async fn triggers(target: &Target, connection: &mut PgConnection, report: &mut Report) {
    let database = Database::new(target.clone(), 1);
    let listed = catalog::list(&Caller::OPERATOR, &database).await;
    database.close().await;
    let layers = match listed {
        Ok(layers) => layers,
        Err(error) => return report.problem("layers", error.to_string(), "look into the database's log"),
    };
    let mut unseen = Vec::new();
    for layer in layers.iter().filter(|layer| layer.change_capture == ChangeCapture::Triggers) {
        match catalog::missing_triggers(connection, layer.kind, &layer.table).await {
            Ok(tables) => unseen.extend(tables),
            Err(error) => return report.problem("triggers", error.to_string(), "look into the database's log"),
        }
    }
    if unseen.is_empty() {
        report.ok("triggers", format!("the changes of all {} layers are recorded", layers.len()));
    } else {
        report.problem(
            "triggers",
            format!("changes go unrecorded in {}", unseen.join(", ")),
            "enable the triggers lindero_record_* there (ALTER TABLE ... ENABLE ALWAYS TRIGGER ...), or withdraw \
             the layer and publish it again",
        );
    }
}
