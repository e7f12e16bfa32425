use thiserror::Error;

use crate::{Scope, Subject, Visibility};

/// Who asks. Made once at the border (an HTTP request, a command line) and
/// handed to every public function of the domain crates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Anybody on the network: sees what is published, changes nothing.
    Anonymous,
    /// The person who runs `lindero` on the machine that holds the data.
    LocalOperator,
}

/// The caller may not do this. Says what was tried, never what is behind it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("only the operator of this server may {action}")]
pub struct Denied {
    /// What was tried, as a verb phrase: "import a layer".
    pub action: &'static str,
}

impl Caller {
    /// The highest classification up to which the caller may see what is said
    /// of such subjects there; none where it may see nothing.
    ///
    /// Persons, cases and dwellings are never served as features to the
    /// public (Ley 1581 de 2012), however they are classified.
    pub fn clearance(&self, _scope: &Scope<'_>, subject: Subject) -> Option<Visibility> {
        match self {
            Self::LocalOperator => Some(Visibility::Reservada),
            Self::Anonymous => (!subject.is_personal()).then_some(Visibility::Publica),
        }
    }

    /// Passes the operator, refuses everybody else.
    pub fn require_operator(&self, action: &'static str) -> Result<(), Denied> {
        match self {
            Self::LocalOperator => Ok(()),
            Self::Anonymous => Err(Denied { action }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_sees_public_things_and_no_persons() {
        let municipality = "73001".parse().unwrap();
        let scope = Scope { municipality: &municipality, dependency: "Secretaría de Salud", layer: "sedes_salud" };
        let anonymous = Caller::Anonymous;
        assert_eq!(anonymous.clearance(&scope, Subject::Thing), Some(Visibility::Publica));
        assert_eq!(anonymous.clearance(&scope, Subject::Persons), None);
        assert_eq!(anonymous.clearance(&scope, Subject::Dwellings), None);
        assert_eq!(Caller::LocalOperator.clearance(&scope, Subject::Cases), Some(Visibility::Reservada));
        assert!(Visibility::Publica < Visibility::Clasificada && Visibility::Clasificada < Visibility::Reservada);
    }

    #[test]
    fn only_the_operator_changes_things() {
        assert_eq!(Caller::LocalOperator.require_operator("import a layer"), Ok(()));
        let denied = Caller::Anonymous.require_operator("import a layer").unwrap_err();
        assert_eq!(denied.to_string(), "only the operator of this server may import a layer");
    }
}
