//! What values an attribute may take.

use std::collections::HashSet;
use std::fmt;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::Text;

/// What values an attribute may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Domain {
    /// One of a list.
    Values(Vec<DomainValue>),
    /// A number between two others, both included.
    Range {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
    /// A text that a regular expression matches whole.
    Pattern(String),
}

/// A value of a domain and what it means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainValue {
    /// The value as stored, as text.
    pub value: String,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub title: Text,
    /// Its colour in maps and legends, `#rrggbb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

/// A domain, ready to be asked of many values.
#[derive(Debug, Clone)]
pub enum DomainCheck {
    /// One of these.
    Values(HashSet<String>),
    /// Between the two.
    Range(f64, f64),
    /// What it matches.
    Pattern(Regex),
}

/// The values of a list that a message names.
const NAMED: usize = 12;

impl DomainCheck {
    /// Fails where the pattern is no regular expression.
    pub fn new(domain: &Domain) -> Result<Self, regex::Error> {
        Ok(match domain {
            Domain::Values(values) => Self::Values(values.iter().map(|value| value.value.clone()).collect()),
            Domain::Range { min, max } => Self::Range(*min, *max),
            Domain::Pattern(pattern) => Self::Pattern(Regex::new(&format!("^(?:{pattern})$"))?),
        })
    }

    /// Whether the value may be: as text and, where it is one, as number. What
    /// is no number is in every range.
    pub fn admits(&self, text: &str, number: Option<f64>) -> bool {
        match self {
            Self::Values(values) => values.contains(text),
            Self::Range(min, max) => number.is_none_or(|number| (*min..=*max).contains(&number)),
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }

    /// The first values of a list, in their order; none of another domain.
    pub fn named(&self) -> (Vec<&str>, bool) {
        let Self::Values(values) = self else { return (Vec::new(), false) };
        let mut list: Vec<&str> = values.iter().map(String::as_str).collect();
        list.sort_unstable();
        list.truncate(NAMED);
        (list, values.len() > NAMED)
    }
}

/// What of it a value is not: "in the domain (a, b)".
impl fmt::Display for DomainCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(_) => {
                let (named, more) = self.named();
                write!(f, "in the domain ({}{})", named.join(", "), if more { ", …" } else { "" })
            }
            Self::Range(min, max) => write!(f, "between {min} and {max}"),
            Self::Pattern(pattern) => write!(f, "of the pattern {}", pattern.as_str()),
        }
    }
}
