//! Identity providers and directories: who somebody is, and what the rules of
//! the configuration give to whom.

mod ldap;
mod mapping;
mod oidc;
mod trust;
mod web;

use std::sync::Arc;

use access::outside::{Directory, ProviderAway, Vouched};
use access::password::Password;
use async_trait::async_trait;

use self::ldap::Ldap;
pub use self::oidc::{Oidc, OidcError};
use crate::config::{Config, IdentityError};

/// Whoever vouches, as configured.
#[derive(Debug)]
pub struct Identity {
    oidc: Vec<Oidc>,
    ldap: Arc<[Ldap]>,
}

impl Identity {
    /// As configured. Nobody is asked yet.
    pub fn new(config: &Config) -> Self {
        Self {
            oidc: config.oidc.iter().cloned().map(Oidc::new).collect(),
            ldap: config.ldap.iter().cloned().map(Ldap::new).collect(),
        }
    }

    /// Whether secrets and certificates can be read: looked at when the server
    /// starts.
    pub fn check(config: &Config) -> Result<(), IdentityError> {
        let identity = Self::new(config);
        identity.oidc.iter().try_for_each(Oidc::check)?;
        identity.ldap.iter().try_for_each(Ldap::check)
    }

    /// Whether each answers, and why not.
    pub async fn reach(&self) -> Vec<(String, Result<(), String>)> {
        let mut found = Vec::new();
        for provider in &self.oidc {
            found.push((provider.id().to_owned(), provider.reach().await.map_err(|error| error.to_string())));
        }
        for directory in &*self.ldap {
            found.push((directory.id().to_owned(), directory.reach().await));
        }
        found
    }

    /// The OpenID Connect providers.
    pub fn oidc(&self) -> &[Oidc] {
        &self.oidc
    }

    /// One of them.
    pub fn provider(&self, id: &str) -> Option<&Oidc> {
        self.oidc.iter().find(|provider| provider.id() == id)
    }

    /// The directories, where there are any.
    pub fn directory(&self) -> Option<&dyn Directory> {
        (!self.ldap.is_empty()).then_some(self as &dyn Directory)
    }
}

#[async_trait]
impl Directory for Identity {
    /// A name may say which directory is meant, as accounts are called whose
    /// name another one had: `eva@directorio`.
    async fn vouch(
        &self,
        provider: Option<&str>,
        name: &str,
        password: &Password,
    ) -> Result<Option<Vouched>, ProviderAway> {
        let mut away = None;
        for directory in &*self.ldap {
            let own = name.strip_suffix(directory.id()).and_then(|rest| rest.strip_suffix('@'));
            if provider.is_some_and(|provider| provider != directory.id()) {
                continue;
            }
            match directory.vouch(own.unwrap_or(name), password).await {
                Ok(None) => {}
                Ok(Some(vouched)) => return Ok(Some(vouched)),
                // Another one may know the name.
                Err(error) => away = Some(error),
            }
        }
        away.map_or(Ok(None), Err)
    }
}
