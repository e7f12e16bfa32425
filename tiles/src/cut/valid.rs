//! Keeping polygons valid: snapping makes neighbouring edges touch and cross,
//! clipping hangs pieces together along an edge.

use super::noding::noded;
use super::polygonize::polygonize;
use super::segment::{Segment, around, cross, run};
use super::{Cut, Unit};

/// Looks at rings, and mends what is not valid.
#[derive(Debug, Default)]
pub(super) struct Checker {
    edges: Vec<RingEdge>,
}

/// An edge of a ring.
#[derive(Debug, Clone, Copy)]
struct RingEdge {
    way: Segment,
    /// Which ring, and where in it, of how many.
    ring: u32,
    index: u32,
    of: u32,
}

impl Checker {
    /// Appends the polygons of the rings (exteriors positive, holes negative,
    /// each behind its exterior): as they are where they are valid, else what
    /// they enclose, taken apart anew.
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
        for ring in polygonize(noded(rings)).into_iter().flatten() {
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
            let edge = |(index, (from, to))| RingEdge {
                way: Segment::between(from, to),
                ring: number as u32,
                index: index as u32,
                of,
            };
            self.edges.extend((0..).zip(around(ring)).map(edge));
        }
        self.edges.sort_unstable_by_key(|edge| edge.way.left[0]);
        self.edges.iter().enumerate().all(|(index, one)| {
            let mut beside = self.edges[index + 1..].iter().take_while(|other| other.way.left[0] <= one.way.right[0]);
            !beside.any(|other| !one.is_neighbour(other) && one.way.meets(&other.way))
        })
    }
}

/// Of more rings than this not each is looked at beside each other: they are
/// taken to lie as they should, since taking so many apart costs more than a
/// tile may.
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

    /// Whether a point that is not on it lies within.
    fn holds(&self, point: Unit) -> bool {
        if !(0..2).all(|axis| (self.least[axis]..=self.most[axis]).contains(&point[axis])) {
            return false;
        }
        let crossed = around(self.units).filter(|(from, to)| {
            if (from[1] > point[1]) == (to[1] > point[1]) {
                return false;
            }
            let (low, high) = if from[1] < to[1] { (from, to) } else { (to, from) };
            // The point is on the left of the edge.
            cross(run(*low, *high), run(*low, point)) > 0
        });
        crossed.count() % 2 == 1
    }
}

impl RingEdge {
    /// Neighbours share one point and, the ring being tidy, no more.
    fn is_neighbour(&self, other: &Self) -> bool {
        let apart = self.index.abs_diff(other.index);
        self.ring == other.ring && (apart == 1 || apart + 1 == self.of)
    }
}

impl Segment {
    /// Whether the two have a point in common.
    fn meets(&self, other: &Self) -> bool {
        let ((low, high), (other_low, other_high)) = (self.rows(), other.rows());
        if high < other_low || other_high < low || self.right[0] < other.left[0] || other.right[0] < self.left[0] {
            return false;
        }
        let sides = |one: &Self, other: &Self| one.side(other.left).signum() * one.side(other.right).signum();
        // All on one line: their boxes meet, so they do.
        sides(self, other) <= 0 && sides(other, self) <= 0
    }
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
        let exterior: &[Unit] = &[[20, 90], [20, 80], [40, 60], [50, 70], [50, 80], [40, 90]];
        let hole: &[Unit] = &[[30, 80], [40, 80], [30, 70]];
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
