use layers::Layer;
use maud::{Markup, html};
use serde_json::Value;
use tiles::MatrixSet;

use super::layout::{Page, layout, page_url, to_catalogue};
use crate::http::asked::{Asked, Language};

/// The tile matrix sets.
pub(in crate::http) fn matrix_sets(asked: &Asked) -> Markup {
    let title = asked.language.choose("Esquemas de teselas", "Tile matrix sets");
    let body = html! {
        h1 { (title) }
        ul { @for set in MatrixSet::ALL {
            li { a href=(page_url(asked, &format!("/tileMatrixSets/{}", set.id()))) { (set.id()) } }
        } }
    };
    layout(asked, &Page { title, way: Vec::new(), body })
}

/// One tile matrix set, from its document.
pub(in crate::http) fn matrix_set(asked: &Asked, document: &Value) -> Markup {
    let language = asked.language;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let columns = ["id", "scaleDenominator", "cellSize", "pointOfOrigin", "matrixWidth", "matrixHeight"];
    let id = text(&document["id"]);
    let axes: Vec<String> = document["orderedAxes"].as_array().into_iter().flatten().map(text).collect();
    let body = html! {
        h1 { (id) }
        p { (text(&document["title"])) }
        @if let Some(description) = document["description"].as_str() { p { (description) } }
        dl {
            @if let Some(uri) = document["uri"].as_str() { dt { "URI" } dd { code { (uri) } } }
            dt { "CRS" } dd { code { (text(&document["crs"])) } }
            dt { (language.choose("Orden de los ejes", "Order of axes")) } dd { (axes.join(", ")) }
        }
        div.scroll role="region" tabindex="0" aria-label=(id) { table {
            thead { tr { @for column in columns { th scope="col" { code { (column) } } } } }
            tbody {
                @for matrix in document["tileMatrices"].as_array().into_iter().flatten() {
                    tr { @for column in columns { td.number { (text(&matrix[column])) } } }
                }
            }
        } }
    };
    let way =
        vec![("/tileMatrixSets".to_owned(), language.choose("Esquemas de teselas", "Tile matrix sets").to_owned())];
    layout(asked, &Page { title: &id, way, body })
}

/// A layer's tilesets.
pub(in crate::http) fn tilesets(asked: &Asked, layer: &Layer) -> Markup {
    let title = asked.language.choose("Teselas vectoriales", "Vector tiles");
    let body = html! {
        h1 { (layer.definition.title.in_language(asked.language.code())) }
        ul { @for set in MatrixSet::ALL {
            li { a href=(page_url(asked, &format!("/collections/{}/tiles/{}", layer.id, set.id()))) { (set.id()) } }
        } }
    };
    layout(asked, &Page { title, way: way(asked, layer), body })
}

/// One tileset: how its tiles are fetched and what is in them.
pub(in crate::http) fn tileset(asked: &Asked, layer: &Layer, set: MatrixSet, template: &str) -> Markup {
    let language = asked.language;
    let mut way = way(asked, layer);
    way.push((
        format!("/collections/{}/tiles", layer.id),
        language.choose("Teselas vectoriales", "Vector tiles").to_owned(),
    ));
    let body = html! {
        h1 { (layer.definition.title.in_language(language.code())) }
        dl {
            (addresses(asked, set, template))
            dt { (language.choose("Acercamientos", "Zooms")) }
            dd { (set.zoom_at_scale(layer.definition.min_zoom)) " … " (set.highest_zoom()) }
        }
        (generalised(layer, language))
    };
    layout(asked, &Page { title: set.id(), way, body })
}

/// Where a tileset's tiles are, and what says how they lie.
pub(super) fn addresses(asked: &Asked, set: MatrixSet, template: &str) -> Markup {
    let language = asked.language;
    html! {
        dt { (language.choose("Teselas", "Tiles")) } dd { code { (template) } }
        dt { (language.choose("Esquema de teselas", "Tile matrix set")) }
        dd { a href=(page_url(asked, &format!("/tileMatrixSets/{}", set.id()))) { (set.id()) } }
        @if set == MatrixSet::WebMercatorQuad {
            dt { "TileJSON" } dd { a href=(asked.url_with(&[("f", Some("tilejson"))])) { "TileJSON 3.0" } }
        }
    }
}

/// What becomes of the layer in tiles that would be too large.
pub(super) fn generalised(layer: &Layer, language: Language) -> Markup {
    html! {
        h2 { (language.choose("Teselas generalizadas", "Generalised tiles")) }
        ol { @for step in tiles::generalisation(layer) { li { (step.in_language(language.code())) } } }
    }
}

fn way(asked: &Asked, layer: &Layer) -> Vec<(String, String)> {
    vec![
        to_catalogue(asked.language),
        (format!("/collections/{}", layer.id), layer.definition.title.in_language(asked.language.code()).to_owned()),
    ]
}
