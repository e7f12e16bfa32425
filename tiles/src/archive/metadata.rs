//! What an archive says of itself: TileJSON's words, as PMTiles v3 asks.

use std::ops::RangeInclusive;

use layers::{AttributeType, Extent, GeometryType, Layer};
use serde_json::{Map, Value, json};

use super::Contents;

/// The metadata's document. Texts are in Spanish where there are any.
pub(super) fn document(contents: &Contents<'_>, zooms: &RangeInclusive<u8>) -> Value {
    let of_several = contents.layers.len() > 1;
    let described = contents.layers.iter().flat_map(|layer| vector_layers(layer, of_several, zooms));
    let mut document = json!({
        "name": contents.name,
        "description": listed(contents, |layer| {
            let said = if of_several { &layer.definition.title } else { &layer.definition.description };
            said.in_language("es")
        }),
        "type": "overlay",
        "vector_layers": described.collect::<Vec<_>>(),
        "generator": concat!("Lindero ", env!("CARGO_PKG_VERSION")),
    });
    let sources = listed(contents, |layer| &layer.definition.source);
    if !sources.is_empty() {
        // Viewers put the attribution into their page as HTML.
        document["attribution"] = json!(maud::html! { (sources) }.into_string());
    }
    document
}

/// What is said of each layer, once, as a list.
fn listed<'a>(contents: &Contents<'a>, said: impl Fn(&'a Layer) -> &'a str) -> String {
    let mut list: Vec<&str> = Vec::new();
    for one in contents.layers.iter().map(said) {
        if !one.is_empty() && !list.contains(&one) {
            list.push(one);
        }
    }
    list.join(", ")
}

/// The MVT layers that a collection has in the tiles: its own, and that of its
/// labels, which has the collection's name in it where there are several.
fn vector_layers(layer: &Layer, of_several: bool, zooms: &RangeInclusive<u8>) -> Vec<Value> {
    let definition = &layer.definition;
    let from = definition.min_zoom.max(*zooms.start());
    if from > *zooms.end() {
        return Vec::new();
    }
    let known = definition.attributes.iter().filter(|attribute| attribute.kind != AttributeType::Json);
    let fields: Map<String, Value> =
        known.map(|attribute| (attribute.name.clone(), json!(attribute.title.in_language("es")))).collect();
    let mut described = vec![json!({
        "id": layer.id,
        "description": definition.description.in_language("es"),
        "minzoom": from,
        "maxzoom": zooms.end(),
        "fields": fields,
    })];
    let may_have_areas =
        matches!(layer.geometry_type, GeometryType::Polygon | GeometryType::MultiPolygon | GeometryType::Geometry);
    if may_have_areas && definition.label.is_some() {
        described.push(json!({
            "id": if of_several { format!("{}_labels", layer.id) } else { "labels".to_owned() },
            "minzoom": from,
            "maxzoom": zooms.end(),
            "fields": { "name": "" },
        }));
    }
    described
}

/// The zoom at which the whole box is seen on a small window (512 pixels, at
/// 512 pixels a tile), within those that there are.
pub(super) fn centre_zoom(extent: Extent, zooms: &RangeInclusive<u8>) -> u8 {
    let part = ((extent.east - extent.west) / 360.0).max((extent.north - extent.south) / 180.0);
    // Of no size: infinity, which the cast makes the highest there is.
    let fitting = (1.0 / part).log2().floor().max(0.0) as u8;
    fitting.clamp(*zooms.start(), *zooms.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_s_zoom_shows_the_whole() {
        let ibague = Extent { west: -75.6, south: 4.2, east: -74.9, north: 4.7 };
        assert_eq!(centre_zoom(ibague, &(0..=15)), 8);
        assert_eq!(centre_zoom(ibague, &(12..=15)), 12);
        let world = Extent { west: -180.0, south: -85.0, east: 180.0, north: 85.0 };
        assert_eq!(centre_zoom(world, &(0..=15)), 0);
        let place = Extent { west: -75.2, south: 4.4, east: -75.2, north: 4.4 };
        assert_eq!(centre_zoom(place, &(0..=15)), 15);
    }
}
