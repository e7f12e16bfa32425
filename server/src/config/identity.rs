//! Who else says who somebody is: identity providers (OpenID Connect) and
//! directories (LDAP). In the file alone: `[[oidc]]` and `[[ldap]]`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use access::MunicipalityCode;
use serde::Deserialize;
use thiserror::Error;
use url::{Host, Url};

use super::Secret;

/// An identity provider or a directory that cannot be so.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// Its id is part of addresses and of the accounts' names.
    #[error(
        "{id:?} is no id of an identity provider: expected 1 to 30 lower-case letters, digits and -, the first a letter, \
             and neither password nor link"
    )]
    Id {
        /// The id.
        id: String,
    },
    /// Two have one id.
    #[error("two identity providers have the id {id}")]
    Twice {
        /// The id.
        id: String,
    },
    /// Anybody on the way could say who somebody is.
    #[error("{id}: {url} is not safe: expected {expected}")]
    Unsafe {
        /// The provider's id.
        id: String,
        /// What was given.
        url: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A secret stands in two places.
    #[error("{id}: the secret is in a file or in the environment, not both")]
    TwoSecrets {
        /// The provider's id.
        id: String,
    },
    /// A directory's filter does not ask for the name.
    #[error("{id}: {setting} must hold {placeholder}, in whose place the value is put")]
    Filter {
        /// The directory's id.
        id: String,
        /// Which filter.
        setting: &'static str,
        /// What it lacks.
        placeholder: &'static str,
    },
    /// A secret cannot be read.
    #[error("{id}: the secret cannot be read from {from}: {reason}")]
    NoSecret {
        /// The provider's id.
        id: String,
        /// The file, or the variable.
        from: String,
        /// Why not.
        reason: String,
    },
    /// The certificates cannot be read.
    #[error("{id}: the certificates of {} cannot be used: {reason}", path.display())]
    Certificates {
        /// The provider's id.
        id: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The client cannot be made.
    #[error("{id}: no secure connection can be made: {reason}")]
    Tls {
        /// The provider's id.
        id: String,
        /// Why not.
        reason: String,
    },
}

/// Whom the rules let in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Admit {
    /// Those to whom at least one rule gives a role.
    #[default]
    Mapped,
    /// All for whom the provider vouches; to whom no rule gives anything sees what is public.
    All,
}

/// What is a rule's to give: who has that value among those of the claim (of
/// the attribute, in a directory) has the role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The claim's name, or a JSON pointer into the claims (`/realm_access/roles`).
    #[serde(default = "groups")]
    pub claim: String,
    /// The value.
    pub value: String,
    /// The role's id.
    pub role: String,
    /// In one municipality only.
    pub municipality: Option<MunicipalityCode>,
    /// In the layers of one dependency only.
    pub dependency: Option<String>,
    /// In the layers of the person's own dependency only; where that is not known the rule gives nothing.
    #[serde(default)]
    pub own_dependency: bool,
    /// In one layer only.
    pub layer: Option<String>,
}

fn groups() -> String {
    "groups".to_owned()
}

/// What is the same for all who vouch.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Mapping {
    /// Whom the rules let in.
    pub admit: Admit,
    /// Where all who come from there work.
    pub municipality: Option<MunicipalityCode>,
    /// The claim that names the dependency.
    pub dependency_claim: Option<String>,
    /// The rules.
    pub roles: Vec<RoleRule>,
}

/// The settings of whoever vouches: its own members, and those of [`Mapping`].
/// A flattened struct would do the same, but then neither which members there
/// are nor where in the file the wrong one stands could be told.
macro_rules! vouching {
    ($(#[$about:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($own)*
            /// Whom the rules let in: `mapped` (default), or `all`.
            #[serde(default)]
            pub admit: Admit,
            /// Where all who come from there work.
            pub municipality: Option<MunicipalityCode>,
            /// The claim that names the dependency.
            pub dependency_claim: Option<String>,
            /// The rules. In a directory, their claim `groups` is the names of the groups (DN).
            #[serde(default)]
            pub roles: Vec<RoleRule>,
        }

        impl $name {
            /// What the rules are, and what goes with them.
            pub fn mapping(&self) -> Mapping {
                let Self { admit, municipality, dependency_claim, roles, .. } = self.clone();
                Mapping { admit, municipality, dependency_claim, roles }
            }
        }
    };
}

vouching! {
    /// An OpenID Connect provider.
    pub struct OidcSettings {
        /// Its id: in addresses and beside accounts. Never changed, as accounts hang on it.
        pub id: String,
        /// What its button says.
        pub title: String,
        /// Its issuer, as its discovery document has it.
        pub issuer: String,
        /// What we are called there.
        pub client_id: String,
        /// The file with the secret that was given to us there …
        pub client_secret_file: Option<PathBuf>,
        /// … or the variable of the environment. Neither: a public client.
        pub client_secret_env: Option<String>,
        /// What is asked for besides `openid`.
        #[serde(default = "scopes")]
        pub scopes: Vec<String>,
        /// The claim that becomes the account's name.
        #[serde(default = "preferred_username")]
        pub name_claim: String,
        /// Certificates (PEM) that are trusted besides the system's.
        pub ca_file: Option<PathBuf>,
    }
}

fn scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

fn preferred_username() -> String {
    "preferred_username".to_owned()
}

vouching! {
    /// A directory that is asked by LDAP, over TLS.
    pub struct LdapSettings {
        /// Its id. Never changed, as accounts hang on it.
        pub id: String,
        /// `ldaps://host`, or `ldap://host` with `starttls`.
        pub url: Url,
        /// Whether TLS is begun on the connection (StartTLS).
        #[serde(default)]
        pub starttls: bool,
        /// Certificates (PEM) that are trusted besides the system's.
        pub ca_file: Option<PathBuf>,
        /// As whom persons are searched; nobody: as anybody.
        pub bind_dn: Option<String>,
        /// The file with its password …
        pub bind_password_file: Option<PathBuf>,
        /// … or the variable of the environment.
        pub bind_password_env: Option<String>,
        /// Below what persons are searched.
        pub base: String,
        /// Who is a person of that name; the name is put in place of `{name}`.
        #[serde(default = "user_filter")]
        pub user_filter: String,
        /// The attribute that never changes and is nobody else's (Active Directory: `objectGUID`).
        #[serde(default = "entry_uuid")]
        pub subject_attribute: String,
        /// The attribute of the account's name.
        #[serde(default = "uid")]
        pub name_attribute: String,
        /// The attribute of the person's full name.
        #[serde(default = "cn")]
        pub full_name_attribute: String,
        /// The attribute of the address to write to.
        #[serde(default = "mail")]
        pub email_attribute: String,
        /// Below what groups are searched, where persons do not say theirs (`memberOf`).
        pub group_base: Option<String>,
        /// What is a group of the person; the person's name in the directory is put in place of `{dn}`.
        #[serde(default = "group_filter")]
        pub group_filter: String,
    }
}

fn user_filter() -> String {
    "(&(objectClass=person)(uid={name}))".to_owned()
}

fn entry_uuid() -> String {
    "entryUUID".to_owned()
}

fn uid() -> String {
    "uid".to_owned()
}

fn cn() -> String {
    "cn".to_owned()
}

fn mail() -> String {
    "mail".to_owned()
}

fn group_filter() -> String {
    "(member={dn})".to_owned()
}

/// Checks what can be checked without asking anybody.
pub(super) fn check(oidc: &[OidcSettings], ldap: &[LdapSettings]) -> Result<(), IdentityError> {
    let mut seen = BTreeSet::new();
    for id in oidc.iter().map(|provider| &provider.id).chain(ldap.iter().map(|directory| &directory.id)) {
        let is_of_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins = id.starts_with(|c: char| c.is_ascii_lowercase());
        // The other two are how sessions begin without a provider.
        if !begins || id.len() > 30 || !id.chars().all(is_of_id) || ["password", "link"].contains(&id.as_str()) {
            return Err(IdentityError::Id { id: id.clone() });
        }
        if !seen.insert(id) {
            return Err(IdentityError::Twice { id: id.clone() });
        }
    }
    for OidcSettings { id, issuer, client_secret_file, client_secret_env, .. } in oidc {
        let is_safe = Url::parse(issuer).is_ok_and(|url| {
            let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
            is_safe && url.query().is_none() && url.fragment().is_none()
        });
        if !is_safe {
            let expected = "https:// (http:// on this machine alone), without query and fragment";
            return Err(IdentityError::Unsafe { id: id.clone(), url: issuer.clone(), expected });
        }
        if client_secret_file.is_some() && client_secret_env.is_some() {
            return Err(IdentityError::TwoSecrets { id: id.clone() });
        }
    }
    for LdapSettings { id, url, starttls, user_filter, group_filter, bind_password_file, bind_password_env, .. } in ldap
    {
        let is_safe = url.scheme() == "ldaps" && !starttls || url.scheme() == "ldap" && *starttls;
        if !is_safe || url.host().is_none() {
            let expected = "ldaps://, or ldap:// with starttls = true";
            return Err(IdentityError::Unsafe { id: id.clone(), url: url.to_string(), expected });
        }
        if bind_password_file.is_some() && bind_password_env.is_some() {
            return Err(IdentityError::TwoSecrets { id: id.clone() });
        }
        for (filter, setting, placeholder) in
            [(user_filter, "user_filter", "{name}"), (group_filter, "group_filter", "{dn}")]
        {
            if !filter.contains(placeholder) {
                return Err(IdentityError::Filter { id: id.clone(), setting, placeholder });
            }
        }
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The secret of a file or of a variable; none where neither is named.
pub(crate) fn identity_secret(
    id: &str,
    file: Option<&Path>,
    variable: Option<&str>,
) -> Result<Option<Secret>, IdentityError> {
    let failed = |from: String, reason: String| IdentityError::NoSecret { id: id.to_owned(), from, reason };
    let text = match (file, variable) {
        (Some(path), _) => {
            std::fs::read_to_string(path).map_err(|error| failed(path.display().to_string(), error.to_string()))?
        }
        (None, Some(variable)) => {
            // The error would show what the variable holds.
            std::env::var(variable).map_err(|_| failed(variable.to_owned(), "it is not set, or no text".to_owned()))?
        }
        (None, None) => return Ok(None),
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        let from = file.map_or_else(|| variable.unwrap_or_default().to_owned(), |path| path.display().to_string());
        return Err(failed(from, "it is empty".to_owned()));
    }
    Ok(Some(Secret(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OIDC: &str = "id = 'alcaldia'\ntitle = 'Alcaldía'\nissuer = 'https://id.example'\nclient_id = 'lindero'\n";
    const LDAP: &str = "id = 'directorio'\nurl = 'ldaps://directorio.example'\nbase = 'dc=example'\n";
    const SAME: &str = "admit = 'all'\nmunicipality = '73001'\ndependency_claim = 'area'\n\
                        [[roles]]\nvalue = 'sig'\nrole = 'editor'\n";

    #[test]
    fn all_who_vouch_take_the_same_rules() {
        let oidc: OidcSettings = toml::from_str(&format!("{OIDC}{SAME}")).unwrap();
        let ldap: LdapSettings = toml::from_str(&format!("{LDAP}{SAME}")).unwrap();
        for mapping in [oidc.mapping(), ldap.mapping()] {
            assert_eq!((mapping.admit, mapping.dependency_claim.as_deref()), (Admit::All, Some("area")));
            assert_eq!(mapping.municipality.as_ref().map(MunicipalityCode::as_str), Some("73001"));
            assert_eq!((mapping.roles[0].claim.as_str(), mapping.roles[0].role.as_str()), ("groups", "editor"));
        }
        let oidc: OidcSettings = toml::from_str(OIDC).unwrap();
        assert_eq!((oidc.mapping().admit, oidc.mapping().roles.len()), (Admit::Mapped, 0));
    }

    #[test]
    fn a_member_that_there_is_not_is_named_with_those_that_there_are() {
        for told in [
            toml::from_str::<OidcSettings>(&format!("{OIDC}admits = 'all'\n")).unwrap_err().to_string(),
            toml::from_str::<LdapSettings>(&format!("{LDAP}admits = 'all'\n")).unwrap_err().to_string(),
        ] {
            for part in ["unknown field `admits`", "`admit`", "`ca_file`", "line "] {
                assert!(told.contains(part), "{part}: {told}");
            }
        }
    }
}
