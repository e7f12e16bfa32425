//! The spatial functions: the layer's geometry beside a literal one.
//!
//! A literal is longitude, latitude, and its edges are straight there. It is
//! transformed into the storage CRS, which has the index, as long as it lies
//! where that CRS is defined; otherwise the few features near its part within
//! are transformed instead.

use cql2::Expr;
use geo::{BoundingRect, Geometry, HasDimensions, MultiPolygon, Rect, Validation, coord};
use geozero::{CoordDimensions, ToWkb};

use super::InvalidFilter;
use super::condition::unsupported;
use super::fragment::{Bound, Fragment};
use super::scalar::pair;
use super::schema::{QueryableKind, Schema};
use crate::catalog::Quoted;
use crate::features::Bbox;
use crate::{Extent, GeometryType, Kind, crs};

/// PostGIS's function, and whether what it holds for has a point in common.
fn function(op: &str) -> Option<&'static str> {
    Some(match op {
        // s_disjoint is what does not intersect.
        "s_intersects" | "s_disjoint" => "ST_Intersects",
        "s_equals" => "ST_Equals",
        "s_touches" => "ST_Touches",
        "s_crosses" => "ST_Crosses",
        "s_within" => "ST_Within",
        "s_contains" => "ST_Contains",
        "s_overlaps" => "ST_Overlaps",
        _ => return None,
    })
}

/// A literal.
enum Literal {
    Bbox(Bbox),
    Geometry(Geometry),
}

pub(super) fn condition(schema: &Schema, op: &str, args: &[Box<Expr>]) -> Result<Fragment, InvalidFilter> {
    let function = function(op).ok_or_else(|| unsupported(op))?;
    let [left, right] = pair(op, args)?;
    let (literal, literal_first) = match (property(schema, op, left)?, property(schema, op, right)?) {
        (true, false) => (literal(op, right)?, false),
        (false, true) => (literal(op, left)?, true),
        (true, true) => return Err(InvalidFilter::expected(op, "the geometry and a literal", "the geometry twice")),
        (false, false) => return Err(InvalidFilter::expected(op, "the geometry and a literal", "two literals")),
    };
    let relation =
        Relation { schema, geometry: Quoted::identifier(&schema.layer.table.geometry), op, function, literal_first };
    let domain = crs::domain(schema.layer.storage_srid);
    let found = match (function, literal) {
        // Any box may be asked for, the world's too: what is of it where the CRS is defined.
        ("ST_Intersects", Literal::Bbox(bbox)) => {
            let parts: Vec<Fragment> = bbox
                .within(domain)
                .into_iter()
                .map(|part| relation.stored(&rectangle(part).into()))
                .collect::<Result<_, _>>()?;
            if parts.is_empty() { relation.nothing() } else { Fragment::joined(parts, " OR ") }
        }
        (_, Literal::Bbox(bbox)) => {
            let whole = Extent { west: -180.0, south: -90.0, east: 180.0, north: 90.0 };
            let parts = bbox.within(whole).into_iter().map(|part| rectangle(part).to_polygon());
            let parts: Vec<_> = parts.collect();
            relation.holds(&Geometry::MultiPolygon(MultiPolygon::new(parts)), domain)?
        }
        (_, Literal::Geometry(geometry)) => relation.holds(&geometry, domain)?,
    };
    Ok(if op == "s_disjoint" { Fragment::new("(NOT ").then(found).sql(")") } else { found })
}

/// Whether the expression is the layer's geometry.
fn property(schema: &Schema, op: &str, expression: &Expr) -> Result<bool, InvalidFilter> {
    let Expr::Property { property } = expression else { return Ok(false) };
    match schema.property(property)?.kind {
        QueryableKind::Geometry => Ok(true),
        QueryableKind::Attribute(_) => {
            Err(InvalidFilter::expected(op, "a geometry", format!("the attribute {property}")))
        }
    }
}

fn literal(op: &str, expression: &Expr) -> Result<Literal, InvalidFilter> {
    match expression {
        Expr::BBox { bbox } => {
            let number = |expression: &Expr| match expression {
                Expr::Float(number) => Ok(*number),
                _ => Err(InvalidFilter::expected("BBOX", "numbers", "something else")),
            };
            let numbers: Vec<f64> = bbox.iter().map(|member| number(member)).collect::<Result<_, _>>()?;
            let bbox = Bbox::from_numbers(&numbers).map_err(|wrong| InvalidFilter::literal("BBOX", wrong.reason))?;
            Ok(Literal::Bbox(bbox))
        }
        Expr::Geometry(_) => {
            let unreadable = || InvalidFilter::literal("a geometry", "it cannot be read");
            let geometry = Geometry::try_from(expression.clone()).map_err(|_| unreadable())?;
            check(op, &geometry)?;
            Ok(Literal::Geometry(geometry))
        }
        _ => Err(InvalidFilter::expected(op, "a geometry or a BBOX", "something else")),
    }
}

fn check(op: &str, geometry: &Geometry) -> Result<(), InvalidFilter> {
    let refused = |reason: String| Err(InvalidFilter::literal("a geometry", reason));
    let whole = Extent { west: -180.0, south: -90.0, east: 180.0, north: 90.0 };
    let Some(extent) = extent(geometry) else { return refused("it is empty".to_owned()) };
    if !(whole.contains(extent.west, extent.south) && whole.contains(extent.east, extent.north)) {
        return refused(
            "longitudes lie between -180 and 180, latitudes between -90 and 90, longitude first".to_owned(),
        );
    }
    if let Err(wrong) = geometry.check_validation() {
        return refused(format!("it is not valid: {wrong}"));
    }
    if matches!(geometry, Geometry::GeometryCollection(_)) && !matches!(op, "s_intersects" | "s_disjoint") {
        return refused(format!("{op} takes no collections"));
    }
    Ok(())
}

fn extent(geometry: &Geometry) -> Option<Extent> {
    let rect = geometry.bounding_rect()?;
    Some(Extent { west: rect.min().x, south: rect.min().y, east: rect.max().x, north: rect.max().y })
}

fn rectangle(part: Extent) -> Rect {
    Rect::new(coord! { x: part.west, y: part.south }, coord! { x: part.east, y: part.north })
}

struct Relation<'a> {
    schema: &'a Schema<'a>,
    geometry: String,
    op: &'a str,
    function: &'static str,
    literal_first: bool,
}

impl Relation<'_> {
    fn srid(&self) -> i32 {
        self.schema.layer.storage_srid
    }

    /// The relation to any literal on the earth.
    fn holds(&self, literal: &Geometry, domain: Extent) -> Result<Fragment, InvalidFilter> {
        let Some(extent) = extent(literal) else { return Ok(self.nothing()) };
        if domain.contains(extent.west, extent.south) && domain.contains(extent.east, extent.north) {
            return self.stored(literal);
        }
        let near = Extent {
            west: extent.west.max(domain.west),
            south: extent.south.max(domain.south),
            east: extent.east.min(domain.east),
            north: extent.north.min(domain.north),
        };
        if near.west > near.east || near.south > near.north {
            return Ok(self.nothing());
        }
        let near = self.transformed(&rectangle(near).into())?;
        let feature = format!("ST_Transform({}, {})", self.geometry, crs::WGS_84);
        Ok(Fragment::new(format!("({} && ", self.geometry))
            .then(near)
            .sql(" AND ")
            .then(self.call(&feature, wkb(literal)?))
            .sql(")"))
    }

    /// The relation to a literal that lies where the storage CRS is defined.
    /// `&&` is written out, so that the index is used whatever the planner
    /// knows of the function.
    fn stored(&self, literal: &Geometry) -> Result<Fragment, InvalidFilter> {
        let literal = self.transformed(literal)?;
        Ok(Fragment::new(format!("({} && ", self.geometry))
            .then(literal.clone())
            .sql(" AND ")
            .then(self.call(&self.geometry, literal))
            .sql(")"))
    }

    /// The call, for features whose geometry the function takes: in tables of
    /// others there may be invalid ones and collections, for which most of
    /// PostGIS's functions fail. Those are in no relation but `s_intersects`.
    fn call(&self, feature: &str, literal: Fragment) -> Fragment {
        let call = Fragment::new(format!("{}(", self.function));
        let call = if self.literal_first {
            call.then(literal).sql(format!(", {feature})"))
        } else {
            call.sql(format!("{feature}, ")).then(literal).sql(")")
        };
        let layer = self.schema.layer;
        let mixed = matches!(layer.geometry_type, GeometryType::Geometry | GeometryType::GeometryCollection);
        if self.function == "ST_Intersects" || (layer.kind == Kind::Managed && !mixed) {
            return call;
        }
        let geometry = &self.geometry;
        Fragment::new(format!(
            "CASE WHEN {geometry} IS NOT NULL THEN CASE WHEN GeometryType({geometry}) <> 'GEOMETRYCOLLECTION' \
             AND ST_IsValid({geometry}) THEN "
        ))
        .then(call)
        .sql(" ELSE false END END")
    }

    /// False, and NULL of features without a geometry.
    fn nothing(&self) -> Fragment {
        Fragment::new(format!("(CASE WHEN {} IS NOT NULL THEN false END)", self.geometry))
    }

    /// The literal in the storage CRS. Where its edges would bend, points are
    /// set along them, sixteen on the longer side of its extent, as on a `bbox`;
    /// not where the relation is of the very points.
    fn transformed(&self, literal: &Geometry) -> Result<Fragment, InvalidFilter> {
        let srid = self.srid();
        let wkb = wkb(literal)?;
        if srid == crs::WGS_84 {
            return Ok(wkb);
        }
        let bends = !crs::is_geographic(srid)
            && literal.dimensions() != geo::dimensions::Dimensions::ZeroDimensional
            && !matches!(self.op, "s_equals" | "s_touches");
        let straight = if bends {
            let side = extent(literal).map_or(0.0, |of| (of.east - of.west).max(of.north - of.south));
            Fragment::new("ST_Segmentize(").then(wkb).sql(", ").value(Bound::Number((side / 16.0).max(1e-9))).sql(")")
        } else {
            wkb
        };
        Ok(Fragment::new("ST_Transform(").then(straight).sql(format!(", {srid})")))
    }
}

fn wkb(literal: &Geometry) -> Result<Fragment, InvalidFilter> {
    let bytes = literal
        .to_wkb(CoordDimensions::xy())
        .map_err(|error| InvalidFilter::literal("a geometry", error.to_string()))?;
    Ok(Fragment::new("ST_GeomFromWKB(").value(Bound::Geometry(bytes)).sql(format!(", {})", crs::WGS_84)))
}
