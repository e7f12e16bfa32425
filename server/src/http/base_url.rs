//! The extractor [`BaseUrl`].

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::problem::{Kind, Problem};

/// Under what address the client sees this server: what links start with.
///
/// An extractor. It is the configured public URL, else what a trusted proxy
/// says, else what the request itself says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    /// Scheme, host and port, without a slash at the end.
    origin: Arc<str>,
    /// The base path: empty, or `/sig` (a slash before, none after).
    path: Arc<str>,
}

impl BaseUrl {
    /// From its two parts; slashes at their ends are dropped.
    pub(super) fn new(origin: &str, path: &str) -> Self {
        Self { origin: origin.trim_end_matches('/').into(), path: path.trim_end_matches('/').into() }
    }

    /// The absolute URL of `path`, which starts with a slash: `/collections`
    /// becomes `https://example.org/sig/collections`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin, self.path)
    }

    /// The base path with its slash at the end (`/` or `/sig/`), as
    /// `<base href>` needs it.
    pub fn base_href(&self) -> String {
        format!("{}/", self.path)
    }

    /// Scheme, host and port, as browsers write an origin.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether the client came by HTTPS.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BaseUrl {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // The border puts one on every request that it lets in.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::new(Kind::Internal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_follows_the_base_path_with_one_slash_between() {
        let root = BaseUrl::new("http://localhost:8080/", "/");
        assert_eq!(root.join("/collections"), "http://localhost:8080/collections");
        assert_eq!(root.base_href(), "/");
        let below = BaseUrl::new("https://example.org", "/sig/");
        assert_eq!(below.join("/"), "https://example.org/sig/");
        assert_eq!(below.base_href(), "/sig/");
    }
}
