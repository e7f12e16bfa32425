//! GeoJSON (RFC 7946), written straight from WKB and values.

use geozero::error::Result as GeozeroResult;
use geozero::wkb::process_wkb_geom;
use geozero::{CoordDimensions, GeomProcessor};
use layers::Value;
use layers::features::{Feature, FeatureId};

/// Decimals of a degree: 8 are a millimetre on the ground.
const DEGREES: Decimals = Decimals { scale: 1e8, digits: 8 };
/// Decimals of a height in metres.
const METRES: Decimals = Decimals { scale: 1e3, digits: 3 };

/// Appends a feature. `keys` are the properties' names as JSON text with their
/// colon, in the order of the values ([`property_keys`]).
pub(in crate::http) fn write_feature(out: &mut Vec<u8>, keys: &[String], feature: &Feature) -> serde_json::Result<()> {
    out.extend_from_slice(br#"{"type":"Feature","id":"#);
    write_id(out, &feature.id)?;
    out.extend_from_slice(br#","geometry":"#);
    write_geometry(out, feature.geometry.as_deref())?;
    out.extend_from_slice(br#","properties":{"#);
    for (index, (key, value)) in keys.iter().zip(&feature.values).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(key.as_bytes());
        write_value(out, value)?;
    }
    out.extend_from_slice(b"}");
    Ok(())
}

/// The names of properties as JSON text, each with its colon.
pub(in crate::http) fn property_keys<'a>(names: impl Iterator<Item = &'a str>) -> serde_json::Result<Vec<String>> {
    names.map(|name| serde_json::to_string(name).map(|key| key + ":")).collect()
}

fn write_id(out: &mut Vec<u8>, id: &FeatureId) -> serde_json::Result<()> {
    match id {
        FeatureId::Number(number) => {
            write_integer(out, *number);
            Ok(())
        }
        FeatureId::Text(text) => serde_json::to_writer(out, text),
    }
}

fn write_value(out: &mut Vec<u8>, value: &Value) -> serde_json::Result<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Integer(number) => write_integer(out, *number),
        Value::Boolean(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        other => serde_json::to_writer(out, other)?,
    }
    Ok(())
}

/// A geometry from WKB; `null` where there is none.
pub(in crate::http) fn write_geometry(out: &mut Vec<u8>, wkb: Option<&[u8]>) -> serde_json::Result<()> {
    let Some(mut wkb) = wkb else {
        out.extend_from_slice(b"null");
        return Ok(());
    };
    let mut writer = GeometryWriter { out, ring: Vec::new(), in_polygon: false, in_multipoint: false };
    process_wkb_geom(&mut wkb, &mut writer).map_err(serde::ser::Error::custom)
}

/// Writes as geozero reads. A polygon's ring is held until it is whole, since
/// RFC 7946 wants the outer one counter-clockwise and the others clockwise.
struct GeometryWriter<'a> {
    out: &'a mut Vec<u8>,
    ring: Vec<(f64, f64, Option<f64>)>,
    in_polygon: bool,
    in_multipoint: bool,
}

impl GeometryWriter<'_> {
    fn begin(&mut self, name: &str, member: &str, index: usize) {
        self.comma(index);
        self.out.extend_from_slice(br#"{"type":""#);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(br#"",""#);
        self.out.extend_from_slice(member.as_bytes());
        self.out.extend_from_slice(br#"":["#);
    }

    fn open(&mut self, index: usize) {
        self.comma(index);
        self.out.push(b'[');
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
    }

    fn close(&mut self, closing: &[u8]) {
        self.out.extend_from_slice(closing);
    }

    fn write_ring(&mut self, outer: bool) {
        // Twice the signed area: positive is counter-clockwise.
        let area: f64 = self.ring.windows(2).map(|pair| pair[0].0 * pair[1].1 - pair[1].0 * pair[0].1).sum();
        if (area > 0.0) != outer {
            self.ring.reverse();
        }
        for (index, (x, y, z)) in self.ring.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write_position(self.out, *x, *y, *z);
        }
        self.ring.clear();
    }
}

impl GeomProcessor for GeometryWriter<'_> {
    fn dimensions(&self) -> CoordDimensions {
        CoordDimensions::xyz()
    }

    fn coordinate(
        &mut self,
        x: f64,
        y: f64,
        z: Option<f64>,
        _m: Option<f64>,
        _t: Option<f64>,
        _tm: Option<u64>,
        index: usize,
    ) -> GeozeroResult<()> {
        if self.in_polygon {
            self.ring.push((x, y, z));
        } else {
            self.comma(index);
            write_position(self.out, x, y, z);
        }
        Ok(())
    }

    // Called in the place of a point's begin, coordinate and end.
    fn empty_point(&mut self, index: usize) -> GeozeroResult<()> {
        if self.in_multipoint {
            self.comma(index);
        } else {
            self.begin("Point", "coordinates", index);
            self.out.pop();
        }
        self.close(if self.in_multipoint { b"[]" } else { b"[]}" });
        Ok(())
    }

    // A point's coordinates are one position, without the brackets of a list.
    fn point_begin(&mut self, index: usize) -> GeozeroResult<()> {
        self.begin("Point", "coordinates", index);
        self.out.pop();
        Ok(())
    }

    fn point_end(&mut self, _index: usize) -> GeozeroResult<()> {
        self.close(b"}");
        Ok(())
    }

    fn multipoint_begin(&mut self, _size: usize, index: usize) -> GeozeroResult<()> {
        self.begin("MultiPoint", "coordinates", index);
        self.in_multipoint = true;
        Ok(())
    }

    fn multipoint_end(&mut self, _index: usize) -> GeozeroResult<()> {
        self.in_multipoint = false;
        self.close(b"]}");
        Ok(())
    }

    fn linestring_begin(&mut self, tagged: bool, _size: usize, index: usize) -> GeozeroResult<()> {
        if tagged {
            self.begin("LineString", "coordinates", index);
        } else {
            self.open(index);
        }
        Ok(())
    }

    fn linestring_end(&mut self, tagged: bool, index: usize) -> GeozeroResult<()> {
        if self.in_polygon {
            self.write_ring(index == 0);
        }
        self.close(if tagged { b"]}" } else { b"]" });
        Ok(())
    }

    fn multilinestring_begin(&mut self, _size: usize, index: usize) -> GeozeroResult<()> {
        self.begin("MultiLineString", "coordinates", index);
        Ok(())
    }

    fn multilinestring_end(&mut self, _index: usize) -> GeozeroResult<()> {
        self.close(b"]}");
        Ok(())
    }

    fn polygon_begin(&mut self, tagged: bool, _size: usize, index: usize) -> GeozeroResult<()> {
        if tagged {
            self.begin("Polygon", "coordinates", index);
        } else {
            self.open(index);
        }
        self.in_polygon = true;
        Ok(())
    }

    fn polygon_end(&mut self, tagged: bool, _index: usize) -> GeozeroResult<()> {
        self.in_polygon = false;
        self.close(if tagged { b"]}" } else { b"]" });
        Ok(())
    }

    fn multipolygon_begin(&mut self, _size: usize, index: usize) -> GeozeroResult<()> {
        self.begin("MultiPolygon", "coordinates", index);
        Ok(())
    }

    fn multipolygon_end(&mut self, _index: usize) -> GeozeroResult<()> {
        self.close(b"]}");
        Ok(())
    }

    fn geometrycollection_begin(&mut self, _size: usize, index: usize) -> GeozeroResult<()> {
        self.begin("GeometryCollection", "geometries", index);
        Ok(())
    }

    fn geometrycollection_end(&mut self, _index: usize) -> GeozeroResult<()> {
        self.close(b"]}");
        Ok(())
    }
}

fn write_position(out: &mut Vec<u8>, x: f64, y: f64, z: Option<f64>) {
    // PostGIS writes POINT EMPTY as not-a-numbers.
    if x.is_nan() || y.is_nan() {
        out.extend_from_slice(b"[]");
        return;
    }
    out.push(b'[');
    write_decimal(out, x, DEGREES);
    out.push(b',');
    write_decimal(out, y, DEGREES);
    if let Some(z) = z.filter(|z| z.is_finite()) {
        out.push(b',');
        write_decimal(out, z, METRES);
    }
    out.push(b']');
}

#[derive(Clone, Copy)]
struct Decimals {
    scale: f64,
    digits: usize,
}

/// A number rounded to so many decimals, without zeros at its end.
fn write_decimal(out: &mut Vec<u8>, number: f64, decimals: Decimals) {
    let scaled = (number * decimals.scale).round();
    // Beyond this an i64 of the scaled number is no longer exact.
    if scaled.abs() >= 9e15 {
        out.extend_from_slice(format!("{number}").as_bytes());
        return;
    }
    let scaled = scaled as i64;
    if scaled < 0 {
        out.push(b'-');
    }
    let (whole, fraction) =
        (scaled.unsigned_abs() / decimals.scale as u64, scaled.unsigned_abs() % decimals.scale as u64);
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    if fraction > 0 {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(fraction);
        out.push(b'.');
        out.extend(std::iter::repeat_n(b'0', decimals.digits - digits.len()));
        out.extend_from_slice(digits.trim_end_matches('0').as_bytes());
    }
}

fn write_integer(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

#[cfg(test)]
mod tests {
    use geozero::wkt::Wkt;
    use geozero::{CoordDimensions, ToWkb};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn geometry(wkt: &str, dimensions: CoordDimensions) -> serde_json::Value {
        let wkb = Wkt(wkt).to_wkb(dimensions).unwrap();
        let mut out = Vec::new();
        write_geometry(&mut out, Some(&wkb)).unwrap();
        serde_json::from_slice(&out).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out)))
    }

    #[test]
    fn every_type_is_written() {
        for (wkt, expected) in [
            ("POINT(-75.2322 4.4389)", json!({"type": "Point", "coordinates": [-75.2322, 4.4389]})),
            ("MULTIPOINT(1 2, 3 4)", json!({"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]})),
            ("LINESTRING(1 2,3 4)", json!({"type": "LineString", "coordinates": [[1, 2], [3, 4]]})),
            (
                "MULTILINESTRING((1 2,3 4),(5 6,7 8))",
                json!({"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}),
            ),
            (
                "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(1 2,3 4))",
                json!({"type": "GeometryCollection", "geometries": [
                    {"type": "Point", "coordinates": [1, 2]},
                    {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}]}),
            ),
        ] {
            let numbers = |value: &serde_json::Value| value.to_string().replace(".0", "");
            assert_eq!(numbers(&geometry(wkt, CoordDimensions::xy())), numbers(&expected), "{wkt}");
        }
    }

    #[test]
    fn outer_rings_turn_left_and_holes_right() {
        let clockwise = geometry("MULTIPOLYGON(((0 0,0 9,9 9,9 0,0 0),(1 1,2 1,2 2,1 2,1 1)))", CoordDimensions::xy());
        assert_eq!(
            clockwise["coordinates"],
            json!([[[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]], [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]]]])
        );
    }

    #[test]
    fn heights_are_kept() {
        let point = geometry("POINT Z(1.5 2.25 1285.4567)", CoordDimensions::xyz());
        assert_eq!(point["coordinates"], json!([1.5, 2.25, 1285.457]));
    }

    #[test]
    fn what_is_empty_is_an_empty_list() {
        // POINT EMPTY as PostGIS writes it.
        let mut wkb = vec![1, 1, 0, 0, 0];
        wkb.extend(f64::NAN.to_le_bytes());
        wkb.extend(f64::NAN.to_le_bytes());
        let mut out = Vec::new();
        write_geometry(&mut out, Some(&wkb)).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"type":"Point","coordinates":[]}"#);
        assert_eq!(geometry("POLYGON EMPTY", CoordDimensions::xy()), json!({"type": "Polygon", "coordinates": []}));
    }

    proptest! {
        #[test]
        fn numbers_are_rounded_and_short(number in -180.0..180.0_f64) {
            let mut out = Vec::new();
            write_decimal(&mut out, number, DEGREES);
            let text = String::from_utf8(out).unwrap();
            let back: f64 = text.parse().unwrap();
            prop_assert!((back - number).abs() <= 0.5e-8 + 1e-12, "{number} {text}");
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
            prop_assert!(!text.contains('.') || !text.ends_with('0'), "{text}");
        }
    }
}
