//! Whether a geometry is valid (OGC 06-103r4), and repair where the repair is
//! faithful: it must keep what the geometry covers.

use gdal::cpl::CslStringList;
use gdal::vector::Geometry;
use geo::Coord;
use geo::algorithm::kernels::{Kernel, Orientation, RobustKernel};

use super::raw;
use super::shape::{Kind, Part, Shape};

/// What was done to a geometry.
#[derive(Debug, PartialEq)]
pub(super) enum Validity {
    /// Nothing: it is valid.
    Valid,
    /// It is valid now; what was wrong.
    Repaired(String),
    /// It cannot be repaired faithfully; what is wrong.
    Invalid(String),
}

/// The largest part of the area that a repair may change.
const TOLERANCE: f64 = 1e-3;
/// Rings up to this many vertices are proven simple here, without GEOS.
const SMALL: usize = 64;

/// Checks a shape in planar coordinates and repairs it in place.
pub(super) fn ensure(shape: &mut Shape) -> Validity {
    let mut repairs = Vec::new();
    if matches!(shape.kind, Kind::Polygon | Kind::MultiPolygon | Kind::Collection) && close_rings(shape) {
        repairs.push("ring that was not closed");
    }
    match drop_collapsed(shape) {
        Ok(0) => {}
        Ok(_) => repairs.push("part without length or area"),
        Err(reason) => return Validity::Invalid(reason.to_owned()),
    }
    let repaired = |repairs: Vec<&str>| {
        if repairs.is_empty() { Validity::Valid } else { Validity::Repaired(repairs.join(", ")) }
    };
    if !matches!(shape.kind, Kind::Polygon | Kind::MultiPolygon | Kind::Collection) || is_simple_polygon(shape) {
        return repaired(repairs);
    }
    let Ok(geometry) = Geometry::from_wkb(&shape.to_iso_wkb()) else {
        return Validity::Invalid("the geometry cannot be read".to_owned());
    };
    raw::take_errors();
    if geometry.is_valid() {
        return repaired(repairs);
    }
    let reason = raw::take_errors().pop().unwrap_or_else(|| "invalid geometry".to_owned());
    match make_valid(shape, &geometry) {
        Some(valid) => {
            *shape = valid;
            Validity::Repaired(kind_of(&reason).to_owned())
        }
        None => Validity::Invalid(format!("{reason}; a repair would change the area that it covers")),
    }
}

/// GEOS's reason without the place, so that equal repairs count together.
fn kind_of(reason: &str) -> &str {
    reason.split(" at or near").next().unwrap_or(reason).trim()
}

/// The valid form of the geometry, where it covers the same area and is of
/// the same kind.
fn make_valid(shape: &Shape, geometry: &Geometry) -> Option<Shape> {
    let valid = geometry.make_valid(&CslStringList::new()).ok()?;
    let mut valid = Shape::from_iso_wkb(&valid.iso_wkb().ok()?, usize::MAX).ok()?;
    // Lines and points left over are collapsed spikes: they cover nothing.
    if shape.kind != Kind::Collection {
        retain_parts(&mut valid, |part| part.kind == Kind::Polygon);
        valid.kind = if valid.parts.len() == 1 { shape.kind } else { Kind::MultiPolygon };
    }
    let (before, after) = (shape.area(), valid.area());
    let faithful = !valid.is_empty() && (before - after).abs() <= TOLERANCE * before.abs().max(after.abs());
    faithful.then_some(valid)
}

/// Keeps the parts that `keep` accepts, with their positions.
fn retain_parts(shape: &mut Shape, keep: impl Fn(&Part) -> bool) {
    let mut kept = Shape { kind: shape.kind, ..Shape::default() };
    let mut at = 0;
    for part in &shape.parts {
        let count: usize = part.sequences.iter().sum();
        if keep(part) {
            append(&mut kept, shape, at..at + count);
            kept.parts.push(part.clone());
        }
        at += count;
    }
    *shape = kept;
}

fn append(to: &mut Shape, from: &Shape, range: std::ops::Range<usize>) {
    to.x.extend_from_slice(&from.x[range.clone()]);
    to.y.extend_from_slice(&from.y[range.clone()]);
    if !from.z.is_empty() {
        to.z.extend_from_slice(&from.z[range.clone()]);
    }
    if !from.m.is_empty() {
        to.m.extend_from_slice(&from.m[range]);
    }
}

/// Closes the rings whose last position is not the first. True where any was open.
fn close_rings(shape: &mut Shape) -> bool {
    let open =
        shape.sequences().any(|(kind, r)| kind == Kind::Polygon && r.len() > 2 && !same(shape, r.start, r.end - 1));
    if !open {
        return false;
    }
    let mut closed = Shape { kind: shape.kind, ..Shape::default() };
    let mut at = 0;
    for part in &shape.parts {
        let mut sequences = Vec::with_capacity(part.sequences.len());
        for &count in &part.sequences {
            append(&mut closed, shape, at..at + count);
            let add = part.kind == Kind::Polygon && count > 2 && !same(shape, at, at + count - 1);
            if add {
                append(&mut closed, shape, at..at + 1);
            }
            sequences.push(count + usize::from(add));
            at += count;
        }
        closed.parts.push(Part { kind: part.kind, sequences });
    }
    *shape = closed;
    true
}

#[expect(clippy::float_cmp, reason = "a ring is closed by the same position, to the bit")]
fn same(shape: &Shape, a: usize, b: usize) -> bool {
    shape.x[a] == shape.x[b] && shape.y[a] == shape.y[b]
}

/// Removes lines of no length, rings that enclose nothing for want of
/// positions, and the polygons whose outer ring is one. Returns how many; an
/// error where nothing is left.
fn drop_collapsed(shape: &mut Shape) -> Result<usize, &'static str> {
    let collapsed = |kind: Kind, r: &std::ops::Range<usize>| match kind {
        Kind::Line => r.len() < 2 || r.clone().all(|i| same(shape, i, r.start)),
        Kind::Polygon => r.len() < 4,
        _ => false,
    };
    let flags: Vec<bool> = shape.sequences().map(|(kind, range)| collapsed(kind, &range)).collect();
    let dropped = flags.iter().filter(|flag| **flag).count();
    if dropped == 0 {
        return Ok(0);
    }
    let mut kept = Shape { kind: shape.kind, ..Shape::default() };
    let (mut at, mut flag) = (0, flags.iter());
    for part in &shape.parts {
        let mut sequences = Vec::new();
        let mut whole = true;
        for (ring, &count) in part.sequences.iter().enumerate() {
            let collapsed = flag.next().copied().unwrap_or(false);
            // A polygon goes with its outer ring.
            whole &= !(collapsed && ring == 0);
            if whole && !collapsed {
                append(&mut kept, shape, at..at + count);
                sequences.push(count);
            }
            at += count;
        }
        if !sequences.is_empty() {
            kept.parts.push(Part { kind: part.kind, sequences });
        }
    }
    if kept.is_empty() {
        return Err(match shape.parts.first().map(|part| part.kind) {
            Some(Kind::Line) => "a line of no length: all its positions are one",
            _ => "a polygon ring of fewer than four positions",
        });
    }
    *shape = kept;
    Ok(dropped)
}

/// Whether this is a polygon of one small ring that is provably simple: no
/// two of its segments touch but neighbours at their common end. Exact, with
/// adaptive arithmetic; anything else is for GEOS to judge.
fn is_simple_polygon(shape: &Shape) -> bool {
    let rings_are_alone = match shape.kind {
        Kind::Polygon => shape.parts.iter().all(|part| part.sequences.len() == 1),
        Kind::MultiPolygon => shape.parts.len() == 1 && shape.parts[0].sequences.len() == 1,
        _ => false,
    };
    if !rings_are_alone || shape.x.len() > SMALL || shape.x.len() < 4 {
        return false;
    }
    let at = |i: usize| Coord { x: shape.x[i], y: shape.y[i] };
    let segments = shape.x.len() - 1;
    for i in 0..segments {
        let (a, b) = (at(i), at(i + 1));
        // Repeated positions are allowed, but not decided here.
        if a == b {
            return false;
        }
        // The neighbour after must not fold back onto this segment.
        let next = at(if i + 2 > segments { 1 } else { i + 2 });
        if RobustKernel::orient2d(a, b, next) == Orientation::Collinear
            && (b.x - a.x) * (next.x - b.x) + (b.y - a.y) * (next.y - b.y) <= 0.0
        {
            return false;
        }
        for j in i + 2..segments {
            if i == 0 && j == segments - 1 {
                continue;
            }
            let (c, d) = (at(j), at(j + 1));
            let apart = a.x.max(b.x) < c.x.min(d.x)
                || c.x.max(d.x) < a.x.min(b.x)
                || a.y.max(b.y) < c.y.min(d.y)
                || c.y.max(d.y) < a.y.min(b.y);
            if !apart && touch(a, b, c, d) {
                return false;
            }
        }
    }
    true
}

/// Whether two segments whose boxes meet have a point in common. Answers true
/// for every collinear case: GEOS decides those.
fn touch(a: Coord, b: Coord, c: Coord, d: Coord) -> bool {
    let side = |p, q, r| RobustKernel::orient2d(p, q, r);
    let (abc, abd) = (side(a, b, c), side(a, b, d));
    if abc == abd && abc != Orientation::Collinear {
        return false;
    }
    let (cda, cdb) = (side(c, d, a), side(c, d, b));
    !(cda == cdb && cda != Orientation::Collinear)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(wkt: &str) -> Shape {
        let wkb = Geometry::from_wkt(wkt).unwrap().iso_wkb().unwrap();
        Shape::from_iso_wkb(&wkb, 1000).unwrap()
    }

    #[test]
    fn faithful_repairs_are_made() {
        let mut open = Shape {
            x: vec![0.0, 4.0, 4.0, 0.0],
            y: vec![0.0, 0.0, 4.0, 4.0],
            parts: vec![Part { kind: Kind::Polygon, sequences: vec![4] }],
            kind: Kind::Polygon,
            ..Shape::default()
        };
        assert!(matches!(ensure(&mut open), Validity::Repaired(_)));
        assert_eq!(open.x.len(), 5);

        // A spike of no area.
        let mut spike = read("POLYGON ((0 0,4 0,8 0,4 0,4 4,0 4,0 0))");
        assert!(matches!(ensure(&mut spike), Validity::Repaired(_)));
        assert!((spike.area() - 16.0).abs() < 1e-9);
        assert_eq!(spike.kind, Kind::Polygon);

        let mut line = read("MULTILINESTRING ((0 0,1 1),(2 2,2 2))");
        assert!(matches!(ensure(&mut line), Validity::Repaired(_)));
        assert_eq!(line.parts.len(), 1);
    }

    #[test]
    fn unfaithful_repairs_are_refused() {
        for wkt in ["POLYGON ((0 0,4 4,4 0,0 4,0 0))", "LINESTRING (1 1,1 1)", "POLYGON ((0 0,1 1,0 0,0 0))"] {
            let mut shape = read(wkt);
            let validity = ensure(&mut shape);
            assert!(matches!(validity, Validity::Invalid(_)), "{wkt}: {validity:?}");
        }
    }

    proptest! {
        /// The short proof never calls valid what GEOS calls invalid.
        #[test]
        fn simple_means_valid(points in prop::collection::vec((-8i8..8, -8i8..8), 3..8)) {
            let mut x: Vec<f64> = points.iter().map(|p| f64::from(p.0)).collect();
            let mut y: Vec<f64> = points.iter().map(|p| f64::from(p.1)).collect();
            x.push(x[0]);
            y.push(y[0]);
            let sequences = vec![x.len()];
            let parts = vec![Part { kind: Kind::Polygon, sequences }];
            let shape = Shape { x, y, parts, kind: Kind::Polygon, ..Shape::default() };
            if is_simple_polygon(&shape) {
                prop_assert!(Geometry::from_wkb(&shape.to_iso_wkb()).unwrap().is_valid());
            }
        }
    }
}
