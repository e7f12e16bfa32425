//! Geometry from the columns of a table: two of coordinates, or one of WKT,
//! WKB in hexadecimal, or GeoJSON.

use gdal::vector::Geometry;

use super::cell::{self, Cell};
use super::shape::Shape;
use crate::import::protocol::GeometryColumns;

/// Where a table's geometry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Coordinates {
    /// Columns of x (easting, longitude) and of y.
    Pair {
        x: usize,
        y: usize,
        /// The names say longitude and latitude.
        geographic: bool,
    },
    /// One column that holds a whole geometry.
    Column(usize),
}

/// Names of columns of x and y, as column names, the likeliest first. The
/// first ones say that the coordinates are geographic.
const PAIRS: [(&str, &str); 22] = [
    ("longitud", "latitud"),
    ("longitude", "latitude"),
    ("long", "lat"),
    ("lon", "lat"),
    ("lng", "lat"),
    ("longitud_x", "latitud_y"),
    ("coord_longitud", "coord_latitud"),
    ("longitud_decimal", "latitud_decimal"),
    ("geo_longitud", "geo_latitud"),
    ("este", "norte"),
    ("east", "north"),
    ("easting", "northing"),
    ("coordenada_este", "coordenada_norte"),
    ("coord_este", "coord_norte"),
    ("coordenada_x", "coordenada_y"),
    ("coord_x", "coord_y"),
    ("coordx", "coordy"),
    ("x_coord", "y_coord"),
    ("point_x", "point_y"),
    ("pointx", "pointy"),
    ("x", "y"),
    ("cx", "cy"),
];
const GEOGRAPHIC: usize = 9;
const WHOLE: [&str; 8] = ["wkt", "the_geom", "geom", "geometry", "geometria", "geojson", "wkb_geometry", "shape"];

/// Finds the columns, as asked or by their names.
pub(super) fn find(names: &[String], asked: &GeometryColumns) -> Result<Option<Coordinates>, String> {
    let by_name = |wanted: &str| {
        names.iter().position(|name| name == wanted).or_else(|| {
            let wanted = layers::column_name(wanted);
            names.iter().position(|name| layers::column_name(name) == wanted)
        })
    };
    let must = |wanted: &str| {
        by_name(wanted).ok_or_else(|| format!("there is no column {wanted:?}; there are: {}", names.join(", ")))
    };
    if let Some(wkt) = &asked.wkt {
        return Ok(Some(Coordinates::Column(must(wkt)?)));
    }
    if let (Some(x), Some(y)) = (&asked.x, &asked.y) {
        let geographic = PAIRS[..GEOGRAPHIC].iter().any(|pair| pair.0 == layers::column_name(x));
        return Ok(Some(Coordinates::Pair { x: must(x)?, y: must(y)?, geographic }));
    }
    let columns: Vec<String> = names.iter().map(|name| layers::column_name(name)).collect();
    let position = |wanted: &str| columns.iter().position(|column| column == wanted);
    for (index, (x, y)) in PAIRS.into_iter().enumerate() {
        if let (Some(x), Some(y)) = (position(x), position(y)) {
            return Ok(Some(Coordinates::Pair { x, y, geographic: index < GEOGRAPHIC }));
        }
    }
    Ok(WHOLE.into_iter().find_map(position).map(Coordinates::Column))
}

impl Coordinates {
    /// The columns that become the geometry and are no attributes.
    pub(super) fn columns(&self) -> Vec<usize> {
        match self {
            Self::Pair { x, y, .. } => vec![*x, *y],
            Self::Column(column) => vec![*column],
        }
    }

    /// The row's geometry; none where the cells are empty.
    pub(super) fn shape(&self, cells: &[Cell], most_vertices: usize) -> Result<Option<Shape>, String> {
        match self {
            Self::Pair { x, y, .. } => {
                let ordinate = |column: usize| match cells.get(column) {
                    None | Some(Cell::Null) => Ok(None),
                    Some(Cell::Number(number)) => Ok(Some(*number)),
                    Some(Cell::Integer(number)) => Ok(Some(*number as f64)),
                    Some(other) => {
                        let text = other.to_text();
                        if text.trim().is_empty() {
                            return Ok(None);
                        }
                        cell::number(&text).map(Some).ok_or_else(|| format!("{text:?} is not a coordinate"))
                    }
                };
                Ok(match (ordinate(*x)?, ordinate(*y)?) {
                    (Some(x), Some(y)) => Some(Shape::point(x, y)),
                    (None, None) => None,
                    _ => return Err("one of the two coordinates is missing".to_owned()),
                })
            }
            Self::Column(column) => {
                let text = cells.get(*column).map(Cell::to_text).unwrap_or_default();
                let text = text.trim();
                if text.is_empty() {
                    return Ok(None);
                }
                let geometry = parse(text).ok_or_else(|| {
                    let start: String = text.chars().take(60).collect();
                    format!("{start:?} is no geometry in WKT, WKB (hexadecimal) or GeoJSON")
                })?;
                super::gdal_source::shape_of(&geometry, most_vertices)
            }
        }
    }
}

fn parse(text: &str) -> Option<Geometry> {
    super::raw::take_errors();
    if text.starts_with('{') {
        return Geometry::from_geojson(text).ok();
    }
    if text.len() >= 10 && text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        let bytes: Option<Vec<u8>> =
            (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()).collect();
        return Geometry::from_wkb(&bytes?).ok();
    }
    // EWKT: the CRS is declared elsewhere.
    let wkt = text.split_once(';').filter(|(srid, _)| srid.starts_with("SRID=")).map_or(text, |(_, wkt)| wkt);
    Geometry::from_wkt(wkt).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_by_their_names() {
        let find = |list: &[&str]| super::find(&names(list), &GeometryColumns::default()).unwrap();
        assert_eq!(find(&["ID", "Latitud", "Longitud"]), Some(Coordinates::Pair { x: 2, y: 1, geographic: true }));
        assert_eq!(
            find(&["Coordenada Este", "Coordenada Norte"]),
            Some(Coordinates::Pair { x: 0, y: 1, geographic: false })
        );
        assert_eq!(find(&["nombre", "WKT"]), Some(Coordinates::Column(1)));
        assert_eq!(find(&["nombre", "plataforma"]), None);
        let asked = GeometryColumns { x: Some("lejos".into()), y: Some("alto".into()), wkt: None };
        assert!(super::find(&names(&["a", "b"]), &asked).unwrap_err().contains("a, b"));
    }

    #[test]
    fn cells_become_geometries() {
        let pair = Coordinates::Pair { x: 0, y: 1, geographic: true };
        let text = |value: &str| Cell::Text(value.to_owned());
        assert_eq!(pair.shape(&[text("-75,23"), text("4.44")], 9), Ok(Some(Shape::point(-75.23, 4.44))));
        assert_eq!(pair.shape(&[text(""), Cell::Null], 9), Ok(None));
        assert!(pair.shape(&[text("-75.2"), text("")], 9).is_err());
        assert!(pair.shape(&[text("W75"), text("4")], 9).unwrap_err().contains("W75"));
        let column = Coordinates::Column(0);
        for geometry in [
            "POINT (1 2)",
            "SRID=4326;POINT (1 2)",
            "{\"type\":\"Point\",\"coordinates\":[1,2]}",
            "0101000000000000000000F03F0000000000000040",
        ] {
            assert_eq!(column.shape(&[text(geometry)], 9), Ok(Some(Shape::point(1.0, 2.0))), "{geometry}");
        }
        assert!(column.shape(&[text("PUNTO (1 2)")], 9).is_err());
    }
}
