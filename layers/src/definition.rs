//! What people say of a layer: its titles, its attributes, who answers for
//! it, how it is drawn. Written as TOML beside a file that is imported, kept
//! as JSON in `catalog.layer.definition`.

use std::borrow::Cow;
use std::collections::HashSet;

use access::{Subject, Visibility};
use chrono::{DateTime, Days, Months, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Domain, DomainCheck, LayerId, Sector};

/// A text in the two languages that Lindero speaks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Spanish.
    #[serde(default)]
    pub es: String,
    /// English; empty where nobody translated it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub en: String,
}

impl Text {
    /// The same word in both languages: names, codes.
    pub fn same(text: impl Into<String>) -> Self {
        Self { es: text.into(), en: String::new() }
    }

    /// The text in `language` (`es` or `en`), or in the other where it is missing.
    pub fn in_language(&self, language: &str) -> &str {
        let (wanted, other) = if language == "en" { (&self.en, &self.es) } else { (&self.es, &self.en) };
        if wanted.is_empty() { other } else { wanted }
    }

    /// Whether there is no text in either language.
    pub fn is_empty(&self) -> bool {
        self.es.is_empty() && self.en.is_empty()
    }
}

/// A layer as people describe it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct LayerDefinition {
    /// What the layer is called.
    #[serde(default)]
    pub title: Text,
    /// What it holds, in a sentence or two.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub description: Text,
    /// The sector that it belongs to in the layer panel.
    #[serde(default)]
    pub sector: Sector,
    /// Who may see it (Ley 1712 de 2014).
    #[serde(default)]
    pub visibility: Visibility,
    /// The legal reason of a visibility other than `publica`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub legal_reason: String,
    /// What a feature stands for.
    #[serde(default)]
    pub subject: Subject,
    /// The dependency (secretariat) that owns the layer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dependency: String,
    /// Who keeps it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub custodian: String,
    /// The official source: a study, an act, another entity's data set.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The licence under which it may be used, as an SPDX id or an URL.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub licence: String,
    /// How often it ought to be updated.
    #[serde(default)]
    pub update_frequency: UpdateFrequency,
    /// The attribute that identifies a feature in the owner's books (número
    /// predial, DANE code). Upserts and differences go by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub natural_key: Option<String>,
    /// The attribute that names a feature on the map, in lists and in search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Attributes besides the label and the natural key that search looks in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
    /// The attribute with a domain of values by which the layer is coloured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classify_by: Option<String>,
    /// The lowest zoom (WebMercatorQuad) at which tiles hold the layer.
    #[serde(default)]
    pub min_zoom: u8,
    /// Features that enter at higher zooms, by the value of one attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoom_rule: Option<ZoomRule>,
    /// What must hold between its features' geometries, and is looked at when
    /// they are edited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topology: Vec<TopologyRule>,
    /// The attributes, in the order in which they are shown.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// Further metadata, by ISO 19115 name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub metadata: IndexMap<String, serde_json::Value>,
}

/// What must hold between geometries, as GIS programs name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TopologyRule {
    /// Areas of the layer have no area in common.
    MustNotOverlap,
    /// Every feature lies within what that layer's features cover together.
    MustBeCoveredBy(LayerId),
}

/// From which zoom on a feature is in tiles, by an attribute's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoomRule {
    /// A text attribute.
    pub attribute: String,
    /// The lowest zoom of each value.
    pub values: IndexMap<String, u8>,
    /// The lowest zoom of every other value, and of none.
    pub otherwise: u8,
}

/// One attribute of a layer's features.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name: the column, and the property in GeoJSON and tiles.
    pub name: String,
    /// Its type.
    #[serde(rename = "type", default)]
    pub kind: AttributeType,
    /// What it is called in a form or a list.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub title: Text,
    /// The unit of a measure, as UCUM writes it (`m`, `m2`, `Mbit/s`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What values it may take; any of its type where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Domain>,
    /// Whether every feature must have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The lowest zoom (WebMercatorQuad) at which tiles hold it. Above every
    /// zoom that there is, no tile does.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub min_zoom: u8,
    /// Who may see it, where fewer may than the layer (Ley 1712 de 2014).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// The legal reason of that.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub legal_reason: String,
    /// The column's PostgreSQL type where the table is not ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column_type: Option<String>,
}

impl Attribute {
    /// Whether somebody with that clearance for its layer may know of it.
    pub fn is_within(&self, clearance: Visibility) -> bool {
        self.visibility.is_none_or(|visibility| visibility <= clearance)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(zoom: &u8) -> bool {
    *zoom == 0
}

/// The type of an attribute, as JSON Schema and OGC API Features Part 5 see it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Text; PostgreSQL `text`.
    #[default]
    Text,
    /// A whole number; `bigint`.
    Integer,
    /// A number; `double precision`.
    Number,
    /// True or false; `boolean`.
    Boolean,
    /// A calendar date; `date`.
    Date,
    /// An instant; `timestamptz`.
    DateTime,
    /// A JSON document; `jsonb`.
    Json,
}

impl AttributeType {
    /// The PostgreSQL type of such a column in a managed layer, and the one to
    /// which a published table's column is cast when it is read.
    pub fn sql_type(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Number => "double precision",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "timestamptz",
            Self::Json => "jsonb",
        }
    }
}

/// How often a layer ought to be updated: ISO 19115 `MD_MaintenanceFrequencyCode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the standard's own words")]
pub enum UpdateFrequency {
    Continual,
    Daily,
    Weekly,
    Fortnightly,
    Monthly,
    Quarterly,
    Biannually,
    Annually,
    AsNeeded,
    Irregular,
    NotPlanned,
    #[default]
    Unknown,
}

impl UpdateFrequency {
    /// When a layer whose content is of `updated` is next due; never for the
    /// frequencies that name no period.
    pub fn due(self, updated: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Continual | Self::Daily => updated.checked_add_days(Days::new(1)),
            Self::Weekly => updated.checked_add_days(Days::new(7)),
            Self::Fortnightly => updated.checked_add_days(Days::new(14)),
            Self::Monthly => updated.checked_add_months(Months::new(1)),
            Self::Quarterly => updated.checked_add_months(Months::new(3)),
            Self::Biannually => updated.checked_add_months(Months::new(6)),
            Self::Annually => updated.checked_add_months(Months::new(12)),
            Self::AsNeeded | Self::Irregular | Self::NotPlanned | Self::Unknown => None,
        }
    }
}

/// What is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DefinitionError {
    /// The text is not TOML, or holds fields of another shape.
    #[error("the layer's definition cannot be read: {0}")]
    Syntax(String),
    /// `label`, `natural_key`, `search`, `classify_by` or `zoom_rule` name it.
    #[error("{field} names the attribute {attribute:?}, which the layer does not have")]
    UnknownAttribute {
        /// The field of the definition.
        field: &'static str,
        /// The name it gives.
        attribute: String,
    },
    /// Two attributes have one name.
    #[error("the attribute {0:?} is defined twice")]
    DuplicateAttribute(String),
    /// The name cannot be a column's.
    #[error("{0:?} cannot be an attribute's name: use lower-case letters, digits and underscores")]
    AttributeName(String),
    /// The name is one that every layer uses itself.
    #[error("{0:?} is a column that every layer has already: give the attribute another name")]
    ReservedName(String),
    /// Persons, cases or dwellings were declared public.
    #[error("a layer of {0} cannot be public: its features are served as aggregates only (Ley 1581 de 2012)")]
    PersonalAndPublic(Subject),
    /// No title in Spanish.
    #[error("the layer has no title in Spanish")]
    NoTitle,
    /// A domain's pattern is no regular expression.
    #[error("the pattern of the attribute {attribute:?} is wrong: {reason}")]
    Pattern {
        /// The attribute.
        attribute: String,
        /// Why.
        reason: String,
    },
    /// An attribute that fewer may see than the layer shapes what all see.
    #[error(
        "{field} names the attribute {attribute:?}, which fewer may see than the layer: how the layer is drawn and \
         named would tell its values"
    )]
    DrawnByReserved {
        /// The field of the definition.
        field: &'static str,
        /// The attribute.
        attribute: String,
    },
}

impl LayerDefinition {
    /// Columns that a managed layer's table has besides its attributes.
    pub const RESERVED_COLUMNS: [&'static str; 3] = ["municipality", "fid", "geom"];

    /// Reads a definition from TOML and validates it, but for what needs the
    /// attributes: a file may leave them to the data.
    pub fn from_toml(text: &str) -> Result<Self, DefinitionError> {
        toml::from_str(text).map_err(|error| DefinitionError::Syntax(error.to_string()))
    }

    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The attributes that say how a feature is drawn and named, by the field
    /// that names each.
    pub fn drawn_by(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let rule = self.zoom_rule.as_ref().map(|rule| rule.attribute.as_str());
        let fields = [
            ("label", self.label.as_deref()),
            ("classify_by", self.classify_by.as_deref()),
            ("zoom_rule.attribute", rule),
        ];
        fields.into_iter().filter_map(|(field, name)| Some((field, name?)))
    }

    /// What of it somebody with that clearance may know: all but the attributes
    /// above it.
    pub fn up_to(&self, clearance: Visibility) -> Cow<'_, Self> {
        let is_seen = |attribute: &Attribute| attribute.is_within(clearance);
        if self.attributes.iter().all(is_seen) {
            return Cow::Borrowed(self);
        }
        let mut seen = self.clone();
        seen.attributes.retain(is_seen);
        let is_left = |name: &String| self.attribute(name).is_none_or(is_seen);
        seen.search.retain(is_left);
        seen.natural_key = seen.natural_key.filter(is_left);
        Cow::Owned(seen)
    }

    /// Checks the definition as a whole. `managed` layers have column names of
    /// ours; a published table keeps its own.
    pub fn validate(&self, managed: bool) -> Result<(), DefinitionError> {
        if self.title.es.trim().is_empty() {
            return Err(DefinitionError::NoTitle);
        }
        if self.subject.is_personal() && self.visibility == Visibility::Publica {
            return Err(DefinitionError::PersonalAndPublic(self.subject));
        }
        let mut names = HashSet::new();
        for Attribute { name, domain, .. } in &self.attributes {
            if let Some(Err(error)) = domain.as_ref().map(DomainCheck::new) {
                return Err(DefinitionError::Pattern { attribute: name.clone(), reason: error.to_string() });
            }
            if !names.insert(name.as_str()) {
                return Err(DefinitionError::DuplicateAttribute(name.clone()));
            }
            if managed && Self::RESERVED_COLUMNS.contains(&name.as_str()) {
                return Err(DefinitionError::ReservedName(name.clone()));
            }
            if managed && *name != crate::column_name(name) {
                return Err(DefinitionError::AttributeName(name.clone()));
            }
        }
        let key = self.natural_key.iter().map(|name| ("natural_key", name.as_str()));
        let searched = self.search.iter().map(|name| ("search", name.as_str()));
        for (field, attribute) in self.drawn_by().chain(key).chain(searched) {
            if !names.contains(attribute) {
                return Err(DefinitionError::UnknownAttribute { field, attribute: attribute.to_owned() });
            }
        }
        for (field, name) in self.drawn_by() {
            let visibility = self.attribute(name).and_then(|attribute| attribute.visibility);
            if visibility.is_some_and(|visibility| visibility > self.visibility) {
                return Err(DefinitionError::DrawnByReserved { field, attribute: name.to_owned() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZONES: &str = r#"
        title = { es = "Zonas WiFi", en = "WiFi zones" }
        sector = "tic"
        visibility = "publica"
        update_frequency = "monthly"
        label = "nombre"
        [[attributes]]
        name = "nombre"
        [[attributes]]
        name = "velocidad"
        type = "number"
        unit = "Mbit/s"
        domain = { range = { min = 0.0, max = 1000.0 } }
    "#;

    #[test]
    fn a_definition_reads_from_toml() {
        let definition = LayerDefinition::from_toml(ZONES).unwrap();
        assert_eq!(definition.validate(true), Ok(()));
        assert_eq!(definition.title.in_language("en"), "WiFi zones");
        assert_eq!(definition.attributes[1].domain, Some(Domain::Range { min: 0.0, max: 1000.0 }));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let with = |change: &dyn Fn(&mut LayerDefinition)| {
            let mut definition = LayerDefinition::from_toml(ZONES).unwrap();
            change(&mut definition);
            definition.validate(true).unwrap_err().to_string()
        };
        assert!(with(&|d| d.label = Some("nombres".into())).contains("\"nombres\""));
        assert!(with(&|d| d.attributes[1].name = "nombre".into()).contains("twice"));
        assert!(with(&|d| d.attributes[1].name = "fid".into()).contains("already"));
        assert!(with(&|d| d.subject = Subject::Persons).contains("cannot be public"));
        assert!(with(&|d| d.attributes[0].visibility = Some(Visibility::Reservada)).contains("label names"));
        assert!(LayerDefinition::from_toml("titel = 1").unwrap_err().to_string().contains("titel"));
    }

    #[test]
    fn what_is_above_the_clearance_is_not_in_the_definition() {
        let mut definition = LayerDefinition::from_toml(ZONES).unwrap();
        definition.attributes[1].visibility = Some(Visibility::Clasificada);
        (definition.natural_key, definition.search) = (Some("velocidad".into()), vec!["velocidad".into()]);
        assert_eq!(definition.validate(true), Ok(()));
        assert!(matches!(definition.up_to(Visibility::Clasificada), Cow::Borrowed(_)));
        let seen = definition.up_to(Visibility::Publica);
        assert_eq!(seen.attributes.iter().map(|attribute| &attribute.name).collect::<Vec<_>>(), ["nombre"]);
        assert_eq!((&seen.natural_key, seen.search.len()), (&None, 0));
    }

    #[test]
    fn a_layer_falls_due_after_its_period() {
        let updated = "2026-01-31T12:00:00Z".parse().unwrap();
        assert_eq!(UpdateFrequency::Monthly.due(updated), Some("2026-02-28T12:00:00Z".parse().unwrap()));
        assert_eq!(UpdateFrequency::Irregular.due(updated), None);
    }
}
