//! The skeleton without a network and without a database.

use access::database::Target;
use axum::body::{Body, to_bytes};
use axum::http::{Method, StatusCode};
use axum::routing::get;
use layers::attachment::StoreLocation;
use tower::ServiceExt;

use super::*;
use crate::config::Settings;

/// The skeleton, over a database that nobody reaches.
fn app(settings: Settings) -> Router {
    let target = Target::from_url("postgresql://nobody@127.0.0.1:1/nothing").expect("a URL");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let config = settings.resolve(Some(file.path())).expect("a configuration");
    router(AppState::new(Database::new(target, 1), Arc::new(config), store()))
}

fn store() -> Store {
    let folder = tempfile::tempdir().expect("a folder");
    Store::open(&StoreLocation::Folder(folder.path().to_owned())).expect("a store")
}

fn request(method: Method, uri: &str) -> Request {
    axum::http::Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "localhost")
        .body(Body::empty())
        .expect("a request")
}

async fn problem(response: Response) -> serde_json::Value {
    assert_eq!(response.headers()["content-type"], problem::MEDIA_TYPE);
    serde_json::from_slice(&to_bytes(response.into_body(), 65536).await.expect("a body")).expect("JSON")
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_with_every_header() {
    let response = app(Settings::default()).oneshot(request(Method::GET, "/nothing")).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    for header in
        ["content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy", "x-request-id"]
    {
        assert!(response.headers().contains_key(header), "{header}");
    }
    assert!(!response.headers().contains_key("strict-transport-security"));
    assert_eq!(problem(response).await["type"], "urn:problem-type:lindero:not-found");
}

#[tokio::test]
async fn a_wrong_method_is_a_problem_that_says_which_are_allowed() {
    let response = app(Settings::default()).oneshot(request(Method::POST, "/health/live")).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    assert_eq!(problem(response).await["status"], 405);
}

#[tokio::test]
async fn garbage_in_the_url_is_refused_at_the_border() {
    for uri in ["/health/live?q=%00", "/%ff"] {
        let response = app(Settings::default()).oneshot(request(Method::GET, uri)).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{uri}");
        assert_eq!(problem(response).await["type"], "urn:problem-type:lindero:bad-request");
    }
    let mut strange = request(Method::GET, "/health/live");
    strange.headers_mut().insert("host", "a b/c".parse().expect("a value"));
    let response = app(Settings::default()).oneshot(strange).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_base_path_of_the_public_url_may_be_there_or_not() {
    let settings =
        || Settings { public_url: Some("https://example.org/sig".parse().expect("a URL")), ..Settings::default() };
    for uri in ["/sig/health/live", "/health/live"] {
        let response = app(settings()).oneshot(request(Method::GET, uri)).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "{uri}");
        assert!(response.headers().contains_key("strict-transport-security"));
    }
}

#[tokio::test]
async fn without_a_database_it_lives_and_is_not_ready() {
    let response = app(Settings::default()).oneshot(request(Method::GET, "/health/live")).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let response = app(Settings::default()).oneshot(request(Method::GET, "/health/ready")).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn a_panic_and_a_plain_error_become_problems() {
    let routes = Router::new()
        .route("/panic", get(|| async { panic!("a secret") as &'static str }))
        .route("/plain", get(|| async { (StatusCode::UNPROCESSABLE_ENTITY, "a text") }))
        .layer(shield::catch_panics())
        .layer(tower::util::MapResponseLayer::new(shield::only_problems));
    let response = routes.clone().oneshot(request(Method::GET, "/panic")).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!problem(response).await.to_string().contains("secret"));
    let response = routes.oneshot(request(Method::GET, "/plain")).await.expect("an answer");
    assert_eq!(problem(response).await["status"], 400);
}

#[tokio::test]
async fn one_too_many_is_told_to_come_back_and_a_slow_one_is_cut() {
    let settings = Settings { max_requests: Some(1), request_timeout: Some(1), ..Settings::default() };
    let target = Target::from_url("postgresql://nobody@127.0.0.1:1/nothing").expect("a URL");
    let file = tempfile::NamedTempFile::new().expect("a file");
    let config = Arc::new(settings.resolve(Some(file.path())).expect("a configuration"));
    let state = AppState::new(Database::new(target, 1), config, store());
    let routes = Router::new()
        .route("/slow", get(std::future::pending::<()>))
        .layer(from_fn_with_state(state, shield::limit_requests));
    let slow = tokio::spawn(routes.clone().oneshot(request(Method::GET, "/slow")));
    tokio::task::yield_now().await;
    let refused = routes.oneshot(request(Method::GET, "/slow")).await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let cut = slow.await.expect("no panic").expect("an answer");
    assert_eq!(cut.status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn requests_are_counted_by_route() {
    let app = app(Settings::default());
    app.clone().oneshot(request(Method::GET, "/health/live")).await.expect("an answer");
    app.clone().oneshot(request(Method::GET, "/no/such/path/7")).await.expect("an answer");
    let response = app.oneshot(request(Method::GET, "/metrics")).await.expect("an answer");
    let text = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains(r#"lindero_http_requests_total{method="GET",route="/health/live",status="200"}"#), "{text}");
    assert!(text.contains("process_resident_memory_bytes"), "{text}");
    assert!(!text.contains("/no/such/path/7"), "{text}");
}
