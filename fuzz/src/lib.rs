//! Layers out of nowhere, for the fuzzers.

use arbitrary::Arbitrary;
use geo::{Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};
use geozero::{CoordDimensions, ToWkb};
use layers::features::{Feature, FeatureId, SnapshotRow};
use layers::{ChangeCapture, Dimension, GeometryType, Kind, Layer, Table, Value};
use serde_json::json;

/// The middle of what is drawn, in metres of EPSG:3857: a corner of tiles of
/// many zooms.
const MIDDLE: (f64, f64) = (-8_375_052.315, 494_000.0);

/// A feature: its shape, and what it is worth.
#[derive(Debug, Arbitrary)]
pub struct Drawn {
    kind: u8,
    /// Metres to a step: 2 to that power, less 6.
    scale: u8,
    parts: Vec<Vec<(i16, i16)>>,
    text: Option<u8>,
    number: Option<f64>,
    whole: Option<i64>,
}

impl Drawn {
    fn geometry(&self) -> Geometry<f64> {
        let step = f64::from(2.0_f32.powi(i32::from(self.scale % 16) - 6));
        let place = |(x, y): &(i16, i16)| Coord {
            x: MIDDLE.0 + f64::from(*x) * step,
            y: MIDDLE.1 + f64::from(*y) * step,
        };
        let parts = || self.parts.iter().take(12).filter(|part| !part.is_empty());
        let line = |part: &Vec<(i16, i16)>| part.iter().take(200).map(place).collect::<LineString<f64>>();
        match self.kind % 4 {
            0 => MultiPoint(parts().flatten().map(place).map(Point).collect()).into(),
            1 => MultiLineString(parts().map(line).collect()).into(),
            2 => {
                let mut rings = parts().map(line);
                let exterior = rings.next().unwrap_or(LineString(Vec::new()));
                Polygon::new(exterior, rings.collect()).into()
            }
            _ => MultiPolygon(parts().map(|part| Polygon::new(line(part), Vec::new())).collect()).into(),
        }
    }

    fn values(&self) -> Vec<Value> {
        vec![
            self.text.map_or(Value::Null, |text| Value::Text(format!("clase {}", text % 7))),
            self.number.map_or(Value::Null, Value::Number),
            self.whole.map_or(Value::Null, Value::Integer),
        ]
    }
}

/// The features of those that have a geometry.
pub fn features(drawn: &[Drawn]) -> Vec<SnapshotRow> {
    let feature = |(number, drawn): (usize, &Drawn)| {
        let wkb = drawn.geometry().to_wkb(CoordDimensions::xy()).ok();
        let id = FeatureId::Number(number as i64);
        SnapshotRow { feature: Feature { id, geometry: wkb, values: drawn.values() }, label: None, is_lost: false }
    };
    drawn.iter().take(400).enumerate().map(feature).collect()
}

/// A layer with the attributes of [`Drawn`].
pub fn layer() -> Layer {
    let definition = json!({
        "title": { "es": "Capa" },
        "visibility": "publica",
        "classify_by": "clase",
        "attributes": [
            { "name": "clase", "type": "text" },
            { "name": "valor", "type": "number" },
            { "name": "entero", "type": "integer" },
        ],
    });
    Layer {
        id: "capa".parse().expect("an id"),
        municipality: "73001".parse().expect("a code"),
        kind: Kind::Managed,
        table: Table {
            schema: "geo".to_owned(),
            name: "capa".to_owned(),
            key: "fid".to_owned(),
            key_type: "int8".to_owned(),
            geometry: "geom".to_owned(),
        },
        geometry_type: GeometryType::Geometry,
        dimension: Dimension::Xy,
        storage_srid: 9377,
        declared_crs: "EPSG:9377".to_owned(),
        definition: serde_json::from_value(definition).expect("a definition"),
        feature_count: 1,
        extent: None,
        change_capture: ChangeCapture::Triggers,
        content_updated_at: Default::default(),
        history_since: None,
    }
}
