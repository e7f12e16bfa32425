use layers::Layer;
use layers::attachment::Attachment;
use layers::features::{Feature, FeatureId};
use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::layout::{Page, layout, to_catalogue};
use super::values;
use crate::http::asked::Asked;

/// What a path's segment may hold as it is (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A feature's id as a segment of a path.
pub(in crate::http) fn segment(id: &FeatureId) -> String {
    utf8_percent_encode(&id.to_string(), SEGMENT).to_string()
}

/// One feature: its attributes, with titles, units and what values mean, and
/// its photos and documents.
pub(in crate::http) fn feature(asked: &Asked, layer: &Layer, feature: &Feature, attachments: &[Attachment]) -> Markup {
    let language = asked.language;
    let layer_title = layer.definition.title.in_language(language.code());
    let title = name(layer, feature);
    let here = format!("/collections/{}", layer.id);
    let id = segment(&feature.id);
    let body = html! {
        h1 { (title) }
        p.quiet { (layer_title) }
        ul.actions {
            li {
                a href=(asked.base.join(&format!("/#layers={layer}&sel={layer}/{id}", layer = layer.id))) {
                    (language.choose("Ver en el mapa", "See on the map"))
                }
            }
        }
        dl {
            dt { "id" } dd { (feature.id) }
            @for (attribute, value) in layer.definition.attributes.iter().zip(&feature.values) {
                dt { (values::heading(attribute, language)) }
                dd { (values::value(attribute, value, language)) }
            }
            @if feature.geometry.is_none() {
                dt { (language.choose("Geometría", "Geometry")) }
                dd { (language.choose("sin geometría", "none")) }
            }
        }
        @if !attachments.is_empty() {
            h2 { (language.choose("Fotos y documentos", "Photos and documents")) }
            ul.attachments {
                @for attachment in attachments {
                    li { (attached(asked, &format!("{here}/items/{id}/attachments/{}", attachment.id), attachment)) }
                }
            }
        }
    };
    let way = vec![
        to_catalogue(language),
        (here.clone(), layer_title.to_owned()),
        (format!("{here}/items"), language.choose("Elementos", "Features").to_owned()),
    ];
    layout(asked, &Page { title: &title, way, body })
}

/// A photo, small, or a document's name; either leads to the file.
fn attached(asked: &Asked, path: &str, attachment: &Attachment) -> Markup {
    let said = attachment.caption.as_deref().unwrap_or(&attachment.name);
    html! {
        a href=(asked.base.join(path)) {
            @if let Some((width, height)) = attachment.pixels {
                img src=(asked.base.join(&format!("{path}/preview"))) alt="" loading="lazy" width=(width) height=(height);
            }
            (said)
        }
    }
}

/// What the feature is called: its label's value, or its id.
fn name(layer: &Layer, feature: &Feature) -> String {
    let label = layer.definition.label.as_deref();
    let position = layer.definition.attributes.iter().position(|attribute| Some(attribute.name.as_str()) == label);
    match position.and_then(|index| feature.values.get(index)) {
        Some(layers::Value::Text(text)) if !text.is_empty() => text.clone(),
        _ => feature.id.to_string(),
    }
}
