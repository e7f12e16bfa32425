use serde::Serialize;

use super::asked::{Asked, Format};

/// A link of an OGC API document.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) rel: &'static str,
    #[serde(rename = "type")]
    pub(super) media_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) templated: Option<bool>,
}

impl Link {
    /// A link without a title.
    pub(super) fn new(rel: &'static str, media_type: &'static str, href: String) -> Self {
        Self { href, rel, media_type, title: None, templated: None }
    }

    /// Says what is behind it.
    #[must_use]
    pub(super) fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Its address is a template.
    #[must_use]
    pub(super) fn templated(mut self) -> Self {
        self.templated = Some(true);
        self
    }
}

/// This document as it is and as a page: `self` and `alternate`. `media_type`
/// is that of the document's JSON.
pub(super) fn own(asked: &Asked, media_type: &'static str) -> Vec<Link> {
    let language = asked.language;
    vec![
        Link::new("self", media_type, asked.url_with(&[("f", Some(Format::Json.name()))]))
            .titled(language.choose("Este documento", "This document")),
        Link::new("alternate", "text/html", asked.url_with(&[("f", Some(Format::Html.name()))]))
            .titled(language.choose("Este documento como página", "This document as a page")),
    ]
}
