//! What of an edit breaks the layer's rules.

use crate::{AttributeType, DomainCheck, GeometryType};

/// A rule that an edit breaks.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which edit of the batch, from 0.
    pub edit: usize,
    /// Which member of the feature, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// Where, in longitude and latitude, as far as it is in one place.
    pub position: Option<[f64; 2]>,
    /// The rule.
    pub rule: Rule,
}

/// What must hold.
#[derive(Debug, Clone)]
pub enum Rule {
    /// The attribute, or the geometry, must be there.
    Required,
    /// The layer has no such attribute.
    Unknown,
    /// The value must be of that type.
    Type(AttributeType),
    /// The value must be of the attribute's domain.
    Domain(DomainCheck),
    /// The text must not be longer, in characters.
    Length(usize),
    /// No other feature may have the same value.
    Unique,
    /// The geometry must be of that type.
    GeometryType(GeometryType),
    /// The geometry must be one: says what is wrong, as GEOS does.
    GeometryValid(String),
    /// Positions must have a height.
    Height,
    /// The geometry must lie in the municipality.
    Bounds,
    /// It must have no area in common with another: with that one, where it is
    /// not of the same batch.
    Overlap(Option<i64>),
    /// It must lie within what another layer covers.
    Covered,
}

impl Violation {
    pub(super) fn of_property(edit: usize, name: &str, rule: Rule) -> Self {
        Self { edit, pointer: crate::features::pointer(name), position: None, rule }
    }

    pub(super) fn of_geometry(edit: usize, position: Option<[f64; 2]>, rule: Rule) -> Self {
        Self { edit, pointer: "/geometry".to_owned(), position, rule }
    }
}

impl Rule {
    /// Its code, which never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Unknown => "unknown",
            Self::Type(_) => "type",
            Self::Domain(_) => "domain",
            Self::Length(_) => "length",
            Self::Unique => "unique",
            Self::GeometryType(_) => "geometry_type",
            Self::GeometryValid(_) => "geometry_valid",
            Self::Height => "height",
            Self::Bounds => "bounds",
            Self::Overlap(_) => "overlap",
            Self::Covered => "covered",
        }
    }

    /// What it says to whoever broke it, in `language` (`es` or `en`).
    pub fn text(&self, language: &str) -> String {
        let choose = |es: &str, en: &str| if language == "en" { en.to_owned() } else { es.to_owned() };
        match self {
            Self::Required => choose("es obligatorio", "is required"),
            Self::Unknown => choose("la capa no tiene este atributo", "the layer has no such attribute"),
            Self::Type(kind) => {
                let (es, en) = described(*kind);
                choose(&format!("debe ser {es}"), &format!("must be {en}"))
            }
            Self::Domain(DomainCheck::Range(min, max)) => {
                choose(&format!("debe estar entre {min} y {max}"), &format!("must be between {min} and {max}"))
            }
            Self::Domain(DomainCheck::Pattern(pattern)) => choose(
                &format!("no tiene la forma {}", pattern.as_str()),
                &format!("is not of the form {}", pattern.as_str()),
            ),
            Self::Domain(check) => {
                let (named, more) = check.named();
                let list = format!("{}{}", named.join(", "), if more { ", …" } else { "" });
                choose(&format!("debe ser uno de: {list}"), &format!("must be one of: {list}"))
            }
            Self::Length(most) => {
                choose(&format!("tiene más de {most} caracteres"), &format!("has more than {most} characters"))
            }
            Self::Unique => choose("otro elemento ya tiene este valor", "another feature has this value already"),
            Self::GeometryType(kind) => choose(
                &format!("la geometría debe ser {}", kind.code()),
                &format!("the geometry must be a {}", kind.code()),
            ),
            Self::GeometryValid(reason) => {
                choose(&format!("la geometría no es válida: {reason}"), &format!("the geometry is not valid: {reason}"))
            }
            Self::Height => choose(
                "la capa tiene alturas: cada punto nuevo necesita la suya",
                "the layer has heights: each new position needs one",
            ),
            Self::Bounds => choose("queda fuera del municipio", "lies outside of the municipality"),
            Self::Overlap(Some(other)) => {
                choose(&format!("se superpone con el elemento {other}"), &format!("overlaps the feature {other}"))
            }
            Self::Overlap(None) => {
                choose("se superpone con otro de los elementos editados", "overlaps another of the edited features")
            }
            Self::Covered => {
                choose("queda fuera de donde debe estar contenido", "lies outside of what must contain it")
            }
        }
    }
}

/// A type, in both languages.
fn described(kind: AttributeType) -> (&'static str, &'static str) {
    match kind {
        AttributeType::Text => ("texto", "text"),
        AttributeType::Integer => ("un número entero", "a whole number"),
        AttributeType::Number => ("un número", "a number"),
        AttributeType::Boolean => ("verdadero o falso", "true or false"),
        AttributeType::Date => ("una fecha como 2026-11-20", "a date as 2026-11-20"),
        AttributeType::DateTime => {
            ("un instante como 2026-11-20T08:00:00-05:00", "an instant as 2026-11-20T08:00:00-05:00")
        }
        AttributeType::Json => ("un documento JSON", "a JSON document"),
    }
}
