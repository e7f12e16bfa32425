//! Areas: a ring within the clip.

use super::segment::{cross, run};
use super::{Clip, Unit};

/// Twice the ring's area by the surveyor's formula; the ring is open (its
/// first point does not come again).
pub(super) fn twice(ring: &[Unit]) -> i64 {
    let Some(first) = ring.first() else { return 0 };
    let products = ring.windows(2).map(|pair| cross(run(*first, pair[0]), run(*first, pair[1])));
    // Of a ring in a tile it is far from wrapping; of one that is not, by a
    // file that is wrong, nothing is said.
    products.fold(0, i64::wrapping_add)
}

/// Clips the ring, closed or open, to the square, side by side (Sutherland and
/// Hodgman, 1974); an open ring is left. Where it leaves the square and comes
/// back, the parts hang together along the edge: [`super::valid`] takes them
/// apart.
pub(super) fn clip(ring: &mut Vec<Unit>, spare: &mut Vec<Unit>, clip: Clip) {
    if ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    for (axis, edge, inside_above) in
        [(0, clip.least, true), (0, clip.most, false), (1, clip.least, true), (1, clip.most, false)]
    {
        let is_inside = |unit: Unit| if inside_above { unit[axis] >= edge } else { unit[axis] <= edge };
        if ring.iter().all(|unit| is_inside(*unit)) {
            continue;
        }
        spare.clear();
        let Some(mut before) = ring.last().copied() else { return };
        for &unit in ring.iter() {
            if is_inside(unit) != is_inside(before) {
                spare.push(crossing(before, unit, axis, edge));
            }
            if is_inside(unit) {
                spare.push(unit);
            }
            before = unit;
        }
        std::mem::swap(ring, spare);
    }
}

/// Where a segment crosses an edge, rounded; the same from both ends, so that
/// neighbours that share the segment share the point.
fn crossing(a: Unit, b: Unit, axis: usize, edge: i32) -> Unit {
    let (a, b) = if a[axis] < b[axis] { (a, b) } else { (b, a) };
    let other = 1 - axis;
    let part = (f64::from(edge) - f64::from(a[axis])) / (f64::from(b[axis]) - f64::from(a[axis]));
    let mut point = [edge; 2];
    point[other] = (f64::from(a[other]) + part * (f64::from(b[other]) - f64::from(a[other]))).round() as i32;
    point
}

/// Takes out of an open ring what encloses nothing: repeated points, points on
/// the straight way, ways there and back. The ring begins at `from` and ends
/// with the points. Nothing is left of a ring without area.
pub(super) fn tidy(points: &mut Vec<Unit>, from: usize) {
    let ring = &mut points[from..];
    let mut kept = 0;
    for index in 0..ring.len() {
        let unit = ring[index];
        while kept >= 2 && is_straight(ring[kept - 2], ring[kept - 1], unit) {
            kept -= 1;
        }
        if kept == 0 || ring[kept - 1] != unit {
            ring[kept] = unit;
            kept += 1;
        }
    }
    // Around the seam.
    let mut start = 0;
    while let &[first, second, .., before, last] | &[first, second @ before, last] = &ring[start..kept] {
        if last == first || is_straight(before, last, first) {
            kept -= 1;
        } else if is_straight(last, first, second) {
            start += 1;
        } else {
            points.truncate(from + kept);
            points.drain(from..from + start);
            return;
        }
    }
    points.truncate(from);
}

/// Whether the three lie on one line.
pub(super) fn is_straight(a: Unit, b: Unit, c: Unit) -> bool {
    cross(run(a, b), run(a, c)) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLIP: Clip = Clip { least: 0, most: 100 };

    fn clipped(ring: &[Unit]) -> Vec<Unit> {
        let (mut ring, mut spare) = (ring.to_vec(), Vec::new());
        clip(&mut ring, &mut spare, CLIP);
        tidy(&mut ring, 0);
        ring
    }

    #[test]
    fn a_square_over_the_corner_leaves_its_quarter() {
        let ring = clipped(&[[50, 50], [150, 50], [150, 150], [50, 150], [50, 50]]);
        assert_eq!(twice(&ring), 2 * 50 * 50);
        assert!(ring.iter().all(|unit| CLIP.holds(*unit)));
    }

    #[test]
    fn the_whole_square_within_a_ring_is_the_square() {
        assert_eq!(twice(&clipped(&[[-9, -9], [900, -9], [900, 900], [-9, 900]])), 2 * 100 * 100);
        assert!(clipped(&[[-50, -50], [-10, -50], [-10, 200]]).is_empty());
    }

    #[test]
    fn what_encloses_nothing_goes() {
        assert!(clipped(&[[1, 1], [50, 50], [9, 9], [1, 1]]).is_empty());
        assert_eq!(clipped(&[[10, 10], [20, 10], [30, 10], [30, 30], [60, 60], [30, 30], [10, 30]]).len(), 4);
        // The seam: the first point lies on the straight way.
        assert_eq!(clipped(&[[20, 10], [30, 10], [30, 30], [10, 30], [10, 10]]).len(), 4);
    }

    proptest! {
        #[test]
        fn a_convex_ring_keeps_the_area_within(
            x in -50..150_i32, y in -50..150_i32, width in 1..200_i32, height in 1..200_i32,
        ) {
            let ring = clipped(&[[x, y], [x + width, y], [x + width, y + height], [x, y + height]]);
            let side = |from: i32, length: i32| i64::from(((from + length).min(100) - from.max(0)).max(0));
            prop_assert_eq!(twice(&ring), 2 * side(x, width) * side(y, height));
        }

        #[test]
        fn tidying_keeps_the_area(ring in prop::collection::vec([0..12_i32, 0..12_i32], 3..14)) {
            let mut tidied = ring.clone();
            tidy(&mut tidied, 0);
            prop_assert_eq!(twice(&tidied), twice(&ring));
        }
    }
}
