//! Straight ways between units.

use super::Unit;

/// A straight way between two points, the left one before the right one by x,
/// then y.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) left: Unit,
    pub(super) right: Unit,
}

impl Segment {
    pub(super) fn between(one: Unit, other: Unit) -> Self {
        Self { left: one.min(other), right: one.max(other) }
    }

    /// Above 0 for a point on its left, seen from its left end; 0 on its line.
    pub(super) fn side(&self, point: Unit) -> i64 {
        cross(run(self.left, self.right), run(self.left, point))
    }

    /// From which y to which it goes.
    pub(super) fn rows(&self) -> (i32, i32) {
        let (one, other) = (self.left[1], self.right[1]);
        (one.min(other), one.max(other))
    }
}

/// The ways around an open ring, each from a point to the next; first the one
/// to its first point.
pub(super) fn around(ring: &[Unit]) -> impl Iterator<Item = (Unit, Unit)> {
    ring.last().into_iter().chain(ring).copied().zip(ring.iter().copied())
}

/// The way from a place to another.
pub(super) fn run(from: Unit, to: Unit) -> [i64; 2] {
    [i64::from(to[0]) - i64::from(from[0]), i64::from(to[1]) - i64::from(from[1])]
}

/// Above 0 where the other way goes to the left of the one, x being to the
/// right and y up; 0 where both lie on one line.
pub(super) fn cross([ax, ay]: [i64; 2], [bx, by]: [i64; 2]) -> i64 {
    ax * by - ay * bx
}
