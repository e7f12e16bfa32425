//! The lie of the land, and the hazards that follow from it: floods beside
//! rivers, debris flows along steep streams, slides on slopes.

use std::collections::BTreeSet;

use geo::{BooleanOps, BoundingRect, Coord, MultiPolygon, Polygon};
use rstar::RTree;
use rstar::primitives::GeomWithData;

use super::contour::Field;
use super::plane::{along, distance, dot};
use super::profile::Water;
use super::town::Ground;
use super::water::Course;

/// A phenomenon of Decreto 1807 de 2014.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phenomenon {
    Flood,
    DebrisFlow,
    Slide,
}

impl Phenomenon {
    pub(super) const ALL: [Self; 3] = [Self::Flood, Self::DebrisFlow, Self::Slide];

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Flood => "inundacion",
            Self::DebrisFlow => "avenida_torrencial",
            Self::Slide => "movimiento_en_masa",
        }
    }
}

/// Levels from the highest: their codes, and above which value of the field they begin.
pub(super) const LEVELS: [(&str, f64); 3] = [("alta", 0.62), ("media", 0.4), ("baja", 0.18)];

/// A zone of hazard: one phenomenon, one level.
pub(super) struct Zone {
    pub(super) phenomenon: Phenomenon,
    pub(super) level: &'static str,
    /// Whether it is of the urban study (1:5 000), not of the rural one (1:25 000).
    pub(super) urban: bool,
    pub(super) shape: Polygon,
}

/// How steep the land is: 0 flat to 1 very steep.
pub(super) fn steepness(ground: &Ground, place: Coord) -> f64 {
    let profile = ground.profile;
    let [high, low] = profile.relief.map(|place| profile.metres(place));
    let slope = along(low, high, -1.0);
    let fall = dot(along(place, high, -1.0), slope) / dot(slope, slope);
    let mountains = 0.85 - 0.8 * fall.clamp(0.0, 1.0);
    let away = distance(place, profile.metres(profile.centre));
    let base = if away < 13_000.0 {
        let st = ground.valley.to_frame(place);
        let (floor, ridge) = profile.valley_floor;
        let rise = ((st.y.abs() - floor) / (ridge - floor)).clamp(0.0, 1.4);
        let blend = (away / 13_000.0).powi(3);
        (0.05 + 0.5 * rise) * (1.0 - blend) + mountains * blend
    } else {
        mountains
    };
    (base + 0.55 * ground.noise.fractal(place, 2600.0, 4)).clamp(0.0, 1.0)
}

/// Every zone of hazard, in the city and outside it. The levels of one
/// phenomenon do not overlap: each lies around the higher one.
pub(super) fn zones(ground: &Ground, courses: &[Course], perimeter: &MultiPolygon, limit: &MultiPolygon) -> Vec<Zone> {
    let outside = limit.difference(perimeter);
    let mut zones = Vec::new();
    for (urban, area) in [(true, perimeter), (false, &outside)] {
        for phenomenon in Phenomenon::ALL {
            zones.extend(of_phenomenon(ground, courses, area, phenomenon, urban));
        }
    }
    zones
}

fn of_phenomenon(
    ground: &Ground,
    courses: &[Course],
    area: &MultiPolygon,
    phenomenon: Phenomenon,
    urban: bool,
) -> Vec<Zone> {
    let Some(extent) = area.bounding_rect() else { return Vec::new() };
    let step = match (urban, phenomenon) {
        (true, Phenomenon::Slide) => 35.0,
        (true, _) => 20.0,
        (false, Phenomenon::Slide) => 160.0,
        (false, _) => 60.0,
    };
    let water = Banks::new(ground, courses, phenomenon);
    let field = Field::sample(extent.min(), extent.max(), step, |place| match phenomenon {
        // Near the city a slope of a few blocks counts, and is studied.
        Phenomenon::Slide if urban => {
            (steepness(ground, place) - 0.3) * 0.95 + 0.4 * ground.noise.fractal(place, 430.0, 3)
        }
        Phenomenon::Slide => (steepness(ground, place) - 0.22) * 1.15,
        _ => water.hazard(ground, place),
    });
    let least = if urban { 900.0 } else { 30_000.0 };
    let mut zones = Vec::new();
    let mut higher = MultiPolygon::new(Vec::new());
    for (level, above) in LEVELS {
        let whole = field.above(above).intersection(area);
        let band = if higher.0.is_empty() { whole.clone() } else { whole.difference(&higher) };
        zones.extend(band.0.into_iter().filter(|part| geo::Area::unsigned_area(part) > least).map(|shape| Zone {
            phenomenon,
            level,
            urban,
            shape,
        }));
        higher = higher.union(&whole);
    }
    zones
}

/// The banks of the courses that a phenomenon follows.
struct Banks {
    points: RTree<Bank>,
    /// The squares of `REACH` metres from which a bank can be near.
    near: BTreeSet<(i64, i64)>,
}

/// Nothing farther from water is in danger from it, in metres.
const REACH: f64 = 700.0;

fn square(place: Coord) -> (i64, i64) {
    ((place.x / REACH).floor() as i64, (place.y / REACH).floor() as i64)
}

/// A place on a water course, and how far its hazard reaches there.
type Bank = GeomWithData<[f64; 2], f64>;

impl Banks {
    fn new(ground: &Ground, courses: &[Course], phenomenon: Phenomenon) -> Self {
        let follows = |course: &&Course| match phenomenon {
            Phenomenon::Flood => true,
            Phenomenon::DebrisFlow => course.kind == Water::Stream || course.width < 24.0,
            Phenomenon::Slide => false,
        };
        let points: Vec<Bank> = courses
            .iter()
            .filter(follows)
            .flat_map(|course| {
                course.line.iter().map(|p| {
                    let steep = steepness(ground, *p);
                    let reach = match phenomenon {
                        Phenomenon::Flood => (40.0 + 7.5 * course.width) * (1.15 - 0.8 * steep),
                        _ => (30.0 + 3.5 * course.width) * (0.35 + 1.5 * steep),
                    };
                    Bank::new([p.x, p.y], reach)
                })
            })
            .collect();
        let around = |bank: &Bank| {
            let (i, j) = square(Coord { x: bank.geom()[0], y: bank.geom()[1] });
            (0..9).map(move |k| (i + k % 3 - 1, j + k / 3 - 1))
        };
        let near = points.iter().flat_map(around).collect();
        Self { points: RTree::bulk_load(points), near }
    }

    fn hazard(&self, ground: &Ground, place: Coord) -> f64 {
        if !self.near.contains(&square(place)) {
            return -1.0;
        }
        let Some(bank) = self.points.nearest_neighbor([place.x, place.y]) else { return -1.0 };
        let at = Coord { x: bank.geom()[0], y: bank.geom()[1] };
        let away = distance(at, place);
        if away > REACH.min(1.75 * bank.data) {
            return -1.0;
        }
        let ragged = 1.0 + 0.75 * ground.noise.fractal(place, 480.0, 3);
        1.0 - away / (bank.data * ragged).max(1.0)
    }
}
