use layers::{Attribute, Domain, Layer};
use maud::{Markup, html};

use super::layout::{Page, layout, page_url, to_catalogue};
use super::tiles::generalised;
use super::values::heading;
use crate::http::asked::{Asked, Language};

/// One layer: what it is, who answers for it, its attributes.
pub(in crate::http) fn layer(asked: &Asked, layer: &Layer) -> Markup {
    let language = asked.language;
    let definition = &layer.definition;
    let title = definition.title.in_language(language.code());
    let facts = [
        (language.choose("Identificador", "Identifier"), layer.id.to_string()),
        (language.choose("Sector", "Sector"), definition.sector.title().in_language(language.code()).to_owned()),
        (language.choose("Elementos", "Features"), layer.feature_count.to_string()),
        (language.choose("Geometría", "Geometry"), layer.geometry_type.code().to_owned()),
        (language.choose("Sistema de referencia de origen", "Source reference system"), layer.declared_crs.clone()),
        (language.choose("Dependencia", "Department"), definition.dependency.clone()),
        (language.choose("Custodio", "Custodian"), definition.custodian.clone()),
        (language.choose("Fuente", "Source"), definition.source.clone()),
        (language.choose("Licencia", "Licence"), definition.licence.clone()),
        (language.choose("Actualizada", "Updated"), layer.content_updated_at.date_naive().to_string()),
    ];
    let page = |rest: &str| page_url(asked, &format!("/collections/{}{rest}", layer.id));
    let body = html! {
        h1 { (title) }
        p { (definition.description.in_language(language.code())) }
        ul.actions {
            li { a href=(page("/items")) { (language.choose("Ver los elementos en una tabla", "See the features in a table")) } }
            li { a href=(on_map(asked, layer)) { (language.choose("Ver en el mapa", "See on the map")) } }
            li { a href=(page("/queryables")) { (language.choose("Filtrar los elementos", "Filter the features")) } }
            li { a href=(page("/tiles")) { (language.choose("Teselas vectoriales", "Vector tiles")) } }
        }
        dl {
            @for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
                dt { (name) } dd { (value) }
            }
            @if let Some(extent) = layer.extent {
                dt { (language.choose("Extensión (oeste, sur, este, norte)", "Extent (west, south, east, north)")) }
                dd { @for (index, number) in extent.to_array().iter().enumerate() {
                    @if index > 0 { ", " } (format!("{number:.5}"))
                } }
            }
        }
        h2 { (language.choose("Atributos", "Attributes")) }
        div.scroll role="region" tabindex="0" aria-label=(language.choose("Atributos", "Attributes")) { table {
            thead { tr {
                th scope="col" { (language.choose("Título", "Title")) }
                th scope="col" { (language.choose("Nombre", "Name")) }
                th scope="col" { (language.choose("Tipo", "Type")) }
                th scope="col" { (language.choose("Valores", "Values")) }
            } }
            tbody {
                @for attribute in &definition.attributes {
                    tr {
                        th scope="row" { (heading(attribute, language)) }
                        td { code { (attribute.name) } }
                        td { (type_name(attribute, language)) }
                        td { (domain(attribute, language)) }
                    }
                }
            }
        } }
        (generalised(layer, language))
    };
    layout(asked, &Page { title, way: vec![to_catalogue(language)], body })
}

/// The web map with the layer switched on, over its extent.
fn on_map(asked: &Asked, layer: &Layer) -> String {
    asked.base.join(&format!("/#layers={}", layer.id))
}

pub(super) fn type_name(attribute: &Attribute, language: Language) -> &'static str {
    use layers::AttributeType::{Boolean, Date, DateTime, Integer, Json, Number, Text};
    match attribute.kind {
        Text => language.choose("texto", "text"),
        Integer => language.choose("entero", "integer"),
        Number => language.choose("número", "number"),
        Boolean => language.choose("sí o no", "yes or no"),
        Date => language.choose("fecha", "date"),
        DateTime => language.choose("fecha y hora", "date and time"),
        Json => language.choose("documento", "document"),
    }
}

pub(super) fn domain(attribute: &Attribute, language: Language) -> Markup {
    html! {
        @match &attribute.domain {
            None => {}
            Some(Domain::Values(values)) => {
                @for (index, known) in values.iter().enumerate() {
                    @if index > 0 { ", " }
                    (known.value)
                    @let title = known.title.in_language(language.code());
                    @if !title.is_empty() && title != known.value { " (" (title) ")" }
                }
            }
            Some(Domain::Range { min, max }) => { (min) " … " (max) }
            Some(Domain::Pattern(pattern)) => { code { (pattern) } }
        }
    }
}
