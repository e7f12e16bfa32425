//! Polygons that share borders, bent without tearing: every vertex that lies
//! on a neighbour's edge becomes a vertex of that edge first, and edges are
//! divided the same way from both sides.

use geo::{Coord, LineString, Polygon};
use rstar::{AABB, RTree};

use super::plane::{along, between, cross, direction, distance, dot};

/// Bends the open rings by `bend`, with a vertex at least every `step`.
pub(super) fn bend_together(rings: &[Vec<Coord>], step: f64, bend: impl Fn(Coord) -> Coord) -> Vec<Polygon> {
    let vertices = RTree::bulk_load(rings.iter().flatten().map(|p| [snapped(p.x), snapped(p.y)]).collect());
    rings
        .iter()
        .map(|ring| {
            let mut bent = Vec::new();
            for index in 0..ring.len() {
                let a = snap(ring[index]);
                let b = snap(ring[(index + 1) % ring.len()]);
                let mut stops = vertices_on(&vertices, a, b);
                stops.push(b);
                let mut from = a;
                for to in stops {
                    push_divided(&mut bent, from, to, step, &bend);
                    from = to;
                }
            }
            bent.dedup_by(|a, b| distance(*a, *b) < 1e-6);
            Polygon::new(LineString::new(bent), Vec::new())
        })
        .collect()
}

/// Bends one line the same way as the rings.
pub(super) fn bend_line(a: Coord, b: Coord, step: f64, bend: impl Fn(Coord) -> Coord) -> Vec<Coord> {
    let mut line = Vec::new();
    push_divided(&mut line, a, b, step, &bend);
    line.push(bend(b));
    line
}

fn snapped(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// To the millimetre, so that both neighbours mean the same point.
fn snap(point: Coord) -> Coord {
    Coord { x: snapped(point.x), y: snapped(point.y) }
}

/// The vertices strictly within the edge, in its order.
fn vertices_on(vertices: &RTree<[f64; 2]>, a: Coord, b: Coord) -> Vec<Coord> {
    const NEAR: f64 = 0.01;
    let corner = |f: fn(f64, f64) -> f64, by: f64| [f(a.x, b.x) + by, f(a.y, b.y) + by];
    let envelope = AABB::from_corners(corner(f64::min, -NEAR), corner(f64::max, NEAR));
    let heading = direction(a, b);
    let length = distance(a, b);
    let mut found: Vec<(f64, Coord)> = vertices
        .locate_in_envelope(envelope)
        .map(|p| Coord { x: p[0], y: p[1] })
        .filter_map(|p| {
            let offset = along(p, a, -1.0);
            let place = dot(offset, heading);
            (cross(heading, offset).abs() < NEAR && place > NEAR && place < length - NEAR).then_some((place, p))
        })
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.dedup_by(|a, b| b.0 - a.0 < NEAR && (a.0 - b.0).abs() < NEAR);
    found.into_iter().map(|(_, p)| p).collect()
}

/// Pushes the points from `a` (included) to `b` (not included), divided the
/// same way whichever end comes first.
fn push_divided(line: &mut Vec<Coord>, a: Coord, b: Coord, step: f64, bend: &impl Fn(Coord) -> Coord) {
    let count = (distance(a, b) / step).ceil().max(1.0) as usize;
    let forward = (a.x, a.y) <= (b.x, b.y);
    let (first, last) = if forward { (a, b) } else { (b, a) };
    for index in 0..count {
        let place = if forward { index } else { count - index };
        let point = if place == 0 {
            first
        } else if place == count {
            last
        } else {
            between(first, last, place as f64 / count as f64)
        };
        line.push(bend(point));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Area, unary_union};

    #[test]
    fn neighbours_stay_neighbours() {
        let at = |x: f64, y: f64| Coord { x, y };
        let rings = [
            vec![at(0.0, 0.0), at(100.0, 0.0), at(100.0, 100.0), at(0.0, 100.0)],
            vec![at(100.0, 0.0), at(200.0, 0.0), at(200.0, 40.0), at(100.0, 40.0)],
            vec![at(100.0, 40.0), at(200.0, 40.0), at(200.0, 100.0), at(100.0, 100.0)],
        ];
        let bent = bend_together(&rings, 15.0, |p| at(p.x + 8.0 * (p.y / 30.0).sin(), p.y + 5.0 * (p.x / 40.0).cos()));
        let apart: f64 = bent.iter().map(Area::unsigned_area).sum();
        let together = unary_union(&bent);
        assert!((apart - together.unsigned_area()).abs() < 1e-3, "{apart} {}", together.unsigned_area());
        assert_eq!(together.0.len(), 1);
        assert!(together.0[0].interiors().is_empty());
    }
}
