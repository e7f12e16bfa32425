//! Coordinate reference systems: the one place that knows about coordinate
//! operations and axis order.
//!
//! Inside the program coordinates are always x, y: easting before northing,
//! longitude before latitude. A CRS's own axis order (EPSG:9377 declares
//! northing, easting; EPSG:4326 and 4686 latitude, longitude) matters only
//! where a document names the CRS by its OGC URI.

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};
use sqlx::{Postgres, QueryBuilder};
use thiserror::Error;

use crate::Extent;

/// Origen Nacional (CTM12), the storage CRS of managed layers.
pub const ORIGEN_NACIONAL: i32 = 9377;
/// Longitude and latitude on WGS 84; in PostGIS always x, y.
pub const WGS_84: i32 = 4326;
/// Web Mercator.
pub const WEB_MERCATOR: i32 = 3857;

/// OGC's URI of longitude, latitude on WGS 84, the default CRS of GeoJSON.
pub const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";

/// Where a coordinate in EPSG:9377 must lie (IGAC's sanity box, standards.md):
/// least easting, least northing, greatest easting, greatest northing.
pub const ORIGEN_NACIONAL_BOX: [f64; 4] = [3_980_000.0, 1_080_000.0, 5_700_000.0, 3_100_000.0];

/// The legacy Gauss-Krüger zones of MAGNA-SIRGAS and what people call them.
pub const LEGACY_ZONES: [(i32, &str); 5] = [
    (3114, "MAGNA-SIRGAS / Colombia Far West"),
    (3115, "MAGNA-SIRGAS / Colombia West"),
    (3116, "MAGNA-SIRGAS / Colombia Bogota"),
    (3117, "MAGNA-SIRGAS / Colombia East Central"),
    (3118, "MAGNA-SIRGAS / Colombia East"),
];

/// Why a CRS or a coordinate could not be used.
#[derive(Debug, Error)]
pub enum CrsError {
    /// PROJ does not know the CRS.
    #[error("the coordinate reference system {crs:?} is not known: {source}")]
    Unknown {
        /// As it was given.
        crs: String,
        /// What PROJ said.
        source: gdal::errors::GdalError,
    },
    /// There is no operation between the two.
    #[error("no transformation from {from} to {to}: {source}")]
    NoOperation {
        /// The source CRS.
        from: String,
        /// The target CRS.
        to: String,
        /// What PROJ said.
        source: gdal::errors::GdalError,
    },
    /// The coordinate lies outside what the operation can do.
    #[error("the coordinate {x}, {y} cannot be transformed from {from} to {to}")]
    OutOfDomain {
        /// Easting or longitude.
        x: f64,
        /// Northing or latitude.
        y: f64,
        /// The source CRS.
        from: String,
        /// The target CRS.
        to: String,
    },
}

/// The URI by which OGC documents name an EPSG code. Documents that use it
/// have the coordinates in the authority's axis order.
pub fn epsg_uri(code: i32) -> String {
    format!("http://www.opengis.net/def/crs/EPSG/0/{code}")
}

/// The CRS of a definition (`EPSG:9377`, WKT, PROJ string), with its axes as
/// x, y.
pub fn spatial_ref(definition: &str) -> Result<SpatialRef, CrsError> {
    let mut crs = SpatialRef::from_definition(definition)
        .map_err(|source| CrsError::Unknown { crs: definition.to_owned(), source })?;
    crs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(crs)
}

/// An operation from one CRS to another, for many coordinates.
#[derive(Debug)]
pub struct Transformation {
    operation: CoordTransform,
    from: String,
    to: String,
}

impl Transformation {
    /// The operation between two definitions (`EPSG:3116`, WKT, PROJ string).
    pub fn new(from: &str, to: &str) -> Result<Self, CrsError> {
        let operation = CoordTransform::new(&spatial_ref(from)?, &spatial_ref(to)?)
            .map_err(|source| CrsError::NoOperation { from: from.to_owned(), to: to.to_owned(), source })?;
        Ok(Self { operation, from: from.to_owned(), to: to.to_owned() })
    }

    /// One coordinate: x and y in, x and y out.
    pub fn point(&self, x: f64, y: f64) -> Result<(f64, f64), CrsError> {
        let mut xs = [x];
        let mut ys = [y];
        let outcome = self.operation.transform_coords(&mut xs, &mut ys, &mut []);
        if outcome.is_ok() && xs[0].is_finite() && ys[0].is_finite() {
            Ok((xs[0], ys[0]))
        } else {
            Err(CrsError::OutOfDomain { x, y, from: self.from.clone(), to: self.to.clone() })
        }
    }

    /// The box around what a box becomes: least x, least y, greatest x,
    /// greatest y, in and out.
    pub fn envelope(&self, [west, south, east, north]: [f64; 4]) -> Result<[f64; 4], CrsError> {
        // Edges bend: 21 points on each are GDAL's own choice.
        match self.operation.transform_bounds(&[west, south, east, north], 21) {
            Ok(envelope) if envelope.iter().all(|ordinate| ordinate.is_finite()) => Ok(envelope),
            _ => Err(CrsError::OutOfDomain { x: west, y: south, from: self.from.clone(), to: self.to.clone() }),
        }
    }

    /// The operation itself, for GDAL's geometries.
    pub fn operation(&self) -> &CoordTransform {
        &self.operation
    }
}

/// Appends the expression of a box of CRS84 in a storage CRS: a polygon with
/// points along its edges, which bend there; 16 a side keep them within
/// centimetres of true over a city. The box must lie in the CRS's [`domain`].
pub fn push_box(part: Extent, srid: i32, sql: &mut QueryBuilder<Postgres>) {
    let step = ((part.east - part.west).max(part.north - part.south) / 16.0).max(1e-9);
    sql.push("ST_Transform(ST_Segmentize(ST_MakeEnvelope(");
    for number in part.to_array() {
        sql.push_bind(number).push(", ");
    }
    sql.push("4326), ").push_bind(step).push("), ").push_bind(srid).push(")");
}

/// A longitude or latitude as a map says it: to a millimetre.
pub fn to_map(degrees: f64) -> f64 {
    (degrees * 1e8).round() / 1e8
}

/// Whether coordinates in the CRS are degrees, so that what is straight in
/// longitude and latitude is straight in it.
pub fn is_geographic(srid: i32) -> bool {
    matches!(srid, WGS_84 | 4686)
}

/// Where (CRS84) a query's box may lie to be transformed into the CRS: a
/// projection is defined around its zone only, and a box far outside would
/// fail or fold. Generous: all of Colombia with its sea for the national CRS.
pub fn domain(srid: i32) -> Extent {
    match srid {
        WEB_MERCATOR => Extent { west: -180.0, south: -85.051_128, east: 180.0, north: 85.051_128 },
        3114..=3118 | ORIGEN_NACIONAL | 103_599 | 6244..=6275 => {
            Extent { west: -85.0, south: -6.0, east: -60.0, north: 18.0 }
        }
        _ => Extent { west: -180.0, south: -90.0, east: 180.0, north: 90.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// standards.md: latitude, longitude to northing, easting.
    const GOLDEN: [(f64, f64, f64, f64); 2] =
        [(4.4389, -75.2322, 2_048_868.316, 4_752_388.904), (7.8939, -72.5078, 2_430_300.719, 5_054_232.907)];

    #[test]
    fn golden_values_hold_to_a_millimetre() {
        for from in ["EPSG:4326", "EPSG:4686"] {
            for to in ["EPSG:9377", "ESRI:103599"] {
                let transformation = Transformation::new(from, to).unwrap();
                for (latitude, longitude, northing, easting) in GOLDEN {
                    let (x, y) = transformation.point(longitude, latitude).unwrap();
                    assert!((x - easting).abs() < 0.001 && (y - northing).abs() < 0.001, "{from} {to}: {x} {y}");
                }
            }
        }
    }

    #[test]
    fn the_urban_grids_are_at_hand() {
        // The grids' own origins: EPSG:6251 Cúcuta, EPSG:6253 Ibagué.
        for (crs, longitude, latitude, easting, northing) in [
            ("EPSG:6251", -72.502_870_95, 7.888_936_736_111_11, 842_805.406, 1_364_404.57),
            ("EPSG:6253", -75.179_925_933_333_3, 4.419_412_827_777_78, 877_634.33, 980_541.348),
        ] {
            let (x, y) = Transformation::new("EPSG:4686", crs).unwrap().point(longitude, latitude).unwrap();
            assert!((x - easting).abs() < 0.001 && (y - northing).abs() < 0.001, "{crs}: {x} {y}");
        }
    }

    #[test]
    fn a_box_holds_what_it_held() {
        let to_map = Transformation::new("EPSG:9377", "EPSG:3857").unwrap();
        let [west, south, east, north] = to_map.envelope([4_700_000.0, 2_000_000.0, 4_800_000.0, 2_100_000.0]).unwrap();
        for (x, y) in [(4_700_000.0, 2_050_000.0), (4_752_388.904, 2_100_000.0), (4_800_000.0, 2_000_000.0)] {
            let (x, y) = to_map.point(x, y).unwrap();
            assert!((west - 0.01..=east + 0.01).contains(&x) && (south - 0.01..=north + 0.01).contains(&y), "{x} {y}");
        }
        assert!(east - west < 102_000.0 && north - south < 102_000.0);
        assert!(to_map.envelope([f64::NAN; 4]).is_err());
    }

    #[test]
    fn what_proj_does_not_know_is_named() {
        assert!(spatial_ref("EPSG:999999").unwrap_err().to_string().contains("EPSG:999999"));
    }
}
