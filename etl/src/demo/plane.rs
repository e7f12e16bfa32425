//! Plane geometry that the `geo` crate has not: cutting polygons by lines.

use geo::{Area, BoundingRect, Coord, Intersects, LineString, MultiPolygon, Point, Polygon};

/// `a + b * factor`.
pub(super) fn along(a: Coord, b: Coord, factor: f64) -> Coord {
    Coord { x: a.x + b.x * factor, y: a.y + b.y * factor }
}

/// The point between `a` (0) and `b` (1).
pub(super) fn between(a: Coord, b: Coord, part: f64) -> Coord {
    Coord { x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part }
}

/// The distance of two points.
pub(super) fn distance(a: Coord, b: Coord) -> f64 {
    (a.x - b.x).hypot(a.y - b.y)
}

/// The unit vector from `a` to `b`; along x where they coincide.
pub(super) fn direction(a: Coord, b: Coord) -> Coord {
    let length = distance(a, b);
    if length < 1e-12 { Coord { x: 1.0, y: 0.0 } } else { Coord { x: (b.x - a.x) / length, y: (b.y - a.y) / length } }
}

/// The vector turned left by `angle` radians.
pub(super) fn turned(vector: Coord, angle: f64) -> Coord {
    let (sin, cos) = angle.sin_cos();
    Coord { x: vector.x * cos - vector.y * sin, y: vector.x * sin + vector.y * cos }
}

/// The z of the cross product.
pub(super) fn cross(a: Coord, b: Coord) -> f64 {
    a.x * b.y - a.y * b.x
}

/// The scalar product.
pub(super) fn dot(a: Coord, b: Coord) -> f64 {
    a.x * b.x + a.y * b.y
}

/// What a straight cut makes of a polygon.
pub(super) struct Halves {
    /// The parts left of the line and on its right.
    pub(super) left: Vec<Vec<Coord>>,
    /// The parts on its right.
    pub(super) right: Vec<Vec<Coord>>,
    /// The cuts themselves, inside the polygon.
    pub(super) cuts: Vec<(Coord, Coord)>,
}

/// Cuts an open ring (no repeated point, anticlockwise) by the line through
/// `origin` along `heading`. Both sides get the same points on the cut.
pub(super) fn split(ring: &[Coord], origin: Coord, heading: Coord) -> Halves {
    let side: Vec<f64> = ring.iter().map(|p| cross(heading, along(*p, origin, -1.0))).collect();
    let is_left: Vec<bool> = side.iter().map(|s| *s >= 0.0).collect();
    // The ring with the crossings put in: (point, left?, crossing's number).
    let mut nodes: Vec<(Coord, bool, Option<usize>)> = Vec::with_capacity(ring.len() + 4);
    let mut crossings: Vec<(f64, Coord)> = Vec::new();
    for (index, point) in ring.iter().enumerate() {
        let next = (index + 1) % ring.len();
        nodes.push((*point, is_left[index], None));
        if is_left[index] != is_left[next] {
            let cut = between(*point, ring[next], side[index] / (side[index] - side[next]));
            nodes.push((cut, false, Some(crossings.len())));
            crossings.push((dot(heading, along(cut, origin, -1.0)), cut));
        }
    }
    if crossings.is_empty() {
        let whole = vec![ring.to_vec()];
        let (left, right) = if is_left.iter().all(|l| *l) { (whole, Vec::new()) } else { (Vec::new(), whole) };
        return Halves { left, right, cuts: Vec::new() };
    }
    // Neighbours on the line bound the inside: 0-1, 2-3, ...
    let mut order: Vec<usize> = (0..crossings.len()).collect();
    order.sort_by(|a, b| crossings[*a].0.total_cmp(&crossings[*b].0));
    let mut partner = vec![0; crossings.len()];
    let mut cuts = Vec::new();
    for pair in order.chunks_exact(2) {
        partner[pair[0]] = pair[1];
        partner[pair[1]] = pair[0];
        cuts.push((crossings[pair[0]].1, crossings[pair[1]].1));
    }
    let place: Vec<usize> = {
        let mut place = vec![0; crossings.len()];
        for (index, node) in nodes.iter().enumerate() {
            if let Some(number) = node.2 {
                place[number] = index;
            }
        }
        place
    };
    let gather = |wanted: bool| {
        let mut done = vec![false; crossings.len()];
        let mut parts = Vec::new();
        for start in 0..crossings.len() {
            let enters = |number: usize| nodes[(place[number] + 1) % nodes.len()].1 == wanted;
            if done[start] || !enters(start) {
                continue;
            }
            let mut part = Vec::new();
            let mut entry = start;
            while !done[entry] {
                done[entry] = true;
                part.push(crossings[entry].1);
                let mut at = (place[entry] + 1) % nodes.len();
                while nodes[at].2.is_none() {
                    part.push(nodes[at].0);
                    at = (at + 1) % nodes.len();
                }
                let exit = nodes[at].2.unwrap_or(entry);
                part.push(crossings[exit].1);
                entry = partner[exit];
            }
            tidy(&mut part);
            if part.len() >= 3 && ring_area(&part) > 1e-6 {
                parts.push(part);
            }
        }
        parts
    };
    Halves { left: gather(true), right: gather(false), cuts }
}

/// Drops points that repeat their neighbour.
fn tidy(ring: &mut Vec<Coord>) {
    ring.dedup_by(|a, b| distance(*a, *b) < 1e-6);
    while ring.len() > 1 && distance(ring[0], ring[ring.len() - 1]) < 1e-6 {
        ring.pop();
    }
}

/// The signed area of an open ring.
pub(super) fn ring_area(ring: &[Coord]) -> f64 {
    let origin = ring.first().copied().unwrap_or_default();
    let relative = |p: Coord| along(p, origin, -1.0);
    (0..ring.len()).map(|i| cross(relative(ring[i]), relative(ring[(i + 1) % ring.len()]))).sum::<f64>() / 2.0
}

/// The polygon of an open ring.
pub(super) fn polygon(ring: &[Coord]) -> Polygon {
    Polygon::new(LineString::new(ring.to_vec()), Vec::new())
}

/// The open exterior ring of a polygon, anticlockwise.
pub(super) fn open_ring(polygon: &Polygon) -> Vec<Coord> {
    let mut ring: Vec<Coord> = polygon.exterior().0.clone();
    ring.pop();
    if ring_area(&ring) < 0.0 {
        ring.reverse();
    }
    ring
}

/// The mean of the points.
pub(super) fn middle(ring: &[Coord]) -> Coord {
    let sum = ring.iter().fold(Coord::default(), |sum, p| along(sum, *p, 1.0));
    Coord { x: sum.x / ring.len() as f64, y: sum.y / ring.len() as f64 }
}

/// The oriented box of a ring, taken along the edge that makes it smallest:
/// its centre, the unit vector of its long side, its length and its width.
pub(super) fn oriented_box(ring: &[Coord]) -> (Coord, Coord, f64, f64) {
    let mut best = (Coord::default(), Coord { x: 1.0, y: 0.0 }, f64::MAX, 0.0);
    let mut least = f64::MAX;
    for index in 0..ring.len() {
        let axis = direction(ring[index], ring[(index + 1) % ring.len()]);
        let normal = Coord { x: -axis.y, y: axis.x };
        let mut range = [f64::MAX, f64::MIN, f64::MAX, f64::MIN];
        for point in ring {
            let point = along(*point, ring[0], -1.0);
            let (u, v) = (dot(point, axis), dot(point, normal));
            range = [range[0].min(u), range[1].max(u), range[2].min(v), range[3].max(v)];
        }
        let (length, width) = (range[1] - range[0], range[3] - range[2]);
        if length * width < least {
            least = length * width;
            let centre = along(
                along(ring[0], axis, f64::midpoint(range[0], range[1])),
                normal,
                f64::midpoint(range[2], range[3]),
            );
            best = if length >= width { (centre, axis, length, width) } else { (centre, normal, width, length) };
        }
    }
    best
}

/// A smooth line through the points (Catmull-Rom), a point about every `step`.
pub(super) fn smooth_line(points: &[Coord], step: f64) -> Vec<Coord> {
    let mut line = Vec::new();
    let last = points.len() - 1;
    for index in 0..last {
        let p = [points[index.saturating_sub(1)], points[index], points[index + 1], points[(index + 2).min(last)]];
        let count = (distance(p[1], p[2]) / step).ceil().max(1.0) as usize;
        for part in 0..count {
            line.push(catmull_rom(p, part as f64 / count as f64));
        }
    }
    line.push(points[last]);
    line
}

/// A smooth closed ring through the points.
pub(super) fn smooth_ring(points: &[Coord], step: f64) -> Vec<Coord> {
    let count = points.len();
    let mut ring = Vec::new();
    for index in 0..count {
        let p = [0, 1, 2, 3].map(|shift| points[(index + count + shift - 1) % count]);
        let parts = (distance(p[1], p[2]) / step).ceil().max(1.0) as usize;
        for part in 0..parts {
            ring.push(catmull_rom(p, part as f64 / parts as f64));
        }
    }
    ring
}

/// Uniform Catmull-Rom between the second and third point, half as taut.
fn catmull_rom(p: [Coord; 4], t: f64) -> Coord {
    let blend = |a: f64, b: f64, c: f64, d: f64| {
        let (m1, m2) = ((c - a) * 0.4, (d - b) * 0.4);
        let (t2, t3) = (t * t, t * t * t);
        (2.0 * t3 - 3.0 * t2 + 1.0) * b + (t3 - 2.0 * t2 + t) * m1 + (3.0 * t2 - 2.0 * t3) * c + (t3 - t2) * m2
    };
    Coord { x: blend(p[0].x, p[1].x, p[2].x, p[3].x), y: blend(p[0].y, p[1].y, p[2].y, p[3].y) }
}

/// The greatest part of a multipolygon.
pub(super) fn greatest(parts: MultiPolygon) -> Option<Polygon> {
    parts.0.into_iter().max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()))
}

/// Whether the point lies in the polygon or on its edge.
pub(super) fn holds(polygon: &Polygon, point: Coord) -> bool {
    polygon.intersects(&Point::from(point))
}

/// Whether the bounding boxes touch.
pub(super) fn boxes_meet(a: &MultiPolygon, b: &MultiPolygon) -> bool {
    match (a.bounding_rect(), b.bounding_rect()) {
        (Some(a), Some(b)) => a.intersects(&b),
        _ => false,
    }
}
