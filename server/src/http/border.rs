//! What every request passes before it is routed: its URL must be text, it is
//! told who asks and under what address the client sees us, and the base path
//! is taken off, so that routes do not know of it.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use access::{Caller, Origin, Token};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{FORWARDED, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use url::Url;

use super::AppState;
use super::base_url::BaseUrl;
use super::identify::{Showing, Shown, identify};
use super::observe::RequestId;
use super::problem::{Kind, Problem};
use super::rate::Found;

/// The longest path and query taken: long enough for any filter that a person
/// or a desktop program makes.
const MAX_URI: usize = 8 * 1024;

/// The middleware.
pub(super) async fn border(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let admitted = check_text(request.uri()).and_then(|()| base_url(&state, &request, peer));
    let base = match admitted {
        Ok(base) => base,
        Err(problem) => return problem.into_response(),
    };
    if let Some(uri) = without_base_path(request.uri(), base.base_href().trim_end_matches('/')) {
        *request.uri_mut() = uri;
    }
    let found = match who(&state, &request, &base, peer).await {
        Ok((caller, shown)) => {
            let found = Found::of(&state, &request, &caller);
            if let Some(refusal) = found.refusal() {
                return refusal;
            }
            request.extensions_mut().insert(caller);
            if let Some(shown) = shown {
                request.extensions_mut().insert(Shown(shown));
            }
            found
        }
        // Nothing was looked up: nothing is taken for it.
        Err(problem) if matches!(problem.kind(), Kind::Unavailable | Kind::TooManyRequests) => {
            return Found::of_guess(state.limits.refuses_guess(client(&state, request.headers(), peer)))
                .told(problem.into_response());
        }
        Err(problem) => {
            let found = Found::of_guess(state.limits.guessed(client(&state, request.headers(), peer)));
            return found.refusal().unwrap_or_else(|| found.told(problem.into_response()));
        }
    };
    request.extensions_mut().insert(base);
    found.told(next.run(request).await)
}

/// Who asks; the most at once, without waiting.
fn who<'a>(
    state: &'a AppState,
    request: &'a Request,
    base: &'a BaseUrl,
    peer: Option<IpAddr>,
) -> impl Future<Output = Result<(Caller, Option<Token>), Problem>> + Send + use<'a> {
    let id = request.extensions().get::<RequestId>();
    let origin = Origin {
        address: client(state, request.headers(), peer),
        request: id.map_or_else(|| Arc::from(""), |id| Arc::clone(&id.0)),
    };
    let showing = Showing { method: request.method(), headers: request.headers(), base, origin };
    async move {
        if showing.is_anybodys() {
            return Ok((Caller::ANONYMOUS.noted(showing.origin, &state.trail), None));
        }
        // Apart: asking the database is a large matter, which few requests carry.
        Box::pin(identify(state, showing)).await
    }
}

/// From where the request came: the last address of the way that is none of
/// our proxies'. What stands before that one anybody may have written.
fn client(state: &AppState, headers: &HeaderMap, peer: Option<IpAddr>) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    let is_ours = |address: IpAddr| state.config.trusted_proxies.iter().any(|network| network.contains(&address));
    if !is_ours(peer) {
        return Some(peer);
    }
    let mut way: Vec<Option<IpAddr>> = Vec::new();
    for value in headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok()) {
        let nodes = rfc7239::parse(value).flatten();
        way.extend(nodes.map(|node| node.forwarded_for.and_then(|node| node.name.ip().copied())));
    }
    if way.is_empty() {
        let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        way.extend(values.flat_map(|value| value.split(',')).map(|address| address.trim().parse().ok()));
    }
    let mut address = peer;
    while is_ours(address) {
        match way.pop() {
            Some(Some(before)) => address = before.to_canonical(),
            // A proxy that hides for whom it asks.
            Some(None) | None => break,
        }
    }
    Some(address)
}

/// Path and query must be UTF-8 without NUL once decoded: PostgreSQL's text
/// holds no NUL, and an unpaired surrogate is no UTF-8.
fn check_text(uri: &Uri) -> Result<(), Problem> {
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    if path.len() + query.len() > MAX_URI {
        return Err(
            Problem::new(Kind::UriTooLong).with_detail(format!("path and query together may have {MAX_URI} bytes"))
        );
    }
    for (part, name) in [(path, "path"), (query, "query")] {
        let text = percent_decode_str(part)
            .decode_utf8()
            .map_err(|_| Problem::bad_request(format!("the URL's {name} is not valid UTF-8")))?;
        if text.contains('\0') {
            return Err(Problem::bad_request(format!("the URL's {name} holds a NUL character")));
        }
    }
    Ok(())
}

fn base_url(state: &AppState, request: &Request, peer: Option<IpAddr>) -> Result<BaseUrl, Problem> {
    if let Some(public) = &state.config.public_url {
        return Ok(BaseUrl::new(&public.origin().ascii_serialization(), public.path()));
    }
    let own_scheme = if state.config.tls.is_some() { "https" } else { "http" };
    let own_host = request
        .uri()
        .authority()
        .map(Authority::as_str)
        .or_else(|| request.headers().get(HOST).and_then(|host| host.to_str().ok()));
    let trusted = peer.is_some_and(|peer| {
        // An IPv4 client of a dual-stack socket shows as ::ffff:a.b.c.d.
        let peer = peer.to_canonical();
        state.config.trusted_proxies.iter().any(|network| network.contains(&peer))
    });
    let said = if trusted { Said::by(request.headers()) } else { Said::default() };

    let scheme = said.scheme.as_deref().unwrap_or(own_scheme);
    let host = said.host.as_deref().or(own_host).ok_or_else(|| Problem::bad_request("the Host header is missing"))?;
    let prefix = said.prefix.filter(|prefix| is_plain_path(prefix)).unwrap_or_default();
    LAST.with_borrow_mut(|last| {
        if let Some((asked, base)) = last
            && [&*asked[0], &*asked[1], &*asked[2]] == [scheme, host, &*prefix]
        {
            return Ok(base.clone());
        }
        let base = BaseUrl::new(&origin(scheme, host)?, &prefix);
        *last = Some(([scheme, host, &*prefix].map(Box::from), base.clone()));
        Ok(base)
    })
}

// Kept by each thread: the next request comes to the same address, most often,
// and to read it takes as long as to find a tile that is kept.
thread_local! {
    static LAST: RefCell<Option<([Box<str>; 3], BaseUrl)>> = const { RefCell::new(None) };
}

/// The origin as browsers write it, of what a request says.
fn origin(scheme: &str, host: &str) -> Result<String, Problem> {
    let url = Url::parse(&format!("{scheme}://{host}"))
        .ok()
        .filter(|url| matches!(scheme, "http" | "https") && url.path() == "/" && url.username().is_empty())
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .ok_or_else(|| Problem::bad_request("the Host header is not a host name"))?;
    Ok(url.origin().ascii_serialization())
}

/// What a proxy says of the client's own request. Where several proxies wrote,
/// the last value counts: it is the one written by the proxy that we trust.
#[derive(Default)]
struct Said {
    scheme: Option<String>,
    host: Option<String>,
    prefix: Option<String>,
}

impl Said {
    fn by(headers: &HeaderMap) -> Self {
        let last = |name: &str| {
            let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
            value.rsplit(',').next().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let mut said = Self {
            scheme: last("x-forwarded-proto"),
            host: last("x-forwarded-host"),
            prefix: last("x-forwarded-prefix"),
        };
        let forwarded = headers.get_all(FORWARDED).iter().next_back().and_then(|value| value.to_str().ok());
        if let Some(Ok(node)) = forwarded.and_then(|value| rfc7239::parse(value).last()) {
            said.scheme = node.protocol.map(str::to_owned).or(said.scheme);
            said.host = node.host.map(str::to_owned).or(said.host);
        }
        said.scheme = said.scheme.map(|scheme| scheme.to_ascii_lowercase());
        said
    }
}

/// A path that can stand in a link as it is.
fn is_plain_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.starts_with('/') && !path.starts_with("//") && path.bytes().all(plain)
}

/// The URI without the base path, where it has it. A proxy may take it off or
/// leave it on: both are answered. `/sig` itself is `/`.
fn without_base_path(uri: &Uri, base: &str) -> Option<Uri> {
    if base.is_empty() {
        return None;
    }
    let rest = uri.path().strip_prefix(base)?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let path = if rest.is_empty() { "/" } else { rest };
    let path_and_query = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().expect("a URI")
    }

    #[test]
    fn nul_and_what_is_not_utf8_are_refused() {
        assert!(check_text(&uri("/collections/v%C3%ADas?q=a%20b")).is_ok());
        for bad in ["/a%00b", "/a?q=%00", "/%ff", "/?q=%ED%A0%80", "/?q=%C3"] {
            assert_eq!(check_text(&uri(bad)).map_err(|problem| problem.kind()), Err(Kind::BadRequest), "{bad}");
        }
        let long = uri(&format!("/?q={}", "a".repeat(MAX_URI)));
        assert_eq!(check_text(&long).map_err(|problem| problem.kind()), Err(Kind::UriTooLong));
    }

    #[test]
    fn the_base_path_is_taken_off_whole_segments_only() {
        let rest = |path: &str| without_base_path(&uri(path), "/sig").map(|uri| uri.to_string());
        assert_eq!(rest("/sig/collections?limit=1").as_deref(), Some("/collections?limit=1"));
        assert_eq!(rest("/sig").as_deref(), Some("/"));
        assert_eq!(rest("/sig?f=json").as_deref(), Some("/?f=json"));
        assert_eq!(rest("/signature"), None);
        assert_eq!(rest("/collections"), None);
    }

    #[test]
    fn the_last_proxy_is_the_one_heard() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-proto", "http, HTTPS".parse().expect("a value"));
        headers.insert("x-forwarded-host", "evil.example, maps.example".parse().expect("a value"));
        let said = Said::by(&headers);
        assert_eq!((said.scheme.as_deref(), said.host.as_deref()), (Some("https"), Some("maps.example")));
        headers.insert(FORWARDED, "for=192.0.2.1;proto=https;host=sig.example".parse().expect("a value"));
        assert_eq!(Said::by(&headers).host.as_deref(), Some("sig.example"));
        assert!(!is_plain_path("//evil.example"));
        assert!(!is_plain_path("/a\"onload=b"));
        assert!(is_plain_path("/sig/ibague"));
    }
}
