use thiserror::Error;

use crate::{Subject, Visibility};

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
    /// Whether features of a layer so classified may be shown to this caller.
    ///
    /// Persons, cases and dwellings are never served as features to the
    /// public (Ley 1581 de 2012), whatever the layer's visibility says.
    pub fn may_read(&self, visibility: Visibility, subject: Subject) -> bool {
        match self {
            Self::LocalOperator => true,
            Self::Anonymous => visibility == Visibility::Publica && !subject.is_personal(),
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
        let anonymous = Caller::Anonymous;
        assert!(anonymous.may_read(Visibility::Publica, Subject::Thing));
        assert!(!anonymous.may_read(Visibility::Publica, Subject::Persons));
        assert!(!anonymous.may_read(Visibility::Publica, Subject::Dwellings));
        assert!(!anonymous.may_read(Visibility::Clasificada, Subject::Thing));
        assert!(!anonymous.may_read(Visibility::Reservada, Subject::Thing));
        assert!(Caller::LocalOperator.may_read(Visibility::Reservada, Subject::Cases));
    }

    #[test]
    fn only_the_operator_changes_things() {
        assert_eq!(Caller::LocalOperator.require_operator("import a layer"), Ok(()));
        let denied = Caller::Anonymous.require_operator("import a layer").unwrap_err();
        assert_eq!(denied.to_string(), "only the operator of this server may import a layer");
    }
}
