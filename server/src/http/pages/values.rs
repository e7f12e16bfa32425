//! Values as people read them.

use layers::{Attribute, Domain, Value};
use maud::{Markup, html};

use crate::http::asked::Language;

/// What an attribute is called, with its unit.
pub(super) fn heading(attribute: &Attribute, language: Language) -> String {
    let title = attribute.title.in_language(language.code());
    let title = if title.is_empty() { &attribute.name } else { title };
    attribute.unit.as_ref().map_or_else(|| title.to_owned(), |unit| format!("{title} ({unit})"))
}

/// A value: the title that its domain gives it, or itself.
pub(super) fn value(attribute: &Attribute, value: &Value, language: Language) -> Markup {
    let text = plain(value, language);
    let titled = match &attribute.domain {
        Some(Domain::Values(known)) => known.iter().find(|known| known.value == text).map(|known| &known.title),
        _ => None,
    };
    let title = titled.map(|title| title.in_language(language.code())).filter(|title| !title.is_empty());
    html! { (title.unwrap_or(&text)) }
}

/// Whether the column is one of numbers, which stand to the right.
pub(super) fn is_number(value: &Value) -> bool {
    matches!(value, Value::Integer(_) | Value::Number(_))
}

fn plain(value: &Value, language: Language) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Boolean(flag) => {
            let (es, en) = if *flag { ("sí", "yes") } else { ("no", "no") };
            language.choose(es, en).to_owned()
        }
        Value::Date(date) => date.to_string(),
        Value::DateTime(instant) => instant.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        Value::Json(document) => document.to_string(),
    }
}
