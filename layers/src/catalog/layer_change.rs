//! A change of what is said of a layer, and what of it is refused.

use access::Visibility;
use serde::{Deserialize, Deserializer};

use super::CatalogError;
use crate::{
    Attribute, AttributeType, DefinitionError, Domain, DomainValue, LayerDefinition, Sector, Text, UpdateFrequency,
};

/// The longest title, name and the like, in characters.
const LINE: usize = 200;
/// The longest description and legal reason.
const PARAGRAPH: usize = 2000;
/// From beyond this zoom on no tile is cut.
const MOST_ZOOM: u8 = 30;
/// More values than so many are no classes.
const MOST_VALUES: usize = 200;

/// What is to be said anew of a layer: what is not named stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "LayerDefinition says what each is")]
pub struct LayerChange {
    pub title: Option<Text>,
    pub description: Option<Text>,
    pub sector: Option<Sector>,
    pub visibility: Option<Visibility>,
    pub legal_reason: Option<String>,
    pub dependency: Option<String>,
    pub custodian: Option<String>,
    pub source: Option<String>,
    pub licence: Option<String>,
    pub update_frequency: Option<UpdateFrequency>,
    /// A null takes it away.
    #[serde(default, deserialize_with = "given")]
    pub label: Option<Option<String>>,
    /// A null takes it away.
    #[serde(default, deserialize_with = "given")]
    pub classify_by: Option<Option<String>>,
    pub min_zoom: Option<u8>,
    #[serde(default)]
    pub attributes: Vec<AttributeChange>,
}

/// What is to be said anew of one attribute.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "Attribute says what each is")]
pub struct AttributeChange {
    pub name: String,
    pub title: Option<Text>,
    /// A null: whoever sees the layer sees it.
    #[serde(default, deserialize_with = "given")]
    pub visibility: Option<Option<Visibility>>,
    pub legal_reason: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub unit: Option<Option<String>>,
    pub min_zoom: Option<u8>,
    /// The values that it may take, with their titles and colours; none: any.
    pub values: Option<Vec<DomainValue>>,
}

/// A member that is there, though it may be null.
#[expect(clippy::option_option, reason = "not there, null, and a value are three things")]
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl LayerChange {
    /// The members that it names.
    pub fn members(&self) -> Vec<&'static str> {
        let named = [
            ("title", self.title.is_some()),
            ("description", self.description.is_some()),
            ("sector", self.sector.is_some()),
            ("visibility", self.visibility.is_some()),
            ("legal_reason", self.legal_reason.is_some()),
            ("dependency", self.dependency.is_some()),
            ("custodian", self.custodian.is_some()),
            ("source", self.source.is_some()),
            ("licence", self.licence.is_some()),
            ("update_frequency", self.update_frequency.is_some()),
            ("label", self.label.is_some()),
            ("classify_by", self.classify_by.is_some()),
            ("min_zoom", self.min_zoom.is_some()),
            ("attributes", !self.attributes.is_empty()),
        ];
        named.into_iter().filter_map(|(name, is_named)| is_named.then_some(name)).collect()
    }
}

/// The definition after the change. `seen` is what of it the caller may know:
/// only that can be named.
pub(super) fn apply(
    whole: &LayerDefinition,
    seen: &LayerDefinition,
    change: &LayerChange,
    managed: bool,
) -> Result<LayerDefinition, CatalogError> {
    let mut next = whole.clone();
    set_text(&mut next.title, change.title.as_ref(), "title", LINE)?;
    set_text(&mut next.description, change.description.as_ref(), "description", PARAGRAPH)?;
    if let Some(sector) = &change.sector {
        line("sector", sector.code(), LINE)?;
        if sector.code().trim().is_empty() {
            return Err(invalid("sector", "name the sector"));
        }
        next.sector = sector.clone();
    }
    for (field, given, kept, longest) in [
        ("legal_reason", &change.legal_reason, &mut next.legal_reason, PARAGRAPH),
        ("dependency", &change.dependency, &mut next.dependency, LINE),
        ("custodian", &change.custodian, &mut next.custodian, LINE),
        ("source", &change.source, &mut next.source, PARAGRAPH),
        ("licence", &change.licence, &mut next.licence, LINE),
    ] {
        if let Some(text) = given {
            line(field, text, longest)?;
            text.trim().clone_into(kept);
        }
    }
    if let Some(visibility) = change.visibility {
        next.visibility = visibility;
    }
    if change.visibility.is_some() || change.legal_reason.is_some() {
        reason("legal_reason", next.visibility, &next.legal_reason)?;
    }
    if let Some(frequency) = change.update_frequency {
        next.update_frequency = frequency;
    }
    if let Some(zoom) = change.min_zoom {
        next.min_zoom = within("min_zoom", zoom)?;
    }
    for (field, given, kept) in
        [("label", &change.label, &mut next.label), ("classify_by", &change.classify_by, &mut next.classify_by)]
    {
        if let Some(name) = given {
            if let Some(name) = name
                && seen.attribute(name).is_none()
            {
                let unknown = DefinitionError::UnknownAttribute { field, attribute: name.clone() };
                return Err(of_definition(unknown, change));
            }
            kept.clone_from(name);
        }
    }
    for (at, given) in change.attributes.iter().enumerate() {
        let field = |member: &str| format!("attributes[{at}].{member}");
        let known = seen.attribute(&given.name).is_some();
        let attribute = next.attributes.iter_mut().find(|attribute| known && attribute.name == given.name);
        let attribute =
            attribute.ok_or_else(|| invalid(field("name"), format!("the layer has no attribute {:?}", given.name)))?;
        change_attribute(attribute, given, &field)?;
    }
    if let Some(name) = &next.classify_by
        && (change.classify_by.is_some() || change.attributes.iter().any(|given| given.name == *name))
        && !next
            .attribute(name)
            .is_some_and(|attribute| matches!(&attribute.domain, Some(Domain::Values(values)) if !values.is_empty()))
    {
        return Err(invalid("classify_by", format!("the attribute {name:?} has no list of values to colour by")));
    }
    next.validate(managed).map_err(|error| of_definition(error, change))?;
    Ok(next)
}

fn change_attribute(
    attribute: &mut Attribute,
    given: &AttributeChange,
    field: &impl Fn(&str) -> String,
) -> Result<(), CatalogError> {
    set_text(&mut attribute.title, given.title.as_ref(), &field("title"), LINE)?;
    if let Some(visibility) = given.visibility {
        attribute.visibility = visibility;
    }
    if let Some(text) = &given.legal_reason {
        line(field("legal_reason"), text, PARAGRAPH)?;
        text.trim().clone_into(&mut attribute.legal_reason);
    }
    if given.visibility.is_some() || given.legal_reason.is_some() {
        // Where it is seen by whoever sees the layer, it needs no reason of its own.
        let visibility = attribute.visibility.unwrap_or(Visibility::Publica);
        reason(field("legal_reason"), visibility, &attribute.legal_reason)?;
    }
    if let Some(unit) = &given.unit {
        line(field("unit"), unit.as_deref().unwrap_or_default(), LINE)?;
        attribute.unit = unit.as_deref().map(str::trim).filter(|unit| !unit.is_empty()).map(str::to_owned);
    }
    if let Some(zoom) = given.min_zoom {
        attribute.min_zoom = within(&field("min_zoom"), zoom)?;
    }
    if let Some(values) = &given.values {
        set_values(attribute, values, &field("values"))?;
    }
    Ok(())
}

fn set_values(attribute: &mut Attribute, values: &[DomainValue], field: &str) -> Result<(), CatalogError> {
    let is_listable = matches!(attribute.kind, AttributeType::Text | AttributeType::Integer)
        && !matches!(attribute.domain, Some(Domain::Range { .. } | Domain::Pattern(_)));
    if !is_listable {
        return Err(invalid(
            field,
            "only a text or a whole number, without a range or a pattern, can have a list of values",
        ));
    }
    if values.len() > MOST_VALUES {
        return Err(invalid(field, format!("expected at most {MOST_VALUES} values")));
    }
    for (at, value) in values.iter().enumerate() {
        let member = |name: &str| format!("{field}[{at}].{name}");
        line(member("value"), &value.value, LINE)?;
        if value.value.is_empty() {
            return Err(invalid(member("value"), "a value cannot be empty"));
        }
        if attribute.kind == AttributeType::Integer && value.value.parse::<i64>().is_err() {
            return Err(invalid(member("value"), "expected a whole number"));
        }
        if values[..at].iter().any(|other| other.value == value.value) {
            return Err(invalid(member("value"), format!("the value {:?} is there twice", value.value)));
        }
        line(member("title"), &value.title.es, LINE)?;
        line(member("title"), &value.title.en, LINE)?;
        if value.color.as_deref().is_some_and(|color| !is_color(color)) {
            return Err(invalid(member("color"), "expected a colour as #1a2b3c"));
        }
    }
    attribute.domain = (!values.is_empty()).then(|| Domain::Values(values.to_vec()));
    Ok(())
}

/// Ley 1712 de 2014, articles 18 to 20: what is not public says why.
fn reason(field: impl Into<String>, visibility: Visibility, text: &str) -> Result<(), CatalogError> {
    if visibility != Visibility::Publica && text.trim().is_empty() {
        let reason = "say by what law it is not public (Ley 1712 de 2014, articles 18 and 19)";
        return Err(invalid(field, reason));
    }
    Ok(())
}

fn set_text(kept: &mut Text, given: Option<&Text>, field: &str, longest: usize) -> Result<(), CatalogError> {
    let Some(text) = given else { return Ok(()) };
    line(format!("{field}.es"), &text.es, longest)?;
    line(format!("{field}.en"), &text.en, longest)?;
    *kept = Text { es: text.es.trim().to_owned(), en: text.en.trim().to_owned() };
    Ok(())
}

fn line(field: impl Into<String>, text: &str, longest: usize) -> Result<(), CatalogError> {
    let is_strange = |c: char| c.is_control() && !(longest == PARAGRAPH && c == '\n');
    if text.chars().count() > longest || text.chars().any(is_strange) {
        return Err(invalid(field, format!("expected at most {longest} characters, none a control one")));
    }
    Ok(())
}

fn within(field: &str, zoom: u8) -> Result<u8, CatalogError> {
    if zoom > MOST_ZOOM { Err(invalid(field, format!("expected a zoom of 0 to {MOST_ZOOM}"))) } else { Ok(zoom) }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn invalid(field: impl Into<String>, reason: impl Into<String>) -> CatalogError {
    CatalogError::Invalid { field: field.into(), reason: reason.into() }
}

/// With the member of the change that is at fault, where it is one.
fn of_definition(error: DefinitionError, change: &LayerChange) -> CatalogError {
    let field = match &error {
        DefinitionError::NoTitle => "title.es".to_owned(),
        DefinitionError::PersonalAndPublic(_) => "visibility".to_owned(),
        DefinitionError::UnknownAttribute { field, .. } => (*field).to_owned(),
        DefinitionError::DrawnByReserved { field, attribute } => {
            let given =
                change.attributes.iter().position(|given| given.name == *attribute && given.visibility.is_some());
            given.map_or_else(|| (*field).to_owned(), |at| format!("attributes[{at}].visibility"))
        }
        _ => return error.into(),
    };
    invalid(field, error.to_string())
}
