//! From what is set to what holds: the file below flags and environment, the
//! defaults below the file, and the members checked against each other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use access::limit::{Quota, Quotas};
use layers::attachment::StoreLocation;
use thiserror::Error;

use super::{Config, IdentityError, Settings, Tls, identity};

/// A configuration that cannot be.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file that was named cannot be read.
    #[error("the configuration file {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not say what it should.
    #[error("the configuration file {} is not valid: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Half of HTTPS.
    #[error("HTTPS needs both LINDERO_TLS_CERT and LINDERO_TLS_KEY; only one is set")]
    HalfTls,
    /// An identity provider cannot be so.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The working folder is gone.
    #[error("the working folder cannot be found: {0}")]
    WorkingFolder(std::io::Error),
}

impl Settings {
    /// The configuration, with `file` (or the first of `./lindero.toml` and
    /// `/etc/lindero/lindero.toml` that exists) below these settings.
    pub fn resolve(self, file: Option<&Path>) -> Result<Config, ConfigError> {
        let below = match file {
            Some(path) => Self::from_file(path)?,
            None => ["lindero.toml", "/etc/lindero/lindero.toml"]
                .map(Path::new)
                .into_iter()
                .find(|path| path.exists())
                .map_or_else(|| Ok(Self::default()), Self::from_file)?,
        };
        self.or(below).complete()
    }

    fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|source| ConfigError::Invalid { path: path.to_owned(), source: Box::new(source) })
    }

    /// These settings where they are given, else `below`'s.
    fn or(self, below: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(below.data_dir),
            database_url: self.database_url.or(below.database_url),
            postgres_bin: self.postgres_bin.or(below.postgres_bin),
            database_connections: self.database_connections.or(below.database_connections),
            listen: self.listen.or(below.listen),
            public_url: self.public_url.or(below.public_url),
            tls_cert: self.tls_cert.or(below.tls_cert),
            tls_key: self.tls_key.or(below.tls_key),
            trusted_proxies: self.trusted_proxies.or(below.trusted_proxies),
            request_timeout: self.request_timeout.or(below.request_timeout),
            shutdown_timeout: self.shutdown_timeout.or(below.shutdown_timeout),
            max_requests: self.max_requests.or(below.max_requests),
            max_streams: self.max_streams.or(below.max_streams),
            tile_index_memory: self.tile_index_memory.or(below.tile_index_memory),
            tile_cache_memory: self.tile_cache_memory.or(below.tile_cache_memory),
            rate_address: self.rate_address.or(below.rate_address),
            rate_account: self.rate_account.or(below.rate_account),
            rate_key: self.rate_key.or(below.rate_key),
            rate_write: self.rate_write.or(below.rate_write),
            compare_interval: self.compare_interval.or(below.compare_interval),
            attachment_store: self.attachment_store.or(below.attachment_store),
            log_format: self.log_format.or(below.log_format),
            log: self.log.or(below.log),
            oidc: [self.oidc, below.oidc].concat(),
            ldap: [self.ldap, below.ldap].concat(),
        }
    }

    fn complete(self) -> Result<Config, ConfigError> {
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(cert), Some(key)) => Some(Tls { cert, key }),
            (None, None) => None,
            _ => return Err(ConfigError::HalfTls),
        };
        identity::check(&self.oidc, &self.ldap)?;
        let data_dir = self.data_dir.unwrap_or_else(default_data_dir);
        let data_dir = std::path::absolute(data_dir).map_err(ConfigError::WorkingFolder)?;
        let attachments = || StoreLocation::Folder(data_dir.join("attachments"));
        Ok(Config {
            attachment_store: self.attachment_store.unwrap_or_else(attachments),
            data_dir,
            database_url: self.database_url,
            postgres_bin: self.postgres_bin,
            database_connections: self.database_connections.unwrap_or(16),
            listen: self.listen,
            public_url: self.public_url.map(|url| url.0),
            tls,
            trusted_proxies: self.trusted_proxies.unwrap_or_default().into_iter().map(|network| network.0).collect(),
            request_timeout: Duration::from_secs(self.request_timeout.unwrap_or(30)),
            shutdown_timeout: Duration::from_secs(self.shutdown_timeout.unwrap_or(30)),
            max_requests: self.max_requests.unwrap_or(512) as usize,
            max_streams: self.max_streams.unwrap_or(1000) as usize,
            tile_index_memory: self.tile_index_memory.unwrap_or(1024) as usize * MEGABYTE,
            tile_cache_memory: self.tile_cache_memory.unwrap_or(256) as usize * MEGABYTE,
            quotas: Quotas {
                address: Quota::a_second(self.rate_address.unwrap_or(200)),
                account: Quota::a_second(self.rate_account.unwrap_or(100)),
                key: Quota::a_second(self.rate_key.unwrap_or(100)),
                write: Quota::a_minute(self.rate_write.unwrap_or(120)),
            },
            compare_interval: Some(Duration::from_secs(self.compare_interval.unwrap_or(3600)))
                .filter(|interval| !interval.is_zero()),
            log_format: self.log_format,
            log: self.log,
            oidc: self.oidc,
            ldap: self.ldap,
        })
    }
}

const MEGABYTE: usize = 1024 * 1024;

/// Root's cluster runs as another user, who cannot reach `/root` and the
/// like: its folder is the system's.
fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() { "/var/lib/lindero".into() } else { "data".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<Settings, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lindero.toml");
        std::fs::write(&path, text).expect("a file");
        Settings::from_file(&path)
    }

    #[test]
    fn a_flag_stands_above_the_file_and_the_file_above_the_default() {
        let below = file("listen = '127.0.0.1:9000'\nmax_requests = 7\n").expect("valid");
        let above = Settings { listen: Some("127.0.0.1:9001".parse().expect("an address")), ..Settings::default() };
        let config = above.or(below).complete().expect("complete");
        assert_eq!(config.listen, Some("127.0.0.1:9001".parse().expect("an address")));
        assert_eq!(config.max_requests, 7);
        assert_eq!(config.database_connections, 16);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named() {
        let error = file("lisen = '127.0.0.1:9000'\n").expect_err("a misspelling");
        assert!(std::error::Error::source(&error).expect("a cause").to_string().contains("lisen"));
    }

    #[test]
    fn half_of_https_and_a_strange_public_url_are_refused() {
        let half = Settings { tls_cert: Some("cert.pem".into()), ..Settings::default() };
        assert!(matches!(half.complete(), Err(ConfigError::HalfTls)));
        for url in ["ftp://example.org/", "https://example.org/?a=b", "https://user@example.org/", "mailto:a@b.co", ""]
        {
            assert!(url.parse::<super::super::PublicUrl>().is_err(), "{url}");
        }
        assert!("https://example.org/sig".parse::<super::super::PublicUrl>().is_ok());
    }

    #[test]
    fn networks_are_addresses_or_prefixes_and_the_password_is_hidden() {
        let settings =
            file("trusted_proxies = ['10.0.0.0/8', '::1']\ndatabase_url = 'postgresql://u:hush@h/d'\n").expect("valid");
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hush"), "{shown}");
        let config = settings.complete().expect("complete");
        assert!(
            config
                .trusted_proxies
                .iter()
                .any(|network| network.contains(&"10.1.2.3".parse::<std::net::IpAddr>().expect("an address")))
        );
        assert!(file("trusted_proxies = ['ten']\n").is_err());
    }
}
