//! Roads outside the city: highways out of it, and tracks that wind to every
//! populated centre and vereda.

use geo::{Coord, Intersects, MultiPolygon, Point};

use super::noise::Noise;
use super::plane::{self, along, between, distance, middle};
use super::profile::{Class, Profile};
use super::rural::Vereda;
use super::streets::{Segment, StreetName};

/// Metres between the junctions of a road.
const STRETCH: usize = 12;

/// Lays the roads out, joined to the city's streets.
pub(super) fn lay_out(
    profile: &Profile,
    limit: &MultiPolygon,
    perimeter: &MultiPolygon,
    noise: Noise,
    streets: &[Segment],
    veredas: &[Vereda],
) -> Vec<Segment> {
    let within = |area: &MultiPolygon, place: Coord| area.intersects(&Point::from(place));
    let mut roads = Vec::new();
    let mut junctions: Vec<Coord> = Vec::new();
    let city: Vec<Coord> = streets
        .iter()
        .filter(|s| s.class <= Class::Collector)
        .flat_map(|s| [s.line[0], s.line[s.line.len() - 1]])
        .collect();
    for highway in profile.highways {
        let mut line: Vec<Coord> = plane::smooth_line(&profile.line(highway.course), 55.0)
            .into_iter()
            .map(|p| along(p, noise.displacement(p, 800.0, 3, 95.0), 1.0))
            .collect();
        // It begins at the city's nearest main street.
        line.retain(|p| !within(perimeter, *p));
        let Some(start) = line.first().and_then(|first| nearest(&city, *first)) else { continue };
        line.insert(0, start);
        // The road ends where the municipality does.
        let inside = line.iter().position(|p| !within(limit, *p)).unwrap_or(line.len());
        line.truncate(inside);
        push(&mut roads, &mut junctions, &line, highway.class, highway.name);
    }
    let mut goals: Vec<(Coord, String)> =
        profile.settlements.iter().map(|s| (profile.metres(s.place), format!("Vía a {}", s.name))).collect();
    goals.extend(veredas.iter().map(|vereda| {
        let parcel = &vereda.parcels[vereda.parcels.len() / 2];
        (middle(&parcel.exterior().0), format!("Camino a la vereda {}", vereda.name))
    }));
    // The nearest first, so that roads branch as they grew.
    while !goals.is_empty() {
        let away = |goal: &(Coord, String)| nearest(&junctions, goal.0).map_or(f64::MAX, |p| distance(p, goal.0));
        let next = (0..goals.len()).min_by(|a, b| away(&goals[*a]).total_cmp(&away(&goals[*b]))).unwrap_or(0);
        let (goal, name) = goals.swap_remove(next);
        let Some(start) = nearest(&junctions, goal) else { continue };
        let length = distance(start, goal);
        if length < 120.0 {
            continue;
        }
        let count = (length / 50.0).ceil() as usize;
        let line: Vec<Coord> = (0..=count)
            .map(|step| {
                let part = step as f64 / count as f64;
                let taper = (part * (1.0 - part) * 4.0).min(1.0);
                let at = between(start, goal, part);
                let wide = noise.displacement(at, 1900.0, 3, 420.0_f64.min(length * 0.25));
                along(at, wide, taper)
            })
            .collect();
        push(&mut roads, &mut junctions, &line, Class::Rural, &name);
    }
    roads
}

fn nearest(places: &[Coord], place: Coord) -> Option<Coord> {
    places.iter().copied().min_by(|a, b| distance(*a, place).total_cmp(&distance(*b, place)))
}

/// Adds a road, divided into stretches at whose ends others may join.
fn push(roads: &mut Vec<Segment>, junctions: &mut Vec<Coord>, line: &[Coord], class: Class, name: &str) {
    let name = StreetName { kind: "Vía", short: name.to_owned(), full: name.to_owned(), runs_along: true };
    let mut from = 0;
    while from + 1 < line.len() {
        let to = (from + STRETCH).min(line.len() - 1);
        roads.push(Segment { line: line[from..=to].to_vec(), class, name: name.clone(), width: class.width() });
        junctions.push(line[to]);
        from = to;
    }
}
