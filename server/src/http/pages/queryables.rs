use layers::filter::{QueryableKind, queryables as properties};
use layers::{AttributeType, Layer};
use maud::{Markup, html};

use super::layer::{domain, type_name};
use super::layout::{Page, layout, page_url, to_catalogue};
use super::values::heading;
use crate::http::asked::Asked;

/// What a filter on the layer may name, and a field to try one.
pub(in crate::http) fn queryables(asked: &Asked, layer: &Layer) -> Markup {
    let language = asked.language;
    let layer_title = layer.definition.title.in_language(language.code());
    let title = language.choose("Propiedades para filtrar", "Queryables");
    let here = format!("/collections/{}", layer.id);
    let filter = language.choose("Filtro (CQL2)", "Filter (CQL2)");
    let body = html! {
        h1 { (layer_title) }
        form action=(asked.base.join(&format!("{here}/items"))) method="get" {
            input type="hidden" name="f" value="html";
            input type="hidden" name="lang" value=(language.code());
            p {
                label for="filter" { (filter) } " "
                input id="filter" name="filter" type="text" size="60" required;
                " " button { (language.choose("Filtrar", "Filter")) }
            }
        }
        div.scroll role="region" tabindex="0" aria-label=(title) { table {
            caption { (title) }
            thead { tr {
                th scope="col" { (language.choose("Nombre", "Name")) }
                th scope="col" { (language.choose("Título", "Title")) }
                th scope="col" { (language.choose("Tipo", "Type")) }
                th scope="col" { (language.choose("Valores", "Values")) }
            } }
            tbody {
                @for property in properties(&asked.caller, layer) {
                    @match property.kind {
                        QueryableKind::Geometry => tr {
                            th scope="row" { code { (property.name) } }
                            td { (language.choose("Geometría", "Geometry")) }
                            td { (layer.geometry_type.code()) }
                            td {}
                        },
                        QueryableKind::Attribute(attribute) if attribute.kind != AttributeType::Json => tr {
                            th scope="row" { code { (property.name) } }
                            td { (heading(attribute, language)) }
                            td { (type_name(attribute, language)) }
                            td { (domain(attribute, language)) }
                        },
                        QueryableKind::Attribute(_) => {}
                    }
                }
            }
        } }
        ul.actions { li { a href=(page_url(asked, &format!("{here}/items"))) {
            (language.choose("Ver los elementos en una tabla", "See the features in a table"))
        } } }
    };
    let way = vec![to_catalogue(language), (here, layer_title.to_owned())];
    layout(asked, &Page { title, way, body })
}
