//! What is known of each city and steers the generation: its shape in broad
//! strokes, its rivers and avenues, the names of its quarters. Places are
//! approximate and no data set's copy.

mod cucuta;
mod ibague;

use geo::Coord;

use super::City;
use super::plane::along;

/// Everything the generator knows of a city. Places are kilometres east and
/// north of `corner` (EPSG:9377, in metres).
pub(super) struct Profile {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) department: &'static str,
    pub(super) inhabitants: u32,
    /// West, south, east, north of the municipality (CRS84), with a margin.
    pub(super) extent: [f64; 4],
    pub(super) corner: (f64, f64),
    /// Where the valley's axis crosses the calle of index 0.
    pub(super) origin: (f64, f64),
    /// The axis' headings: metres along it, degrees anticlockwise from east.
    pub(super) headings: &'static [(f64, f64)],
    /// How far the axis is drawn.
    pub(super) reach: (f64, f64),
    pub(super) centre: (f64, f64),
    pub(super) streets: Nomenclature,
    pub(super) outline: &'static [(f64, f64)],
    pub(super) limit: &'static [(f64, f64)],
    pub(super) avenues: &'static [Avenue],
    pub(super) rivers: &'static [River],
    pub(super) highways: &'static [Highway],
    pub(super) comunas: &'static [Comuna],
    pub(super) corregimientos: &'static [(&'static str, (f64, f64))],
    pub(super) settlements: &'static [Settlement],
    /// Quarters of one use, by place and reach in kilometres.
    pub(super) special: &'static [Special],
    /// Beyond this distance from the centre (metres), with `size small`, lots grow.
    pub(super) detailed_radius: f64,
    /// Lots' fronts against the usual ones.
    pub(super) lot_scale: f64,
    /// The mountains and the plain: where land is steep, and where flat.
    pub(super) relief: [(f64, f64); 2],
    /// How high the hills stand beside the valley: where slopes begin (metres from the axis).
    pub(super) valley_floor: (f64, f64),
    pub(super) places: Places,
}

/// How streets are numbered. An index is the number a street would have there.
pub(super) struct Nomenclature {
    /// The least number: beyond it they are counted again with a suffix.
    pub(super) first: f64,
    /// Ways along the valley: `Carrera` (Ibagué), `Avenida` (Cúcuta).
    pub(super) along: &'static str,
    pub(super) along_code: &'static str,
    /// The index of the axis itself, and metres per index (negative: falls to the left).
    pub(super) along_index: (f64, f64),
    /// What follows a number counted beyond 0.
    pub(super) along_beyond: &'static str,
    pub(super) across_index: (f64, f64),
    pub(super) across_beyond: &'static str,
}

/// A main street: a straight line in the streets' own indices.
pub(super) struct Avenue {
    pub(super) name: &'static str,
    pub(super) class: Class,
    /// (across index, along index) of both ends.
    pub(super) ends: [(f64, f64); 2],
}

/// The hierarchy of a street.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Arterial,
    Main,
    Collector,
    Local,
    Footway,
    Rural,
}

impl Class {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Arterial => "arteria",
            Self::Main => "principal",
            Self::Collector => "colectora",
            Self::Local => "local",
            Self::Footway => "peatonal",
            Self::Rural => "rural",
        }
    }

    /// The usual width between blocks, in metres.
    pub(super) fn width(self) -> f64 {
        match self {
            Self::Arterial => 26.0,
            Self::Main => 18.0,
            Self::Collector => 13.0,
            Self::Local => 9.0,
            Self::Footway => 5.0,
            Self::Rural => 6.0,
        }
    }
}

/// A water course.
pub(super) struct River {
    pub(super) name: &'static str,
    pub(super) kind: Water,
    /// Widths at the source and at the end, in metres.
    pub(super) width: (f64, f64),
    pub(super) course: &'static [(f64, f64)],
}

/// What kind of water course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Water {
    River,
    Stream,
}

/// A road out of the city.
pub(super) struct Highway {
    pub(super) name: &'static str,
    pub(super) class: Class,
    pub(super) course: &'static [(f64, f64)],
}

/// An urban district.
pub(super) struct Comuna {
    pub(super) number: u8,
    /// The points of which it is the nearest comuna.
    pub(super) seats: &'static [(f64, f64)],
    pub(super) barrios: &'static [&'static str],
}

/// A populated centre outside the city.
pub(super) struct Settlement {
    pub(super) name: &'static str,
    pub(super) corregimiento: &'static str,
    pub(super) inhabitants: u32,
    pub(super) place: (f64, f64),
}

/// A part of the city with a use of its own.
pub(super) struct Special {
    pub(super) kind: Quarter,
    pub(super) place: (f64, f64),
    pub(super) reach: f64,
}

/// What a quarter looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quarter {
    Historic,
    Grid,
    Terraced,
    Closed,
    Hillside,
    Informal,
    Industrial,
    Campus,
}

/// Counts and lists of the places that are points.
pub(super) struct Places {
    pub(super) wifi: usize,
    pub(super) wifi_rural: usize,
    pub(super) pvd: &'static [VivePoint],
    pub(super) kvd: &'static [(&'static str, &'static str)],
    pub(super) schools: usize,
    pub(super) cams: &'static [&'static str],
    pub(super) libraries: &'static [&'static str],
    pub(super) heritage: &'static [Heritage],
    pub(super) churches: &'static [&'static str],
    pub(super) routes: usize,
}

/// A heritage asset: its name, its kind, and where it stands if that is known.
pub(super) type Heritage = (&'static str, &'static str, Option<(f64, f64)>);

/// A Vive Digital point: its name, address, type where the plans say it, and
/// where it stands, as (across index, along index) or kilometres.
pub(super) struct VivePoint {
    pub(super) name: &'static str,
    pub(super) address: &'static str,
    pub(super) kind: Option<&'static str>,
    pub(super) place: Spot,
}

/// Where something stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spot {
    /// At the crossing of (across index, along index).
    Crossing(f64, f64),
    /// At (east, north) kilometres.
    Map(f64, f64),
}

impl Profile {
    /// The profile of a city.
    pub(super) fn of(city: City) -> &'static Self {
        match city {
            City::Ibague => &ibague::PROFILE,
            City::Cucuta => &cucuta::PROFILE,
        }
    }

    /// A place in metres.
    pub(super) fn metres(&self, place: (f64, f64)) -> Coord {
        let corner = Coord { x: self.corner.0, y: self.corner.1 };
        along(corner, Coord { x: place.0, y: place.1 }, 1000.0)
    }

    /// Places in metres.
    pub(super) fn line(&self, places: &[(f64, f64)]) -> Vec<Coord> {
        places.iter().map(|place| self.metres(*place)).collect()
    }
}
