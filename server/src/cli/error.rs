use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

use crate::cluster::ClusterError;
use crate::config::ConfigError;
use crate::database::DatabaseError;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was asked.
    Done,
    /// It ended with this exit code, having said why.
    Code(u8),
}

/// Why a command failed. Printed as it is: each says what to do.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The configuration cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An identity provider cannot be used as it is configured.
    #[error(transparent)]
    Identity(#[from] crate::config::IdentityError),
    /// The attachments' files cannot be kept.
    #[error(transparent)]
    Attachments(#[from] layers::attachment::StoreError),
    /// There is no database to work with.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The private cluster failed.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A query failed.
    #[error("the database refused: {0}")]
    Query(#[from] sqlx::Error),
    /// Accounts could not be read or changed.
    #[error(transparent)]
    Access(#[from] access::AccessError),
    /// A file of the audit trail cannot be read.
    #[error("{}: {source}", path.display())]
    AuditFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A job's record failed.
    #[error(transparent)]
    Job(#[from] access::job::JobError),
    /// A file could not be imported.
    #[error("{}: {source}", file.display())]
    Import {
        /// The file.
        file: PathBuf,
        /// Why.
        source: etl::import::ImportError,
    },
    /// A layer could not be exported.
    #[error(transparent)]
    Archive(#[from] tiles::archive::ArchiveError),
    /// A layer that is not for everybody.
    #[error(
        "the layer {layer} is not for the public ({reason}). --private exports it all the same; then whoever has the \
         file sees it"
    )]
    NotPublic {
        /// The layer.
        layer: layers::LayerId,
        /// Its classification, or what its features stand for.
        reason: String,
    },
    /// `--all` of nothing.
    #[error("there is no layer that the public may see; --private exports the others")]
    NothingToExport,
    /// The catalogue refused.
    #[error(transparent)]
    Catalog(#[from] layers::catalog::CatalogError),
    /// A name cannot be a layer's.
    #[error("{0}; choose one with --as")]
    Identifier(layers::InvalidIdentifier),
    /// The demonstration city could not be made.
    #[error("{0}")]
    Demo(String),
    /// A file that the command was given cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source} (choose another with --listen or LINDERO_LISTEN)")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("the certificate {} with the key {} cannot be used: {source}", cert.display(), key.display())]
    Certificate {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server's own loop failed.
    #[error("the server failed: {0}")]
    Server(io::Error),
    /// Another program cannot be run.
    #[error("{program} cannot be run: {source}")]
    Program {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The runtime or the signals cannot be set up.
    #[error("the system refused what every program needs: {0}")]
    Runtime(io::Error),
    /// A table cannot be written.
    #[error("the table cannot be written: {0}")]
    Csv(#[from] csv::Error),
    /// The terminal or file that the answer goes to is gone.
    #[error("the answer cannot be written: {0}")]
    Output(io::Error),
}
