use layers::Layer;
use layers::features::Feature;
use maud::{Markup, html};

use super::layout::{Page, layout, page_url, to_catalogue};
use super::values;
use crate::http::asked::Asked;

/// A page of features.
pub(in crate::http) struct List<'a> {
    pub(in crate::http) features: &'a [Feature],
    pub(in crate::http) matched: i64,
    pub(in crate::http) previous: Option<String>,
    pub(in crate::http) next: Option<String>,
}

/// The features as a table with its paging.
pub(in crate::http) fn items(asked: &Asked, layer: &Layer, list: &List) -> Markup {
    let language = asked.language;
    let layer_title = layer.definition.title.in_language(language.code());
    let title = language.choose("Elementos", "Features");
    let here = format!("/collections/{}", layer.id);
    let attributes = &layer.definition.attributes;
    let count = language
        .choose(
            &format!("{} de {} elementos", list.features.len(), list.matched),
            &format!("{} of {} features", list.features.len(), list.matched),
        )
        .to_owned();
    let body = html! {
        h1 { (layer_title) }
        div.scroll role="region" aria-label=(title) tabindex="0" { table {
            caption { (count) }
            thead { tr {
                th scope="col" { "id" }
                @for attribute in attributes { th scope="col" { (values::heading(attribute, language)) } }
            } }
            tbody {
                @for feature in list.features {
                    tr {
                        th scope="row" {
                            a href=(page_url(asked, &format!("{here}/items/{}", super::feature::segment(&feature.id)))) { (feature.id) }
                        }
                        @for (attribute, value) in attributes.iter().zip(&feature.values) {
                            td.number[values::is_number(value)] { (values::value(attribute, value, language)) }
                        }
                    }
                }
            }
        } }
        nav aria-label=(language.choose("Páginas", "Pages")) {
            ul.actions {
                @if let Some(previous) = &list.previous {
                    li { a rel="prev" href=(previous) { (language.choose("Anteriores", "Previous")) } }
                }
                @if let Some(next) = &list.next {
                    li { a rel="next" href=(next) { (language.choose("Siguientes", "Next")) } }
                }
            }
        }
    };
    let way = vec![to_catalogue(language), (here.clone(), layer_title.to_owned())];
    layout(asked, &Page { title, way, body })
}
