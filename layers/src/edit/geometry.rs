//! Geometries as they are drawn, as the table keeps them.
//!
//! A map's positions are longitudes and latitudes of eight decimals, a
//! millimetre; the table has metres, to the last bit. Transformed and back,
//! every vertex of a parcel would move by parts of a millimetre each time that
//! one of them is moved, and its neighbours would no longer touch it. So a
//! position that a feature of the layer has (its own as it was, or one around
//! it) is taken to be that vertex, bit for bit; only what is elsewhere is new.

use std::collections::HashMap;

use geojson::{Position, Value as GeoJson};
use geozero::error::Result as GeozeroResult;
use geozero::wkb::process_wkb_geom;
use geozero::{CoordDimensions, GeomProcessor, ToWkb};
use serde_json::Value as Json;

use super::violation::Rule;
use crate::crs::{CrsError, Transformation, WGS_84};
use crate::{Dimension, Extent, GeometryType, Layer};

/// A degree's parts that a map's positions are told to: 1e-8, a millimetre.
const PARTS: f64 = 1e8;

/// A geometry as it is drawn: longitude and latitude.
#[derive(Debug, Clone)]
pub(super) struct Drawn(GeoJson);

impl Drawn {
    /// Reads GeoJSON (RFC 7946) as a geometry of the layer: a single one is
    /// also a multiple one.
    pub(super) fn read(layer: &Layer, said: &Json) -> Result<Self, Rule> {
        let geometry = geojson::Geometry::from_json_value(said.clone())
            .map_err(|_| Rule::GeometryValid("it is no GeoJSON geometry".to_owned()))?;
        let value = of_type(geometry.value, layer.geometry_type)?;
        if let Some(reason) = misshapen(&value) {
            return Err(Rule::GeometryValid(reason.to_owned()));
        }
        Ok(Self(value))
    }

    /// A position outside of where the layer's data must lie.
    pub(super) fn outside(&self, area: Extent) -> Option<[f64; 2]> {
        let mut outside = None;
        each(&self.0, &mut |position| {
            if let [x, y, ..] = position[..]
                && !area.contains(x, y)
            {
                outside.get_or_insert([x, y]);
            }
        });
        outside
    }

    /// The box around it; west, south, east, north.
    pub(super) fn envelope(&self) -> [f64; 4] {
        let mut around = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        each(&self.0, &mut |position| {
            if let [x, y, ..] = position[..] {
                around = [around[0].min(x), around[1].min(y), around[2].max(x), around[3].max(y)];
            }
        });
        around
    }
}

/// Turns drawn geometries into the layer's.
pub(super) struct Placing<'a> {
    layer: &'a Layer,
    vertices: HashMap<(i64, i64), [f64; 3]>,
}

impl<'a> Placing<'a> {
    pub(super) fn new(layer: &'a Layer) -> Self {
        Self { layer, vertices: HashMap::new() }
    }

    /// Learns a feature's vertices: WKB in longitude and latitude, and as the
    /// table has it.
    pub(super) fn learn(&mut self, drawn: &[u8], stored: &[u8]) -> GeozeroResult<()> {
        let (drawn, stored) = (vertices(drawn)?, vertices(stored)?);
        for ([x, y, _], vertex) in drawn.into_iter().zip(stored) {
            self.vertices.entry(cell(x, y)).or_insert(vertex);
        }
        Ok(())
    }

    /// The geometries as EWKB in the layer's CRS, each as it was asked for.
    pub(super) fn place(&self, drawn: &[Drawn]) -> Result<Vec<Result<Vec<u8>, Rule>>, CrsError> {
        let (from, to) = (format!("EPSG:{WGS_84}"), format!("EPSG:{}", self.layer.storage_srid));
        let there = Transformation::new(&from, &to)?;
        Ok(drawn.iter().map(|geometry| self.placed(geometry, &there)).collect())
    }

    fn placed(&self, Drawn(geometry): &Drawn, there: &Transformation) -> Result<Vec<u8>, Rule> {
        let mut geometry = geometry.clone();
        let mut broken = None;
        each_mut(&mut geometry, &mut |position| match self.vertex(position, there) {
            Ok(vertex) => *position = vertex,
            Err(rule) => drop(broken.get_or_insert(rule)),
        });
        if let Some(rule) = broken {
            return Err(rule);
        }
        let dimensions = if self.has_z() { CoordDimensions::xyz() } else { CoordDimensions::xy() };
        let text = geojson::Geometry::new(geometry).to_string();
        geozero::geojson::GeoJson(&text)
            .to_ewkb(dimensions, Some(self.layer.storage_srid))
            .map_err(|error| Rule::GeometryValid(error.to_string()))
    }

    fn vertex(&self, position: &Position, there: &Transformation) -> Result<Position, Rule> {
        let (x, y) = (position[0], position[1]);
        let height = position.get(2).copied();
        let known = self.vertices.get(&cell(x, y));
        let (x, y) = match known {
            Some([x, y, _]) => (*x, *y),
            None => there.point(x, y).map_err(|_| Rule::Bounds)?,
        };
        if !self.has_z() {
            return Ok(vec![x, y]);
        }
        let height = height.or(known.map(|[_, _, z]| *z)).filter(|height| height.is_finite()).ok_or(Rule::Height)?;
        Ok(vec![x, y, height])
    }

    fn has_z(&self) -> bool {
        self.layer.dimension == Dimension::Xyz
    }
}

/// The position as it is told, in whole parts of a degree.
fn cell(x: f64, y: f64) -> (i64, i64) {
    ((x * PARTS).round() as i64, (y * PARTS).round() as i64)
}

/// The geometry as one of that type.
fn of_type(geometry: GeoJson, wanted: GeometryType) -> Result<GeoJson, Rule> {
    Ok(match (geometry, wanted) {
        (GeoJson::Point(point), GeometryType::MultiPoint) => GeoJson::MultiPoint(vec![point]),
        (GeoJson::LineString(line), GeometryType::MultiLineString) => GeoJson::MultiLineString(vec![line]),
        (GeoJson::Polygon(polygon), GeometryType::MultiPolygon) => GeoJson::MultiPolygon(vec![polygon]),
        (same @ GeoJson::Point(_), GeometryType::Point)
        | (same @ GeoJson::MultiPoint(_), GeometryType::MultiPoint)
        | (same @ GeoJson::LineString(_), GeometryType::LineString)
        | (same @ GeoJson::MultiLineString(_), GeometryType::MultiLineString)
        | (same @ GeoJson::Polygon(_), GeometryType::Polygon)
        | (same @ GeoJson::MultiPolygon(_), GeometryType::MultiPolygon)
        | (same @ GeoJson::GeometryCollection(_), GeometryType::GeometryCollection)
        | (same, GeometryType::Geometry) => same,
        _ => return Err(Rule::GeometryType(wanted)),
    })
}

/// What is wrong with the numbers themselves: what PostGIS could not even read.
fn misshapen(geometry: &GeoJson) -> Option<&'static str> {
    let mut is_positions = true;
    let mut count = 0_usize;
    each(geometry, &mut |position| {
        count += 1;
        is_positions &= position.len() >= 2 && position.iter().all(|number| number.is_finite());
    });
    if !is_positions {
        return Some("a position is not two or three numbers");
    }
    if count == 0 {
        return Some("it has no positions");
    }
    let is_line = |line: &Vec<Position>| line.len() >= 2;
    let is_polygon = |polygon: &Vec<Vec<Position>>| {
        !polygon.is_empty() && polygon.iter().all(|ring| ring.len() >= 4 && ring.first() == ring.last())
    };
    let (lines, rings) = match geometry {
        GeoJson::Point(_) | GeoJson::MultiPoint(_) => (true, true),
        GeoJson::LineString(line) => (is_line(line), true),
        GeoJson::MultiLineString(lines) => (lines.iter().all(is_line), true),
        GeoJson::Polygon(polygon) => (true, is_polygon(polygon)),
        GeoJson::MultiPolygon(polygons) => (true, polygons.iter().all(is_polygon)),
        GeoJson::GeometryCollection(members) => return members.iter().find_map(|member| misshapen(&member.value)),
    };
    if !lines {
        return Some("a line has fewer than two positions");
    }
    (!rings).then_some("a ring has fewer than four positions, or does not end where it begins")
}

fn each(geometry: &GeoJson, look: &mut dyn FnMut(&Position)) {
    match geometry {
        GeoJson::Point(position) => look(position),
        GeoJson::MultiPoint(line) | GeoJson::LineString(line) => line.iter().for_each(look),
        GeoJson::MultiLineString(lines) | GeoJson::Polygon(lines) => lines.iter().flatten().for_each(look),
        GeoJson::MultiPolygon(polygons) => polygons.iter().flatten().flatten().for_each(look),
        GeoJson::GeometryCollection(members) => members.iter().for_each(|member| each(&member.value, look)),
    }
}

fn each_mut(geometry: &mut GeoJson, change: &mut dyn FnMut(&mut Position)) {
    match geometry {
        GeoJson::Point(position) => change(position),
        GeoJson::MultiPoint(line) | GeoJson::LineString(line) => line.iter_mut().for_each(change),
        GeoJson::MultiLineString(lines) | GeoJson::Polygon(lines) => lines.iter_mut().flatten().for_each(change),
        GeoJson::MultiPolygon(polygons) => polygons.iter_mut().flatten().flatten().for_each(change),
        GeoJson::GeometryCollection(members) => {
            for member in members {
                each_mut(&mut member.value, change);
            }
        }
    }
}

/// The vertices of a geometry (ISO WKB) in their order: x, y and, not a
/// number where there is none, z.
fn vertices(wkb: &[u8]) -> GeozeroResult<Vec<[f64; 3]>> {
    struct Vertices(Vec<[f64; 3]>);
    impl GeomProcessor for Vertices {
        fn dimensions(&self) -> CoordDimensions {
            CoordDimensions::xyz()
        }

        fn xy(&mut self, x: f64, y: f64, _: usize) -> GeozeroResult<()> {
            self.0.push([x, y, f64::NAN]);
            Ok(())
        }

        fn coordinate(
            &mut self,
            x: f64,
            y: f64,
            z: Option<f64>,
            _: Option<f64>,
            _: Option<f64>,
            _: Option<u64>,
            _: usize,
        ) -> GeozeroResult<()> {
            self.0.push([x, y, z.unwrap_or(f64::NAN)]);
            Ok(())
        }
    }
    let mut found = Vertices(Vec::new());
    process_wkb_geom(&mut std::io::Cursor::new(wkb), &mut found)?;
    Ok(found.0)
}
