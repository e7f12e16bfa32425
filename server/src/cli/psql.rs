use std::process::Command;

use clap::Args;
use percent_encoding::percent_decode_str;
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use super::{CommandError, Outcome, with_database};
use crate::cluster::{self, Cluster};
use crate::config::{Config, Secret};
use crate::database::{DatabaseError, Session};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The database role to work as: lindero_app may change features,
    /// lindero_loader the layers' tables, postgres everything.
    #[arg(long, default_value = "lindero_loader", value_name = "ROLE")]
    role: String,
    /// What psql itself is given, as `-- -c "SELECT 1"`.
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(super) async fn run(options: Options, config: &Config) -> Result<Outcome, CommandError> {
    with_database(config, async |session| shell(&options, config, session).await).await
}

async fn shell(options: &Options, config: &Config, session: &Session) -> Result<Outcome, CommandError> {
    let mut command = match (session.cluster(), &config.database_url) {
        (Some(cluster), _) => {
            explain(cluster, &options.role);
            let mut command = Command::new(cluster.programs().path("psql"));
            command
                .arg(format!("--host={}", cluster.socket().display()))
                .arg(format!("--port={}", cluster.port()))
                .arg(format!("--username={}", options.role))
                .arg(format!("--dbname={}", cluster::DATABASE));
            command
        }
        (None, url) => {
            let mut command = Command::new("psql");
            if let Some(url) = url {
                let (url, password) = without_password(url)?;
                // By the environment: arguments are seen by every user.
                command.arg(url).envs(password.map(|password| ("PGPASSWORD", password)));
            }
            command
        }
    };
    command.args(&options.arguments);
    // Ctrl-C is psql's own: it cancels the statement, and must not end us.
    let interrupts = signal(SignalKind::interrupt()).map_err(CommandError::Runtime)?;
    let outcome = tokio::task::spawn_blocking(move || command.status()).await;
    drop(interrupts);
    match outcome {
        Ok(Ok(status)) => Ok(Outcome::Code(status.code().and_then(|code| code.try_into().ok()).unwrap_or(1))),
        Ok(Err(source)) => Err(CommandError::Program { program: "psql".to_owned(), source }),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

fn without_password(url: &Secret) -> Result<(String, Option<String>), CommandError> {
    let refused = |error: url::ParseError| DatabaseError::Url(sqlx::Error::Configuration(error.into()));
    let mut parsed = Url::parse(url.expose()).map_err(refused)?;
    let password = parsed.password().map(|password| percent_decode_str(password).decode_utf8_lossy().into_owned());
    // Fails only for URLs without a host, which have no password.
    let _ = parsed.set_password(None);
    Ok((parsed.into(), password))
}

/// What QGIS's dialogue for a new PostgreSQL connection asks for.
fn explain(cluster: &Cluster, role: &str) {
    eprintln!(
        "QGIS on this machine, as the user {} while lindero runs: host {}, port {}, database {}, user {role}, \
         no password (layers are in the schema geo).",
        cluster.user_name(),
        cluster.socket().display(),
        cluster.port(),
        cluster::DATABASE,
    );
}
