//! Properties as a layer's attributes take them.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Value as Json};

use super::violation::{Rule, Violation};
use crate::catalog::CatalogError;
use crate::{Attribute, AttributeType, DomainCheck, Layer, Value};

/// The characters of a text at most …
const MOST_TEXT: usize = 10_000;
/// … and of one that tells features apart: an index holds it.
const MOST_KEY: usize = 500;

/// A layer's attributes, ready to be asked of many features.
pub(super) struct Schema<'a> {
    layer: &'a Layer,
    checks: Vec<Option<DomainCheck>>,
}

impl<'a> Schema<'a> {
    pub(super) fn of(layer: &'a Layer) -> Result<Self, CatalogError> {
        let check = |attribute: &Attribute| attribute.domain.as_ref().map(DomainCheck::new).transpose();
        let checks = layer.definition.attributes.iter().map(check).collect::<Result<_, _>>();
        Ok(Self { layer, checks: checks.map_err(CatalogError::corrupt)? })
    }

    /// The values, in the attributes' order: what is said, over what was. With
    /// `was` none, what nothing is said of has no value.
    pub(super) fn values(
        &self,
        edit: usize,
        properties: &Map<String, Json>,
        was: Option<&[Value]>,
        violations: &mut Vec<Violation>,
    ) -> Vec<Value> {
        let attributes = &self.layer.definition.attributes;
        for name in properties.keys().filter(|name| self.layer.definition.attribute(name).is_none()) {
            violations.push(Violation::of_property(edit, name, Rule::Unknown));
        }
        let mut values = Vec::with_capacity(attributes.len());
        for (index, attribute) in attributes.iter().enumerate() {
            let said = properties.get(&attribute.name);
            let value = match (said, was.and_then(|was| was.get(index))) {
                // Nothing is said of it: it stays.
                (None, Some(value)) => value.clone(),
                (said, _) => {
                    let value = read(attribute.kind, said.unwrap_or(&Json::Null));
                    let broken = value
                        .as_ref()
                        .map_or(Some(Rule::Type(attribute.kind)), |value| self.broken(index, attribute, value));
                    violations.extend(broken.map(|rule| Violation::of_property(edit, &attribute.name, rule)));
                    value.unwrap_or(Value::Null)
                }
            };
            values.push(value);
        }
        values
    }

    fn broken(&self, index: usize, attribute: &Attribute, value: &Value) -> Option<Rule> {
        let (text, number) = match value {
            Value::Null => return attribute.required.then_some(Rule::Required),
            Value::Text(text) => (text.clone(), None),
            Value::Integer(number) => (number.to_string(), Some(*number as f64)),
            Value::Number(number) => (number.to_string(), Some(*number)),
            Value::Boolean(flag) => (flag.to_string(), None),
            Value::Date(date) => (date.to_string(), None),
            Value::DateTime(instant) => (instant.to_rfc3339(), None),
            Value::Json(_) => return None,
        };
        let is_key = self.layer.definition.natural_key.as_deref() == Some(attribute.name.as_str());
        let most = if is_key { MOST_KEY } else { MOST_TEXT };
        if text.len() > most && text.chars().count() > most {
            return Some(Rule::Length(most));
        }
        let check = self.checks.get(index)?.as_ref()?;
        (!check.admits(&text, number)).then(|| Rule::Domain(check.clone()))
    }
}

/// The JSON value as a value of that type; none where it cannot be one.
fn read(kind: AttributeType, said: &Json) -> Option<Value> {
    if said.is_null() {
        return Some(Value::Null);
    }
    match kind {
        AttributeType::Text => said.as_str().map(|text| Value::Text(text.to_owned())),
        // JSON Schema: 3.0 is a whole number too.
        AttributeType::Integer => said
            .as_i64()
            .or_else(|| said.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15).map(|n| n as i64))
            .map(Value::Integer),
        AttributeType::Number => said.as_f64().filter(|number| number.is_finite()).map(Value::Number),
        AttributeType::Boolean => said.as_bool().map(Value::Boolean),
        AttributeType::Date => {
            said.as_str()?.parse::<NaiveDate>().ok().filter(|date| is_storable(*date)).map(Value::Date)
        }
        AttributeType::DateTime => {
            let instant = DateTime::parse_from_rfc3339(said.as_str()?).ok()?.with_timezone(&Utc);
            is_storable(instant.date_naive()).then_some(Value::DateTime(instant))
        }
        AttributeType::Json => Some(Value::Json(said.clone())),
    }
}

/// PostgreSQL's dates begin 4713 BC; ours have a year of four digits, as RFC
/// 3339 writes them.
fn is_storable(date: NaiveDate) -> bool {
    (0..=9999).contains(&chrono::Datelike::year(&date))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_json_value_is_of_the_attributes_type_or_none() {
        let reads = |kind, said: Json| read(kind, &said);
        assert_eq!(reads(AttributeType::Integer, json!(3.0)), Some(Value::Integer(3)));
        assert_eq!(reads(AttributeType::Text, json!("Centro")), Some(Value::Text("Centro".to_owned())));
        for (kind, wrong) in [
            (AttributeType::Text, json!(3)),
            (AttributeType::Integer, json!(3.5)),
            (AttributeType::Integer, json!("3")),
            (AttributeType::Number, json!(true)),
            (AttributeType::Date, json!("20/11/2026")),
            (AttributeType::Date, json!("+12026-01-01")),
            (AttributeType::DateTime, json!("2026-11-20")),
        ] {
            assert_eq!(reads(kind, wrong.clone()), None, "{kind:?} {wrong}");
            assert_eq!(reads(kind, Json::Null), Some(Value::Null));
        }
    }
}
