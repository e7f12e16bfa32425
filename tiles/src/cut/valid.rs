//! Keeping polygons valid: snapping makes neighbouring edges touch and cross,
//! clipping hangs pieces together along an edge.

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
        if self.is_simple(rings) && exteriors_first(rings) {
            for ring in rings.parts() {
                cut.push(ring.iter().copied());
            }
            return;
        }
        let options =
            IntOverlayOptions { output_direction: ContourDirection::CounterClockwise, ..IntOverlayOptions::ogc() };
        let shape: Vec<Vec<_>> = rings.parts().map(|ring| ring.iter().copied().map(int_point).collect()).collect();
        for polygon in shape.simplify(FillRule::Positive, options) {
            for (number, ring) in polygon.into_iter().enumerate() {
                let mut ring: Vec<Unit> = ring.iter().map(|point| [point.x, point.y]).collect();
                // A hole that touches its exterior comes back the exterior's way round.
                if (super::area::twice(&ring) > 0) != (number == 0) {
                    ring.reverse();
                }
                cut.push(ring);
            }
        }
    }

    /// Whether no two edges touch or cross, but neighbours in their shared point.
    pub(super) fn is_simple(&mut self, rings: &Cut) -> bool {
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

/// Whether every hole follows an exterior: one whose exterior collapsed has
/// nothing to be a hole of.
fn exteriors_first(rings: &Cut) -> bool {
    rings.parts().next().is_some_and(|ring| super::area::twice(ring) > 0)
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
