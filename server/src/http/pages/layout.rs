//! What every page has: its head, its way back, its languages, its formats.

use maud::{DOCTYPE, Markup, html};

use super::STYLE_PATH;
use crate::http::asked::{Asked, Language};

/// A step of the way from the landing page to this one: path and title.
pub(super) type Step = (String, String);

/// A page.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    /// The steps above this page.
    pub(super) way: Vec<Step>,
    pub(super) body: Markup,
}

pub(super) fn layout(asked: &Asked, page: &Page) -> Markup {
    let language = asked.language;
    let other = match language {
        Language::Es => ("en", "English"),
        Language::En => ("es", "Español"),
    };
    html! {
        (DOCTYPE)
        html lang=(language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (page.title) " · Lindero" }
                link rel="stylesheet" href=(asked.base.join(STYLE_PATH));
                link rel="alternate" type="application/json" href=(asked.url_with(&[("f", Some("json"))]));
            }
            body {
                a.skip href="#content" { (language.choose("Ir al contenido", "Skip to the content")) }
                header {
                    a.name href=(asked.base.join("/")) { "Lindero" }
                    nav aria-label=(language.choose("Ruta", "Breadcrumb")) {
                        ol {
                            @for (path, title) in &page.way {
                                li { a href=(page_url(asked, path)) { (title) } }
                            }
                            li aria-current="page" { (page.title) }
                        }
                    }
                    a lang=(other.0) hreflang=(other.0)
                        href=(asked.url_with(&[("lang", Some(other.0)), ("f", Some("html"))])) { (other.1) }
                }
                main id="content" { (page.body) }
                footer {
                    ul {
                        li { a href=(asked.url_with(&[("f", Some("json"))])) {
                            (language.choose("Este documento en JSON", "This document as JSON"))
                        } }
                        li { a href=(page_url(asked, "/collections")) { (language.choose("Catálogo de capas", "Catalogue of layers")) } }
                        li { a href=(page_url(asked, "/api")) { (language.choose("Descripción de la API", "API description")) } }
                        li { a href=(asked.base.join("/")) { (language.choose("Mapa", "Map")) } }
                    }
                }
            }
        }
    }
}

/// The address of a page of ours, in the language of this one.
pub(super) fn page_url(asked: &Asked, path: &str) -> String {
    asked.base.join(&format!("{path}?f=html&lang={}", asked.language.code()))
}

/// The step to the catalogue.
pub(super) fn to_catalogue(language: Language) -> Step {
    ("/collections".to_owned(), language.choose("Capas", "Layers").to_owned())
}
