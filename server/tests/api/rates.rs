//! How much anybody may ask for.

use access::Reach;
use access::account::{self, AccountKind, NewAccount};
use access::key::{self, NewKey};
use axum::http::StatusCode;
use lindero::config::Settings;
use serde_json::{Value, json};

use crate::session::{log_in, person};
use crate::support::{Answer, City};

/// What is left, as an answer says it.
fn left(answer: &Answer) -> &str {
    answer.header("ratelimit")
}

fn is_refusal(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["type"], "urn:problem-type:lindero:too-many-requests");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn an_address_that_asks_too_much_waits() {
    let city = City::with(Settings { rate_address: Some(1), ..Settings::default() }).await;
    let first = city.get("/collections").await;
    assert_eq!((first.header("ratelimit-policy"), left(&first)), ("\"address\";q=30;w=30", "\"address\";r=29;t=1"));
    assert!(first.header("access-control-expose-headers").contains("ratelimit"));
    let mut last = first;
    for _ in 0..31 {
        last = city.get("/collections").await;
        if last.status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    is_refusal(&last);
    assert!(left(&last).starts_with("\"address\";r=0;t="), "{}", left(&last));
    // Whoever looks after the server still gets in, and so does another address.
    assert_eq!(city.get("/health/live").await.status, StatusCode::OK);
    // A header says nothing of whoever is no proxy.
    is_refusal(&city.get_with("/collections", &[("x-forwarded-for", "198.51.100.4")]).await);
}

#[tokio::test]
async fn a_tile_says_what_is_left_once_half_is_gone() {
    let city = City::with(Settings { rate_address: Some(1), ..Settings::default() }).await;
    let tile = "/tiles/WebMercatorQuad/14/7989/4767?collections=vias";
    let mut told = Vec::new();
    for _ in 0..20 {
        told.push(left(&city.get(tile).await).to_owned());
    }
    assert!(told[..10].iter().all(String::is_empty), "{told:?}");
    assert!(told[18].starts_with("\"address\";r="), "{told:?}");
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_address_has_its_own() {
    let proxies = Some(vec!["127.0.0.1".parse().unwrap()]);
    let settings = Settings { rate_address: Some(1), trusted_proxies: proxies, ..Settings::default() };
    let city = City::with(settings).await;
    let ask = async |from: &str| city.get_with("/collections", &[("x-forwarded-for", from)]).await.status;
    for _ in 0..40 {
        ask("198.51.100.4").await;
        ask("2001:db8::1").await;
    }
    assert_eq!(ask("198.51.100.4").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("203.0.113.1, 198.51.100.4").await, StatusCode::TOO_MANY_REQUESTS, "the last counts");
    assert_eq!(ask("2001:db8::ffff:1").await, StatusCode::TOO_MANY_REQUESTS, "a /64 is one");
    assert_eq!(ask("2001:db8:0:1::1").await, StatusCode::OK);
    assert_eq!(ask("198.51.100.5").await, StatusCode::OK);
}

#[tokio::test]
async fn who_came_in_is_not_in_the_crowd() {
    let city = City::with(Settings { rate_address: Some(1), rate_account: Some(1), ..Settings::default() }).await;
    person(&city, "eva", "planner", Reach::default()).await;
    let (eva, again) = (log_in(&city, "eva").await, log_in(&city, "eva").await);
    while city.get("/collections").await.status == StatusCode::OK {}
    let own = eva.get("/session").await;
    assert_eq!((own.status, own.header("ratelimit-policy")), (StatusCode::OK, "\"account\";q=30;w=30"));
    let mut asked = 0;
    while eva.get("/session").await.status == StatusCode::OK {
        asked += 1;
    }
    assert!(asked >= 20, "{asked}");
    // All sessions of an account have one bucket.
    is_refusal(&again.get("/session").await);
}

/// Two keys of a system, as they are shown.
async fn two_keys(city: &City) -> [String; 2] {
    let (operator, db) = (&access::Caller::OPERATOR, city.db.database());
    let system = account::create(operator, db, &NewAccount::new("sensores", AccountKind::System)).await.unwrap().id;
    let mut shown = [const { String::new() }; 2];
    for key in &mut shown {
        let new = NewKey { title: "lecturas".into(), permissions: None, expires_at: None };
        let (token, _) = key::create(operator, db, system, &new).await.unwrap();
        *key = format!("Bearer {}", token.expose());
    }
    shown
}

#[tokio::test]
async fn a_key_has_a_limit_of_its_own() {
    let city = City::with(Settings { rate_key: Some(1), ..Settings::default() }).await;
    let shown = two_keys(&city).await;
    let ask = async |key: &str| city.get_with("/collections", &[("authorization", key)]).await;
    assert_eq!(ask(&shown[0]).await.header("ratelimit-policy"), "\"key\";q=30;w=30");
    while ask(&shown[0]).await.status == StatusCode::OK {}
    is_refusal(&ask(&shown[0]).await);
    assert_eq!(ask(&shown[1]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn logins_and_keys_that_open_nothing_have_narrower_limits() {
    let city = City::with(Settings { rate_write: Some(5), rate_address: Some(1), ..Settings::default() }).await;
    let typed = json!({ "name": "nadie", "password": "no es esta 12" });
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(city.put_in("POST", "/session", &[], &typed).await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    let refused = city.put_in("POST", "/session/link", &[], &json!({ "token": "x" })).await;
    is_refusal(&refused);
    assert_eq!(refused.header("ratelimit-policy"), "\"write\";q=5;w=60");
    // To look is another matter; a wrong key is one as much as ten questions.
    assert_eq!(city.get("/collections").await.status, StatusCode::OK);
    let mut last = Value::Null;
    for _ in 0..5 {
        let answer = city.get_with("/collections", &[("authorization", "Bearer lindero_x")]).await;
        last = answer.json()["status"].clone();
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn what_opens_nothing_is_looked_up_no_more_after_so_many() {
    let city = City::with(Settings { rate_address: Some(1), ..Settings::default() }).await;
    let [known, new] = two_keys(&city).await;
    person(&city, "eva", "planner", Reach::default()).await;
    let eva = log_in(&city, "eva").await;
    let by_key = async |key: &str| city.get_with("/collections", &[("authorization", key)]).await;
    let by_cookie =
        async |token: &str| city.get_with("/collections", &[("cookie", &format!("lindero_session={token}"))]).await;
    for seen in [by_key(&known).await, eva.get("/collections").await] {
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.text());
    }
    let mut refused = Vec::new();
    for guess in 0..5 {
        refused.push(by_key(&format!("Bearer lindero_{guess}")).await.status.as_u16());
    }
    assert_eq!(refused, [401, 401, 401, 429, 429]);
    // Whoever was let in before is in; what was never seen waits, whether good or not.
    assert_eq!(by_key(&known).await.status, StatusCode::OK);
    assert_eq!(eva.get("/session").await.status, StatusCode::OK);
    for waits in [by_key(&new).await, by_cookie("AAAA").await] {
        is_refusal(&waits);
        assert!(left(&waits).starts_with("\"address\";r=0;"), "{}", left(&waits));
    }
    // A database that is not asked may be away.
    city.db.database().app().close().await;
    assert_eq!(by_key(&known).await.status, StatusCode::SERVICE_UNAVAILABLE);
    is_refusal(&by_key("Bearer lindero_x").await);
    is_refusal(&by_key(&new).await);
    is_refusal(&by_cookie("AAAA").await);
}

#[tokio::test]
async fn a_session_that_ended_is_as_good_as_none_for_a_while() {
    let city = City::with(Settings { rate_address: Some(1), ..Settings::default() }).await;
    let ended = [("cookie", "lindero_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")];
    for _ in 0..20 {
        // A browser shows it with each picture of a page.
        assert_eq!(city.get_with("/collections", &ended).await.status, StatusCode::OK);
    }
    let mut last = city.get_with("/collections", &ended).await;
    for _ in 0..40 {
        last = city.get_with("/collections", &ended).await;
    }
    is_refusal(&last);
    city.db.database().app().close().await;
    is_refusal(&city.get_with("/collections", &ended).await);
}

#[tokio::test]
async fn without_a_limit_nothing_is_said() {
    let city = City::new().await;
    for _ in 0..50 {
        let answer = city.get("/collections?f=json").await;
        assert_eq!((answer.status, left(&answer)), (StatusCode::OK, ""));
    }
}
