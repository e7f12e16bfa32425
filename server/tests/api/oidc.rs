//! Coming in through an identity provider that tells lies: each login that it
//! forges is refused, and so is what a browser brings back that it was not
//! given. The flow with an honest provider, in a browser: `ui-map/e2e/oidc.test.mjs`.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use access::account::{self, AccountChange};
use access::{Caller, assignment};
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use lindero::config::Settings;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use url::Url;

use crate::support::{Answer, City};

const OPERATOR: &Caller = &Caller::OPERATOR;
const SECRET: &str = "the-secret-of-the-client";

/// What the provider is to say next.
#[derive(Clone)]
struct Says {
    /// The ID token's header.
    header: Value,
    /// Changes of its claims; a null takes one away.
    claims: Value,
    /// By what it is signed.
    signed: By,
    /// What is said of the access token's owner, where anything.
    userinfo: Option<Value>,
    /// Whether there is an ID token.
    has_token: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum By {
    Provider,
    Another,
    Secret,
    Nobody,
}

impl Says {
    fn truth() -> Self {
        Self {
            header: json!({ "alg": "EdDSA", "kid": "1" }),
            claims: json!({}),
            signed: By::Provider,
            userinfo: None,
            has_token: true,
        }
    }

    fn but(claims: Value) -> Self {
        Self { claims, ..Self::truth() }
    }
}

/// A provider that says whatever it is told to.
struct Provider {
    url: String,
    key: Ed25519KeyPair,
    other: Ed25519KeyPair,
    says: Mutex<Says>,
    /// The nonce of the login under way, and what the last exchange sent.
    nonce: Mutex<String>,
    sent: Mutex<Vec<(String, String)>>,
}

fn key() -> Ed25519KeyPair {
    let document = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
    Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

impl Provider {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Arc::new(Self {
            url,
            key: key(),
            other: key(),
            says: Mutex::new(Says::truth()),
            nonce: Mutex::default(),
            sent: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&provider));
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn say(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn id_token(&self, says: &Says) -> String {
        let now = Utc::now().timestamp();
        let mut claims = json!({
            "iss": self.url, "aud": "lindero", "sub": "s-1", "iat": now, "exp": now + 60,
            "nonce": *self.nonce.lock().unwrap(), "preferred_username": "eva", "name": "Eva Prueba",
            "groups": ["sig"], "department": "Secretaría de Planeación",
        });
        for (name, value) in says.claims.as_object().cloned().unwrap_or_default() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(&name)),
                value => claims[name] = value,
            }
        }
        let content = format!("{}.{}", encoded(&says.header), encoded(&claims));
        let signature = match says.signed {
            By::Provider => self.key.sign(content.as_bytes()).as_ref().to_vec(),
            By::Another => self.other.sign(content.as_bytes()).as_ref().to_vec(),
            By::Secret => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
                hmac::sign(&key, content.as_bytes()).as_ref().to_vec()
            }
            By::Nobody => Vec::new(),
        };
        format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let url = &provider.url;
    let mut document = json!({
        "issuer": url, "authorization_endpoint": format!("{url}/auth"), "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        // It offers what must not be taken.
        "id_token_signing_alg_values_supported": ["none", "HS256", "EdDSA"],
        "end_session_endpoint": format!("{url}/end"),
    });
    if provider.says.lock().unwrap().userinfo.is_some() {
        document["userinfo_endpoint"] = format!("{url}/userinfo").into();
    }
    Json(document)
}

async fn keys(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let x = URL_SAFE_NO_PAD.encode(provider.key.public_key().as_ref());
    Json(json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "1", "x": x }] }))
}

async fn token(State(provider): State<Arc<Provider>>, Form(form): Form<Vec<(String, String)>>) -> Response {
    let is_good = form.iter().any(|(name, value)| name == "code" && value == "good");
    *provider.sent.lock().unwrap() = form;
    if !is_good {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    let says = provider.says.lock().unwrap().clone();
    let mut answer = Map::new();
    answer.insert("access_token".into(), "a-1".into());
    answer.insert("token_type".into(), "Bearer".into());
    if says.has_token {
        answer.insert("id_token".into(), provider.id_token(&says).into());
    }
    Json(Value::Object(answer)).into_response()
}

async fn userinfo(State(provider): State<Arc<Provider>>) -> Json<Value> {
    Json(provider.says.lock().unwrap().userinfo.clone().unwrap_or_default())
}

/// A city whose people come in through that provider, and through another one
/// that is away.
struct Town {
    city: City,
    provider: Arc<Provider>,
    /// The client's secret, which is read when it is needed.
    _secret: tempfile::TempDir,
}

/// A login begun in a browser.
struct Begun {
    cookie: String,
    state: String,
}

impl Town {
    async fn new() -> Self {
        Self::that_says(Says::truth()).await
    }

    async fn that_says(says: Says) -> Self {
        let provider = Provider::start().await;
        provider.say(says);
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, format!("{SECRET}\n")).unwrap();
        let settings: Settings = toml::from_str(&format!(
            "[[oidc]]\nid = 'alcaldia'\ntitle = 'Alcaldía'\nissuer = '{}'\nclient_id = 'lindero'\n\
             client_secret_file = '{}'\ndependency_claim = 'department'\n\
             [[oidc.roles]]\nvalue = 'sig'\nrole = 'planner'\n\
             [[oidc.roles]]\nvalue = 'jefes'\nrole = 'administrator'\nown_dependency = true\n\
             [[oidc]]\nid = 'lejos'\ntitle = 'Lejos'\nissuer = 'http://127.0.0.1:9/'\nclient_id = 'lindero'\n",
            provider.url,
            secret.display(),
        ))
        .unwrap();
        let city = City::with(settings).await;
        Self { city, provider, _secret: folder }
    }

    async fn begin(&self) -> Begun {
        self.begin_for("").await
    }

    async fn begin_for(&self, return_to: &str) -> Begun {
        let answer = self.city.get(&format!("/session/oidc/alcaldia{return_to}")).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let url = Url::parse(answer.header("location")).unwrap();
        assert!(url.as_str().starts_with(&format!("{}/auth?", self.provider.url)), "{url}");
        let said = |name: &str| url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
        assert_eq!((said("response_type").as_str(), said("code_challenge_method").as_str()), ("code", "S256"));
        assert_eq!(said("redirect_uri"), "http://localhost:8080/session/oidc/alcaldia/callback");
        *self.provider.nonce.lock().unwrap() = said("nonce");
        let cookie = answer.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        Begun { cookie: cookie.split(';').next().unwrap().to_owned(), state: said("state") }
    }

    async fn come_back(&self, cookie: &str, query: &str) -> Answer {
        self.city.get_with(&format!("/session/oidc/alcaldia/callback?{query}"), &[("cookie", cookie)]).await
    }

    /// The whole way.
    async fn log_in(&self) -> Answer {
        let Begun { cookie, state } = self.begin().await;
        self.come_back(&cookie, &format!("code=good&state={state}")).await
    }

    async fn sessions(&self) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM access.session");
        count.fetch_one(self.city.db.database().app()).await.unwrap()
    }
}

fn session_of(answer: &Answer) -> String {
    let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let mut sessions = cookies.filter(|cookie| cookie.starts_with("lindero_session="));
    sessions.next().unwrap_or_default().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn who_is_vouched_for_comes_in_with_what_the_rules_give() {
    let town = Town::new().await;
    let offered = town.city.get("/session").await.json()["providers"].clone();
    let expected =
        json!({ "id": "alcaldia", "title": "Alcaldía", "href": "http://localhost:8080/session/oidc/alcaldia" });
    assert_eq!(offered[0], expected);

    let Begun { cookie, state } = town.begin_for("?return=%2Fcollections%3Ff%3Dhtml%23x").await;
    let answer = town.come_back(&cookie, &format!("code=good&state={state}&session_state=more")).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, "http://localhost:8080/collections?f=html#x")
    );
    let sent = town.provider.sent.lock().unwrap().clone();
    let verifier = sent.iter().find(|(name, _)| name == "code_verifier").unwrap();
    assert!(verifier.1.len() >= 43, "PKCE");
    let session = session_of(&answer);
    let document = town.city.get_with("/session", &[("cookie", &session)]).await.json();
    assert_eq!((&document["account"]["name"], &document["account"]["provider"]), (&json!("eva"), &json!("alcaldia")));
    assert_eq!(document["account"]["dependency"], "Secretaría de Planeación");
    assert_eq!(document["rights"], json!([{ "permissions": ["read_classified"], "reach": {} }]));
    assert_eq!(town.city.get_with("/collections/expedientes", &[("cookie", &session)]).await.status, StatusCode::OK);

    // Another group the next time: other rights, also of the session that is open.
    town.provider.say(Says::but(json!({ "groups": ["jefes"] })));
    let again = town.log_in().await;
    let rights = town.city.get_with("/session", &[("cookie", &session_of(&again))]).await.json()["rights"].clone();
    assert_eq!(rights[0]["reach"], json!({ "dependency": "Secretaría de Planeación" }));
    assert_eq!(
        town.city.get_with("/collections/expedientes", &[("cookie", &session)]).await.status,
        StatusCode::NOT_FOUND
    );

    // Out here, and then at the provider: with no token in the address.
    let csrf = document["csrf"].as_str().unwrap();
    let left = town.city.ask("DELETE", "/session", &[("cookie", &session), ("x-csrf-token", csrf)]).await;
    let end = Url::parse(left.json()["end_session"].as_str().unwrap()).unwrap();
    assert_eq!(end.path(), "/end");
    let said: Vec<_> = end.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(said, ["client_id=lindero", "post_logout_redirect_uri=http://localhost:8080/"]);
    assert_eq!(town.city.get_with("/session", &[("cookie", &session)]).await.json()["account"], Value::Null);
}

#[tokio::test]
async fn a_forged_token_opens_nothing() {
    let town = Town::new().await;
    let now = Utc::now().timestamp();
    let header = |alg: &str| json!({ "alg": alg, "kid": "1" });
    let forged = [
        ("alg none", Says { header: json!({ "alg": "none" }), signed: By::Nobody, ..Says::truth() }),
        ("alg none, with its key's id", Says { header: header("none"), signed: By::Nobody, ..Says::truth() }),
        ("alg None", Says { header: header("None"), signed: By::Nobody, ..Says::truth() }),
        ("by the client's secret", Says { header: json!({ "alg": "HS256" }), signed: By::Secret, ..Says::truth() }),
        ("not signed", Says { signed: By::Nobody, ..Says::truth() }),
        ("another's key", Says { signed: By::Another, ..Says::truth() }),
        (
            "a key that is not there",
            Says { header: json!({ "alg": "EdDSA", "kid": "2" }), signed: By::Another, ..Says::truth() },
        ),
        ("another audience", Says::but(json!({ "aud": "otra" }))),
        ("another audience too", Says::but(json!({ "aud": ["lindero", "otra"] }))),
        ("no audience", Says::but(json!({ "aud": null }))),
        ("another nonce", Says::but(json!({ "nonce": "otra" }))),
        ("no nonce", Says::but(json!({ "nonce": null }))),
        ("expired", Says::but(json!({ "exp": now - 1, "iat": now - 60 }))),
        ("no end", Says::but(json!({ "exp": null }))),
        ("another issuer", Says::but(json!({ "iss": "https://evil.example" }))),
        ("the issuer with a slash", Says::but(json!({ "iss": format!("{}/", town.provider.url) }))),
        ("another access token's", Says::but(json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }))),
        ("no token", Says { has_token: false, ..Says::truth() }),
    ];
    for (what, says) in forged {
        town.provider.say(says);
        let answer = town.log_in().await;
        assert!(
            [StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE].contains(&answer.status),
            "{what}: {}",
            answer.status
        );
        assert_eq!(session_of(&answer), "", "{what}");
        let text = answer.text();
        assert!(!text.contains("s-1") && !text.contains("Eva") && !text.contains(SECRET), "{what}: {text}");
    }
    assert_eq!(town.sessions().await, 0);
    let accounts = account::list(OPERATOR, town.city.db.database()).await.unwrap();
    assert!(accounts.is_empty(), "nobody was let in");
    let failed: i64 =
        sqlx::query_scalar("SELECT count(*) FROM access.audit WHERE action = 'log_in' AND outcome = 'failed'")
            .fetch_one(town.city.db.database().app())
            .await
            .unwrap();
    assert_eq!(failed, 18);
}

#[tokio::test]
async fn what_is_said_besides_the_token_is_of_the_same_person() {
    let said = |sub: &str| Says {
        userinfo: Some(json!({ "sub": sub, "groups": ["jefes", "sig"] })),
        ..Says::but(json!({ "groups": null }))
    };
    let town = Town::that_says(said("s-1")).await;
    let session = session_of(&town.log_in().await);
    let rights = town.city.get_with("/session", &[("cookie", &session)]).await.json()["rights"].clone();
    assert_eq!(rights.as_array().map(Vec::len), Some(2), "{rights}");
    town.provider.say(said("s-2"));
    let answer = town.log_in().await;
    assert_eq!((answer.status, session_of(&answer)), (StatusCode::SERVICE_UNAVAILABLE, String::new()));
}

#[tokio::test]
async fn what_comes_back_is_good_once_in_the_browser_that_was_sent() {
    let town = Town::new().await;
    let refused = |answer: &Answer, status: StatusCode, what: &str| {
        assert_eq!((answer.status, session_of(answer)), (status, String::new()), "{what}: {}", answer.text());
    };
    // A code that was used.
    let Begun { cookie, state } = town.begin().await;
    let query = format!("code=good&state={state}");
    assert_eq!(town.come_back(&cookie, &query).await.status, StatusCode::SEE_OTHER);
    refused(&town.come_back(&cookie, &query).await, StatusCode::BAD_REQUEST, "replayed");
    // Another browser, none, another's state, none.
    let (one, other) = (town.begin().await, town.begin().await);
    refused(
        &town.come_back("", &format!("code=good&state={}", one.state)).await,
        StatusCode::BAD_REQUEST,
        "no browser",
    );
    refused(
        &town.come_back(&one.cookie, &format!("code=good&state={}", other.state)).await,
        StatusCode::BAD_REQUEST,
        "state",
    );
    refused(
        &town.come_back(&one.cookie, &format!("code=good&state={}", one.state)).await,
        StatusCode::BAD_REQUEST,
        "spent",
    );
    refused(&town.come_back(&other.cookie, "code=good").await, StatusCode::BAD_REQUEST, "no state");
    let third = town.begin().await;
    let elsewhere = format!("/session/oidc/lejos/callback?code=good&state={}", third.state);
    refused(
        &town.city.get_with(&elsewhere, &[("cookie", &third.cookie)]).await,
        StatusCode::BAD_REQUEST,
        "another provider's",
    );
    // The provider says no, or another one answers.
    for (query, what) in [
        ("error=access_denied&error_description=%3Cscript%3E", "denied"),
        ("code=bad", "a code that is none"),
        ("code=good&iss=https%3A%2F%2Fevil.example", "another issuer answers"),
        ("", "nothing"),
    ] {
        let Begun { cookie, state } = town.begin().await;
        let answer = town.come_back(&cookie, &format!("{query}&state={state}")).await;
        refused(&answer, StatusCode::FORBIDDEN, what);
        assert!(!answer.text().contains("<script>"));
    }
    // For people it is a page, which says nothing of what was brought.
    let Begun { cookie, state } = town.begin().await;
    let uri = format!("/session/oidc/alcaldia/callback?error=access_denied&state={state}");
    let page = town.city.get_with(&uri, &[("cookie", &cookie), ("accept", "text/html")]).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::FORBIDDEN, "text/html; charset=utf-8"));
    assert!(page.text().contains("No pudo ingresar") && !page.text().contains(&state));
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_the_one_that_begins() {
    let town = Town::new().await;
    let Begun { cookie, state } = town.begin().await;
    let planted = "lindero_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let answer = town.come_back(&format!("{planted}; {cookie}"), &format!("code=good&state={state}")).await;
    assert!(answer.status == StatusCode::SEE_OTHER && session_of(&answer) != planted);
    assert_eq!(town.city.get_with("/session", &[("cookie", planted)]).await.json()["account"], Value::Null);
    // Nor is an errand that was planted: only what we gave out ends one.
    let Begun { state, .. } = town.begin().await;
    let planted = "lindero_errand=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let answer = town.come_back(planted, &format!("code=good&state={state}")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nobody_is_sent_on_to_another_site() {
    let town = Town::new().await;
    for foreign in
        ["https://evil.example", "//evil.example", "/%5Cevil.example", "%09//evil.example", "javascript:x", "evil"]
    {
        let answer = town.city.get(&format!("/session/oidc/alcaldia?return={foreign}")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::BAD_REQUEST, ""), "{foreign}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_to_be() {
    let town = Town::new().await;
    let answer = town.city.get("/session/oidc/lejos").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["type"], "urn:problem-type:lindero:unavailable");
    let page = town.city.get_with("/session/oidc/lejos", &[("accept", "text/html"), ("accept-language", "en")]).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.text().contains("cannot be asked at the moment"));
    assert_eq!(town.city.get("/session/oidc/ninguno").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_may_not_come_in_here_does_not() {
    let town = Town::new().await;
    let db = town.city.db.database();
    town.provider.say(Says::but(json!({ "groups": [] })));
    assert_eq!(town.log_in().await.status, StatusCode::FORBIDDEN, "no rule gives anything");
    town.provider.say(Says::truth());
    let session = session_of(&town.log_in().await);
    let id = town.city.get_with("/session", &[("cookie", &session)]).await.json()["account"]["id"].clone();
    let id = id.as_str().unwrap().parse().unwrap();
    // A colleague's id is not enough: names and addresses are not looked at.
    town.provider.say(Says::but(json!({ "sub": "s-2" })));
    let other = session_of(&town.log_in().await);
    let named = town.city.get_with("/session", &[("cookie", &other)]).await.json()["account"].clone();
    assert!(named["id"] != id_text(id) && named["name"] == "eva@alcaldia", "{named}");

    town.provider.say(Says::truth());
    let networks = Some(vec!["10.0.0.0/8".parse().unwrap()]);
    account::change(OPERATOR, db, id, &AccountChange { networks, ..AccountChange::default() }).await.unwrap();
    let answer = town.log_in().await;
    assert!(answer.status == StatusCode::FORBIDDEN && answer.text().contains("network"), "{}", answer.text());
    let closed = AccountChange { is_disabled: Some(true), networks: Some(Vec::new()), ..AccountChange::default() };
    account::change(OPERATOR, db, id, &closed).await.unwrap();
    assert_eq!(town.log_in().await.status, StatusCode::FORBIDDEN);
    assert_eq!(assignment::list(OPERATOR, db, id).await.unwrap().len(), 1);
}

fn id_text(id: uuid::Uuid) -> Value {
    id.to_string().into()
}
