/// A smooth map of the plane, known at nodes a fixed way apart; between them it
/// is taken to be cubic, through the four nearest a way. Where it is not known
/// it is what it is at the edge.
#[derive(Debug)]
pub(super) struct Lattice {
    first: [f64; 2],
    spacing: f64,
    columns: usize,
    rows: usize,
    /// Row by row.
    nodes: Vec<[f64; 2]>,
}

impl Lattice {
    /// Knows the map in the box (least x, least y, greatest x, greatest y) from
    /// nodes so far apart.
    pub(super) fn new<E>(
        [west, north, east, south]: [f64; 4],
        spacing: f64,
        mut map: impl FnMut([f64; 2]) -> Result<[f64; 2], E>,
    ) -> Result<Self, E> {
        // One more before the first and after the last, for those between.
        let count = |from: f64, to: f64| ((to - from) / spacing).ceil() as usize + 3;
        let (columns, rows) = (count(west, east), count(north, south));
        let first = [west - spacing, north - spacing];
        let mut nodes = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                nodes.push(map([first[0] + column as f64 * spacing, first[1] + row as f64 * spacing])?);
            }
        }
        Ok(Self { first, spacing, columns, rows, nodes })
    }

    /// The box around where it brings its nodes.
    pub(super) fn range(&self) -> [f64; 4] {
        let nowhere = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        self.nodes
            .iter()
            .fold(nowhere, |rect, [x, y]| [rect[0].min(*x), rect[1].min(*y), rect[2].max(*x), rect[3].max(*y)])
    }

    /// Where the map brings the point.
    pub(super) fn at(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (column, across) = cell((x - self.first[0]) / self.spacing, self.columns);
        let (row, down) = cell((y - self.first[1]) / self.spacing, self.rows);
        let (across, down) = (weights(across), weights(down));
        let mut sum = [0.0; 2];
        for (row, down) in (row..).zip(down) {
            let start = row * self.columns + column;
            let nodes = &self.nodes[start..start + 4];
            for axis in 0..2 {
                let line = across[0] * nodes[0][axis]
                    + across[1] * nodes[1][axis]
                    + across[2] * nodes[2][axis]
                    + across[3] * nodes[3][axis];
                sum[axis] += down * line;
            }
        }
        sum
    }
}

/// The same of one number, known where it is a whole number of spacings.
#[derive(Debug)]
pub(super) struct Curve {
    spacing: f64,
    nodes: Vec<f64>,
}

impl Curve {
    /// Knows the map from 0 up to so many spacings.
    pub(super) fn new(spacings: i32, spacing: f64, map: impl Fn(f64) -> f64) -> Self {
        Self { spacing, nodes: (-1..=spacings + 1).map(|node| map(f64::from(node) * spacing)).collect() }
    }

    /// Where the map brings the number.
    pub(super) fn at(&self, x: f64) -> f64 {
        let (first, along) = cell(x / self.spacing + 1.0, self.nodes.len());
        let (along, nodes) = (weights(along), &self.nodes[first..first + 4]);
        along[0] * nodes[0] + along[1] * nodes[1] + along[2] * nodes[2] + along[3] * nodes[3]
    }
}

/// Of so many nodes, so many spacings from the first one: the first of the four
/// around, and where between the two in the middle.
fn cell(way: f64, count: usize) -> (usize, f64) {
    let way = way.clamp(1.0, (count - 2) as f64);
    // The last node but one closes the cell before it.
    let cell = (way as usize).min(count - 3);
    (cell - 1, way - cell as f64)
}

/// Lagrange's, for nodes at -1, 0, 1 and 2.
fn weights(t: f64) -> [f64; 4] {
    let (before, after, far) = (t + 1.0, t - 1.0, t - 2.0);
    [t * after * far / -6.0, before * after * far / 2.0, before * t * far / -2.0, before * t * after / 6.0]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cubic([x, y]: [f64; 2]) -> [f64; 2] {
        [x * x * x - 2.0 * x * y * y + 5.0, y * y * y * 0.25 + x * x * y - x]
    }

    proptest! {
        #[test]
        fn what_is_cubic_is_met(x in -4.0..7.0_f64, y in -1.0..3.0_f64) {
            let lattice = Lattice::new([-4.0, -1.0, 7.0, 3.0], 0.75, |point| Ok::<_, ()>(cubic(point))).unwrap();
            let (found, wanted) = (lattice.at([x, y]), cubic([x, y]));
            for axis in 0..2 {
                prop_assert!((found[axis] - wanted[axis]).abs() < 1e-9, "{found:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn a_curve_goes_through_what_is_cubic() {
        let cubic = |x: f64| x * x * x - 4.0 * x + 1.0;
        let curve = Curve::new(6, 0.5, cubic);
        for x in [0.0, 0.1, 1.0, 1.26, 2.99, 3.0] {
            assert!((curve.at(x) - cubic(x)).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn outside_it_stays_at_the_edge() {
        let lattice = Lattice::new([0.0, 0.0, 2.0, 2.0], 1.0, |point| Ok::<_, ()>(cubic(point))).unwrap();
        let bits = |point| lattice.at(point).map(f64::to_bits);
        assert_eq!(bits([900.0, 1.0]), bits([2.0, 1.0]));
        assert_eq!(bits([1.0, f64::NEG_INFINITY]), bits([1.0, 0.0]));
    }
}
