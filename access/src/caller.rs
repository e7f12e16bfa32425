//! Who asks.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use uuid::Uuid;

use crate::audit::{self, Trail};
use crate::{Permission, Permissions, Reach, Right, Scope, Subject, Visibility};

/// Who asks, and from where. Made once at the border (an HTTP request, a
/// command line) and handed to every public function of the domain crates.
#[derive(Debug, Clone)]
pub struct Caller {
    who: Who,
    came: Option<Arc<Came>>,
}

/// By what request it came.
#[derive(Debug)]
struct Came {
    origin: Origin,
    /// Where denials and reads are noted.
    trail: Option<Trail>,
    /// Which reads were noted: each once a request.
    read: Mutex<BTreeSet<(String, String)>>,
}

#[derive(Debug, Clone)]
enum Who {
    Anonymous,
    Operator,
    Account(Arc<Login>),
}

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The client's address, as far as it is known: a proxy's word counts where
    /// it is trusted.
    pub address: Option<IpAddr>,
    /// The request's id.
    pub request: Arc<str>,
}

/// An account that came in, by a session or by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The account.
    pub account: Uuid,
    /// Its name.
    pub name: String,
    /// The dependency in which it works.
    pub dependency: String,
    /// By what it came in.
    pub by: Credential,
    /// What it may do.
    pub rights: Vec<Right>,
}

/// By what an account came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// A session, by its id.
    Session(Uuid),
    /// A key, by its id.
    Key(Uuid),
}

/// The caller may not do this. Says what was tried, never what is behind it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("you may not {action}")]
pub struct Denied {
    /// What was tried, as a verb phrase: "import a layer".
    pub action: &'static str,
}

impl Caller {
    /// Anybody on the network: sees what is published, changes nothing.
    pub const ANONYMOUS: Self = Self { who: Who::Anonymous, came: None };

    /// The person who runs `lindero` on the machine that holds the data: may
    /// do all.
    pub const OPERATOR: Self = Self { who: Who::Operator, came: None };

    /// An account that came in.
    pub fn account(login: Arc<Login>) -> Self {
        Self { who: Who::Account(login), came: None }
    }

    /// The same, from there.
    #[must_use]
    pub fn from(self, origin: Origin) -> Self {
        Self { came: Some(Arc::new(Came { origin, trail: None, read: Mutex::default() })), ..self }
    }

    /// The same, from there; what it is denied, and what it reads that is not
    /// public, is noted in the trail.
    #[must_use]
    pub fn noted(self, origin: Origin, trail: &Trail) -> Self {
        let came = Came { origin, trail: Some(trail.clone()), read: Mutex::default() };
        Self { came: Some(Arc::new(came)), ..self }
    }

    /// The account that came in, if any did.
    pub fn login(&self) -> Option<&Login> {
        match &self.who {
            Who::Account(login) => Some(login),
            Who::Anonymous | Who::Operator => None,
        }
    }

    /// Whether this is the operator of the machine.
    pub fn is_operator(&self) -> bool {
        matches!(self.who, Who::Operator)
    }

    /// Where the request came from, where that is known.
    pub fn origin(&self) -> Option<&Origin> {
        self.came.as_ref().map(|came| &came.origin)
    }

    pub(crate) fn trail(&self) -> Option<&Trail> {
        self.came.as_ref().and_then(|came| came.trail.as_ref())
    }

    /// The same, of which nothing more is noted: for what is kept in the trail.
    pub(crate) fn untold(&self) -> Self {
        match self.origin() {
            Some(origin) => self.clone().from(origin.clone()),
            None => self.clone(),
        }
    }

    /// Whether this request did not read that before.
    pub(crate) fn is_first_read(&self, layer: &str, feature: &str) -> bool {
        self.came.as_ref().is_none_or(|came| {
            let mut read = came.read.lock().unwrap_or_else(PoisonError::into_inner);
            read.insert((layer.to_owned(), feature.to_owned()))
        })
    }

    /// How far the caller may do that; empty where nowhere.
    pub fn reaches(&self, permission: Permission) -> Vec<Reach> {
        match &self.who {
            Who::Anonymous => Vec::new(),
            Who::Operator => vec![Reach::default()],
            Who::Account(login) => {
                let rights = login.rights.iter().filter(|right| right.permissions.contains(permission));
                rights.map(|right| right.reach.clone()).collect()
            }
        }
    }

    /// Refused, which the trail is told.
    pub fn denied(&self, action: &'static str) -> Denied {
        audit::note_denial(self, action, None);
        Denied { action }
    }

    /// The highest classification up to which the caller may see what is said
    /// of such subjects there; none where it may see nothing.
    ///
    /// Persons, cases and dwellings are never served as features to the
    /// public (Ley 1581 de 2012), however they are classified.
    pub fn clearance(&self, scope: &Scope<'_>, subject: Subject) -> Option<Visibility> {
        let permissions = self.permissions_at(scope);
        if subject.is_personal() && !permissions.contains(Permission::ReadPersonal) {
            return None;
        }
        Some(if permissions.contains(Permission::ReadReserved) {
            Visibility::Reservada
        } else if permissions.contains(Permission::ReadClassified) {
            Visibility::Clasificada
        } else {
            Visibility::Publica
        })
    }

    /// Whether the caller may do that there.
    pub fn may(&self, permission: Permission, scope: &Scope<'_>) -> bool {
        self.permissions_at(scope).contains(permission)
    }

    /// Whether the caller may do that wherever `reach` reaches.
    pub fn may_within(&self, permission: Permission, reach: &Reach) -> bool {
        match &self.who {
            Who::Anonymous => false,
            Who::Operator => true,
            Who::Account(login) => {
                login.rights.iter().any(|right| right.permissions.contains(permission) && right.reach.includes(reach))
            }
        }
    }

    /// Whether the caller may do that anywhere.
    pub fn may_somewhere(&self, permission: Permission) -> bool {
        match &self.who {
            Who::Anonymous => false,
            Who::Operator => true,
            Who::Account(login) => login.rights.iter().any(|right| right.permissions.contains(permission)),
        }
    }

    /// Passes whoever may do that anywhere, refuses everybody else.
    pub fn require_somewhere(&self, permission: Permission, action: &'static str) -> Result<(), Denied> {
        if self.may_somewhere(permission) { Ok(()) } else { Err(self.denied(action)) }
    }

    /// Passes whoever may do that wherever `reach` reaches, refuses everybody
    /// else.
    pub fn require_within(&self, permission: Permission, reach: &Reach, action: &'static str) -> Result<(), Denied> {
        if self.may_within(permission, reach) { Ok(()) } else { Err(self.denied(action)) }
    }

    /// Passes the operator, refuses everybody else.
    pub fn require_operator(&self, action: &'static str) -> Result<(), Denied> {
        if self.is_operator() { Ok(()) } else { Err(self.denied(action)) }
    }

    fn permissions_at(&self, scope: &Scope<'_>) -> Permissions {
        match &self.who {
            Who::Anonymous => Permissions::empty(),
            Who::Operator => Permissions::all(),
            Who::Account(login) => {
                let rights = login.rights.iter().filter(|right| right.reach.covers(scope));
                rights.fold(Permissions::empty(), |all, right| all | right.permissions)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BUILT_IN_ROLES;

    fn with(rights: &[(&str, Reach)]) -> Caller {
        let permissions = |id: &str| BUILT_IN_ROLES.iter().find(|role| role.id == id).expect("a role").permissions;
        let rights = rights.iter().map(|(role, reach)| Right { permissions: permissions(role), reach: reach.clone() });
        Caller::account(Arc::new(Login {
            account: Uuid::nil(),
            name: "alguien".to_owned(),
            dependency: String::new(),
            by: Credential::Session(Uuid::nil()),
            rights: rights.collect(),
        }))
    }

    #[test]
    fn the_public_sees_public_things_and_no_persons() {
        let municipality = "73001".parse().unwrap();
        let scope = Scope { municipality: &municipality, dependency: "Secretaría de Salud", layer: "sedes_salud" };
        for anybody in [Caller::ANONYMOUS, with(&[]), with(&[("citizen", Reach::default())])] {
            assert_eq!(anybody.clearance(&scope, Subject::Thing), Some(Visibility::Publica));
            assert_eq!(anybody.clearance(&scope, Subject::Persons), None);
            assert_eq!(anybody.clearance(&scope, Subject::Dwellings), None);
        }
        assert_eq!(Caller::OPERATOR.clearance(&scope, Subject::Cases), Some(Visibility::Reservada));
        assert!(Visibility::Publica < Visibility::Clasificada && Visibility::Clasificada < Visibility::Reservada);
    }

    #[test]
    fn a_right_counts_where_it_reaches() {
        let municipality = "73001".parse().unwrap();
        let scope = |dependency, layer| Scope { municipality: &municipality, dependency, layer };
        let of = |dependency: &str| Reach { dependency: Some(dependency.to_owned()), ..Reach::default() };
        let one = Reach { layer: Some("vias".to_owned()), ..Reach::default() };
        let caller = with(&[("planner", of("Salud")), ("editor", one)]);
        let sees = |dependency, layer| caller.clearance(&scope(dependency, layer), Subject::Thing);
        assert_eq!(sees("Salud", "sedes_salud"), Some(Visibility::Clasificada));
        assert_eq!(sees("Hacienda", "predios"), Some(Visibility::Publica));
        assert_eq!(sees("Infraestructura", "vias"), Some(Visibility::Clasificada));
        assert!(caller.may(Permission::EditFeatures, &scope("Infraestructura", "vias")));
        assert!(!caller.may(Permission::EditFeatures, &scope("Salud", "sedes_salud")));
        assert_eq!(caller.clearance(&scope("Salud", "casos"), Subject::Cases), None);
        assert!(!caller.may_within(Permission::ReadClassified, &Reach::default()));
        assert!(caller.may_within(Permission::ReadClassified, &of("Salud")));
        assert!(caller.may_somewhere(Permission::EditFeatures) && !caller.may_somewhere(Permission::ManageAccounts));
    }

    #[test]
    fn what_is_the_operators_is_nobody_elses() {
        assert_eq!(Caller::OPERATOR.require_operator("import a layer"), Ok(()));
        for other in [Caller::ANONYMOUS, with(&[("administrator", Reach::default())])] {
            let denied = other.require_operator("import a layer").unwrap_err();
            assert_eq!(denied.to_string(), "you may not import a layer");
        }
    }
}
