//! The configuration: one struct, [`Settings`], read from flags, then the
//! environment, then `lindero.toml`. Its doc comments are the help text and
//! the operator's reference page.

mod identity;
mod reference;
mod resolve;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use access::limit::Quotas;
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use layers::attachment::StoreLocation;
use serde::Deserialize;
use url::Url;

pub(crate) use identity::identity_secret;
pub use identity::{Admit, IdentityError, LdapSettings, Mapping, OidcSettings, RoleRule};
pub use reference::reference_page;
pub use resolve::ConfigError;

/// What may be set. Every member is optional: what is not given by a flag is
/// taken from the environment, else from the file, else from the default.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The folder that holds the private database cluster. It belongs to one
    /// server. Default: `./data`, and `/var/lib/lindero` for root.
    #[arg(long, env = "LINDERO_DATA_DIR", global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,

    /// A PostgreSQL database with PostGIS to use instead of the private
    /// cluster: `postgresql://user:password@host/database`.
    #[arg(long, env = "DATABASE_URL", global = true, value_name = "URL", hide_env_values = true)]
    pub database_url: Option<Secret>,

    /// The folder of PostgreSQL's programs (`initdb`, `pg_ctl`), for the
    /// private cluster. Default: the newest under `/usr/lib/postgresql` that
    /// has PostGIS, or the version that made the data folder.
    #[arg(long, env = "LINDERO_POSTGRES_BIN", global = true, value_name = "FOLDER")]
    pub postgres_bin: Option<PathBuf>,

    /// How many connections to the database answer requests. Default: 16.
    #[arg(long, env = "LINDERO_DATABASE_CONNECTIONS", global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..=500))]
    pub database_connections: Option<u32>,

    /// The address and port to listen on. Default: `[::]:8080`, which takes
    /// IPv6 and IPv4, and `0.0.0.0:8080` where the machine has no IPv6.
    #[arg(long, env = "LINDERO_LISTEN", global = true, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,

    /// The URL under which the public reaches this server, with the path
    /// where it does not stand at the root: `https://mapas.example.gov.co/sig`.
    /// Every link starts with it. Default: what the request says.
    #[arg(long, env = "LINDERO_PUBLIC_URL", global = true, value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// The server's certificate chain (PEM), for HTTPS with HTTP/2. Read again
    /// at SIGHUP.
    #[arg(long, env = "LINDERO_TLS_CERT", global = true, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM).
    #[arg(long, env = "LINDERO_TLS_KEY", global = true, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// The proxies (addresses or networks, separated by commas) whose
    /// `Forwarded` and `X-Forwarded-*` headers are believed. Default: none.
    #[arg(long, env = "LINDERO_TRUSTED_PROXIES", global = true, value_name = "NETWORKS", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<Network>>,

    /// How many seconds an answer may take to begin. Default: 30.
    #[arg(long, env = "LINDERO_REQUEST_TIMEOUT", global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub request_timeout: Option<u64>,

    /// How many seconds a stopping server gives the requests in hand.
    /// Default: 30.
    #[arg(long, env = "LINDERO_SHUTDOWN_TIMEOUT", global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub shutdown_timeout: Option<u64>,

    /// How many requests are worked on at once; more are told to come back
    /// (503). Default: 512.
    #[arg(long, env = "LINDERO_MAX_REQUESTS", global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_requests: Option<u32>,

    /// How many pages are told of changes at once, each over a connection that
    /// it keeps open; more are told to come back (503). Default: 1000.
    #[arg(long, env = "LINDERO_MAX_STREAMS", global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub max_streams: Option<u32>,

    /// How many megabytes of memory the tile indexes may take, about. The tiles
    /// of layers that find no room are cut by the database, which is slower.
    /// 0 has no indexes. Default: 1024.
    #[arg(long, env = "LINDERO_TILE_INDEX_MEMORY", global = true, value_name = "MEGABYTES",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub tile_index_memory: Option<u32>,

    /// How many megabytes of memory the tiles that are kept may take, as they
    /// are sent. 0 keeps none. Default: 256.
    #[arg(long, env = "LINDERO_TILE_CACHE_MEMORY", global = true, value_name = "MEGABYTES",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub tile_cache_memory: Option<u32>,

    /// How many requests a second an address may send on average, of those who
    /// did not come in; half a minute's at once. A network of IPv6 (/64) counts
    /// as one. 0: no limit. Default: 200.
    #[arg(long, env = "LINDERO_RATE_ADDRESS", global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub rate_address: Option<u32>,

    /// The same of an account, by its sessions. Default: 100.
    #[arg(long, env = "LINDERO_RATE_ACCOUNT", global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub rate_account: Option<u32>,

    /// The same of a key. Default: 100.
    #[arg(long, env = "LINDERO_RATE_KEY", global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub rate_key: Option<u32>,

    /// How often a minute an address may try to log in, use a one-time link or
    /// send anything else than a question, of those who did not come in; so many
    /// at once. Wrong passwords have limits of their own besides. 0: no limit.
    /// Default: 120.
    #[arg(long, env = "LINDERO_RATE_WRITE", global = true, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    pub rate_write: Option<u32>,

    /// Every how many seconds the layers whose changes no trigger sees (views,
    /// foreign tables) are compared with what they were, and missing triggers
    /// made anew. 0 never does. Default: 3600.
    #[arg(long, env = "LINDERO_COMPARE_INTERVAL", global = true, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(0..=31_536_000))]
    pub compare_interval: Option<u64>,

    /// Where the files attached to features are kept: a folder, or a bucket of
    /// Amazon S3 or of what speaks as it does (`s3://bucket/prefix`), whose
    /// access is taken from the environment (`AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`). Several
    /// servers of one database need the same. Default: `attachments` in the
    /// data folder.
    #[arg(long, env = "LINDERO_ATTACHMENT_STORE", global = true, value_name = "FOLDER|URL")]
    pub attachment_store: Option<StoreLocation>,

    /// How the log is written. Default: `text` on a terminal, else `json`.
    #[arg(long, env = "LINDERO_LOG_FORMAT", global = true, value_enum)]
    pub log_format: Option<LogFormat>,

    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, or a list
    /// by module as `info,lindero::http=debug`. Default: `info` for the
    /// server, `warn` for the other commands.
    #[arg(long, env = "LINDERO_LOG", global = true, value_name = "FILTER")]
    pub log: Option<String>,

    /// Identity providers by OpenID Connect.
    #[arg(skip)]
    pub oidc: Vec<OidcSettings>,

    /// Directories by LDAP.
    #[arg(skip)]
    pub ldap: Vec<LdapSettings>,
}

/// The configuration, complete.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder, absolute.
    pub data_dir: PathBuf,
    /// The database, where it is not the private cluster.
    pub database_url: Option<Secret>,
    /// The folder of PostgreSQL's programs, where it is not to be searched.
    pub postgres_bin: Option<PathBuf>,
    /// The connections that answer requests.
    pub database_connections: u32,
    /// Where to listen; `None` is the default with its fall-back.
    pub listen: Option<SocketAddr>,
    /// What every link starts with, where it is fixed.
    pub public_url: Option<Url>,
    /// Certificate chain and private key, for HTTPS.
    pub tls: Option<Tls>,
    /// The proxies that are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How long an answer may take to begin.
    pub request_timeout: Duration,
    /// How long a stopping server waits for the requests in hand.
    pub shutdown_timeout: Duration,
    /// The requests worked on at once.
    pub max_requests: usize,
    /// The pages told of changes at once.
    pub max_streams: usize,
    /// Bytes that the tile indexes may take.
    pub tile_index_memory: usize,
    /// Bytes that the tiles that are kept may take.
    pub tile_cache_memory: usize,
    /// How much anybody may ask for.
    pub quotas: Quotas,
    /// How often layers that no trigger watches are compared; `None` is never.
    pub compare_interval: Option<Duration>,
    /// Where attachments' files are kept.
    pub attachment_store: StoreLocation,
    /// How the log is written; `None` lets the terminal decide.
    pub log_format: Option<LogFormat>,
    /// What is logged, where it is not the default.
    pub log: Option<String>,
    /// Identity providers by OpenID Connect.
    pub oidc: Vec<OidcSettings>,
    /// Directories by LDAP.
    pub ldap: Vec<LdapSettings>,
}

impl Config {
    /// Whether clients come by HTTPS, to us or to a proxy before us.
    pub fn is_https(&self) -> bool {
        self.tls.is_some() || self.public_url.as_ref().is_some_and(|public| public.scheme() == "https")
    }

    /// Where people reach the server, with a slash at the end: the public URL,
    /// else this machine's own address, at which it listens or is to.
    pub fn url(&self, listening: Option<SocketAddr>) -> String {
        if let Some(public) = &self.public_url {
            return format!("{}/", public.as_str().trim_end_matches('/'));
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match listening.or(self.listen) {
            Some(address) if address.ip().is_unspecified() => format!("{scheme}://localhost:{}/", address.port()),
            Some(address) => format!("{scheme}://{address}/"),
            None => format!("{scheme}://localhost:{}/", crate::http::listen::PORT),
        }
    }

    /// The folder of the audit trail's key and daily digests.
    pub fn audit_dir(&self) -> PathBuf {
        self.data_dir.join(Self::AUDIT)
    }

    /// In the data folder, the folder of the audit trail's files.
    pub(crate) const AUDIT: &str = "audit";

    /// In the data folder, the folder of the tile indexes' files.
    pub(crate) const TILES: &str = "tiles";

    /// The folder of the tile indexes' files.
    pub fn tiles_dir(&self) -> PathBuf {
        self.data_dir.join(Self::TILES)
    }
}

/// The files of HTTPS, both in PEM.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The certificate chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The log's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// A text that must not appear in a log: its `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// A network in CIDR notation, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

impl Network {
    /// The network itself.
    pub fn net(self) -> IpNet {
        self.0
    }
}

impl std::str::FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        text.parse::<IpNet>()
            .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
            .map(Self)
            .map_err(|_| format!("{text:?} is neither an address (10.0.0.1) nor a network (10.0.0.0/8)"))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// An URL that links can start with: `http` or `https`, a host, perhaps a
/// port and a path; no user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl(Url);

impl std::str::FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refusal = || {
            format!(
                "{text:?} is no public URL: it must be http:// or https:// with a host, without user, query or fragment"
            )
        };
        let url: Url = text.parse().map_err(|_| refusal())?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if matches!(url.scheme(), "http" | "https") && plain { Ok(Self(url)) } else { Err(refusal()) }
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
