use thiserror::Error;

use crate::LayerId;

/// What is wrong with a filter, for whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidFilter {
    /// More text than is read.
    #[error("a filter may have {most} bytes, and this one has {bytes}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest.
        most: usize,
    },
    /// It cannot be read as CQL2 text.
    #[error("the filter cannot be read as CQL2 text from character {position} on{rest}")]
    Text {
        /// Counted from one.
        position: usize,
        /// `: "= =3"`, or nothing at the end.
        rest: String,
    },
    /// It cannot be read as CQL2 JSON.
    #[error("the filter cannot be read as CQL2 JSON: {0}")]
    Json(String),
    /// It would take too long to read, or its parts lie too deep in each other.
    #[error("the filter is too involved: parts may lie {most} deep in each other; fewer parentheses may help")]
    TooDeep {
        /// The deepest.
        most: usize,
    },
    /// The layer has no such property.
    #[error("the layer {layer} has no property {property:?}; /collections/{layer}/queryables lists those it has")]
    UnknownProperty {
        /// The layer.
        layer: LayerId,
        /// The property.
        property: String,
    },
    /// Two things are compared that cannot be.
    #[error("{left} cannot be compared with {right}")]
    Incomparable {
        /// What stands before the operator and what it is.
        left: String,
        /// What stands after.
        right: String,
    },
    /// Something stands where another kind of thing must.
    #[error("{operator}: expected {expected}, not {found}")]
    Expected {
        /// The operator.
        operator: String,
        /// What it takes.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// CQL2 has it and we have not, or nobody has.
    #[error("{0} is not offered here")]
    Unsupported(String),
    /// A literal has no such value.
    #[error("{literal}: {reason}")]
    Literal {
        /// What kind of literal.
        literal: &'static str,
        /// Why it cannot be used.
        reason: String,
    },
}

impl InvalidFilter {
    pub(super) fn expected(operator: &str, expected: &'static str, found: impl Into<String>) -> Self {
        Self::Expected { operator: operator.to_owned(), expected, found: found.into() }
    }

    pub(super) fn literal(literal: &'static str, reason: impl Into<String>) -> Self {
        Self::Literal { literal, reason: reason.into() }
    }
}
