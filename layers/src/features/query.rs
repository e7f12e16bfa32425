use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Postgres;
use sqlx::QueryBuilder;
use thiserror::Error;

use super::FeatureId;
use crate::catalog::Quoted;
use crate::filter::Filter;
use crate::{AttributeType, Extent, Kind, Layer, Value, crs};

/// A box in longitude and latitude (CRS84), degrees. West greater than east
/// crosses the antimeridian.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bbox(Extent);

/// What is wrong with a query, and with which parameter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{parameter}: {reason}")]
pub struct InvalidQuery {
    /// The parameter: `bbox`, or an attribute's name.
    pub parameter: String,
    /// Why its value cannot be used.
    pub reason: String,
}

impl InvalidQuery {
    /// A parameter and what is wrong with its value.
    pub fn new(parameter: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { parameter: parameter.into(), reason: reason.into() }
    }
}

impl Bbox {
    /// From west, south, east, north, or with heights (which are ignored) from
    /// west, south, lowest, east, north, highest: OGC API Features, 7.15.3.
    pub fn from_numbers(numbers: &[f64]) -> Result<Self, InvalidQuery> {
        let refused = |reason: &str| Err(InvalidQuery::new("bbox", reason));
        let ([west, south, east, north] | [west, south, _, east, north, _]) = *numbers else {
            return refused("give four numbers (west,south,east,north) or six");
        };
        if !numbers.iter().all(|number| number.is_finite()) {
            return refused("every number must be finite");
        }
        if !(-180.0..=180.0).contains(&west) || !(-180.0..=180.0).contains(&east) {
            return refused("longitudes lie between -180 and 180");
        }
        if !(-90.0..=90.0).contains(&south) || !(-90.0..=90.0).contains(&north) {
            return refused("latitudes lie between -90 and 90 (the order is west,south,east,north)");
        }
        if south > north {
            return refused("south is greater than north");
        }
        Ok(Self(Extent { west, south, east, north }))
    }

    /// The parts of the box within a domain: none, one, or two where the box
    /// crosses the antimeridian.
    pub(crate) fn within(self, domain: Extent) -> Vec<Extent> {
        let Self(Extent { west, south, east, north }) = self;
        let spans = if west <= east { vec![(west, east)] } else { vec![(west, 180.0), (-180.0, east)] };
        spans
            .into_iter()
            .map(|(west, east)| Extent {
                west: west.max(domain.west),
                south: south.max(domain.south),
                east: east.min(domain.east),
                north: north.min(domain.north),
            })
            .filter(|part| part.west <= part.east && part.south <= part.north)
            .collect()
    }
}

/// Which features of a layer are asked for.
#[derive(Debug, Clone, Default)]
pub struct Query {
    bbox: Option<Bbox>,
    filter: Option<Filter>,
    equal: Vec<(String, Value)>,
    pub(super) moment: Option<DateTime<Utc>>,
    pub(super) offset: u64,
    pub(super) after: Option<FeatureId>,
}

impl Query {
    /// Those that intersect the box.
    #[must_use]
    pub fn within(mut self, bbox: Bbox) -> Self {
        self.bbox = Some(bbox);
        self
    }

    /// Those for which the filter, which was read for this layer, is true.
    #[must_use]
    pub fn matching(mut self, filter: Filter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Those that there were at that moment, as they were, where the layer's
    /// versions are kept.
    #[must_use]
    pub fn as_of(mut self, moment: DateTime<Utc>) -> Self {
        self.moment = Some(moment);
        self
    }

    /// Whether its statement may be kept prepared. Filters are many and seldom
    /// the same, and their geometries want a plan made for their values.
    pub(super) fn is_common(&self) -> bool {
        self.filter.is_none()
    }

    /// Those after the first `offset` in the order of the ids.
    #[must_use]
    pub fn skipping(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// Those after this id (keyset paging).
    #[must_use]
    pub fn after(mut self, id: FeatureId) -> Self {
        self.after = Some(id);
        self
    }

    /// Those whose attribute has the value that `text` says. The attribute
    /// must be one of the layer's, the text of its type.
    pub fn with_equal(mut self, layer: &Layer, attribute: &str, text: &str) -> Result<Self, InvalidQuery> {
        let known = layer
            .definition
            .attribute(attribute)
            .ok_or_else(|| InvalidQuery::new(attribute, format!("the layer {} has no such attribute", layer.id)))?;
        let refused = |expected: &str| InvalidQuery::new(attribute, format!("expected {expected}, not {text:?}"));
        let value = match known.kind {
            AttributeType::Text => Value::Text(text.to_owned()),
            AttributeType::Integer => Value::Integer(text.parse().map_err(|_| refused("a whole number"))?),
            AttributeType::Number => text
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Value::Number)
                .ok_or_else(|| refused("a number"))?,
            AttributeType::Boolean => Value::Boolean(text.parse().map_err(|_| refused("true or false"))?),
            AttributeType::Date => Value::Date(text.parse::<NaiveDate>().map_err(|_| refused("a date as 2026-11-20"))?),
            AttributeType::DateTime => Value::DateTime(
                text.parse::<DateTime<Utc>>().map_err(|_| refused("an instant as 2026-11-20T08:00:00Z"))?,
            ),
            AttributeType::Json => return Err(InvalidQuery::new(attribute, "documents cannot be compared")),
        };
        self.equal.push((attribute.to_owned(), value));
        Ok(self)
    }

    /// Appends ` WHERE ...`. Names come from the catalogue, values are bound.
    pub(super) fn push_conditions(&self, layer: &Layer, names: &Quoted, sql: &mut QueryBuilder<Postgres>) {
        sql.push(" WHERE true");
        if layer.kind == Kind::Managed {
            // The first column of the key of every table of ours.
            sql.push(" AND municipality = ").push_bind(layer.municipality.as_str().to_owned());
        }
        if let Some(bbox) = self.bbox {
            push_bbox(bbox, layer, names, sql);
        }
        if let Some(filter) = &self.filter {
            sql.push(" AND ");
            filter.push(sql);
        }
        for (attribute, value) in &self.equal {
            sql.push(" AND ").push(Quoted::identifier(attribute));
            if matches!(value, Value::Text(_)) && !is_text(layer, attribute) {
                // Enumerations, uuids and such: a text that is none of their
                // values is equal to none of them, and no error.
                sql.push("::text");
            }
            sql.push(" = ");
            match value {
                Value::Text(text) => {
                    sql.push_bind(text.clone());
                    if is_text(layer, attribute) {
                        // As the column's own type, so that its index serves.
                        sql.push("::text::").push(column_type(layer, attribute));
                    }
                }
                Value::Integer(number) => drop(sql.push_bind(*number)),
                Value::Number(number) => drop(sql.push_bind(*number)),
                Value::Boolean(flag) => drop(sql.push_bind(*flag)),
                Value::Date(date) => drop(sql.push_bind(*date)),
                Value::DateTime(instant) => drop(sql.push_bind(*instant)),
                Value::Null | Value::Json(_) => unreachable!("with_equal makes no such value"),
            }
        }
    }
}

/// Features that intersect the box, in the storage CRS, which has the index.
/// `&&` is written out, so that the index is used whatever the planner knows
/// of ST_Intersects.
fn push_bbox(bbox: Bbox, layer: &Layer, names: &Quoted, sql: &mut QueryBuilder<Postgres>) {
    let parts = bbox.within(crs::domain(layer.storage_srid));
    if parts.is_empty() {
        sql.push(" AND false");
        return;
    }
    for (index, part) in parts.iter().enumerate() {
        sql.push(if index == 0 { " AND (" } else { " OR " });
        for (opening, closing) in
            [(format!("{} && ", names.geometry), ""), (format!(" AND ST_Intersects({}, ", names.geometry), ")")]
        {
            sql.push(opening);
            crs::push_box(*part, layer.storage_srid, sql);
            sql.push(closing);
        }
    }
    sql.push(")");
}

/// Whether the column holds any text.
fn is_text(layer: &Layer, attribute: &str) -> bool {
    layer.kind == Kind::Managed
        || matches!(column_type(layer, attribute), "text" | "character varying" | "character" | "citext")
}

/// The type of a published table's column, as PostgreSQL's catalogue named it.
fn column_type<'a>(layer: &'a Layer, attribute: &str) -> &'a str {
    layer.definition.attribute(attribute).and_then(|known| known.column_type.as_deref()).unwrap_or("text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_four_numbers_or_six() {
        assert!(Bbox::from_numbers(&[-75.3, 4.3, -75.1, 4.5]).is_ok());
        assert_eq!(
            Bbox::from_numbers(&[-75.3, 4.3, 0.0, -75.1, 4.5, 9.0]),
            Bbox::from_numbers(&[-75.3, 4.3, -75.1, 4.5])
        );
        for wrong in [&[1.0, 2.0, 3.0][..], &[0.0, 91.0, 1.0, 92.0], &[0.0, 5.0, 1.0, 4.0], &[f64::NAN, 0.0, 1.0, 1.0]]
        {
            assert_eq!(Bbox::from_numbers(wrong).unwrap_err().parameter, "bbox");
        }
    }

    #[test]
    fn a_box_over_the_antimeridian_is_two() {
        let world = Extent { west: -180.0, south: -90.0, east: 180.0, north: 90.0 };
        let bbox = Bbox::from_numbers(&[170.0, -10.0, -170.0, 10.0]).unwrap();
        assert_eq!(bbox.within(world).len(), 2);
        assert!(bbox.within(crs::domain(crs::ORIGEN_NACIONAL)).is_empty());
    }
}
