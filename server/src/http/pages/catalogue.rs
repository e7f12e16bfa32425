use layers::Layer;
use maud::{Markup, html};

use super::layout::{Page, layout, page_url};
use crate::http::asked::Asked;

/// The catalogue: every layer by sector.
pub(in crate::http) fn catalogue(asked: &Asked, layers: &[Layer]) -> Markup {
    let language = asked.language;
    let by_sector = layers.chunk_by(|one, next| one.definition.sector == next.definition.sector);
    let title = language.choose("Capas", "Layers");
    let body = html! {
        h1 { (title) }
        @if layers.is_empty() {
            p { (language.choose("Todavía no hay capas públicas.", "There are no public layers yet.")) }
        }
        @for sector in by_sector {
            @if let Some(first) = sector.first() {
                @let sector_title = first.definition.sector.title();
                h2 { (sector_title.in_language(language.code())) }
                div.scroll role="region" tabindex="0" aria-label=(sector_title.in_language(language.code())) { table {
                    thead { tr {
                        th scope="col" { (language.choose("Capa", "Layer")) }
                        th scope="col" { (language.choose("Descripción", "Description")) }
                        th scope="col" { (language.choose("Elementos", "Features")) }
                        th scope="col" { (language.choose("Actualizada", "Updated")) }
                    } }
                    tbody {
                        @for layer in sector { (row(asked, layer)) }
                    }
                } }
            }
        }
    };
    layout(asked, &Page { title, way: Vec::new(), body })
}

fn row(asked: &Asked, layer: &Layer) -> Markup {
    let language = asked.language;
    html! {
        tr {
            th scope="row" {
                a href=(page_url(asked, &format!("/collections/{}", layer.id))) {
                    (layer.definition.title.in_language(language.code()))
                }
            }
            td { (layer.definition.description.in_language(language.code())) }
            td.number { (layer.feature_count) }
            td {
                (layer.content_updated_at.date_naive())
                @if layer.is_overdue(chrono::Utc::now()) {
                    " · " (language.choose("actualización vencida", "update overdue"))
                }
            }
        }
    }
}
