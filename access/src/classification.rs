use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a layer or an attribute is classified under Ley 1712 de 2014, from the
/// open to the closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Anybody may see it. Never assumed: an import must say so.
    Publica,
    /// Private or semi-private interests (article 18): not for the public.
    #[default]
    Clasificada,
    /// Public interests that the law protects (article 19): not for the public.
    Reservada,
}

/// What a feature of the layer stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// A thing of the territory: a road, a parcel, a zone.
    #[default]
    Thing,
    /// A natural person.
    Persons,
    /// A case: an epidemiological case, an accident's victim, a complaint.
    Cases,
    /// A dwelling, which tells who lives in it.
    Dwellings,
}

impl Subject {
    /// Whether a feature tells something of a natural person.
    pub fn is_personal(self) -> bool {
        self != Self::Thing
    }
}

/// A code that none of a list's members has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{value:?} is not a {list}; expected one of {expected}")]
pub struct UnknownCode {
    value: String,
    list: &'static str,
    expected: &'static str,
}

impl UnknownCode {
    /// `value` is none of `expected`, the codes of `list`.
    pub fn new(value: &str, list: &'static str, expected: &'static str) -> Self {
        Self { value: value.to_owned(), list, expected }
    }
}

macro_rules! codes {
    ($type:ident, $list:literal, $expected:literal, $($code:literal => $variant:ident),+) => {
        impl $type {
            /// The code kept in the database and shown in documents.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
        impl FromStr for $type {
            type Err = UnknownCode;
            fn from_str(value: &str) -> Result<Self, UnknownCode> {
                match value {
                    $($code => Ok(Self::$variant),)+
                    _ => Err(UnknownCode::new(value, $list, $expected)),
                }
            }
        }
    };
}

codes!(Visibility, "visibility", "publica, clasificada, reservada",
    "publica" => Publica, "clasificada" => Clasificada, "reservada" => Reservada);
codes!(Subject, "subject", "thing, persons, cases, dwellings",
    "thing" => Thing, "persons" => Persons, "cases" => Cases, "dwellings" => Dwellings);
