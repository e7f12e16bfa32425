//! Which attributes the layer has, and from which fields they come.

use std::collections::{HashMap, HashSet};

use layers::{Attribute, AttributeType, DomainCheck, LayerDefinition, Text, column_name};

use super::cell::Cell;
use super::source::Table;
use super::survey::Survey;
use crate::import::protocol::Order;

/// An attribute and the field whose values it takes.
pub(super) struct Column {
    pub(super) source: Option<usize>,
    pub(super) attribute: Attribute,
    check: Option<DomainCheck>,
}

/// The name by which import and its own reject files know two fields.
pub(crate) const REJECT_FIELDS: [&str; 2] = ["lindero_row", "lindero_reason"];

/// Decides the columns. The second list is what the person should know.
pub(super) fn plan(
    order: &Order,
    table: &Table,
    names: &[String],
    survey: &Survey,
    used: &[usize],
) -> Result<(Vec<Column>, Vec<String>), String> {
    let mut warnings = Vec::new();
    let wanted = wanted(order, names)?;
    let mut taken: HashSet<String> = LayerDefinition::RESERVED_COLUMNS.iter().map(|name| (*name).to_owned()).collect();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if used.contains(&index) || !wanted[index] || REJECT_FIELDS.contains(&name.as_str()) {
            continue;
        }
        if let Some(reason) = table.fields[index].unusable {
            warnings.push(format!("the field {name:?} is left out: {reason}"));
            continue;
        }
        if table.format.has_made_up_fields() && !survey.filled[index] {
            continue;
        }
        if survey.long_numbers[index] {
            warnings.push(format!(
                "the field {name:?} holds numbers of more than 15 digits: if they are codes, the file has lost some of their \
                 digits; ask for them as text"
            ));
        }
        let column = free_name(name, index, &mut taken);
        by_name.insert(column.clone(), index);
        found.push((index, column));
    }

    let mut columns = Vec::new();
    for attribute in &order.attributes {
        let source = by_name.remove(&attribute.name);
        if source.is_none() && !order.closed {
            warnings.push(format!("the source has no field for the attribute {:?}: it stays empty", attribute.name));
        }
        // An existing layer keeps what it has where the source says nothing.
        if source.is_some() || !order.closed {
            columns.push(Column::new(source, attribute.clone())?);
        }
    }
    for (index, column) in found {
        if by_name.remove(&column).is_none() {
            continue;
        }
        if order.closed {
            warnings.push(format!("the field {:?} is left out: the layer has no such attribute", names[index]));
            continue;
        }
        let kind = match table.fields[index].kind {
            Some(AttributeType::Json) if survey.not_json[index] => AttributeType::Text,
            Some(kind) => kind,
            None => survey.guesses[index].kind(&names[index]),
        };
        let title = if names[index] == column { Text::default() } else { Text::same(names[index].trim()) };
        let attribute = Attribute { name: column, kind, title, ..Attribute::default() };
        columns.push(Column::new(Some(index), attribute)?);
    }
    Ok((columns, warnings))
}

/// Which fields are wanted, by `--fields`.
fn wanted(order: &Order, names: &[String]) -> Result<Vec<bool>, String> {
    let Some(fields) = &order.fields else { return Ok(vec![true; names.len()]) };
    let mut wanted = vec![false; names.len()];
    for field in fields {
        let position = names
            .iter()
            .position(|name| name == field)
            .or_else(|| names.iter().position(|name| column_name(name) == column_name(field)));
        let position =
            position.ok_or_else(|| format!("there is no field {field:?}; there are: {}", names.join(", ")))?;
        wanted[position] = true;
    }
    Ok(wanted)
}

/// A column name for the field that no other has.
fn free_name(field: &str, index: usize, taken: &mut HashSet<String>) -> String {
    let mut name = column_name(field);
    if name.is_empty() {
        name = format!("campo_{}", index + 1);
    }
    if LayerDefinition::RESERVED_COLUMNS.contains(&name.as_str()) {
        name = format!("source_{name}");
    }
    let mut free = name.clone();
    let mut suffix = 2;
    while !taken.insert(free.clone()) {
        let kept = name.len().min(55);
        free = format!("{}_{suffix}", &name[..kept]);
        suffix += 1;
    }
    free
}

impl Column {
    fn new(source: Option<usize>, attribute: Attribute) -> Result<Self, String> {
        let check = attribute.domain.as_ref().map(DomainCheck::new).transpose();
        let check =
            check.map_err(|error| format!("the pattern of the attribute {:?} is wrong: {error}", attribute.name))?;
        Ok(Self { source, attribute, check })
    }

    /// Why the value cannot be this attribute's; none where it can.
    pub(super) fn objection(&self, cell: &Cell) -> Option<String> {
        if *cell == Cell::Null {
            return self.attribute.required.then(|| "the attribute is required".to_owned());
        }
        let number = match cell {
            Cell::Integer(number) => Some(*number as f64),
            Cell::Number(number) => Some(*number),
            _ => None,
        };
        let check = self.check.as_ref()?;
        let admitted = match cell {
            Cell::Text(text) => check.admits(text, number),
            other => check.admits(&other.to_text(), number),
        };
        (!admitted).then(|| format!("not {check}"))
    }

    pub(super) fn kind(&self) -> AttributeType {
        self.attribute.kind
    }
}

#[cfg(test)]
mod tests {
    use layers::Domain;

    use super::*;

    #[test]
    fn names_are_made_unique() {
        let mut taken = HashSet::from(["fid".to_owned(), "geom".to_owned(), "municipality".to_owned()]);
        let mut name = |field: &str| free_name(field, 6, &mut taken);
        assert_eq!(name("Área"), "area");
        assert_eq!(name("AREA"), "area_2");
        assert_eq!(name("¿?"), "campo_7");
        assert_eq!(name("fid"), "source_fid");
    }

    #[test]
    fn domains_object() {
        let column = |domain: Domain| {
            Column::new(None, Attribute { domain: Some(domain), required: true, ..attribute() }).unwrap()
        };
        let range = column(Domain::Range { min: 1.0, max: 6.0 });
        assert_eq!(range.objection(&Cell::Integer(6)), None);
        assert!(range.objection(&Cell::Number(6.5)).unwrap().contains("between 1 and 6"));
        assert!(range.objection(&Cell::Null).unwrap().contains("required"));
        let pattern = column(Domain::Pattern("[0-9]{2}".into()));
        assert_eq!(pattern.objection(&Cell::Text("73".into())), None);
        assert!(pattern.objection(&Cell::Text("730".into())).is_some());
    }

    fn attribute() -> Attribute {
        Attribute { name: "a".into(), ..Attribute::default() }
    }
}
