//! What a reading request asks: parameters, format, language.

use std::fmt::Display;
use std::str::FromStr;

use access::Caller;
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use headers_accept::Accept;
use mediatype::MediaType;
use url::form_urlencoded;

use super::base_url::BaseUrl;
use super::identify::caller;
use super::problem::Problem;

/// A language that Lindero speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Language {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
}

impl Language {
    /// Its code: `es`, `en`.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }

    /// The text in this language, of two.
    pub(super) fn choose<'a>(self, es: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Es => es,
            Self::En => en,
        }
    }
}

impl FromStr for Language {
    type Err = ();

    fn from_str(tag: &str) -> Result<Self, ()> {
        match tag {
            "es" => Ok(Self::Es),
            "en" => Ok(Self::En),
            _ => Err(()),
        }
    }
}

/// A form that a document can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// JSON, whatever the document's own kind of it is.
    Json,
    /// A page for people.
    Html,
    /// A table for a spreadsheet.
    Csv,
    /// TileJSON 3.0.
    TileJson,
    /// A vector tile.
    Mvt,
    /// Server-sent events.
    Events,
}

impl Format {
    /// The value of the parameter `f`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::TileJson => "tilejson",
            Self::Mvt => "mvt",
            Self::Events => "events",
            Self::Csv => "csv",
        }
    }
}

/// A format on offer and the media types by which `Accept` may ask for it.
pub(super) type Offer = (Format, &'static [&'static str]);

/// JSON and HTML, as most documents are.
pub(super) const JSON_AND_HTML: &[Offer] = &[(Format::Json, &["application/json"]), (Format::Html, &["text/html"])];

/// A request as a handler sees it. What is left of the parameters when a
/// handler has taken its own is refused.
#[derive(Debug)]
pub(super) struct Asked {
    /// Where links start.
    pub(super) base: BaseUrl,
    /// The path below the base.
    pub(super) path: String,
    /// `?lang=`, else `Accept-Language`, else Spanish.
    pub(super) language: Language,
    /// Every parameter as it was given, for links to the same thing.
    pub(super) given: Vec<(String, String)>,
    /// Who asks.
    pub(super) caller: Caller,
    /// Those that no handler has taken yet.
    left: Vec<(String, String)>,
    f: Option<String>,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let base = BaseUrl::from_request_parts(parts, state).await?;
        let given: Vec<(String, String)> =
            form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let mut asked = Self {
            base,
            path: parts.uri.path().to_owned(),
            language: Language::default(),
            left: given.clone(),
            given,
            f: None,
            headers: parts.headers.clone(),
            caller: caller(parts),
        };
        asked.f = asked.text("f")?;
        asked.language = match asked.text("lang")? {
            Some(tag) => tag.parse().map_err(|()| Problem::invalid_parameter("lang", "expected es or en"))?,
            None => asked.preferred_language(),
        };
        Ok(asked)
    }
}

impl Asked {
    /// Takes a parameter. 400 where it was given twice.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.left.extract_if(.., |(given, _)| given == name).map(|(_, value)| value);
        let value = values.next();
        let again = values.next().is_some();
        drop(values);
        if again { Err(Problem::invalid_parameter(name, format!("{name} is given more than once"))) } else { Ok(value) }
    }

    /// Takes a parameter that is no text. 400 where it cannot be read.
    pub(super) fn parsed<T: FromStr>(&mut self, name: &str, expected: impl Display) -> Result<Option<T>, Problem> {
        self.text(name)?
            .map(|text| text.parse().map_err(|_| Problem::invalid_parameter(name, format!("expected {expected}"))))
            .transpose()
    }

    /// Whether a parameter was given.
    pub(super) fn gives(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// Takes every parameter that is left.
    pub(super) fn rest(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.left)
    }

    /// Refuses a parameter that nobody took: a misspelt filter must not show
    /// everything.
    pub(super) fn finish(&self) -> Result<(), Problem> {
        match self.left.first() {
            None => Ok(()),
            Some((name, _)) => Err(Problem::invalid_parameter(name, format!("there is no parameter {name:?} here"))),
        }
    }

    /// The format: `f`, else the best that `Accept` takes, the first where it
    /// takes all alike or is not there.
    pub(super) fn format(&self, offers: &[Offer]) -> Result<Format, Problem> {
        let names = || offers.iter().map(|(format, _)| format.name()).collect::<Vec<_>>().join(", ");
        if let Some(f) = &self.f {
            let found = offers.iter().find(|(format, _)| format.name() == f);
            return found
                .map(|(format, _)| *format)
                .ok_or_else(|| Problem::invalid_parameter("f", format!("expected one of: {}", names())));
        }
        let accept = self.joined(&ACCEPT).filter(|accept| !accept.trim().is_empty());
        let (Some(accept), Some((first, _))) = (accept, offers.first()) else {
            return offers.first().map(|(format, _)| *format).ok_or_else(|| Problem::not_acceptable("nothing"));
        };
        let Ok(accept) = Accept::from_str(&accept) else {
            return Ok(*first);
        };
        let types: Vec<(Format, MediaType<'static>)> = offers
            .iter()
            .flat_map(|(format, names)| names.iter().map(|name| (*format, *name)))
            .filter_map(|(format, name)| MediaType::parse(name).ok().map(|media_type| (format, media_type)))
            .collect();
        let best = accept.negotiate(types.iter().map(|(_, media_type)| media_type));
        best.and_then(|best| types.iter().find(|(_, media_type)| media_type == best))
            .map(|(format, _)| *format)
            .ok_or_else(|| Problem::not_acceptable(format!("this is offered as: {} (parameter f)", names())))
    }

    /// Whether `If-None-Match` names the tag (weak comparison, as RFC 9110 has
    /// it for this header).
    pub(super) fn has(&self, tag: &str) -> bool {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        self.joined(&IF_NONE_MATCH)
            .is_some_and(|tags| tags.trim() == "*" || tags.split(',').any(|known| opaque(known) == opaque(tag)))
    }

    /// The header's values as one list.
    pub(super) fn joined(&self, name: &HeaderName) -> Option<String> {
        let values: Vec<&str> = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// This request's URL with some parameters changed; without a value they
    /// are left out.
    pub(super) fn url_with(&self, changes: &[(&str, Option<&str>)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = self.given.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        query.extend_pairs(kept);
        query.extend_pairs(changes.iter().filter_map(|(name, value)| value.map(|value| (name, value))));
        let (query, path) = (query.finish(), self.base.join(&self.path));
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    fn preferred_language(&self) -> Language {
        let wanted = self.joined(&ACCEPT_LANGUAGE).unwrap_or_default();
        accept_language::parse(&wanted)
            .iter()
            .find_map(|tag| tag.split('-').next().and_then(|primary| primary.to_ascii_lowercase().parse().ok()))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn asked(uri: &str, headers: &[(&str, &str)]) -> Result<Asked, Problem> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(BaseUrl::new("https://example.org", "/sig"));
        Asked::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn the_format_is_what_f_says_else_what_accept_prefers() {
        for (uri, accept, expected) in [
            ("/", None, Ok(Format::Json)),
            ("/", Some("*/*"), Ok(Format::Json)),
            ("/", Some("application/json"), Ok(Format::Json)),
            ("/", Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"), Ok(Format::Html)),
            ("/", Some("text/html;q=0.2, application/json;q=0.3"), Ok(Format::Json)),
            ("/", Some("application/*, text/html;q=0.9"), Ok(Format::Json)),
            ("/", Some("image/png"), Err(406)),
            ("/", Some("application/json;q=0, */*"), Ok(Format::Html)),
            ("/?f=html", Some("application/json"), Ok(Format::Html)),
            ("/?f=json", Some("text/html"), Ok(Format::Json)),
            ("/?f=xml", Some("text/html"), Err(400)),
        ] {
            let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
            let format = asked(uri, &headers).await.unwrap().format(JSON_AND_HTML);
            assert_eq!(format.map_err(|problem| problem.kind().status().as_u16()), expected, "{uri} {accept:?}");
        }
    }

    #[tokio::test]
    async fn the_language_is_what_lang_says_else_what_the_browser_prefers() {
        for (uri, header, expected) in [
            ("/", None, Language::Es),
            ("/", Some("en-US,en;q=0.9,es;q=0.8"), Language::En),
            ("/", Some("de, es-CO;q=0.7, en;q=0.3"), Language::Es),
            ("/", Some("fr"), Language::Es),
            ("/?lang=en", Some("es"), Language::En),
        ] {
            let headers: Vec<_> = header.map(|header| ("accept-language", header)).into_iter().collect();
            assert_eq!(asked(uri, &headers).await.unwrap().language, expected, "{uri} {header:?}");
        }
        assert!(asked("/?lang=fr", &[]).await.is_err());
    }

    #[tokio::test]
    async fn what_nobody_takes_is_refused() {
        let mut asked = asked("/?limit=3&q=a%20b&limt=4", &[]).await.unwrap();
        assert_eq!(asked.parsed::<u32>("limit", "a number").unwrap(), Some(3));
        assert_eq!(asked.text("q").unwrap().as_deref(), Some("a b"));
        let problem = serde_json::to_string(&asked.finish().unwrap_err().kind().status().as_u16()).unwrap();
        assert_eq!(problem, "400");
        assert_eq!(
            asked.url_with(&[("limit", None), ("lang", Some("en"))]),
            "https://example.org/sig/?q=a+b&limt=4&lang=en"
        );
    }

    #[tokio::test]
    async fn a_tag_matches_itself_weak_or_strong() {
        let asked = asked("/", &[("if-none-match", "\"a\", W/\"b\"")]).await.unwrap();
        assert!(asked.has("\"a\"") && asked.has("W/\"a\"") && asked.has("\"b\"") && !asked.has("\"c\""));
    }
}
