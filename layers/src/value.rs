use chrono::{DateTime, NaiveDate, Utc};
use serde::{Serialize, Serializer};

/// An attribute's value. Dates and instants are written as RFC 3339; a number
/// that JSON cannot write (NaN, infinity) is null.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// A calendar date.
    Date(NaiveDate),
    /// An instant, in UTC.
    DateTime(DateTime<Utc>),
    /// A JSON document.
    Json(serde_json::Value),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Boolean(flag) => serializer.serialize_bool(*flag),
            Self::Date(date) => serializer.collect_str(date),
            Self::DateTime(instant) => {
                serializer.serialize_str(&instant.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
            }
            Self::Json(document) => document.serialize(serializer),
        }
    }
}
