use layers::Layer;
use maud::{Markup, html};
use tiles::MatrixSet;

use super::layout::{Page, layout, page_url};
use super::tiles::addresses;
use crate::http::asked::Asked;

/// The tilesets of all layers together.
pub(in crate::http) fn dataset_tilesets(asked: &Asked) -> Markup {
    let title = title(asked);
    let body = html! {
        h1 { (title) }
        ul { @for set in MatrixSet::ALL {
            li { a href=(page_url(asked, &format!("/tiles/{}", set.id()))) { (set.id()) } }
        } }
    };
    layout(asked, &Page { title, way: Vec::new(), body })
}

/// One of them: how its tiles are fetched and which layers are in them.
pub(in crate::http) fn dataset_tileset(asked: &Asked, set: MatrixSet, layers: &[Layer], template: &str) -> Markup {
    let language = asked.language;
    let body = html! {
        h1 { (title(asked)) }
        dl { (addresses(asked, set, template)) }
        h2 { (language.choose("Capas", "Layers")) }
        p { (language.choose(
            "Con collections, las que se pidan, separadas por comas.",
            "With collections, those that are asked for, with commas between.",
        )) }
        ul { @for layer in layers { li {
            a href=(page_url(asked, &format!("/collections/{}", layer.id))) {
                (layer.definition.title.in_language(language.code()))
            }
            " " code { (layer.id) }
        } } }
    };
    let way = vec![("/tiles".to_owned(), title(asked).to_owned())];
    layout(asked, &Page { title: set.id(), way, body })
}

fn title(asked: &Asked) -> &'static str {
    asked.language.choose("Teselas de todas las capas", "Tiles of all layers")
}
