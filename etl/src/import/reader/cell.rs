//! One value of a source, and its form as an attribute of the layer.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, Utc};
use layers::AttributeType;

/// A value as the source holds it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    Date(NaiveDate),
    DateTime(DateTime<Utc>),
    Json(String),
}

/// Colombia's offset from UTC, in seconds: an instant without a zone is taken
/// as legal time there, which has no daylight saving (Decreto 2707 de 1982).
const LEGAL_TIME: i32 = -5 * 3600;

impl Cell {
    /// The value as people wrote it, for messages and for text columns.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) | Self::Json(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Boolean(flag) => flag.to_string(),
            Self::Date(date) => date.to_string(),
            Self::DateTime(instant) => instant.to_rfc3339(),
        }
    }

    /// The value as JSON, for the file of rejected rows.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Integer(number) => (*number).into(),
            Self::Number(number) => (*number).into(),
            Self::Boolean(flag) => (*flag).into(),
            Self::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| text.clone().into()),
            other => other.to_text().into(),
        }
    }

    /// The value as one of `kind`; an error says what it is not.
    pub(super) fn convert(self, kind: AttributeType) -> Result<Self, String> {
        if let Self::Text(text) = &self
            && kind != AttributeType::Text
            && kind != AttributeType::Json
            && text.trim().is_empty()
        {
            return Ok(Self::Null);
        }
        let wrong = |cell: &Self, what: &str| Err(format!("{:?} is not {what}", cell.to_text()));
        match (kind, &self) {
            (_, Self::Null)
            | (AttributeType::Text, Self::Text(_))
            | (AttributeType::Integer, Self::Integer(_))
            | (AttributeType::Number, Self::Number(_))
            | (AttributeType::Boolean, Self::Boolean(_))
            | (AttributeType::Date, Self::Date(_))
            | (AttributeType::DateTime, Self::DateTime(_)) => Ok(self),
            (AttributeType::Text, _) => Ok(Self::Text(self.to_text())),
            (AttributeType::Integer, Self::Text(text)) => {
                text.trim().parse().map(Self::Integer).or_else(|_| wrong(&self, "a whole number"))
            }
            (AttributeType::Integer, Self::Number(number)) => {
                if number.fract() == 0.0 && number.abs() < 9.0e15 {
                    Ok(Self::Integer(*number as i64))
                } else {
                    wrong(&self, "a whole number")
                }
            }
            (AttributeType::Integer, Self::Boolean(flag)) => Ok(Self::Integer(i64::from(*flag))),
            (AttributeType::Number, Self::Integer(number)) => Ok(Self::Number(*number as f64)),
            (AttributeType::Number, Self::Text(text)) => {
                number(text).map(Self::Number).map_or_else(|| wrong(&self, "a number"), Ok)
            }
            (AttributeType::Boolean, Self::Integer(flag @ (0 | 1))) => Ok(Self::Boolean(*flag == 1)),
            (AttributeType::Boolean, Self::Text(text)) => {
                boolean(text).map(Self::Boolean).map_or_else(|| wrong(&self, "true or false"), Ok)
            }
            (AttributeType::Date, Self::Text(text)) => {
                date(text).map(Self::Date).map_or_else(|| wrong(&self, "a date (2024-12-31 or 31/12/2024)"), Ok)
            }
            (AttributeType::Date, Self::DateTime(instant)) => Ok(Self::Date(instant.date_naive())),
            (AttributeType::DateTime, Self::Text(text)) => instant(text)
                .map(Self::DateTime)
                .map_or_else(|| wrong(&self, "an instant (2024-12-31T23:59:59-05:00)"), Ok),
            (AttributeType::DateTime, Self::Date(date)) => {
                Ok(date.and_hms_opt(0, 0, 0).and_then(legal_time).map_or(Self::Null, Self::DateTime))
            }
            (AttributeType::Json, cell) => json(cell),
            (AttributeType::Number, _) => wrong(&self, "a number"),
            (AttributeType::Integer, _) => wrong(&self, "a whole number"),
            (AttributeType::Boolean, _) => wrong(&self, "true or false"),
            (AttributeType::Date, _) => wrong(&self, "a date"),
            (AttributeType::DateTime, _) => wrong(&self, "an instant"),
        }
    }
}

/// A JSON document that PostgreSQL's jsonb takes: it has no NUL in its texts.
fn json(cell: &Cell) -> Result<Cell, String> {
    let document = match cell {
        Cell::Json(text) => {
            // A bare text among documents is a document too: a string.
            let document = serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.clone()));
            if text.contains("\\u0000") {
                return Err("the JSON holds a NUL character".to_owned());
            }
            document
        }
        other => other.to_json(),
    };
    Ok(Cell::Json(document.to_string()))
}

/// A decimal number with a point, or with a comma where there is no point.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b',' | b'e' | b'E'));
    if text.is_empty() || !plain {
        return None;
    }
    let parsed = if text.contains(',') {
        if text.contains('.') || text.matches(',').count() > 1 {
            return None;
        }
        text.replace(',', ".").parse()
    } else {
        text.parse()
    };
    parsed.ok().filter(|number: &f64| number.is_finite())
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "t" | "verdadero" | "si" | "sí" | "s" | "1" | "yes" => Some(true),
        "false" | "f" | "falso" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// A calendar date: ISO, or day first.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    ["%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d-%m-%Y"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(text, format).ok())
        .filter(|date| (chrono::Datelike::year(date) - 1950).abs() < 1000)
}

/// An instant; legal time of Colombia where it names no zone.
pub(super) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.to_utc());
    }
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y/%m/%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .and_then(legal_time)
        .or_else(|| {
            ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y/%m/%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"]
                .iter()
                .find_map(|format| DateTime::parse_from_str(text, format).ok())
                .map(|instant| instant.to_utc())
        })
}

fn legal_time(naive: NaiveDateTime) -> Option<DateTime<Utc>> {
    naive.and_local_timezone(FixedOffset::east_opt(LEGAL_TIME)?).single().map(|instant| instant.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_values() {
        let convert = |text: &str, kind| Cell::Text(text.to_owned()).convert(kind);
        assert_eq!(convert("4,4389", AttributeType::Number), Ok(Cell::Number(4.4389)));
        assert_eq!(convert(" ", AttributeType::Integer), Ok(Cell::Null));
        assert_eq!(convert("Sí", AttributeType::Boolean), Ok(Cell::Boolean(true)));
        assert_eq!(
            convert("31/12/2024", AttributeType::Date),
            Ok(Cell::Date(NaiveDate::from_ymd_opt(2024, 12, 31).unwrap()))
        );
        assert_eq!(
            convert("2024-12-31 20:00:00", AttributeType::DateTime),
            Ok(Cell::DateTime("2025-01-01T01:00:00Z".parse().unwrap()))
        );
        assert!(convert("doce", AttributeType::Integer).unwrap_err().contains("doce"));
        assert!(Cell::Number(1.5).convert(AttributeType::Integer).is_err());
        assert!(Cell::Json("{\"a\":\"\\u0000\"}".into()).convert(AttributeType::Json).is_err());
        assert_eq!(number("1.234,5"), None);
        assert_eq!(number("nan"), None);
    }
}
