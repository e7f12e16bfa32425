//! Keeping polygons valid: snapping makes neighbouring edges touch and cross,
//! clipping hangs pieces together along an edge.

use std::collections::HashMap;

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay::{ContourDirection, IntOverlayOptions};
use i_overlay::core::simplify::Simplify;

use super::{Cut, Unit, int_point};

/// Looks at rings, and mends what is not valid.
#[derive(Debug, Default)]
pub(super) struct Checker {
    edges: Vec<Edge>,
}

/// An edge, from the left to the right.
#[derive(Debug, Clone, Copy)]
struct Edge {
    left: Unit,
    right: Unit,
    /// Which ring, and where in it, of how many.
    ring: u32,
    index: u32,
    of: u32,
}

impl Checker {
    /// Appends the polygons of the rings (exteriors positive, holes negative,
    /// each behind its exterior): as they are where no two edges meet other
    /// than as neighbours, else what they enclose, taken apart anew.
    pub(super) fn write(&mut self, rings: &Cut, cut: &mut Cut) {
        if rings.is_empty() {
            return;
        }
        if self.is_valid(rings) {
            for ring in rings.parts() {
                cut.push(ring.iter().copied());
            }
            return;
        }
        let options =
            IntOverlayOptions { output_direction: ContourDirection::CounterClockwise, ..IntOverlayOptions::ogc() };
        let shape: Vec<Vec<_>> = rings.parts().map(|ring| ring.iter().copied().map(int_point).collect()).collect();
        let mut polygons: Vec<Vec<Vec<Unit>>> = Vec::new();
        let mut holes = Vec::new();
        for polygon in shape.simplify(FillRule::Positive, options) {
            for (number, ring) in polygon.into_iter().enumerate() {
                let mut ring: Vec<Unit> = ring.iter().map(|point| [point.x, point.y]).collect();
                // A hole that touches its exterior comes back the exterior's way round.
                if (super::area::twice(&ring) > 0) != (number == 0) {
                    ring.reverse();
                }
                for ring in loops(ring) {
                    match super::area::twice(&ring) {
                        0 => {}
                        1.. => polygons.push(vec![ring]),
                        _ => holes.push(ring),
                    }
                }
            }
        }
        hang(&mut polygons, holes);
        for ring in polygons.into_iter().flatten() {
            cut.push(ring);
        }
    }

    /// Whether no two edges touch or cross, every hole lies in the exterior
    /// before it, and no exterior in another.
    pub(super) fn is_valid(&mut self, rings: &Cut) -> bool {
        self.is_simple(rings) && are_apart(rings)
    }

    /// Whether no two edges touch or cross, but neighbours in their shared point.
    fn is_simple(&mut self, rings: &Cut) -> bool {
        self.edges.clear();
        for (number, ring) in rings.parts().enumerate() {
            let of = ring.len() as u32;
            let mut from = ring[ring.len() - 1];
            for (index, &to) in ring.iter().enumerate() {
                let (left, right) = if from <= to { (from, to) } else { (to, from) };
                self.edges.push(Edge { left, right, ring: number as u32, index: index as u32, of });
                from = to;
            }
        }
        self.edges.sort_unstable_by_key(|edge| edge.left[0]);
        for (index, one) in self.edges.iter().enumerate() {
            let meeting = self.edges[index + 1..].iter().take_while(|other| other.left[0] <= one.right[0]);
            if meeting.into_iter().any(|other| !one.is_neighbour(other) && one.meets(other)) {
                return false;
            }
        }
        true
    }
}

/// The ring taken apart where it comes back to a point: no part does.
fn loops(ring: Vec<Unit>) -> Vec<Vec<Unit>> {
    let mut seen = HashMap::new();
    let (mut path, mut loops): (Vec<Unit>, Vec<Vec<Unit>>) = (Vec::new(), Vec::new());
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
    loops.retain(|ring| ring.len() >= 3);
    loops
}

/// Puts holes into the polygons that they lie in: where many rings touch, some
/// come back with another's. One that lies in none is none.
fn hang(polygons: &mut [Vec<Vec<Unit>>], holes: Vec<Vec<Unit>>) {
    if let [polygon] = polygons {
        polygon.extend(holes);
        return;
    }
    let mut exteriors: Vec<(usize, Ring)> = polygons.iter().map(|polygon| Ring::new(&polygon[0])).enumerate().collect();
    exteriors.sort_by_cached_key(|(_, ring)| super::area::twice(ring.units));
    // The smallest that surrounds it.
    let home = |hole: &Vec<Unit>| exteriors.iter().find(|(_, ring)| ring.surrounds(hole)).map(|(number, _)| *number);
    let homes: Vec<Option<usize>> = holes.iter().map(home).collect();
    for (hole, home) in holes.into_iter().zip(homes) {
        if let Some(home) = home {
            polygons[home].push(hole);
        }
    }
}

/// Of more rings than this not each is looked at beside each other: they are
/// taken to lie as they should.
const MOST_PAIRED: usize = 1024;

/// Whether of rings that do not meet each hole lies in the exterior before it
/// and in no other hole, and each exterior in no other. A hole whose exterior
/// collapsed has nothing to be a hole of.
fn are_apart(rings: &Cut) -> bool {
    if rings.ends.len() == 1 || rings.ends.len() > MOST_PAIRED {
        return rings.parts().next().is_some_and(|ring| super::area::twice(ring) > 0);
    }
    let rings: Vec<Ring> = rings.parts().map(Ring::new).collect();
    let mut exterior = None;
    rings.iter().enumerate().all(|(number, ring)| {
        if !ring.is_hole {
            exterior = Some(number);
        }
        let others = rings.iter().enumerate().filter(|(other, _)| *other != number);
        let around = others.filter(|(_, other)| other.holds(ring.units[0]));
        let (mut depth, mut is_in_own) = (0, false);
        for (other, Ring { is_hole, .. }) in around {
            depth += if *is_hole { -1 } else { 1 };
            is_in_own |= exterior == Some(other);
        }
        if ring.is_hole { is_in_own && depth == 1 } else { depth == 0 }
    })
}

/// A ring and the box around it.
struct Ring<'a> {
    units: &'a [Unit],
    least: Unit,
    most: Unit,
    is_hole: bool,
}

impl<'a> Ring<'a> {
    fn new(units: &'a [Unit]) -> Self {
        let bound = |best: fn(i32, i32) -> i32| {
            units.iter().copied().reduce(|one, other| [best(one[0], other[0]), best(one[1], other[1])])
        };
        let (least, most) = (bound(i32::min).unwrap_or_default(), bound(i32::max).unwrap_or_default());
        Self { units, least, most, is_hole: super::area::twice(units) < 0 }
    }

    /// Whether a ring that touches this one at most lies within.
    fn surrounds(&self, ring: &[Unit]) -> bool {
        // By a point of it that does not touch.
        ring.iter().all(|point| self.is_around(*point))
            && ring.iter().find(|point| !self.has(**point)).is_none_or(|point| self.holds(*point))
    }

    /// Whether the point is in its box.
    fn is_around(&self, point: Unit) -> bool {
        (0..2).all(|axis| (self.least[axis]..=self.most[axis]).contains(&point[axis]))
    }

    fn edges(&self) -> impl Iterator<Item = (&Unit, &Unit)> {
        let befores = self.units.iter().skip(self.units.len() - 1).chain(self.units);
        befores.zip(self.units)
    }

    /// Whether the point is on the ring.
    fn has(&self, point: Unit) -> bool {
        let within = |axis: usize, from: &Unit, to: &Unit| {
            (from[axis].min(to[axis])..=from[axis].max(to[axis])).contains(&point[axis])
        };
        self.edges()
            .any(|(from, to)| within(0, from, to) && within(1, from, to) && super::area::is_straight(*from, point, *to))
    }

    /// Whether a point that is not on it lies within.
    fn holds(&self, point: Unit) -> bool {
        if !self.is_around(point) {
            return false;
        }
        let crossed = self.edges().filter(|(from, to)| {
            if (from[1] > point[1]) == (to[1] > point[1]) {
                return false;
            }
            let (low, high) = if from[1] < to[1] { (from, to) } else { (to, from) };
            let run = |unit: &Unit| [i64::from(unit[0]) - i64::from(low[0]), i64::from(unit[1]) - i64::from(low[1])];
            let ([ux, uy], [vx, vy]) = (run(high), run(&point));
            // The point is on the left of the edge.
            vx * uy < ux * vy
        });
        crossed.count() % 2 == 1
    }
}

impl Edge {
    /// Neighbours share one point and, the ring being tidy, no more.
    fn is_neighbour(&self, other: &Self) -> bool {
        let apart = self.index.abs_diff(other.index);
        self.ring == other.ring && (apart == 1 || apart + 1 == self.of)
    }

    fn meets(&self, other: &Self) -> bool {
        let span = |edge: &Self| {
            if edge.left[1] <= edge.right[1] { (edge.left[1], edge.right[1]) } else { (edge.right[1], edge.left[1]) }
        };
        let ((low, high), (other_low, other_high)) = (span(self), span(other));
        if high < other_low || other_high < low || self.right[0] < other.left[0] || other.right[0] < self.left[0] {
            return false;
        }
        let sides = (side(self, other.left), side(self, other.right));
        let other_sides = (side(other, self.left), side(other, self.right));
        // All on one line: their boxes meet, so they do.
        sides.0 * sides.1 <= 0 && other_sides.0 * other_sides.1 <= 0
    }
}

/// On which side of the edge the point lies: -1, 0 (on its line), 1.
fn side(edge: &Edge, point: Unit) -> i64 {
    let run = |from: Unit, to: Unit| [i64::from(to[0]) - i64::from(from[0]), i64::from(to[1]) - i64::from(from[1])];
    let ([ux, uy], [vx, vy]) = (run(edge.left, edge.right), run(edge.left, point));
    (ux * vy - uy * vx).signum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cut::area::twice;

    fn written(rings: &[&[Unit]]) -> Vec<Vec<Unit>> {
        let mut input = Cut::default();
        for ring in rings {
            input.push(ring.iter().copied());
        }
        let mut cut = Cut::default();
        Checker::default().write(&input, &mut cut);
        cut.parts().map(<[Unit]>::to_vec).collect()
    }

    #[test]
    fn a_valid_polygon_stays_as_it_is() {
        let rings: [&[Unit]; 2] = [&[[0, 0], [50, 0], [50, 50], [0, 50]], &[[10, 10], [10, 20], [20, 20], [20, 10]]];
        assert_eq!(written(&rings), rings);
    }

    #[test]
    fn parts_that_hang_together_along_an_edge_are_taken_apart() {
        // A U whose opening was clipped away: its legs joined along y = 0.
        let joined: &[Unit] = &[[0, 0], [40, 0], [40, 30], [30, 30], [30, 0], [10, 0], [10, 30], [0, 30]];
        let parts = written(&[joined]);
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert!(parts.iter().all(|ring| twice(ring) == 2 * 10 * 30), "{parts:?}");
    }

    #[test]
    fn a_ring_that_comes_back_to_a_point_is_two() {
        let eight = vec![[0, 0], [10, 0], [10, 10], [20, 10], [20, 20], [10, 20], [10, 10], [0, 10]];
        let parts = loops(eight);
        assert_eq!(parts, [vec![[10, 10], [20, 10], [20, 20], [10, 20]], vec![[0, 0], [10, 0], [10, 10], [0, 10]]]);
        assert!(loops(vec![[0, 0], [5, 5]]).is_empty());
    }

    #[test]
    fn rings_that_do_not_meet_are_looked_at_together() {
        let outer: &[Unit] = &[[0, 0], [90, 0], [90, 90], [0, 90]];
        let hole: &[Unit] = &[[10, 10], [10, 80], [80, 80], [80, 10]];
        let island: &[Unit] = &[[20, 20], [40, 20], [40, 40], [20, 40]];
        let away: &[Unit] = &[[100, 0], [100, 9], [109, 9], [109, 0]];
        let area = |rings: &[&[Unit]]| -> i64 { written(rings).iter().map(|ring| twice(ring)).sum::<i64>() / 2 };
        assert_eq!(written(&[outer, hole, island]), [outer, hole, island]);
        assert_eq!(area(&[outer, hole, island]), 8100 - 4900 + 400);
        // A polygon in another is a part of it; a hole in nothing is none.
        assert_eq!(area(&[outer, island]), 8100);
        assert_eq!(area(&[outer, away]), 8100);
        assert_eq!(area(&[island, away, outer]), 8100);
    }

    #[test]
    fn a_hole_without_an_exterior_is_nothing() {
        assert!(written(&[&[[10, 10], [10, 20], [20, 20], [20, 10]]]).is_empty());
    }

    #[test]
    fn a_hole_that_touches_its_exterior_is_a_hole() {
        let exterior: &[Unit] = &[[2, 9], [2, 8], [4, 6], [5, 7], [5, 8], [4, 9]];
        let hole: &[Unit] = &[[3, 8], [4, 8], [3, 7]];
        assert!(twice(exterior) > 0 && twice(hole) < 0);
        let parts = written(&[exterior, hole]);
        let area: i64 = parts.iter().map(|ring| twice(ring)).sum();
        assert_eq!(area, twice(exterior) + twice(hole), "{parts:?}");
        assert!(parts.len() == 1 || twice(&parts[1]) < 0, "{parts:?}");
    }

    #[test]
    fn of_a_crossed_ring_what_goes_the_right_way_stays() {
        let parts = written(&[&[[0, 0], [30, 0], [30, 30], [10, -10], [0, 10]]]);
        assert!(parts.len() == 2 && parts.iter().all(|ring| twice(ring) > 0), "{parts:?}");
    }
}
