//! What of a layer can be asked for.

use access::Caller;

use super::InvalidFilter;
use crate::catalog::Quoted;
use crate::{Attribute, AttributeType, Kind, Layer};

/// A property that filters may name.
#[derive(Debug, Clone, Copy)]
pub struct Queryable<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub kind: QueryableKind<'a>,
}

/// What a queryable property is.
#[derive(Debug, Clone, Copy)]
pub enum QueryableKind<'a> {
    /// The features' geometry.
    Geometry,
    /// One of their attributes.
    Attribute(&'a Attribute),
}

/// The properties of a layer that the caller may name in a filter: the
/// attributes, and the geometry under its column's name, which is none of
/// theirs. None where the caller may not read the layer.
pub fn queryables<'a>(caller: &Caller, layer: &'a Layer) -> impl Iterator<Item = Queryable<'a>> + use<'a> {
    let clearance = layer.clearance(caller);
    let is_seen = move |attribute: &&Attribute| clearance.is_some_and(|clearance| attribute.is_within(clearance));
    let attributes = layer
        .definition
        .attributes
        .iter()
        .filter(is_seen)
        .map(|attribute| Queryable { name: &attribute.name, kind: QueryableKind::Attribute(attribute) });
    let geometry = Queryable { name: &layer.table.geometry, kind: QueryableKind::Geometry };
    std::iter::once(geometry).chain(attributes).filter(move |_| clearance.is_some())
}

/// A layer as a filter sees it.
pub(super) struct Schema<'a> {
    caller: &'a Caller,
    pub(super) layer: &'a Layer,
}

impl<'a> Schema<'a> {
    pub(super) fn new(caller: &'a Caller, layer: &'a Layer) -> Self {
        Self { caller, layer }
    }

    pub(super) fn property(&self, name: &str) -> Result<Queryable<'a>, InvalidFilter> {
        queryables(self.caller, self.layer)
            .find(|known| known.name == name)
            .ok_or_else(|| InvalidFilter::UnknownProperty { layer: self.layer.id.clone(), property: name.to_owned() })
    }

    /// The attribute's column, as the PostgreSQL type in which its values are
    /// served. Not cast where the column is of that type, so that its index
    /// serves.
    pub(super) fn column(&self, attribute: &Attribute) -> String {
        let column = Quoted::identifier(&attribute.name);
        let own = attribute.column_type.as_deref().unwrap_or("text");
        let plain = match attribute.kind {
            AttributeType::Text => matches!(own, "text" | "character varying"),
            AttributeType::Integer => matches!(own, "smallint" | "integer" | "bigint"),
            AttributeType::DateTime => own == "timestamp with time zone",
            kind => own == kind.sql_type(),
        };
        if plain || self.layer.kind == Kind::Managed {
            column
        } else {
            format!("{column}::{}", attribute.kind.sql_type())
        }
    }
}
