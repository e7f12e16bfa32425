//! WebMercatorQuad, as OGC's Two Dimensional Tile Matrix Set 2.0 registers it.

use serde_json::{Value, json};
use tiles::{HIGHEST_ZOOM, TILE_SIZE, TileCoord};

use super::MATRIX_SET;
use crate::http::asked::Asked;
use crate::http::document::JSON;
use crate::http::links::{self, Link};

/// The registered definition.
pub(super) const URI: &str = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad";
/// Its CRS.
pub(super) const CRS: &str = "http://www.opengis.net/def/crs/EPSG/0/3857";

/// The standard's size of a pixel, in metres.
const PIXEL: f64 = 0.000_28;

/// `/tileMatrixSets`.
pub(super) fn list(asked: &Asked) -> Value {
    let here = asked.base.join(&format!("/tileMatrixSets/{MATRIX_SET}?f=json"));
    json!({
        "links": links::own(asked, JSON),
        "tileMatrixSets": [{
            "id": MATRIX_SET,
            "title": "Google Maps Compatible for the World",
            "uri": URI,
            "crs": CRS,
            "links": [Link::new("self", JSON, here)],
        }],
    })
}

/// `/tileMatrixSets/WebMercatorQuad`: the zooms at which there are tiles.
pub(super) fn web_mercator_quad() -> Value {
    json!({
        "id": MATRIX_SET,
        "title": "Google Maps Compatible for the World",
        "uri": URI,
        "crs": CRS,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": (0..=HIGHEST_ZOOM).filter_map(matrix).collect::<Vec<_>>(),
    })
}

fn matrix(zoom: u8) -> Option<Value> {
    let first = TileCoord::new(zoom.into(), 0, 0).ok()?;
    let cell = first.side() / f64::from(TILE_SIZE);
    let count = 1_u32 << zoom;
    let corner = first.side() * f64::from(count) / 2.0;
    Some(json!({
        "id": zoom.to_string(),
        "scaleDenominator": cell / PIXEL,
        "cellSize": cell,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": [-corner, corner],
        "tileWidth": TILE_SIZE,
        "tileHeight": TILE_SIZE,
        "matrixWidth": count,
        "matrixHeight": count,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_register() {
        let set = web_mercator_quad();
        let near = |value: &Value, expected: f64| (value.as_f64().unwrap() / expected - 1.0).abs() < 1e-9;
        let matrices = set["tileMatrices"].as_array().unwrap();
        assert_eq!(matrices.len(), 23);
        assert!(near(&matrices[0]["scaleDenominator"], 559_082_264.028_717_9));
        assert!(near(&matrices[0]["cellSize"], 156_543.033_928_041));
        assert!(near(&matrices[0]["pointOfOrigin"][1], 20_037_508.342_789_2));
        assert!(near(&matrices[22]["scaleDenominator"], 133.295_598_980_597_3));
    }
}
