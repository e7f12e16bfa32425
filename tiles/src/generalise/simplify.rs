use geo::{Coord, LineString, SimplifyIdx};

use crate::world::Place;

/// The path without what strays less than `tolerance` steps from it (Ramer,
/// Douglas and Peucker).
pub(super) fn path(path: &[Place], tolerance: f64) -> Vec<Place> {
    let line: LineString = path.iter().map(|[x, y]| Coord { x: f64::from(*x), y: f64::from(*y) }).collect();
    line.simplify_idx(tolerance).into_iter().map(|index| path[index]).collect()
}

/// The open ring, likewise; none where it collapses.
pub(super) fn ring(ring: &[Place], tolerance: f64) -> Option<Vec<Place>> {
    let (&first, rest) = ring.split_first()?;
    // From the place farthest from the first on, each half is a path with
    // ends of its own: otherwise a ring would be held by one place only.
    let far = |[x, y]: &Place| {
        let [dx, dy] = [f64::from(*x) - f64::from(first[0]), f64::from(*y) - f64::from(first[1])];
        dx * dx + dy * dy
    };
    let farthest = (0..rest.len()).max_by(|one, other| far(&rest[*one]).total_cmp(&far(&rest[*other])))? + 1;
    let mut simplified = path(&ring[..=farthest], tolerance);
    let mut back = ring[farthest..].to_vec();
    back.push(first);
    let back = path(&back, tolerance);
    simplified.extend_from_slice(&back[1..back.len() - 1]);
    (simplified.len() >= 3).then_some(simplified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_keeps_its_corners() {
        let square = [[100, 100], [150, 101], [200, 100], [200, 200], [149, 199], [100, 200]];
        assert_eq!(ring(&square, 2.0).unwrap().len(), 4);
        assert_eq!(ring(&square, 0.5).unwrap().len(), 6);
        assert_eq!(ring(&[[0, 0], [500, 1], [1000, 0]], 2.0), None);
    }

    #[test]
    fn a_path_keeps_its_ends() {
        assert_eq!(path(&[[0, 0], [5, 1], [10, 0]], 2.0), [[0, 0], [10, 0]]);
        assert_eq!(path(&[[0, 0], [5, 9], [10, 0]], 2.0).len(), 3);
    }
}
