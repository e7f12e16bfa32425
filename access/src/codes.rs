//! Lists of codes, as the database keeps them and documents show them.

use thiserror::Error;

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

/// Gives an enumeration its codes: `code()`, `Display` and `FromStr`.
macro_rules! codes {
    ($type:ident, $list:literal, $expected:literal, $($code:literal => $variant:ident),+ $(,)?) => {
        impl $type {
            /// All of them.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$variant),+];
            /// The code kept in the database and shown in documents.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
        impl std::str::FromStr for $type {
            type Err = $crate::UnknownCode;
            fn from_str(value: &str) -> Result<Self, $crate::UnknownCode> {
                match value {
                    $($code => Ok(Self::$variant),)+
                    _ => Err($crate::UnknownCode::new(value, $list, $expected)),
                }
            }
        }
    };
}
pub(crate) use codes;
