use maud::{Markup, html};
use openapiv3::{OpenAPI, Operation, Parameter, ReferenceOr};

use super::layout::{Page, layout, page_url};
use crate::http::asked::Asked;

/// What there is here: shown where the web app is not built in.
pub(in crate::http) fn landing(asked: &Asked, description: &str) -> Markup {
    let language = asked.language;
    let links = [
        ("/collections", language.choose("Catálogo de capas", "Catalogue of layers")),
        ("/api", language.choose("Descripción de la API", "API description")),
        ("/conformance", language.choose("Conformidad", "Conformance")),
        ("/tiles", language.choose("Teselas de todas las capas", "Tiles of all layers")),
        ("/tileMatrixSets", language.choose("Esquemas de teselas", "Tile matrix sets")),
    ];
    let body = html! {
        h1 { "Lindero" }
        p { (description) }
        ul { @for (path, title) in links { li { a href=(page_url(asked, path)) { (title) } } } }
    };
    layout(asked, &Page { title: language.choose("Inicio", "Home"), way: Vec::new(), body })
}

/// The conformance classes.
pub(in crate::http) fn conformance(asked: &Asked, classes: &[&str]) -> Markup {
    let title = asked.language.choose("Conformidad", "Conformance");
    let body = html! {
        h1 { (title) }
        ul { @for class in classes { li { code { (class) } } } }
    };
    layout(asked, &Page { title, way: Vec::new(), body })
}

/// The API's description: every operation with its parameters.
pub(in crate::http) fn api(asked: &Asked, api: &OpenAPI) -> Markup {
    let language = asked.language;
    let title = language.choose("Descripción de la API", "API description");
    let body = html! {
        h1 { (api.info.title) " " (api.info.version) }
        @if let Some(description) = &api.info.description { p lang="en" { (description) } }
        @for (path, item) in &api.paths.paths {
            @if let ReferenceOr::Item(item) = item {
                @for (method, operation) in item.iter() { (operation_of(asked, api, method, path, operation)) }
            }
        }
    };
    layout(asked, &Page { title, way: Vec::new(), body })
}

fn operation_of(asked: &Asked, api: &OpenAPI, method: &str, path: &str, operation: &Operation) -> Markup {
    let language = asked.language;
    html! {
        details.operation {
            summary {
                code { (method.to_uppercase()) " " (path) }
                @if let Some(summary) = &operation.summary { ": " span lang="en" { (summary) } }
            }
            @if let Some(description) = &operation.description { p { (description) } }
            @if !operation.parameters.is_empty() {
                div.scroll role="region" tabindex="0" aria-label=(format!("{} {path}", language.choose("Parámetros de", "Parameters of"))) { table {
                    caption { (language.choose("Parámetros", "Parameters")) }
                    thead { tr {
                        th scope="col" { (language.choose("Nombre", "Name")) }
                        th scope="col" { (language.choose("Descripción", "Description")) }
                    } }
                    tbody { @for parameter in &operation.parameters { (parameter_of(api, parameter)) } }
                } }
            }
            p { (language.choose("Respuestas: ", "Answers: "))
                @for (index, (status, _)) in operation.responses.responses.iter().enumerate() {
                    @if index > 0 { ", " } (status)
                }
            }
        }
    }
}

fn parameter_of(api: &OpenAPI, parameter: &ReferenceOr<Parameter>) -> Markup {
    let shared = |name: &str| api.components.as_ref()?.parameters.get(name)?.as_item();
    let known = match parameter {
        ReferenceOr::Item(parameter) => Some(parameter),
        ReferenceOr::Reference { reference } => reference.rsplit('/').next().and_then(shared),
    };
    html! {
        @if let Some(data) = known.map(Parameter::parameter_data_ref) {
            tr {
                th scope="row" { code { (data.name) } }
                td lang="en" { (data.description.as_deref().unwrap_or_default()) }
            }
        }
    }
}
