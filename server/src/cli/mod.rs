//! The command line: one file a subcommand.

mod audit;
mod config_reference;
mod demo;
mod demo_accounts;
mod description;
mod doctor;
mod error;
mod export;
mod import;
mod import_screen;
mod interrupt;
mod job;
mod layer;
mod municipality;
mod permission_reference;
mod psql;
mod serve;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use self::error::{CommandError, Outcome};
use crate::cluster::Purpose;
use crate::config::{Config, Settings};
use crate::database::{self, Session};
use crate::telemetry;

/// One server for a municipality's territory and its people: layers in
/// PostGIS, a web map, OGC APIs.
#[derive(Debug, Parser)]
#[command(name = "lindero", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// The configuration file. Default: `./lindero.toml`, else
    /// `/etc/lindero/lindero.toml`.
    #[arg(long, env = "LINDERO_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Configuration")]
    settings: Settings,
}

/// PostgreSQL's notices tell of every `IF NOT EXISTS` that found something.
const SERVER_LOG: &str = "info,sqlx::postgres::notice=warn";
/// A slow statement of a long job is no news to whoever waits for it.
const COMMAND_LOG: &str = "warn,sqlx::query=error,sqlx::postgres::notice=error";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server, with its private database where DATABASE_URL is not set.
    Serve,
    /// Look whether everything is in order, and say what to do where it is not.
    Doctor(doctor::Options),
    /// Make a layer from a file, or change one; join a table to a layer.
    Import(Box<import::Options>),
    /// Write a layer to a file: its vector tiles as a PMTiles archive.
    Export(export::Options),
    /// Look at the layers, describe, publish and remove them.
    #[command(subcommand)]
    Layer(layer::Command),
    /// The trail of what was done: whether it is as it was sealed.
    #[command(subcommand)]
    Audit(audit::Command),
    /// The accounts that may come in, and what they may do.
    #[command(subcommand)]
    User(user::Command),
    /// The municipalities whose data this server holds.
    #[command(subcommand)]
    Municipality(municipality::Command),
    /// Load the demonstration city: generated, of no real person or parcel.
    Demo(demo::Options),
    /// Look at the long work (imports and the like), and stop it.
    #[command(subcommand)]
    Job(job::Command),
    /// Open a database shell, and say how QGIS connects.
    Psql(psql::Options),
    /// Read a file in a confined process; lindero calls this itself.
    #[command(name = etl::import::Reader::SUBCOMMAND, hide = true)]
    Read,
    /// Print the reference page of the configuration.
    #[command(hide = true)]
    ConfigReference,
    /// Print the page of who may do what.
    #[command(hide = true)]
    PermissionReference,
}

/// Runs the command; its outcome is the process's exit code: 0 done, 1 failed,
/// 2 misused (clap's), 130 interrupted.
pub fn run(arguments: Arguments) -> ExitCode {
    // Before the configuration and before any thread: this process is to know
    // nothing, and the cage closes around one thread.
    if matches!(arguments.command, Command::Read) {
        return etl::import::read();
    }
    // For whoever speaks TLS. Fails only where one is installed already, which then is this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let outcome =
        arguments.settings.resolve(arguments.config.as_deref()).map_err(CommandError::from).and_then(|config| {
            let log = if matches!(arguments.command, Command::Serve) { SERVER_LOG } else { COMMAND_LOG };
            telemetry::begin(&config, log);
            let runtime =
                tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::Runtime)?;
            runtime.block_on(dispatch(arguments.command, config))
        });
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Code(code)) => ExitCode::from(code),
        Err(error) => {
            eprintln!("lindero: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command, config: Config) -> Result<Outcome, CommandError> {
    match command {
        Command::Serve => serve::run(config).await,
        Command::Doctor(options) => doctor::run(options, &config).await,
        Command::Import(options) => import::run(*options, &config).await,
        Command::Export(options) => export::run(options, &config).await,
        Command::Layer(command) => layer::run(command, &config).await,
        Command::Audit(command) => audit::run(command, &config).await,
        Command::User(command) => user::run(command, &config).await,
        Command::Municipality(command) => municipality::run(command, &config).await,
        Command::Demo(options) => demo::run(options, &config).await,
        Command::Read => Ok(Outcome::Code(2)),
        Command::Job(command) => job::run(command, &config).await,
        Command::Psql(options) => psql::run(options, &config).await,
        Command::ConfigReference => config_reference::run(),
        Command::PermissionReference => permission_reference::run(),
    }
}

/// Opens the database for a command, and closes it however the command ends.
/// What the command says is more than what closing says.
async fn with_database(
    config: &Config,
    act: impl AsyncFnOnce(&Session) -> Result<Outcome, CommandError>,
) -> Result<Outcome, CommandError> {
    let session = database::open(config, Purpose::Command).await?;
    let outcome = act(&session).await;
    let closed = session.close().await;
    let outcome = outcome?;
    closed?;
    Ok(outcome)
}
