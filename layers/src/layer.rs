use std::borrow::Cow;
use std::str::FromStr;

use access::audit::{self, TrailFull};
use access::{Caller, MunicipalityCode, Scope, Subject, UnknownCode, Visibility};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{LayerDefinition, LayerId};

/// A layer as the catalogue knows it.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Its identifier, the collection's id over HTTP.
    pub id: LayerId,
    /// The municipality whose data it holds.
    pub municipality: MunicipalityCode,
    /// Ours, or somebody's table that we publish.
    pub kind: Kind,
    /// Where its rows are.
    pub table: Table,
    /// What its geometries are.
    pub geometry_type: GeometryType,
    /// Which ordinates they have.
    pub dimension: Dimension,
    /// The CRS of the table, as PostGIS numbers it.
    pub storage_srid: i32,
    /// The CRS of the source, as `EPSG:3116`, or its WKT where it has no code.
    pub declared_crs: String,
    /// What people say of it.
    pub definition: LayerDefinition,
    /// How many features it had when last counted.
    pub feature_count: i64,
    /// Its extent when last measured; none while it is empty.
    pub extent: Option<Extent>,
    /// How its changes are seen.
    pub change_capture: ChangeCapture,
    /// When a load or an edit last changed its content.
    pub content_updated_at: DateTime<Utc>,
    /// Since when the versions of its features are kept; none where they are
    /// not: of published tables.
    pub history_since: Option<DateTime<Utc>>,
}

impl Layer {
    /// Who may see it.
    pub fn visibility(&self) -> Visibility {
        self.definition.visibility
    }

    /// What a feature stands for.
    pub fn subject(&self) -> Subject {
        self.definition.subject
    }

    /// Whose it is.
    pub fn scope(&self) -> Scope<'_> {
        Scope { municipality: &self.municipality, dependency: &self.definition.dependency, layer: self.id.as_str() }
    }

    /// Up to which classification the caller may see its attributes; none
    /// where the layer itself is above that: the caller may not know of it.
    pub fn clearance(&self, caller: &Caller) -> Option<Visibility> {
        caller.clearance(&self.scope(), self.subject()).filter(|clearance| self.visibility() <= *clearance)
    }

    /// The lowest clearance with which as much of it is seen as with this one:
    /// what is made for one serves the other.
    pub fn view_level(&self, clearance: Visibility) -> Visibility {
        let above = self.definition.attributes.iter().filter_map(|attribute| attribute.visibility);
        above.filter(|visibility| *visibility <= clearance).fold(Visibility::Publica, Visibility::max)
    }

    /// All that decides who may see what of it: equal for two layers, or for one
    /// at two times, the same may see the same of both.
    pub fn access(&self) -> impl PartialEq + use<'_> {
        let attributes = self.definition.attributes.iter();
        let attributes: Vec<_> = attributes.map(|attribute| (&attribute.name, attribute.visibility)).collect();
        (self.scope(), self.visibility(), self.subject(), attributes)
    }

    /// Whether the caller may know of it.
    pub fn is_seen_by(&self, caller: &Caller) -> bool {
        self.clearance(caller).is_some()
    }

    /// The layer as the caller may know it: without the attributes that it may
    /// not see. None where it may not know of the layer.
    pub fn seen_by(&self, caller: &Caller) -> Option<Cow<'_, Self>> {
        let clearance = self.clearance(caller)?;
        Some(match self.definition.up_to(clearance) {
            Cow::Borrowed(_) => Cow::Borrowed(self),
            Cow::Owned(definition) => Cow::Owned(Self { definition, ..self.clone() }),
        })
    }

    /// Whether something of it is not for everybody: itself, what its features
    /// stand for, an attribute. As a caller sees it: of what that caller sees.
    pub fn has_reserve(&self) -> bool {
        let attributes = &self.definition.attributes;
        self.visibility() > Visibility::Publica
            || self.subject().is_personal()
            || attributes.iter().any(|attribute| attribute.visibility > Some(Visibility::Publica))
    }

    /// Tells the audit trail that the caller, as whom the layer is seen, is shown
    /// features of it, or one (`feature`), where something of them is not
    /// public. Before they are shown; a request that reads on is told once.
    pub fn note_read(&self, caller: &Caller, by: &str, feature: &str) -> Result<(), TrailFull> {
        if caller.login().is_none() || !self.has_reserve() {
            return Ok(());
        }
        audit::note_read(caller, &self.scope(), feature, serde_json::json!({ "by": by }))
    }

    /// Tells the audit trail that the caller asked for a layer of which it may not know.
    pub fn note_denial(&self, caller: &Caller) {
        audit::note_denial(caller, "see this layer", Some(&self.scope()));
    }

    /// Whether its declared update frequency has run out by `now`.
    pub fn is_overdue(&self, now: DateTime<Utc>) -> bool {
        self.definition.update_frequency.due(self.content_updated_at).is_some_and(|due| due < now)
    }
}

/// The table (or view) of a layer. Names come from PostgreSQL's own catalogue,
/// never from a request, and are quoted wherever they enter a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// The column whose value is a feature's id.
    pub key: String,
    /// That column's PostgreSQL type.
    pub key_type: String,
    /// The geometry column.
    pub geometry: String,
}

/// Whose table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A table of ours, in schema `geo`, EPSG:9377, filled by imports.
    Managed,
    /// A table or view that was there already, published as it is.
    Published,
}

/// How a layer's changes are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeCapture {
    /// By statement triggers: each change, as it commits.
    Triggers,
    /// By comparing the table with its last digest, now and then.
    Comparison,
}

/// What a layer's geometries are: a simple features type, or any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the standard's own words (OGC 06-103r4)")]
pub enum GeometryType {
    Point,
    MultiPoint,
    LineString,
    MultiLineString,
    Polygon,
    MultiPolygon,
    GeometryCollection,
    /// Mixed types.
    Geometry,
}

/// Which ordinates a layer's geometries have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the standard's own words")]
pub enum Dimension {
    #[default]
    Xy,
    Xyz,
    Xym,
    Xyzm,
}

impl Dimension {
    /// With or without a height and a measure.
    pub fn new(z: bool, m: bool) -> Self {
        match (z, m) {
            (false, false) => Self::Xy,
            (true, false) => Self::Xyz,
            (false, true) => Self::Xym,
            (true, true) => Self::Xyzm,
        }
    }

    /// Whether there is a height.
    pub fn has_z(self) -> bool {
        matches!(self, Self::Xyz | Self::Xyzm)
    }

    /// Whether there is a measure.
    pub fn has_m(self) -> bool {
        matches!(self, Self::Xym | Self::Xyzm)
    }

    /// What PostGIS's type modifier adds: `geometry(PolygonZ, 9377)`.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Xy => "",
            Self::Xyz => "Z",
            Self::Xym => "M",
            Self::Xyzm => "ZM",
        }
    }
}

macro_rules! codes {
    ($type:ident, $($code:literal => $variant:ident),+) => {
        impl $type {
            /// The code kept in the database.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
        impl FromStr for $type {
            type Err = UnknownCode;
            fn from_str(value: &str) -> Result<Self, UnknownCode> {
                match value {
                    $($code => Ok(Self::$variant),)+
                    _ => Err(UnknownCode::new(value, stringify!($type), concat!($($code, " "),+))),
                }
            }
        }
    };
}

codes!(Kind, "managed" => Managed, "published" => Published);
codes!(ChangeCapture, "triggers" => Triggers, "comparison" => Comparison);
codes!(Dimension, "XY" => Xy, "XYZ" => Xyz, "XYM" => Xym, "XYZM" => Xyzm);
codes!(GeometryType,
    "Point" => Point, "MultiPoint" => MultiPoint,
    "LineString" => LineString, "MultiLineString" => MultiLineString,
    "Polygon" => Polygon, "MultiPolygon" => MultiPolygon,
    "GeometryCollection" => GeometryCollection, "Geometry" => Geometry);

/// A box in longitude and latitude (CRS84), degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[expect(missing_docs, reason = "they say what they are")]
pub struct Extent {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

impl Extent {
    /// The four numbers in GeoJSON's order: west, south, east, north.
    pub fn to_array(self) -> [f64; 4] {
        [self.west, self.south, self.east, self.north]
    }

    /// The smallest box that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            west: self.west.min(other.west),
            south: self.south.min(other.south),
            east: self.east.max(other.east),
            north: self.north.max(other.north),
        }
    }

    /// The box that both have in common; none where they have no point in
    /// common.
    pub fn intersection(self, other: Self) -> Option<Self> {
        let common = Self {
            west: self.west.max(other.west),
            south: self.south.max(other.south),
            east: self.east.min(other.east),
            north: self.north.min(other.north),
        };
        (common.west <= common.east && common.south <= common.north).then_some(common)
    }

    /// Whether the point lies in the box or on its edge.
    pub fn contains(self, longitude: f64, latitude: f64) -> bool {
        (self.west..=self.east).contains(&longitude) && (self.south..=self.north).contains(&latitude)
    }
}
