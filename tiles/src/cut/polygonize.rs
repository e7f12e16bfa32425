//! From noded edges to the polygons that they enclose: each one exterior and
//! its holes, valid by construction.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::Unit;
use super::area::{tidy, twice};
use super::noding::Edge;
use super::segment::{cross, run};

/// A polygon: its exterior, with positive area, before its holes.
pub(super) type Polygon = Vec<Vec<Unit>>;

/// What is gone around more often to the left than to the right. Rings touch
/// in points at most, and none itself; what hangs together by a point alone is
/// two polygons.
pub(super) fn polygonize(mut edges: Vec<Edge>) -> Vec<Polygon> {
    edges.sort_unstable_by(|one, other| one.way.left.cmp(&other.way.left).then_with(|| one.by_slope(other)));
    let sides = sweep(&edges);
    let boundary = Boundary::new(&edges, &sides);
    let mut polygons: Vec<Polygon> = Vec::new();
    let mut polygon_of = vec![None; edges.len()];
    // From the left to the right: what is around a hole comes before it.
    for first in (0..edges.len()).filter(|edge| sides[*edge].differ()) {
        if polygon_of[first].is_some() {
            continue;
        }
        let cycle = boundary.cycle(first);
        let mut rings = loops(cycle.iter().map(|edge| boundary.ways[*edge][0]).collect());
        rings.sort_by_key(|ring| twice(ring) < 0);
        for ring in &mut rings {
            tidy(ring, 0);
        }
        let around = sides[first].next_below.and_then(|below| polygon_of[below]);
        let polygon = match around {
            Some(polygon) if twice(&rings[0]) < 0 => polygon,
            _ => {
                polygons.push(Polygon::new());
                polygons.len() - 1
            }
        };
        polygons[polygon].append(&mut rings);
        for edge in cycle {
            polygon_of[edge] = Some(polygon);
        }
    }
    polygons
}

/// What is on the two sides of an edge, seen from its left end: how often it
/// is gone around.
#[derive(Debug, Clone, Copy)]
struct Sides {
    below: i32,
    above: i32,
    /// The next edge below, where its left end is, that has an inside and an
    /// outside.
    next_below: Option<usize>,
}

impl Sides {
    fn differ(self) -> bool {
        (self.below > 0) != (self.above > 0)
    }
}

/// The sides of each edge, by a line that goes from the left to the right and
/// knows which edges it meets, from below.
fn sweep(edges: &[Edge]) -> Vec<Sides> {
    let mut ends: Vec<Unit> = edges.iter().flat_map(|edge| [edge.way.left, edge.way.right]).collect();
    ends.sort_unstable();
    ends.dedup();
    let mut sides: Vec<Sides> = Vec::with_capacity(edges.len());
    let mut met: Vec<usize> = Vec::new();
    for point in ends {
        let start = met.partition_point(|edge| edges[*edge].way.side(point) > 0);
        let ending = met[start..].iter().take_while(|edge| edges[**edge].way.right == point).count();
        let first = sides.len();
        let mut next = start.checked_sub(1).map(|below| met[below]);
        for edge in edges[first..].iter().take_while(|edge| edge.way.left == point) {
            let below = next.map_or(0, |next| sides[next].above);
            let next_below =
                next.and_then(|next| if sides[next].differ() { Some(next) } else { sides[next].next_below });
            next = Some(sides.len());
            sides.push(Sides { below, above: below + edge.turns, next_below });
        }
        met.splice(start..start + ending, first..sides.len());
    }
    sides
}

/// The edges with an inside on one side, each in the direction that has it on
/// the left.
struct Boundary {
    /// From and to, of every edge.
    ways: Vec<[Unit; 2]>,
    /// The edges that leave a point, by it.
    leaving: Vec<(Unit, usize)>,
}

impl Boundary {
    fn new(edges: &[Edge], sides: &[Sides]) -> Self {
        let way = |(edge, sides): (&Edge, &Sides)| {
            if sides.above > 0 { [edge.way.left, edge.way.right] } else { [edge.way.right, edge.way.left] }
        };
        let ways: Vec<[Unit; 2]> = edges.iter().zip(sides).map(way).collect();
        let inner = (0..edges.len()).filter(|edge| sides[*edge].differ());
        let mut leaving: Vec<(Unit, usize)> = inner.map(|edge| (ways[edge][0], edge)).collect();
        leaving.sort_unstable();
        Self { ways, leaving }
    }

    /// The edges around one piece of the inside, from one on.
    fn cycle(&self, first: usize) -> Vec<usize> {
        let mut cycle = vec![first];
        let mut edge = self.next(first);
        while edge != first {
            cycle.push(edge);
            edge = self.next(edge);
        }
        cycle
    }

    /// Of the edges that leave where one comes to, the first to its left.
    fn next(&self, edge: usize) -> usize {
        let [from, at] = self.ways[edge];
        let leaving = &self.leaving[self.leaving.partition_point(|(point, _)| *point < at)..];
        let leaving = leaving.iter().take_while(|(point, _)| *point == at).map(|(_, edge)| *edge);
        let back = run(at, from);
        let to = |edge: &usize| run(at, self.ways[*edge][1]);
        leaving.min_by(|one, other| clockwise(back, to(one), to(other))).expect("as many leave a point as come to it")
    }
}

/// Which of two directions comes first, clockwise from another.
fn clockwise(from: [i64; 2], one: [i64; 2], other: [i64; 2]) -> Ordering {
    let is_late = |way: [i64; 2]| cross(from, way) > 0;
    is_late(one).cmp(&is_late(other)).then_with(|| cross(one, other).cmp(&0))
}

impl Edge {
    /// The order of edges with the same left end, from the lowest.
    fn by_slope(&self, other: &Self) -> Ordering {
        0.cmp(&cross(run(self.way.left, self.way.right), run(other.way.left, other.way.right)))
    }
}

/// The ring taken apart where it comes back to a point: no part does.
fn loops(ring: Vec<Unit>) -> Polygon {
    let mut seen = HashMap::new();
    let (mut path, mut loops): (Vec<Unit>, Polygon) = (Vec::new(), Vec::new());
    for unit in ring {
        if let Some(start) = seen.insert(unit, path.len()) {
            loops.push(path.split_off(start));
            for gone in &loops[loops.len() - 1][1..] {
                seen.remove(gone);
            }
            seen.insert(unit, start);
        }
        path.push(unit);
    }
    loops.push(path);
    loops
}

#[cfg(test)]
mod tests {
    use geo::{Area, BooleanOps, Validation};
    use proptest::prelude::*;

    use super::super::Cut;
    use super::super::noding::noded;
    use super::*;

    fn of(rings: &[Vec<Unit>]) -> Vec<Polygon> {
        let mut cut = Cut::default();
        for ring in rings {
            cut.push(ring.iter().copied());
        }
        polygonize(noded(&cut))
    }

    #[test]
    fn a_ring_that_comes_back_to_a_point_is_two_polygons() {
        let eight = vec![[0, 0], [10, 0], [10, 10], [20, 10], [20, 20], [10, 20], [10, 10], [0, 10]];
        assert_eq!(
            of(&[eight]),
            [[vec![[0, 0], [10, 0], [10, 10], [0, 10]]], [vec![[10, 10], [20, 10], [20, 20], [10, 20]]]]
        );
    }

    #[test]
    fn holes_that_touch_each_other_and_the_exterior_are_holes() {
        let exterior = vec![[0, 0], [90, 0], [90, 90], [0, 90]];
        let one = vec![[0, 50], [30, 60], [30, 40]];
        let other = vec![[30, 50], [60, 60], [60, 40]];
        let polygons = of(&[exterior, one, other]);
        assert_eq!(polygons.len(), 1);
        assert_eq!(polygons[0].iter().map(|ring| twice(ring).signum()).collect::<Vec<_>>(), [1, -1, -1]);
    }

    #[test]
    fn a_hole_across_a_polygon_makes_two() {
        let exterior = vec![[0, 0], [90, 0], [90, 90], [0, 90]];
        let polygons = of(&[exterior, vec![[0, 40], [0, 50], [90, 50], [90, 40]]]);
        assert_eq!(polygons.iter().map(|polygon| twice(&polygon[0]) / 2).collect::<Vec<_>>(), [3600, 3600]);
    }

    fn as_geo(polygons: &[Polygon]) -> geo::MultiPolygon {
        let line = |ring: &Vec<Unit>| ring.iter().map(|unit| (f64::from(unit[0]), f64::from(unit[1]))).collect();
        let polygon = |polygon: &Polygon| geo::Polygon::new(line(&polygon[0]), polygon[1..].iter().map(line).collect());
        polygons.iter().map(polygon).collect()
    }

    proptest! {
        #[test]
        fn polygons_are_valid(
            rings in prop::collection::vec(prop::collection::vec([-20..20_i32, -20..20_i32], 3..24), 1..5),
        ) {
            let polygons = of(&rings);
            let signs = |polygon: &Polygon| polygon.iter().enumerate().all(|(at, ring)| (twice(ring) > 0) == (at == 0));
            prop_assert!(polygons.iter().all(signs), "{:?}", polygons);
            let polygons = as_geo(&polygons);
            prop_assert!(polygons.is_valid(), "{:?}: {:?}", polygons, polygons.validation_errors());
        }

        // Of rectangles at whole units nothing is rounded: as much is inside
        // as another library says.
        #[test]
        fn rectangles_together_cover_what_they_cover(
            rectangles in prop::collection::vec((0..30_i32, 0..30_i32, 1..20_i32, 1..20_i32), 1..7),
        ) {
            let ring = |(x, y, width, height): &(i32, i32, i32, i32)| {
                vec![[*x, *y], [x + width, *y], [x + width, y + height], [*x, y + height]]
            };
            let rings: Vec<Vec<Unit>> = rectangles.iter().map(ring).collect();
            let whole = rings.iter().map(|ring| as_geo(&[vec![ring.clone()]])).reduce(|one, other| one.union(&other));
            let area: i64 = of(&rings).iter().flatten().map(|ring| twice(ring)).sum();
            prop_assert!((area as f64 / 2.0 - whole.expect("one").unsigned_area()).abs() < 1e-6);
        }
    }
}
