//! A geometry as flat lists of ordinates: what GDAL hands over as ISO WKB,
//! and what PostGIS receives as EWKB.
//!
//! The lists of x and y are what PROJ transforms in one call; the parts say
//! which positions belong together.

use layers::{Dimension, GeometryType};

/// A geometry. Ordinates of all its positions in order; `z` and `m` are empty
/// where it has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shape {
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) z: Vec<f64>,
    pub(super) m: Vec<f64>,
    pub(super) parts: Vec<Part>,
    /// The geometry's own type; of a collection the parts tell more.
    pub(super) kind: Kind,
}

/// A simple features type without its multiplicity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Point,
    Line,
    Polygon,
    MultiPoint,
    MultiLine,
    MultiPolygon,
    Collection,
}

/// A point, a line or a polygon: the number of positions of each of its
/// sequences (one, but for a polygon with holes), following those of the
/// parts before it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) sequences: Vec<usize>,
}

/// Why WKB could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It ends too early or says impossible numbers.
    Damaged,
    /// A curve: linearise it first.
    Curve,
    /// More vertices than the limit.
    TooLarge,
}

impl Kind {
    pub(super) fn geometry_type(self) -> GeometryType {
        match self {
            Self::Point => GeometryType::Point,
            Self::Line => GeometryType::LineString,
            Self::Polygon => GeometryType::Polygon,
            Self::MultiPoint => GeometryType::MultiPoint,
            Self::MultiLine => GeometryType::MultiLineString,
            Self::MultiPolygon => GeometryType::MultiPolygon,
            Self::Collection => GeometryType::GeometryCollection,
        }
    }

    fn code(self) -> u32 {
        match self {
            Self::Point => 1,
            Self::Line => 2,
            Self::Polygon => 3,
            Self::MultiPoint => 4,
            Self::MultiLine => 5,
            Self::MultiPolygon => 6,
            Self::Collection => 7,
        }
    }

    pub(super) fn multi(self) -> Self {
        match self {
            Self::Point => Self::MultiPoint,
            Self::Line => Self::MultiLine,
            Self::Polygon => Self::MultiPolygon,
            other => other,
        }
    }
}

impl Shape {
    pub(super) fn point(x: f64, y: f64) -> Self {
        Self {
            x: vec![x],
            y: vec![y],
            parts: vec![Part { kind: Kind::Point, sequences: vec![1] }],
            kind: Kind::Point,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Reads little-endian ISO WKB, as GDAL writes it. Nested collections are
    /// flattened; surfaces and triangles become polygons.
    pub(super) fn from_iso_wkb(wkb: &[u8], most_vertices: usize) -> Result<Self, Unreadable> {
        let mut shape = Self::default();
        let mut reader = Reader { bytes: wkb, most: most_vertices };
        shape.kind = reader.geometry(&mut shape, 0)?;
        if !shape.z.is_empty() && shape.z.len() != shape.x.len()
            || !shape.m.is_empty() && shape.m.len() != shape.x.len()
        {
            return Err(Unreadable::Damaged);
        }
        Ok(shape)
    }

    /// As what the shape enters a column of type `target`; none where it
    /// cannot.
    fn kind_for(&self, target: GeometryType) -> Option<Kind> {
        Some(match target {
            GeometryType::Geometry => self.kind,
            target if self.kind.geometry_type() == target => self.kind,
            target if self.kind.multi().geometry_type() == target => self.kind.multi(),
            GeometryType::GeometryCollection => Kind::Collection,
            // A multi of one part fits a column of single ones.
            _ if self.parts.len() == 1 && self.parts[0].kind.geometry_type() == target => self.parts[0].kind,
            // A collection whose parts are all of the wanted kind.
            _ if self.kind == Kind::Collection
                && self.parts.iter().all(|part| part.kind.multi().geometry_type() == target) =>
            {
                self.parts.first().map_or(Kind::Collection, |part| part.kind.multi())
            }
            _ => return None,
        })
    }

    /// Whether the shape can enter a column of that type.
    pub(super) fn fits(&self, target: GeometryType) -> bool {
        self.kind_for(target).is_some()
    }

    /// Appends EWKB (little-endian, with the SRID) of the shape as `target`.
    /// False, and nothing appended, where it is of another kind.
    pub(super) fn write_ewkb(&self, out: &mut Vec<u8>, target: GeometryType, dimension: Dimension, srid: i32) -> bool {
        let Some(kind) = self.kind_for(target) else { return false };
        let flags = if dimension.has_z() { 0x8000_0000 } else { 0 } | if dimension.has_m() { 0x4000_0000 } else { 0 };
        out.push(1);
        put(out, kind.code() | flags | 0x2000_0000);
        out.extend_from_slice(&srid.to_le_bytes());
        let mut at = 0;
        if matches!(kind, Kind::Point | Kind::Line | Kind::Polygon) {
            if let Some(part) = self.parts.first() {
                self.write_part(out, part, &mut at, dimension);
            }
            return !self.parts.is_empty();
        }
        put(out, self.parts.len() as u32);
        for part in &self.parts {
            out.push(1);
            put(out, part.kind.code() | flags);
            self.write_part(out, part, &mut at, dimension);
        }
        true
    }

    fn write_part(&self, out: &mut Vec<u8>, part: &Part, at: &mut usize, dimension: Dimension) {
        if part.kind == Kind::Polygon {
            put(out, part.sequences.len() as u32);
        }
        for &count in &part.sequences {
            if part.kind != Kind::Point {
                put(out, count as u32);
            }
            for i in *at..*at + count {
                out.extend_from_slice(&self.x[i].to_le_bytes());
                out.extend_from_slice(&self.y[i].to_le_bytes());
                // A position without the ordinate that the layer keeps is at zero.
                if dimension.has_z() {
                    out.extend_from_slice(&self.z.get(i).copied().unwrap_or(0.0).to_le_bytes());
                }
                if dimension.has_m() {
                    out.extend_from_slice(&self.m.get(i).copied().unwrap_or(0.0).to_le_bytes());
                }
            }
            *at += count;
        }
    }

    /// ISO WKB for GDAL, with the ordinates that the shape has.
    pub(super) fn to_iso_wkb(&self) -> Vec<u8> {
        let dimension = Dimension::new(!self.z.is_empty(), !self.m.is_empty());
        let offset = if dimension.has_z() { 1000 } else { 0 } + if dimension.has_m() { 2000 } else { 0 };
        let mut out = Vec::with_capacity(32 + self.x.len() * 32);
        out.push(1);
        put(&mut out, self.kind.code() + offset);
        let mut at = 0;
        if matches!(self.kind, Kind::Point | Kind::Line | Kind::Polygon) {
            if let Some(part) = self.parts.first() {
                self.write_part(&mut out, part, &mut at, dimension);
            }
            return out;
        }
        put(&mut out, self.parts.len() as u32);
        for part in &self.parts {
            out.push(1);
            put(&mut out, part.kind.code() + offset);
            self.write_part(&mut out, part, &mut at, dimension);
        }
        out
    }

    /// Each sequence with its part's kind and the range of its positions.
    pub(super) fn sequences(&self) -> impl Iterator<Item = (Kind, std::ops::Range<usize>)> {
        let mut at = 0;
        self.parts.iter().flat_map(|part| part.sequences.iter().map(|count| (part.kind, *count))).map(
            move |(kind, count)| {
                let range = at..at + count;
                at += count;
                (kind, range)
            },
        )
    }

    /// The sum of the areas that the rings enclose, holes
    /// subtracted, in square units of the CRS.
    pub(super) fn area(&self) -> f64 {
        let mut at = 0;
        let mut area = 0.0;
        for part in &self.parts {
            for (ring, &count) in part.sequences.iter().enumerate() {
                if part.kind == Kind::Polygon {
                    let ring_area = self.ring_area(at..at + count).abs();
                    area += if ring == 0 { ring_area } else { -ring_area };
                }
                at += count;
            }
        }
        area
    }

    /// The signed area of one ring, from its first position as origin (the
    /// coordinates are millions of metres, the parcels tens).
    fn ring_area(&self, range: std::ops::Range<usize>) -> f64 {
        let (x, y) = (&self.x[range.clone()], &self.y[range]);
        let Some((&x0, &y0)) = x.first().zip(y.first()) else { return 0.0 };
        let mut twice = 0.0;
        for i in 1..x.len() {
            twice += (x[i - 1] - x0) * (y[i] - y0) - (x[i] - x0) * (y[i - 1] - y0);
        }
        twice / 2.0
    }
}

fn put(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

struct Reader<'a> {
    bytes: &'a [u8],
    most: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or(Unreadable::Damaged)?;
        self.bytes = rest;
        Ok(*head)
    }

    fn number(&mut self) -> Result<u32, Unreadable> {
        self.take().map(u32::from_le_bytes)
    }

    fn ordinate(&mut self) -> Result<f64, Unreadable> {
        self.take().map(f64::from_le_bytes)
    }

    fn geometry(&mut self, shape: &mut Shape, depth: u8) -> Result<Kind, Unreadable> {
        if self.take::<1>()? != [1] || depth > 16 {
            return Err(Unreadable::Damaged);
        }
        let code = self.number()?;
        let (z, m) = match code / 1000 {
            0 => (false, false),
            1 => (true, false),
            2 => (false, true),
            3 => (true, true),
            _ => return Err(Unreadable::Damaged),
        };
        let part = |kind| Part { kind, sequences: Vec::with_capacity(1) };
        match code % 1000 {
            1 => {
                let start = shape.x.len();
                let mut point = part(Kind::Point);
                self.positions(shape, 1, z, m)?;
                // An empty point is written as NaN.
                if shape.x[start].is_nan() && shape.y[start].is_nan() {
                    for list in [&mut shape.x, &mut shape.y, &mut shape.z, &mut shape.m] {
                        list.truncate(start);
                    }
                } else {
                    point.sequences.push(1);
                    shape.parts.push(point);
                }
                Ok(Kind::Point)
            }
            2 => {
                let count = self.number()? as usize;
                self.positions(shape, count, z, m)?;
                if count > 0 {
                    let mut line = part(Kind::Line);
                    line.sequences.push(count);
                    shape.parts.push(line);
                }
                Ok(Kind::Line)
            }
            // A triangle is a polygon.
            3 | 17 => {
                let rings = self.number()?;
                let mut polygon = part(Kind::Polygon);
                for _ in 0..rings {
                    let count = self.number()? as usize;
                    self.positions(shape, count, z, m)?;
                    if count > 0 {
                        polygon.sequences.push(count);
                    }
                }
                if !polygon.sequences.is_empty() {
                    shape.parts.push(polygon);
                }
                Ok(Kind::Polygon)
            }
            // Polyhedral surfaces and irregular networks are many polygons.
            members @ (4..=7 | 15 | 16) => {
                let count = self.number()?;
                let kind = match members {
                    4 => Kind::MultiPoint,
                    5 => Kind::MultiLine,
                    6 | 15 | 16 => Kind::MultiPolygon,
                    _ => Kind::Collection,
                };
                for _ in 0..count {
                    let member = self.geometry(shape, depth + 1)?;
                    if kind != Kind::Collection && member.multi() != kind {
                        return Err(Unreadable::Damaged);
                    }
                }
                Ok(kind)
            }
            8..=14 => Err(Unreadable::Curve),
            _ => Err(Unreadable::Damaged),
        }
    }

    fn positions(&mut self, shape: &mut Shape, count: usize, z: bool, m: bool) -> Result<(), Unreadable> {
        if shape.x.len() + count > self.most {
            return Err(Unreadable::TooLarge);
        }
        for _ in 0..count {
            shape.x.push(self.ordinate()?);
            shape.y.push(self.ordinate()?);
            if z {
                shape.z.push(self.ordinate()?);
            }
            if m {
                shape.m.push(self.ordinate()?);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(wkt: &str) -> Shape {
        let wkb = gdal::vector::Geometry::from_wkt(wkt).unwrap().iso_wkb().unwrap();
        Shape::from_iso_wkb(&wkb, 1000).unwrap()
    }

    #[test]
    fn what_gdal_writes_is_read_and_written_back() {
        for wkt in [
            "POINT (1 2)",
            "POINT ZM (1 2 3 4)",
            "LINESTRING M (0 0 1,1 1 2)",
            "POLYGON ((0 0,4 0,4 4,0 0),(1 0.5,2 0.5,2 1,1 0.5))",
            "MULTIPOINT ((1 2),(3 4))",
            "MULTILINESTRING Z ((0 0 1,1 1 2),(2 2 3,3 3 4))",
            "MULTIPOLYGON (((0 0,1 0,1 1,0 0)),((2 2,3 2,3 3,2 2)))",
        ] {
            let shape = read(wkt);
            let back = gdal::vector::Geometry::from_wkb(&shape.to_iso_wkb()).unwrap();
            let read = gdal::vector::Geometry::from_wkt(wkt).unwrap();
            assert_eq!(back.iso_wkt().unwrap(), read.iso_wkt().unwrap());
        }
        assert!(read("POINT EMPTY").is_empty());
        assert!(read("MULTIPOLYGON EMPTY").is_empty());
        assert_eq!(read("TIN (((0 0,1 0,1 1,0 0)))").kind, Kind::MultiPolygon);
    }

    #[test]
    fn singles_fit_multi_columns_and_nothing_else() {
        let polygon = read("POLYGON ((0 0,4 0,4 4,0 0))");
        let mut out = Vec::new();
        assert!(polygon.write_ewkb(&mut out, GeometryType::MultiPolygon, Dimension::Xy, 9377));
        assert_eq!(&out[..5], &[1, 6, 0, 0, 0x20]);
        assert!(!polygon.write_ewkb(&mut out, GeometryType::LineString, Dimension::Xy, 9377));
        let one = read("MULTIPOLYGON (((0 0,1 0,1 1,0 0)))");
        assert!(one.write_ewkb(&mut out, GeometryType::Polygon, Dimension::Xy, 9377));
        let two = read("MULTIPOLYGON (((0 0,1 0,1 1,0 0)),((2 2,3 2,3 3,2 2)))");
        assert!(!two.write_ewkb(&mut out, GeometryType::Polygon, Dimension::Xy, 9377));
    }

    #[test]
    fn areas_subtract_holes() {
        let shape = read("POLYGON ((0 0,4 0,4 4,0 4,0 0),(1 1,1 2,2 2,2 1,1 1))");
        assert!((shape.area() - 15.0).abs() < 1e-12);
    }

    #[test]
    fn damaged_and_huge_geometries_are_errors() {
        assert_eq!(Shape::from_iso_wkb(&[1, 2, 0, 0, 0, 255, 255, 255, 255], 1000), Err(Unreadable::TooLarge));
        assert_eq!(Shape::from_iso_wkb(&[1, 2, 0, 0, 0, 5, 0, 0, 0], 1000), Err(Unreadable::Damaged));
        assert_eq!(Shape::from_iso_wkb(&[], 1000), Err(Unreadable::Damaged));
    }
}
