use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A municipality's DIVIPOLA code: five digits, department and municipality
/// (DANE). `73001` is Ibagué. Text, for its leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MunicipalityCode(String);

/// The text is not a DIVIPOLA code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a DIVIPOLA municipality code (five digits, as 73001)")]
pub struct InvalidMunicipality(String);

impl MunicipalityCode {
    /// The five digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MunicipalityCode {
    type Err = InvalidMunicipality;

    fn from_str(text: &str) -> Result<Self, InvalidMunicipality> {
        if text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidMunicipality(text.to_owned()))
        }
    }
}

impl TryFrom<String> for MunicipalityCode {
    type Error = InvalidMunicipality;

    fn try_from(text: String) -> Result<Self, InvalidMunicipality> {
        text.parse()
    }
}

impl From<MunicipalityCode> for String {
    fn from(code: MunicipalityCode) -> Self {
        code.0
    }
}

impl fmt::Display for MunicipalityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
