//! What is told to a layer's readers of how it is generalised.

use layers::{Attribute, GeometryType, Layer, LayerDefinition, Text};

use super::levels::MOST_DISTINCT;
use super::points::PIXELS;
use crate::MOST_BYTES;
use crate::index::GeometryKind;

/// What becomes of the layer's features in tiles that would have too many
/// bytes: a sentence for each step, in the order in which the steps are taken.
pub fn generalisation(layer: &Layer) -> Vec<Text> {
    let definition = &layer.definition;
    let class = definition.classify_by.as_deref();
    let kilobytes = MOST_BYTES / 1000;
    let mut said = vec![text(
        format!(
            "Una tesela que tendría más de {kilobytes} kB con gzip se generaliza, y la respuesta lleva \
             lindero-generalised: true. Un píxel es 1/512 del lado de la tesela."
        ),
        format!(
            "A tile that would have more than {kilobytes} kB with gzip is generalised, and the answer has \
             lindero-generalised: true. A pixel is 1/512 of the tile's side."
        ),
    )];
    said.extend(kinds(layer.geometry_type).iter().map(|kind| of_kind(*kind, class)));
    said.push(attributes(definition));
    said.extend(entering(definition));
    said.push(text(
        "Si aun así no cabe, se dibuja como desde más lejos, un acercamiento tras otro.".to_owned(),
        "Where that is still too much, it is drawn as from farther away, one zoom after the other.".to_owned(),
    ));
    said
}

/// The attributes that generalised tiles keep whatever their values: they say
/// how a feature is drawn and named.
pub(crate) fn always_kept(definition: &LayerDefinition) -> Vec<&str> {
    let mut named = Vec::new();
    for (_, name) in definition.drawn_by() {
        if !named.contains(&name) {
            named.push(name);
        }
    }
    named
}

fn kinds(geometry_type: GeometryType) -> &'static [GeometryKind] {
    use GeometryKind::{Areas, Lines, Points};
    match geometry_type {
        GeometryType::Polygon | GeometryType::MultiPolygon => &[Areas],
        GeometryType::LineString | GeometryType::MultiLineString => &[Lines],
        GeometryType::Point | GeometryType::MultiPoint => &[Points],
        GeometryType::Geometry | GeometryType::GeometryCollection => &[Areas, Lines, Points],
    }
}

fn of_kind(kind: GeometryKind, class: Option<&str>) -> Text {
    let among = |es: &str, en: &str| {
        class.map_or_else(Default::default, |class| (format!("{es}{class}"), format!("{en}{class}")))
    };
    match kind {
        GeometryKind::Areas => {
            let (es, en) = among(" con el mismo valor de ", " with the same ");
            text(
                format!(
                    "Áreas: las de un píxel cuadrado o más se simplifican en un cuarto de píxel; las menores{es} se \
                     reúnen en cuadrados que suman la misma superficie, cada uno con los atributos de una de ellas."
                ),
                format!(
                    "Areas: those of a square pixel or more are simplified by a quarter of a pixel; smaller ones{en} \
                     are gathered into squares that cover as much together, each with the attributes of one of them."
                ),
            )
        }
        GeometryKind::Lines => text(
            "Líneas: las que son iguales en los atributos que quedan se unen por sus extremos; lo que entonces mide \
             menos de medio píxel se omite y lo demás se simplifica en un cuarto de píxel. point_count dice cuántas \
             representa cada una."
                .to_owned(),
            "Lines: those that are alike in the attributes that stay are joined end to end; what then is shorter than \
             half a pixel is left out and the rest simplified by a quarter of one. point_count says for how many each \
             one stands."
                .to_owned(),
        ),
        GeometryKind::Points => {
            let (es, en) = among(" y valor de ", " and ");
            text(
                format!(
                    "Puntos: queda uno por cada cuadrado de {PIXELS} píxeles{es}. point_count dice cuántos representa."
                ),
                format!(
                    "Points: one stays for each square of {PIXELS} pixels{en}. point_count says for how many it stands."
                ),
            )
        }
    }
}

fn attributes(definition: &LayerDefinition) -> Text {
    let kept = always_kept(definition).join(", ");
    let (es, en) = if kept.is_empty() { Default::default() } else { (format!("{kept} y "), format!("{kept} and ")) };
    text(
        format!(
            "Atributos: quedan {es}los que tienen a lo sumo {MOST_DISTINCT} valores distintos. Lo que representa a \
             varios elementos no lleva identificador."
        ),
        format!(
            "Attributes: {en}those with at most {MOST_DISTINCT} distinct values stay. What stands for several features \
             has no id."
        ),
    )
}

/// Which attributes enter later than the layer.
fn entering(definition: &LayerDefinition) -> Option<Text> {
    let late = definition.attributes.iter().filter(|attribute| attribute.min_zoom > definition.min_zoom);
    let late: Vec<String> = late.map(|Attribute { name, min_zoom, .. }| format!("{name} ({min_zoom})")).collect();
    let late = late.join(", ");
    (!late.is_empty()).then(|| {
        text(
            format!("Solo desde el acercamiento indicado están en las teselas: {late}."),
            format!("In tiles from the zoom on that is given only: {late}."),
        )
    })
}

fn text(es: String, en: String) -> Text {
    Text { es, en }
}
