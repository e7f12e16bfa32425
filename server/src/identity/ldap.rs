//! LDAP and Active Directory: a person is searched by name, then binds with
//! the password. Always over TLS.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use access::outside::{ProviderAway, Vouched};
use access::password::Password;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ldap3::{
    Ldap as Connection, LdapConnAsync, LdapConnSettings, LdapError, Scope, SearchEntry, SearchOptions, ldap_escape,
};
use rustls::ClientConfig;
use serde_json::{Map, Value};
use thiserror::Error;

use super::mapping::Said;
use super::trust;
use crate::config::{IdentityError, LdapSettings, Mapping, identity_secret};

/// How long a directory may take to answer a question.
const PATIENCE: Duration = Duration::from_secs(8);
/// Where the groups of a person are found, as a claim.
const GROUPS: &str = "groups";
/// The attribute by which persons say their groups.
const MEMBER_OF: &str = "memberOf";

/// LDAP's result codes (RFC 4511, appendix A) that say no to whoever binds:
/// constraintViolation, noSuchObject, inappropriateAuthentication,
/// invalidCredentials, insufficientAccessRights, unwillingToPerform.
const REFUSALS: [u32; 6] = [19, 32, 48, 49, 50, 53];

/// Why a directory could not be asked.
#[derive(Debug, Error)]
enum Failure {
    /// It cannot be reached, or refuses what is asked.
    #[error(transparent)]
    Ldap(#[from] LdapError),
    /// What it takes to ask it cannot be read.
    #[error(transparent)]
    Setup(#[from] IdentityError),
    /// A person's entry lacks what never changes.
    #[error("a person has no attribute {0}, or several; set subject_attribute to one that each has")]
    NoSubject(String),
}

/// A directory.
#[derive(Debug)]
pub(super) struct Ldap {
    settings: LdapSettings,
    mapping: Mapping,
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Ldap {
    pub(super) fn new(settings: LdapSettings) -> Self {
        let mapping = settings.mapping();
        Self { settings, mapping, tls: OnceLock::new() }
    }

    pub(super) fn check(&self) -> Result<(), IdentityError> {
        self.bind_password()?;
        self.tls().map(drop)
    }

    pub(super) fn id(&self) -> &str {
        &self.settings.id
    }

    /// The person of that name and password; none where they are not right.
    pub(super) async fn vouch(&self, name: &str, password: &Password) -> Result<Option<Vouched>, ProviderAway> {
        // A bind without a password is one of nobody, and succeeds (RFC 4513, 5.1.2).
        if name.is_empty() || password.as_typed().is_empty() {
            return Ok(None);
        }
        self.look(name, password.as_typed()).await.map_err(|error| {
            tracing::error!(provider = self.id(), %error, "a directory cannot be asked");
            ProviderAway { provider: self.id().to_owned() }
        })
    }

    /// Whether it answers, to whom it is asked as.
    pub(super) async fn reach(&self) -> Result<(), String> {
        let opened = async { self.open().await?.unbind().await.map_err(Failure::from) };
        opened.await.map_err(|error| error.to_string())
    }

    /// A connection, as whom persons are searched.
    async fn open(&self) -> Result<Connection, Failure> {
        let mut connection = self.connect().await?;
        if let Some(bind_dn) = &self.settings.bind_dn {
            let secret = self.bind_password()?;
            connection.with_timeout(PATIENCE).simple_bind(bind_dn, &secret).await?.success()?;
        }
        Ok(connection)
    }

    async fn look(&self, name: &str, password: &str) -> Result<Option<Vouched>, Failure> {
        let mut connection = self.open().await?;
        let Some(person) = self.person(&mut connection, name).await? else { return Ok(None) };
        let groups = self.groups(&mut connection, &person).await?;
        // On the same connection: from here on it is the person's.
        let bound = connection.with_timeout(PATIENCE).simple_bind(&person.dn, password).await?;
        let _ = connection.unbind().await;
        if REFUSALS.contains(&bound.rc) {
            return Ok(None);
        }
        bound.success()?;
        self.vouched(&person, &groups).map(Some)
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let LdapSettings { url, starttls, .. } = &self.settings;
        let settings =
            LdapConnSettings::new().set_conn_timeout(PATIENCE).set_starttls(*starttls).set_config(self.tls()?);
        let (driver, connection) = LdapConnAsync::from_url_with_settings(settings, url).await?;
        tokio::spawn(async move {
            if let Err(error) = driver.drive().await {
                tracing::debug!(%error, "a connection to a directory ended");
            }
        });
        Ok(connection)
    }

    /// The one person of that name; none where there is none, or several.
    async fn person(&self, connection: &mut Connection, name: &str) -> Result<Option<SearchEntry>, Failure> {
        let filter = self.settings.user_filter.replace("{name}", &ldap_escape(name));
        let found = search(connection, &self.settings.base, &filter, self.attributes()).await?;
        let mut found = found.into_iter();
        Ok(match (found.next(), found.next()) {
            (Some(person), None) => Some(person),
            (Some(_), Some(_)) => {
                tracing::warn!(
                    provider = self.id(),
                    "a name is that of several persons of a directory: narrow user_filter"
                );
                None
            }
            (None, _) => None,
        })
    }

    /// The names (DN) of the person's groups.
    async fn groups(&self, connection: &mut Connection, person: &SearchEntry) -> Result<Vec<String>, Failure> {
        let mut groups = attribute(person, MEMBER_OF).to_vec();
        if let Some(base) = &self.settings.group_base {
            let filter = self.settings.group_filter.replace("{dn}", &ldap_escape(person.dn.as_str()));
            let found = search(connection, base, &filter, vec!["1.1".to_owned()]).await?;
            groups.extend(found.into_iter().map(|group| group.dn));
        }
        Ok(groups)
    }

    /// What is asked of a person: what is used, and nothing more.
    fn attributes(&self) -> Vec<String> {
        let LdapSettings { subject_attribute, name_attribute, full_name_attribute, email_attribute, .. } =
            &self.settings;
        let mut attributes: Vec<String> =
            [subject_attribute, name_attribute, full_name_attribute, email_attribute].into_iter().cloned().collect();
        attributes.push(MEMBER_OF.to_owned());
        attributes.extend(self.mapping.dependency_claim.clone());
        let claims = self.mapping.roles.iter().map(|rule| &rule.claim);
        attributes.extend(claims.filter(|claim| *claim != GROUPS).cloned());
        attributes
    }

    fn vouched(&self, person: &SearchEntry, groups: &[String]) -> Result<Vouched, Failure> {
        let subject = subject(person, &self.settings.subject_attribute)
            .ok_or_else(|| Failure::NoSubject(self.settings.subject_attribute.clone()))?;
        let list = |values: &[String]| Value::Array(values.iter().cloned().map(Value::String).collect());
        let mut claims: Map<String, Value> =
            person.attrs.iter().map(|(name, values)| (name.clone(), list(values))).collect();
        claims.retain(|name, _| !name.eq_ignore_ascii_case(GROUPS));
        claims.insert(GROUPS.to_owned(), list(groups));
        let said = Said { claims: &claims, ignores_case: true };
        let vouched = Vouched {
            provider: self.settings.id.clone(),
            subject,
            name: said.first(&self.settings.name_attribute),
            full_name: said.first(&self.settings.full_name_attribute),
            email: said.first(&self.settings.email_attribute),
            municipality: None,
            dependency: String::new(),
            grants: Vec::new(),
            is_admitted: false,
        };
        Ok(self.mapping.apply(&said, vouched))
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, IdentityError> {
        if let Some(tls) = self.tls.get() {
            return Ok(Arc::clone(tls));
        }
        let tls = trust::client_config(&self.settings.id, self.settings.ca_file.as_deref())?;
        Ok(Arc::clone(self.tls.get_or_init(|| tls)))
    }

    fn bind_password(&self) -> Result<String, IdentityError> {
        let LdapSettings { id, bind_password_file, bind_password_env, .. } = &self.settings;
        let secret = identity_secret(id, bind_password_file.as_deref(), bind_password_env.as_deref())?;
        Ok(secret.map(|secret| secret.expose().to_owned()).unwrap_or_default())
    }
}

async fn search(
    connection: &mut Connection,
    base: &str,
    filter: &str,
    attributes: Vec<String>,
) -> Result<Vec<SearchEntry>, Failure> {
    let options = SearchOptions::new().timelimit(PATIENCE.as_secs() as i32);
    let found = connection
        .with_search_options(options)
        .with_timeout(PATIENCE)
        .search(base, Scope::Subtree, filter, attributes)
        .await?;
    let (entries, _) = found.success()?;
    // What else a directory answers points at other directories: nobody follows.
    let entries = entries.into_iter().filter(|entry| !entry.is_ref() && !entry.is_intermediate());
    Ok(entries.map(SearchEntry::construct).collect())
}

fn attribute<'a>(entry: &'a SearchEntry, name: &str) -> &'a [String] {
    let found = entry.attrs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map_or(&[], |(_, values)| values.as_slice())
}

/// The one value of an attribute, which may be no text (`objectGUID`).
fn subject(entry: &SearchEntry, name: &str) -> Option<String> {
    if let [value] = attribute(entry, name) {
        return Some(value.clone());
    }
    let (_, values) = entry.bin_attrs.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    match values.as_slice() {
        [value] => Some(URL_SAFE_NO_PAD.encode(value)),
        _ => None,
    }
}
