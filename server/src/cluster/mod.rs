//! The private PostgreSQL cluster: made, started and stopped by us, from the
//! system's packages.
//!
//! Whoever uses the cluster, the server or a command, holds a shared file
//! lock; the first one starts it, and when the last one is gone, by whatever
//! death, a waiting process stops it (see [`reaper`]). So commands work beside
//! a server, a server may start while a command works, and a SIGKILL of any of
//! them leaves nothing running.

mod error;
mod folder;
mod initdb;
mod inspect;
mod lock;
mod postmaster;
mod programs;
mod reaper;
mod runtime;
mod settings;
mod supervise;
mod user;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

pub use self::error::ClusterError;
use self::folder::DataFolder;
pub use self::inspect::{DataState, inspect};
use self::lock::Lock;
use self::postmaster::Postmaster;
pub use self::programs::Programs;
pub use self::supervise::Supervisor;
use self::user::ClusterUser;
use crate::config::Config;

/// The name of our database in the cluster.
pub const DATABASE: &str = "lindero";

/// Connections beside those of one server's requests: imports, commands,
/// QGIS on the same machine, the change feed.
const SPARE_CONNECTIONS: u32 = 84;

/// What the cluster is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To serve: one process a data folder.
    Serve,
    /// For the duration of a command, beside whoever uses it too.
    Command,
}

/// A running cluster that we use.
#[derive(Debug)]
pub struct Cluster {
    folder: DataFolder,
    user: ClusterUser,
    programs: Programs,
    connections: u32,
    /// Where it listens: `postmaster.pid` said so when we began to use it.
    socket: PathBuf,
    port: u16,
    users: Lock,
    /// Held by the folder's one server.
    serve: Option<Lock>,
}

impl Cluster {
    /// Makes the cluster where there is none, starts it where it does not
    /// run, and uses it until [`Cluster::close`]. Blocks, at the first time
    /// for some seconds.
    pub fn open(config: &Config, purpose: Purpose) -> Result<Self, ClusterError> {
        let folder = DataFolder::at(&config.data_dir);
        let user = ClusterUser::of(folder.root())?;
        let description = folder.describe()?;
        let major = description.as_ref().map(|description| description.postgresql);
        let programs = Programs::find(config.postgres_bin.as_deref(), major, folder.root())?;
        if description.is_none() {
            folder.create(&user, programs.major)?;
        }
        user.reaches(folder.root())?;
        folder.complete(&user)?;

        let serve = match purpose {
            Purpose::Serve => Some(Lock::serve(&folder, &user)?),
            Purpose::Command => None,
        };
        let change = Lock::exclusive(&folder, &user, lock::CHANGE)?;
        let users = Lock::shared(&folder, &user, lock::USERS)?;
        initdb::ensure(&programs, &folder, &user, &change)?;
        let connections = config.database_connections + SPARE_CONNECTIONS;
        let running = start(&programs, &folder, &user, connections, None, &change)?;
        drop(change);
        Ok(Self { folder, user, programs, connections, socket: running.socket, port: running.port, users, serve })
    }

    /// Refuses where another server uses the configured folder, before
    /// anything else is tried: its error says more than a taken port's.
    pub fn refuse_second(config: &Config) -> Result<(), ClusterError> {
        let folder = DataFolder::at(&config.data_dir);
        if !folder.lock(lock::SERVE).exists() {
            return Ok(());
        }
        Lock::serve(&folder, &ClusterUser::of(folder.root())?).map(drop)
    }

    /// How to connect, as PostgreSQL's own administrator.
    pub fn connect_options(&self) -> PgConnectOptions {
        PgConnectOptions::new()
            .socket(&self.socket)
            .port(self.port)
            .username("postgres")
            .database(DATABASE)
            .ssl_mode(PgSslMode::Disable)
    }

    /// The folder of the cluster's socket: what other programs call its host.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The port in the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// PostgreSQL's programs of the cluster's version.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The system user as whom the cluster runs.
    pub fn user_name(&self) -> &str {
        &self.user.name
    }

    /// Watches the cluster's server process and starts it again when it ends.
    pub fn supervise(self: &Arc<Self>) -> Supervisor {
        Supervisor::new(Arc::clone(self))
    }

    /// Starts the server process, if it does not run.
    fn start(&self) -> Result<Postmaster, ClusterError> {
        let change = Lock::exclusive(&self.folder, &self.user, lock::CHANGE)?;
        start(&self.programs, &self.folder, &self.user, self.connections, Some(&self.socket), &change)
    }

    /// Ends our use. The last one stops the cluster, and waits for that.
    pub fn close(self) -> Result<(), ClusterError> {
        let Self { folder, user, users, serve, .. } = self;
        drop(users);
        {
            let _change = Lock::exclusive(&folder, &user, lock::CHANGE)?;
            // Not ours: then others use it, or the reaper is stopping it.
            if let Some(_users) = Lock::try_exclusive(&folder, &user, lock::USERS)? {
                postmaster::stop(&folder)?;
            }
        }
        // Shared with the others at once, or with nobody when the reaper is
        // done: after this, what was to stop has stopped.
        drop(Lock::shared(&folder, &user, lock::USERS)?);
        drop(serve);
        Ok(())
    }
}

/// Starts the server process, or finds it running, with a reaper beside it.
/// The lock `users` is held too.
fn start(
    programs: &Programs,
    folder: &DataFolder,
    user: &ClusterUser,
    connections: u32,
    socket: Option<&Path>,
    change: &Lock,
) -> Result<Postmaster, ClusterError> {
    reaper::ensure(programs, folder, user)?;
    let cluster = folder.cluster();
    if let Some(running) = Postmaster::find(&cluster)
        && running.is_ready()
    {
        return Ok(running);
    }
    let socket = match socket {
        Some(socket) if socket.is_dir() => socket.to_owned(),
        _ => runtime::socket_folder(folder.root(), user)?,
    };
    settings::write(folder, user, &cluster, &socket, connections)?;
    postmaster::start(programs, folder, user, &socket, change)
}
