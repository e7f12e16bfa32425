//! The city's skeleton: its outline cut by avenues, then by collector streets,
//! into barrios; barrios gathered into comunas.

use std::collections::BTreeSet;

use geo::{BooleanOps, Buffer, Coord, LineString, MultiPolygon, Polygon, unary_union};

use super::dice::Dice;
use super::mesh::{bend_line, bend_together};
use super::noise::Noise;
use super::plane::{self, distance, middle, oriented_box, ring_area, split, turned};
use super::profile::{Class, Profile, Quarter};
use super::valley::Valley;
use super::water::{Course, strips_near};

/// The valley's frame, and how streets are numbered in it.
pub(super) struct Ground {
    pub(super) profile: &'static Profile,
    pub(super) valley: Valley,
    pub(super) noise: Noise,
}

impl Ground {
    pub(super) fn new(profile: &'static Profile, seed: u64) -> Self {
        let noise = Noise::new(seed ^ super::dice::stable_hash(profile.code));
        let valley = Valley::new(profile.metres(profile.origin), profile.headings, profile.reach, noise);
        Self { profile, valley, noise }
    }

    /// `(s, t)` of street indices.
    pub(super) fn of_indices(&self, across: f64, along: f64) -> Coord {
        let streets = &self.profile.streets;
        Coord {
            x: (across - streets.across_index.0) * streets.across_index.1,
            y: (along - streets.along_index.0) * streets.along_index.1,
        }
    }

    /// The index near `index` on which the city's own grid has a line: its
    /// spacing is uneven, but never so much that a street would change its number.
    pub(super) fn grid_index(&self, index: f64, ways_across: bool) -> f64 {
        let shift = if ways_across { 0.0 } else { 5000.0 };
        let wander = 0.5 + 0.5 * self.noise.at(Coord { x: index * 131.0, y: shift }, 17.0);
        index - 0.05 + 0.22 * wander
    }

    /// The street indices (across, along) of `(s, t)`.
    pub(super) fn indices(&self, st: Coord) -> (f64, f64) {
        let streets = &self.profile.streets;
        (streets.across_index.0 + st.x / streets.across_index.1, streets.along_index.0 + st.y / streets.along_index.1)
    }
}

/// A street that bounds barrios: a straight line in `(s, t)`.
pub(super) struct Cut {
    pub(super) ends: (Coord, Coord),
    pub(super) class: Class,
    pub(super) name: &'static str,
}

/// A barrio.
pub(super) struct Barrio {
    /// In `(s, t)`, open and anticlockwise.
    pub(super) ring: Vec<Coord>,
    pub(super) shape: Polygon,
    pub(super) buildable: MultiPolygon,
    pub(super) name: String,
    /// Index into `Town::comunas`.
    pub(super) comuna: usize,
    /// Its number within the comuna, from 1.
    pub(super) number: usize,
    pub(super) quarter: Quarter,
    pub(super) stratum: i64,
}

/// A comuna.
pub(super) struct Comuna {
    pub(super) number: u8,
    pub(super) shape: MultiPolygon,
}

/// The city's skeleton.
pub(super) struct Town {
    pub(super) cuts: Vec<Cut>,
    pub(super) barrios: Vec<Barrio>,
    pub(super) comunas: Vec<Comuna>,
    pub(super) perimeter: MultiPolygon,
}

/// Lays the city out.
pub(super) fn lay_out(ground: &Ground, courses: &[Course], seed: u64) -> Town {
    let mut dice = Dice::new(seed, "town");
    let (rings, cuts) = cut_up(ground, &mut dice);
    let shapes = bend_together(&rings, 25.0, |st| ground.valley.to_map(st));
    let perimeter = unary_union(&shapes);
    let avenues: Vec<MultiPolygon> = cuts
        .iter()
        .filter(|cut| cut.class <= Class::Main)
        .map(|cut| {
            let line = bend_line(cut.ends.0, cut.ends.1, 25.0, |st| ground.valley.to_map(st));
            LineString::new(line).buffer(cut.class.width() / 2.0)
        })
        .collect();
    let homes = comuna_of(ground, &rings);
    let mut barrios = Vec::new();
    for ((ring, shape), comuna) in rings.into_iter().zip(shapes).zip(homes) {
        let mut buildable = shape.buffer(-Class::Collector.width() / 2.0);
        let strips = strips_near(courses, &buildable);
        for taken in std::iter::once(&strips).chain(&avenues) {
            if plane::boxes_meet(&buildable, taken) {
                buildable = buildable.difference(taken);
            }
        }
        buildable.0.retain(|part| geo::Area::unsigned_area(part) > 900.0);
        let place = ground.valley.to_map(middle(&ring));
        let quarter = quarter_at(ground, place, &mut dice);
        let stratum = stratum_of(quarter, ground, place, &mut dice);
        barrios.push(Barrio { ring, shape, buildable, name: String::new(), comuna, number: 0, quarter, stratum });
    }
    name_barrios(ground.profile, &mut barrios);
    let comunas = ground
        .profile
        .comunas
        .iter()
        .enumerate()
        .map(|(index, comuna)| Comuna {
            number: comuna.number,
            shape: unary_union(barrios.iter().filter(|barrio| barrio.comuna == index).map(|barrio| &barrio.shape)),
        })
        .collect();
    Town { cuts, barrios, comunas, perimeter }
}

/// Cuts the outline by the avenues, then ever smaller.
fn cut_up(ground: &Ground, dice: &mut Dice) -> (Vec<Vec<Coord>>, Vec<Cut>) {
    let profile = ground.profile;
    let outline = plane::smooth_ring(&profile.line(profile.outline), 70.0);
    let mut ring: Vec<Coord> = outline
        .into_iter()
        .map(|p| ground.valley.to_frame(plane::along(p, ground.noise.displacement(p, 560.0, 3, 110.0), 1.0)))
        .collect();
    if ring_area(&ring) < 0.0 {
        ring.reverse();
    }
    let mut pieces = vec![ring];
    let mut cuts = Vec::new();
    for avenue in profile.avenues {
        let [a, b] = avenue.ends.map(|(across, along)| ground.of_indices(across, along));
        let heading = plane::direction(a, b);
        let reach = distance(a, b);
        let mut next = Vec::new();
        for piece in pieces {
            let halves = split(&piece, a, heading);
            // Only the stretch between the avenue's ends cuts; a piece that the
            // line meets beyond them stays whole.
            let within = halves.cuts.iter().any(|(c, d)| {
                let middle = plane::dot(plane::along(plane::between(*c, *d, 0.5), a, -1.0), heading);
                middle > 0.0 && middle < reach
            });
            let small = halves.left.iter().chain(&halves.right).any(|part| ring_area(part) < 9000.0);
            if !within || (small && avenue.class > Class::Arterial) {
                next.push(piece);
                continue;
            }
            cuts.extend(halves.cuts.iter().map(|ends| Cut { ends: *ends, class: avenue.class, name: avenue.name }));
            next.extend(halves.left);
            next.extend(halves.right);
        }
        pieces = next;
    }
    let centre = ground.valley.to_frame(profile.metres(profile.centre));
    let mut done = Vec::new();
    while let Some(piece) = pieces.pop() {
        let place = middle(&piece);
        let area = ring_area(&piece);
        let far = distance(place, centre);
        let target = if far < 1500.0 { 130_000.0 } else { 210_000.0 } * dice.between(0.7, 1.5);
        let (box_centre, axis, length, width) = oriented_box(&piece);
        if area < target || (area < 2.2 * target && length < 1.4 * width && area < 300_000.0) {
            done.push(piece);
            continue;
        }
        let mut at = plane::along(box_centre, axis, length * dice.between(-0.12, 0.12));
        let mut heading = turned(axis, std::f64::consts::FRAC_PI_2);
        // A cut that runs almost with the streets' grid takes its direction, and
        // near the centre its lines.
        let across = heading.x.abs() < heading.y.abs();
        let off = if across { heading.x.abs() } else { heading.y.abs() };
        if off < 0.45 {
            heading = if across { Coord { x: 0.0, y: 1.0 } } else { Coord { x: 1.0, y: 0.0 } };
            let (i, j) = ground.indices(at);
            at = ground.of_indices(ground.grid_index(i.round(), true), ground.grid_index(j.round(), false));
            if far > 1800.0 {
                heading = turned(heading, dice.between(-0.16, 0.16));
            }
        }
        let halves = split(&piece, at, heading);
        let parts: Vec<_> = halves.left.into_iter().chain(halves.right).collect();
        if parts.len() < 2 || parts.iter().any(|part| ring_area(part) < 12_000.0) {
            done.push(piece);
            continue;
        }
        cuts.extend(halves.cuts.into_iter().map(|ends| Cut { ends, class: Class::Collector, name: "" }));
        pieces.extend(parts);
    }
    (done, cuts)
}

/// The comuna with the nearest seat, for each ring.
fn comuna_of(ground: &Ground, rings: &[Vec<Coord>]) -> Vec<usize> {
    rings
        .iter()
        .map(|ring| {
            let place = ground.valley.to_map(middle(ring));
            let far = |index: &usize| {
                ground.profile.comunas[*index]
                    .seats
                    .iter()
                    .map(|seat| distance(ground.profile.metres(*seat), place))
                    .fold(f64::MAX, f64::min)
            };
            (0..ground.profile.comunas.len()).min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(0)
        })
        .collect()
}

/// What the quarter around a place looks like.
fn quarter_at(ground: &Ground, place: Coord, dice: &mut Dice) -> Quarter {
    let profile = ground.profile;
    for special in profile.special {
        let reach = special.reach * 1000.0 * (1.0 + 0.2 * ground.noise.at(place, 500.0));
        if distance(profile.metres(special.place), place) < reach {
            return special.kind;
        }
    }
    let st = ground.valley.to_frame(place);
    let slope = (st.y.abs() - profile.valley_floor.0) / (profile.valley_floor.1 - profile.valley_floor.0);
    if slope > 0.35 && dice.chance(0.7) {
        return dice.weighted(&[(Quarter::Hillside, 3.0), (Quarter::Informal, 2.0)]);
    }
    dice.weighted(&[
        (Quarter::Grid, 4.0),
        (Quarter::Terraced, 4.0),
        (Quarter::Closed, 1.6),
        (Quarter::Informal, 0.7),
        (Quarter::Hillside, 0.5),
        (Quarter::Campus, 0.12),
    ])
}

/// The usual stratum (1 to 6) of a quarter.
fn stratum_of(quarter: Quarter, ground: &Ground, place: Coord, dice: &mut Dice) -> i64 {
    let drift = (ground.noise.fractal(place, 2600.0, 2) * 1.6).round() as i64;
    match quarter {
        Quarter::Historic => dice.whole(3, 4),
        Quarter::Grid => (3 + drift).clamp(2, 5),
        Quarter::Terraced => (2 + drift).clamp(1, 4),
        Quarter::Closed => (4 + drift).clamp(3, 6),
        Quarter::Hillside => (2 + drift.min(1)).clamp(1, 3),
        Quarter::Informal => dice.whole(1, 2).min(1 + drift.max(0)),
        Quarter::Industrial | Quarter::Campus => 3,
    }
}

/// Names barrios from their comuna's list, outwards from its first seat; when
/// the list ends, names are told apart by a part.
fn name_barrios(profile: &Profile, barrios: &mut [Barrio]) {
    const PARTS: [&str; 7] =
        ["Parte Alta", "Parte Baja", "Sector Norte", "Sector Sur", "Nuevo", "Sector Oriental", "Sector Occidental"];
    let mut taken = BTreeSet::new();
    for (index, comuna) in profile.comunas.iter().enumerate() {
        let seat = profile.metres(comuna.seats[0]);
        let mut members: Vec<usize> = (0..barrios.len()).filter(|b| barrios[*b].comuna == index).collect();
        members.sort_by(|a, b| {
            let far = |m: usize| distance(middle(&barrios[m].shape.exterior().0), seat);
            far(*a).total_cmp(&far(*b))
        });
        let varied = PARTS.iter().flat_map(|part| comuna.barrios.iter().map(move |name| format!("{name} {part}")));
        let mut names = comuna.barrios.iter().map(|name| (*name).to_owned()).chain(varied);
        for (order, member) in members.into_iter().enumerate() {
            barrios[member].number = order + 1;
            let name = names.by_ref().find(|name| !taken.contains(name));
            barrios[member].name = name.unwrap_or_else(|| format!("Comuna {} sector {}", comuna.number, order + 1));
            taken.insert(barrios[member].name.clone());
        }
    }
}
