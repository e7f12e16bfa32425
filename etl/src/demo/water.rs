//! Rivers and streams: winding courses that widen downstream.

use geo::{Area, BooleanOps, Buffer, Coord, LineString, MultiPolygon, unary_union};

use super::noise::Noise;
use super::plane::{along, boxes_meet, distance, smooth_line};
use super::profile::{Profile, Water};

/// A water course.
pub(super) struct Course {
    pub(super) name: &'static str,
    pub(super) kind: Water,
    pub(super) line: Vec<Coord>,
    /// Its mean width in metres.
    pub(super) width: f64,
    /// The water.
    pub(super) bed: MultiPolygon,
    /// The strip that is kept free of buildings, near the city, in overlapping stretches.
    pub(super) corridor: Vec<MultiPolygon>,
}

/// The strips along water that reach a shape.
pub(super) fn strips_near(courses: &[Course], shape: &MultiPolygon) -> MultiPolygon {
    let near = courses.iter().flat_map(|course| &course.corridor).filter(|stretch| boxes_meet(stretch, shape));
    unary_union(near.flat_map(|stretch| &stretch.0))
}

/// Points of a course in one stretch of its strip.
const STRETCH: usize = 20;

/// How far from the centre strips are drawn, in metres.
const CITY: f64 = 16_000.0;

/// Every course of the city, within `limit` and a little beyond.
pub(super) fn courses(profile: &Profile, noise: Noise, limit: &MultiPolygon) -> Vec<Course> {
    let centre = profile.metres(profile.centre);
    profile
        .rivers
        .iter()
        .map(|river| {
            let line: Vec<Coord> = smooth_line(&profile.line(river.course), 35.0)
                .into_iter()
                .map(|p| {
                    let wide = noise.displacement(p, 1000.0, 2, 130.0);
                    along(along(p, wide, 1.0), noise.displacement(p, 260.0, 2, 34.0), 1.0)
                })
                .collect();
            // A few stretches, each wider than the one above it.
            let parts = 6;
            let per_part = line.len().div_ceil(parts);
            let strips: Vec<MultiPolygon> = (0..parts)
                .filter_map(|part| {
                    let from = part * per_part;
                    let to = (from + per_part + 1).min(line.len());
                    let width = river.width.0 + (river.width.1 - river.width.0) * part as f64 / (parts - 1) as f64;
                    (from + 1 < to).then(|| LineString::new(line[from..to].to_vec()).buffer(width / 2.0))
                })
                .collect();
            let bed = unary_union(strips.iter().flat_map(|strip| &strip.0)).intersection(limit);
            let width = f64::midpoint(river.width.0, river.width.1);
            let free = match river.kind {
                Water::River => width / 2.0 + 22.0,
                Water::Stream => width / 2.0 + 9.0,
            };
            let corridor = (0..line.len() - 1)
                .step_by(STRETCH)
                .map(|from| &line[from..(from + STRETCH + 1).min(line.len())])
                .filter(|stretch| stretch.iter().any(|p| distance(*p, centre) < CITY))
                .map(|stretch| LineString::new(stretch.to_vec()).buffer(free))
                .collect();
            Course { name: river.name, kind: river.kind, line, width, bed, corridor }
        })
        .filter(|course| course.bed.unsigned_area() > 100.0)
        .collect()
}
