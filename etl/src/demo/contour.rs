//! The shape of what lies above a level in a field of values: marching
//! squares, the corners cut.

use std::collections::BTreeMap;

use geo::{BooleanOps, Coord, LineString, MultiPolygon, Polygon, Simplify, unary_union};

use super::plane::{between, ring_area};

/// Values at the nodes of a square grid.
pub(super) struct Field {
    origin: Coord,
    step: f64,
    columns: usize,
    rows: usize,
    values: Vec<f64>,
}

impl Field {
    /// Samples `value` from `low` to `high`. The rim counts as below every level.
    pub(super) fn sample(low: Coord, high: Coord, step: f64, value: impl Fn(Coord) -> f64) -> Self {
        let columns = ((high.x - low.x) / step).ceil() as usize + 2;
        let rows = ((high.y - low.y) / step).ceil() as usize + 2;
        let mut values = vec![-1.0; columns * rows];
        for row in 1..rows - 1 {
            for column in 1..columns - 1 {
                let place = Coord { x: low.x + column as f64 * step, y: low.y + row as f64 * step };
                values[row * columns + column] = value(place);
            }
        }
        Self { origin: low, step, columns, rows, values }
    }

    /// What lies above `level`, which must not be negative.
    pub(super) fn above(&self, level: f64) -> MultiPolygon {
        let mut next: BTreeMap<usize, usize> = BTreeMap::new();
        for row in 0..self.rows - 1 {
            for column in 0..self.columns - 1 {
                let node = row * self.columns + column;
                let corners = [node, node + 1, node + self.columns + 1, node + self.columns];
                let case = (0..4).filter(|c| self.values[corners[*c]] > level).fold(0, |case, c| case | 1 << c);
                // Edges: below, right, above, left. An edge is twice its first node, plus 1 if upright.
                let edges = [2 * node, 2 * (node + 1) + 1, 2 * (node + self.columns), 2 * node + 1];
                for (from, to) in ways(case) {
                    next.insert(edges[*from], edges[*to]);
                }
            }
        }
        let mut outer = Vec::new();
        let mut holes = Vec::new();
        while let Some((start, _)) = next.first_key_value() {
            let start = *start;
            let mut ring = Vec::new();
            let mut at = start;
            while let Some(to) = next.remove(&at) {
                ring.push(self.crossing(at, level));
                at = to;
            }
            let area = ring_area(&ring);
            if area.abs() < 4.0 * self.step * self.step {
                continue;
            }
            let smooth = rounded(&rounded(&ring));
            let shape = Polygon::new(LineString::new(smooth), Vec::new()).simplify(self.step / 12.0);
            if area > 0.0 { outer.push(shape) } else { holes.push(shape) }
        }
        let outer = unary_union(&outer);
        if holes.is_empty() { outer } else { outer.difference(&unary_union(&holes)) }
    }

    fn crossing(&self, edge: usize, level: f64) -> Coord {
        let a = edge / 2;
        let b = if edge.is_multiple_of(2) { a + 1 } else { a + self.columns };
        let place = |node: usize| Coord {
            x: self.origin.x + (node % self.columns) as f64 * self.step,
            y: self.origin.y + (node / self.columns) as f64 * self.step,
        };
        let part = (level - self.values[a]) / (self.values[b] - self.values[a]);
        between(place(a), place(b), part.clamp(0.02, 0.98))
    }
}

/// The ways through a cell, what is above on their left.
fn ways(case: usize) -> &'static [(usize, usize)] {
    const WAYS: [&[(usize, usize)]; 16] = [
        &[],
        &[(0, 3)],
        &[(1, 0)],
        &[(1, 3)],
        &[(2, 1)],
        &[(0, 3), (2, 1)],
        &[(2, 0)],
        &[(2, 3)],
        &[(3, 2)],
        &[(0, 2)],
        &[(1, 0), (3, 2)],
        &[(1, 2)],
        &[(3, 1)],
        &[(0, 1)],
        &[(3, 0)],
        &[],
    ];
    WAYS[case]
}

/// Chaikin's corner cutting.
fn rounded(ring: &[Coord]) -> Vec<Coord> {
    let count = ring.len();
    (0..count)
        .flat_map(|i| {
            let (a, b) = (ring[i], ring[(i + 1) % count]);
            [between(a, b, 0.25), between(a, b, 0.75)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Area, Validation};

    #[test]
    fn a_ring_has_its_hole() {
        let field = Field::sample(Coord { x: -50.0, y: -50.0 }, Coord { x: 50.0, y: 50.0 }, 1.0, |p| {
            10.0 - (p.x.hypot(p.y) - 30.0).abs()
        });
        let shape = field.above(5.0);
        let exact = std::f64::consts::PI * (35.0_f64.powi(2) - 25.0_f64.powi(2));
        assert!(shape.is_valid());
        assert_eq!((shape.0.len(), shape.0[0].interiors().len()), (1, 1));
        assert!((shape.unsigned_area() / exact - 1.0).abs() < 0.02, "{} {exact}", shape.unsigned_area());
    }
}
