//! The tile matrix sets as OGC's Two Dimensional Tile Matrix Set 2.0 has them.

use layers::crs;
use serde_json::{Value, json};
use tiles::{MatrixSet, TILE_SIZE};

use crate::http::asked::{Asked, Language};
use crate::http::document::JSON;
use crate::http::links::{self, Link};

/// The standard's size of a pixel, in metres.
const PIXEL: f64 = 0.000_28;

/// The definition in OGC's register; none of ours.
pub(super) fn uri(set: MatrixSet) -> Option<&'static str> {
    match set {
        MatrixSet::WebMercatorQuad => Some("http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"),
        MatrixSet::WorldCrs84Quad => Some("http://www.opengis.net/def/tilematrixset/OGC/1.0/WorldCRS84Quad"),
        MatrixSet::MagnaOrigenNacional => None,
    }
}

/// Its CRS.
pub(super) fn crs(set: MatrixSet) -> String {
    match set {
        MatrixSet::WorldCrs84Quad => crs::CRS84.to_owned(),
        MatrixSet::WebMercatorQuad | MatrixSet::MagnaOrigenNacional => crs::epsg_uri(set.srid()),
    }
}

/// Where its definition is.
pub(super) fn address(asked: &Asked, set: MatrixSet) -> String {
    asked.base.join(&format!("/tileMatrixSets/{}?f=json", set.id()))
}

fn title(set: MatrixSet, language: Language) -> &'static str {
    match set {
        MatrixSet::WebMercatorQuad => "Google Maps Compatible for the World",
        MatrixSet::WorldCrs84Quad => "CRS84 for the World",
        MatrixSet::MagnaOrigenNacional => {
            language.choose("Colombia en MAGNA-SIRGAS / Origen Nacional", "Colombia in MAGNA-SIRGAS / Origen Nacional")
        }
    }
}

/// `/tileMatrixSets`.
pub(super) fn list(asked: &Asked) -> Value {
    let of = |set: MatrixSet| {
        let mut entry = json!({ "id": set.id(), "title": title(set, asked.language) });
        if let Some(uri) = uri(set) {
            entry["uri"] = json!(uri);
        }
        entry["crs"] = json!(crs(set));
        entry["links"] = json!([Link::new("self", JSON, address(asked, set))]);
        entry
    };
    json!({ "links": links::own(asked, JSON), "tileMatrixSets": MatrixSet::ALL.map(of) })
}

/// `/tileMatrixSets/{set}`: the zooms at which there are tiles.
pub(super) fn definition(set: MatrixSet, language: Language) -> Value {
    let mut definition = json!({ "id": set.id(), "title": title(set, language) });
    if let Some(uri) = uri(set) {
        definition["uri"] = json!(uri);
    }
    definition["crs"] = json!(crs(set));
    match set {
        MatrixSet::WebMercatorQuad => {
            definition["orderedAxes"] = json!(["X", "Y"]);
            definition["wellKnownScaleSet"] = json!("http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible");
        }
        MatrixSet::WorldCrs84Quad => {
            definition["orderedAxes"] = json!(["Lon", "Lat"]);
            definition["wellKnownScaleSet"] = json!("http://www.opengis.net/def/wkss/OGC/1.0/GoogleCRS84Quad");
        }
        MatrixSet::MagnaOrigenNacional => {
            definition["description"] = json!(language.choose(
                "Una tesela de 2 560 km de lado contiene en el nivel 0 el área de uso de EPSG:9377, con el mar y San \
                 Andrés. Sus píxeles miden 10 km, y la mitad en cada nivel siguiente: a la escala del nivel n de \
                 WebMercatorQuad está aquí el nivel n - 4. Desde el nivel 4 el falso origen del sistema \
                 (N 2 000 000, E 5 000 000) es esquina de teselas.",
                "At level 0 one tile, 2 560 km wide, holds the area of use of EPSG:9377, the sea and San Andrés \
                 included. Its pixels are 10 km wide, and half of that with each level: at the scale of \
                 WebMercatorQuad's level n there is level n - 4. From level 4 on the CRS's false origin \
                 (N 2 000 000, E 5 000 000) is a corner of tiles.",
            ));
            definition["orderedAxes"] = json!(["N", "E"]);
            let ([left, top], side) = (set.corner(), set.side(0));
            definition["boundingBox"] = json!({
                "lowerLeft": [top - side, left],
                "upperRight": [top, left + side],
                "crs": crs(set),
                "orderedAxes": ["N", "E"],
            });
        }
    }
    definition["tileMatrices"] = json!((0..=set.highest_zoom()).map(|zoom| matrix(set, zoom)).collect::<Vec<_>>());
    definition
}

fn matrix(set: MatrixSet, zoom: u8) -> Value {
    let (cell, [columns, rows], [left, top]) = (set.cell_size(zoom), set.size(zoom), set.corner());
    // In the order of the axes.
    let origin = if set == MatrixSet::MagnaOrigenNacional { [top, left] } else { [left, top] };
    json!({
        "id": zoom.to_string(),
        "scaleDenominator": cell * set.metres() / PIXEL,
        "cellSize": cell,
        "cornerOfOrigin": "topLeft",
        "pointOfOrigin": origin,
        "tileWidth": TILE_SIZE,
        "tileHeight": TILE_SIZE,
        "matrixWidth": columns,
        "matrixHeight": rows,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrices(set: MatrixSet) -> Vec<Value> {
        definition(set, Language::En)["tileMatrices"].as_array().unwrap().clone()
    }

    fn near(value: &Value, expected: f64) -> bool {
        (value.as_f64().unwrap() / expected - 1.0).abs() < 1e-9
    }

    #[test]
    fn the_numbers_are_those_of_the_register() {
        let mercator = matrices(MatrixSet::WebMercatorQuad);
        assert_eq!(mercator.len(), 23);
        assert!(near(&mercator[0]["scaleDenominator"], 559_082_264.028_717_9));
        assert!(near(&mercator[0]["cellSize"], 156_543.033_928_041));
        assert!(near(&mercator[0]["pointOfOrigin"][1], 20_037_508.342_789_2));
        assert!(near(&mercator[22]["scaleDenominator"], 133.295_598_980_597_3));

        let degrees = matrices(MatrixSet::WorldCrs84Quad);
        assert_eq!(degrees.len(), 22);
        assert!(near(&degrees[0]["scaleDenominator"], 279_541_132.014_358));
        assert!(near(&degrees[0]["cellSize"], 0.703_125));
        assert_eq!(degrees[0]["pointOfOrigin"], json!([-180.0, 90.0]));
        assert_eq!((&degrees[0]["matrixWidth"], &degrees[0]["matrixHeight"]), (&json!(2), &json!(1)));
        assert!(near(&degrees[21]["scaleDenominator"], 133.295_598_990_611));
        assert_eq!(degrees[21]["matrixWidth"], 4_194_304);
    }

    #[test]
    fn the_national_set_is_as_it_was_published() {
        let set = definition(MatrixSet::MagnaOrigenNacional, Language::En);
        assert_eq!(set["crs"], "http://www.opengis.net/def/crs/EPSG/0/9377");
        assert_eq!(set["orderedAxes"], json!(["N", "E"]));
        let matrices = set["tileMatrices"].as_array().unwrap();
        assert_eq!(matrices.len(), 19);
        for (zoom, matrix) in (0_u32..).zip(matrices) {
            assert_eq!(matrix["pointOfOrigin"], json!([3_440_000.0, 3_400_000.0]), "north before east");
            assert!(near(&matrix["cellSize"], 10_000.0 / f64::from(1 << zoom)));
            assert_eq!(matrix["matrixWidth"], 1 << zoom);
        }
        assert!(near(&matrices[0]["scaleDenominator"], 10_000.0 / 0.000_28));
        assert_eq!(set["boundingBox"]["lowerLeft"], json!([880_000.0, 3_400_000.0]));
    }
}
