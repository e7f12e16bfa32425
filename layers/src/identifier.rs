use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// A layer's identifier: the collection's id in URLs and the table's name in
/// `geo`. Lower-case ASCII letters, digits and underscores; begins with a
/// letter; at most 59 characters, so that PostgreSQL's 63 leave room for the
/// names of its indexes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LayerId(String);

/// The text cannot be a layer's identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0:?} is not a layer id: use lower-case letters without accents, digits and underscores, \
     a letter first, at most 59 characters"
)]
pub struct InvalidIdentifier(String);

const MOST: usize = 59;

impl LayerId {
    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The identifier that a file's or table's name suggests:
    /// `Zonas WiFi (2021).shp` gives `zonas_wifi_2021_shp`.
    pub fn suggested_by(name: &str) -> Result<Self, InvalidIdentifier> {
        column_name(name).parse()
    }
}

impl FromStr for LayerId {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, InvalidIdentifier> {
        let mut bytes = text.bytes();
        let valid = bytes.next().is_some_and(|b| b.is_ascii_lowercase())
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && text.len() <= MOST;
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidIdentifier(text.to_owned())) }
    }
}

impl TryFrom<String> for LayerId {
    type Error = InvalidIdentifier;

    fn try_from(text: String) -> Result<Self, InvalidIdentifier> {
        text.parse()
    }
}

impl From<LayerId> for String {
    fn from(id: LayerId) -> Self {
        id.0
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The column (or layer) name that a source's field name becomes: accents
/// dropped, lower case, every run of other characters one underscore, at most
/// 59 bytes. Empty where nothing is left. `Área (m²)` gives `area_m2`.
pub fn column_name(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    for c in field.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)) {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    let kept = name.trim_end_matches('_');
    let mut kept = kept[..kept.len().min(MOST)].trim_end_matches('_').to_owned();
    if kept.starts_with(|c: char| c.is_ascii_digit()) {
        kept.insert(0, 'c');
        kept.truncate(MOST);
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_made_of_what_people_write() {
        assert_eq!(column_name("Área (m²)"), "area_m2");
        assert_eq!(column_name("  Código DANE "), "codigo_dane");
        assert_eq!(column_name("2018"), "c2018");
        assert_eq!(column_name("ÑAME"), "name");
        assert_eq!(column_name("¿?"), "");
    }

    proptest! {
        #[test]
        fn a_name_is_empty_or_an_identifier(field in any::<String>()) {
            let name = column_name(&field);
            prop_assert!(name.is_empty() || name.parse::<LayerId>().is_ok(), "{name:?}");
        }
    }
}
