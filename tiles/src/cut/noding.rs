//! Noding: edges that cross and touch become edges that meet at their ends
//! alone, all of them at whole units, by snap rounding (Hobby, "Practical
//! segment intersection with finite precision output", 1999).

use std::collections::HashSet;

use super::segment::{Segment, around, run};
use super::{Cut, Unit};

/// Where rings go along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) way: Segment,
    /// How often the rings go along it from left to right, less how often back.
    pub(super) turns: i32,
}

/// What crosses in more places than this, or has more pairs to look at, is noded
/// on a coarser grid: time and memory stay bounded.
const MOST_CROSSINGS: usize = 1 << 16;
const MOST_PAIRS: usize = 1 << 24;
const COARSER: i32 = 8;

/// The edges of the rings, noded; none that is gone along as often there as
/// back.
pub(super) fn noded(rings: &Cut) -> Vec<Edge> {
    let mut grid = 1;
    loop {
        let edges = edges(rings, grid);
        if let Some(pixels) = hot_pixels(&edges) {
            let scale = |unit: Unit| unit.map(|value| value * grid);
            let rounded = snap_round(&edges, &pixels).into_iter();
            let scaled = |way: Segment| Segment { left: scale(way.left), right: scale(way.right) };
            return rounded.map(|edge| Edge { way: scaled(edge.way), ..edge }).collect();
        }
        // In the end there are few places to cross in, and few edges.
        grid *= COARSER;
    }
}

/// The edges of the rings on a grid, counted in its steps.
fn edges(rings: &Cut, grid: i32) -> Vec<Edge> {
    let snap = |unit: Unit| unit.map(|value| (value + grid / 2).div_euclid(grid));
    let mut edges = Vec::new();
    for ring in rings.parts() {
        edges.extend(around(ring).filter_map(|(from, to)| Edge::new(snap(from), snap(to), 1)));
    }
    together(edges)
}

/// The edges in their order, those between the same points as one.
fn together(mut edges: Vec<Edge>) -> Vec<Edge> {
    edges.sort_unstable_by_key(|edge| (edge.way.left, edge.way.right));
    edges.dedup_by(|edge, kept| {
        let is_same = edge.way == kept.way;
        if is_same {
            kept.turns += edge.turns;
        }
        is_same
    });
    edges.retain(|edge| edge.turns != 0);
    edges
}

/// The units in whose squares edges end or cross, in their order. A square
/// has its least sides and not its greatest.
fn hot_pixels(edges: &[Edge]) -> Option<Vec<Unit>> {
    let mut crossings = HashSet::new();
    let mut pairs = 0;
    for (index, one) in edges.iter().enumerate() {
        for other in edges[index + 1..].iter().take_while(|other| other.way.left[0] < one.way.right[0]) {
            pairs += 1;
            crossings.extend(one.way.crossing(&other.way));
        }
        if pairs > MOST_PAIRS || crossings.len() > MOST_CROSSINGS {
            return None;
        }
    }
    let mut pixels: Vec<Unit> =
        edges.iter().flat_map(|edge| [edge.way.left, edge.way.right]).chain(crossings).collect();
    pixels.sort_unstable();
    pixels.dedup();
    Some(pixels)
}

/// Each edge becomes the way through the middles of the squares that it passes.
fn snap_round(edges: &[Edge], pixels: &[Unit]) -> Vec<Edge> {
    let mut rounded = Vec::with_capacity(2 * edges.len());
    let mut way: Vec<Unit> = Vec::new();
    for Edge { way: segment, turns } in edges {
        let beside = &pixels[pixels.partition_point(|pixel| pixel[0] < segment.left[0])..];
        let beside = beside.iter().copied().take_while(|pixel| pixel[0] <= segment.right[0]);
        way.clear();
        way.extend(beside.filter(|pixel| segment.passes(*pixel)));
        if segment.right[1] < segment.left[1] {
            way.sort_unstable_by_key(|[x, y]| (*x, -y));
        }
        rounded.extend(way.windows(2).filter_map(|pair| Edge::new(pair[0], pair[1], *turns)));
    }
    together(rounded)
}

impl Edge {
    fn new(from: Unit, to: Unit, turns: i32) -> Option<Self> {
        let turns = if from < to { turns } else { -turns };
        (from != to).then(|| Self { way: Segment::between(from, to), turns })
    }
}

impl Segment {
    /// The unit in whose square it crosses another within both.
    fn crossing(&self, other: &Self) -> Option<Unit> {
        let ((low, high), (other_low, other_high)) = (self.rows(), other.rows());
        if high <= other_low || other_high <= low {
            return None;
        }
        let (from, to) = (self.side(other.left), self.side(other.right));
        if from.signum() * to.signum() >= 0 || other.side(self.left).signum() * other.side(self.right).signum() >= 0 {
            return None;
        }
        let [x, y] = run(other.left, other.right);
        // Where `from` becomes 0 on the way to `to`, rounded half up.
        let part = [from.abs(), from.abs() + to.abs()].map(i128::from);
        let at =
            |start: i32, way: i64| start + (2 * i128::from(way) * part[0] + part[1]).div_euclid(2 * part[1]) as i32;
        Some([at(other.left[0], x), at(other.left[1], y)])
    }

    /// Whether it passes the square of a unit.
    fn passes(&self, pixel: Unit) -> bool {
        let (low, high) = self.rows();
        if pixel[1] < low || high < pixel[1] {
            return false;
        }
        // On which sides of its line the corners are, at twice the size.
        let [x, y] = run(self.left, self.right);
        let (middle, reach) = (2 * self.side(pixel), x.abs() + y.abs());
        match middle.abs().cmp(&reach) {
            std::cmp::Ordering::Less => true,
            // By the one corner that is of the square.
            std::cmp::Ordering::Equal => middle - x + y == 0,
            std::cmp::Ordering::Greater => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(rings: &[Vec<Unit>]) -> Vec<Edge> {
        let mut cut = Cut::default();
        for ring in rings {
            cut.push(ring.iter().copied());
        }
        noded(&cut)
    }

    #[test]
    fn crossing_edges_meet_in_the_nearest_unit() {
        let edges = of(&[vec![[0, 0], [9, 9], [9, 0], [0, 8]]]);
        assert_eq!(
            edges.iter().filter(|edge| edge.way.left == [4, 4] || edge.way.right == [4, 4]).count(),
            4,
            "{edges:?}"
        );
    }

    #[test]
    fn a_way_there_and_back_is_none() {
        assert_eq!(of(&[vec![[0, 0], [9, 9]]]), []);
        let edges = of(&[vec![[0, 0], [5, 0], [9, 0], [5, 0], [5, 5]]]);
        assert_eq!(edges.len(), 3, "{edges:?}");
    }

    #[test]
    fn a_way_gone_twice_turns_twice() {
        let square = vec![[0, 0], [9, 0], [9, 9], [0, 9]];
        let edges = of(&[square.clone(), square]);
        assert_eq!(edges.iter().map(|edge| edge.turns).collect::<Vec<_>>(), [-2, 2, -2, 2]);
    }

    #[test]
    fn what_crosses_too_often_is_noded_on_a_coarser_grid() {
        // A thousand long ways between two sides: half a million crossings.
        let ring: Vec<Unit> = (0..1000).flat_map(|at| [[0, at * 4 % 3989], [4000, (at * 1777) % 3989]]).collect();
        let edges = of(&[ring]);
        assert!(edges.iter().flat_map(|edge| [edge.way.left, edge.way.right].concat()).all(|value| value % 8 == 0));
    }

    fn units() -> impl Strategy<Value = Vec<Vec<Unit>>> {
        prop::collection::vec(prop::collection::vec([-20..20_i32, -20..20_i32], 3..16), 1..4)
    }

    proptest! {
        #[test]
        fn noded_edges_meet_at_their_ends_alone(rings in units()) {
            let edges = of(&rings);
            for (index, one) in edges.iter().enumerate() {
                prop_assert!(one.way.left < one.way.right && one.turns != 0);
                let one = one.way;
                for Edge { way: other, .. } in &edges[index + 1..] {
                    prop_assert!(one.crossing(other).is_none(), "{one:?} {other:?}");
                    for (edge, ends) in [(&one, other), (other, &one)] {
                        for end in [ends.left, ends.right] {
                            let is_between = edge.left < end && end < edge.right;
                            prop_assert!(!is_between || edge.side(end) != 0, "{edge:?} {end:?}");
                        }
                    }
                }
            }
        }

        #[test]
        fn as_much_comes_to_a_point_as_leaves_it(rings in units()) {
            let mut sums = std::collections::HashMap::new();
            for edge in of(&rings) {
                *sums.entry(edge.way.left).or_insert(0) -= edge.turns;
                *sums.entry(edge.way.right).or_insert(0) += edge.turns;
            }
            prop_assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
        }
    }
}
