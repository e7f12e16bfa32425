//! Accounts that an identity provider vouches for, and bounds of when and from
//! where one may come in, on a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::account::{self, AccountChange, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::errand::{self, Errand};
use access::key::{self, NewKey};
use access::login::{Attempt, LoginError, log_in};
use access::outside::{Grant, Vouched, come_in};
use access::password::Password;
use access::{AccessError, Caller, Credential, Gate, Origin, OutOfBounds, Reach, Token, link, role};
use testdb::TestDatabase;

const OPERATOR: &Caller = &Caller::OPERATOR;
const PASSWORD: &str = "ceiba violeta 41 nubes";

fn from(address: &str) -> Caller {
    Caller::ANONYMOUS.from(Origin { address: address.parse().ok(), request: "r-1".into() })
}

fn grant(role: &str, dependency: &str) -> Grant {
    Grant { role: role.to_owned(), reach: Reach { dependency: Some(dependency.to_owned()), ..Reach::default() } }
}

fn vouched(subject: &str, name: &str, grants: &[Grant]) -> Vouched {
    Vouched {
        provider: "alcaldia".to_owned(),
        subject: subject.to_owned(),
        name: name.to_owned(),
        full_name: "Eva\r\nPrueba".to_owned(),
        email: "eva@example.org".to_owned(),
        municipality: None,
        dependency: "Secretaría de Salud".to_owned(),
        grants: grants.to_vec(),
        is_admitted: true,
    }
}

#[tokio::test]
async fn who_is_vouched_for_gets_an_account_and_what_the_rules_give_each_time() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let here = &from("192.0.2.1");
    // An account of that name is somebody else's: a provider never takes it over.
    let other = account::create(OPERATOR, db, &NewAccount::new("eva", AccountKind::Person)).await.unwrap();
    let first = vouched("s-1", "Eva", &[grant("planner", "Salud"), grant("editor", "Salud"), grant("none_such", "x")]);
    let session = come_in(here, db, &first, "Firefox").await.unwrap();
    assert_ne!(session.account, other.id);
    let made = account::get(OPERATOR, db, session.account).await.unwrap();
    assert_eq!((made.name.as_str(), made.full_name.as_str()), ("eva@alcaldia", "EvaPrueba"));
    assert_eq!((made.provider.as_deref(), made.has_password), (Some("alcaldia"), false));

    let by_hand = NewAssignment { role: "auditor".into(), reach: Reach::default(), expires_at: None };
    assignment::assign(OPERATOR, db, made.id, &by_hand).await.unwrap();
    let roles = async || {
        let list = assignment::list(OPERATOR, db, made.id).await.unwrap();
        list.into_iter().map(|known| (known.role, known.provider.is_some())).collect::<Vec<_>>()
    };
    let has = |list: &[(&str, bool)]| list.iter().map(|(role, by)| ((*role).to_owned(), *by)).collect::<Vec<_>>();
    assert_eq!(roles().await, has(&[("auditor", false), ("editor", true), ("planner", true)]));
    let gate = Gate::new(db.clone());
    let caller = gate.open(&session.token, None).await.unwrap().unwrap();
    assert_eq!(caller.login().unwrap().rights.len(), 3);

    // The group was left: so is the role, though somebody's own assignment stays.
    let again = come_in(here, db, &vouched("s-1", "otra", &[grant("planner", "Salud")]), "").await.unwrap();
    assert_eq!(again.account, made.id);
    assert_eq!(roles().await, has(&[("auditor", false), ("planner", true)]));
    // No rule lets the person in any more: nothing that the rules gave is left.
    let out = Vouched { is_admitted: false, ..vouched("s-1", "eva", &[]) };
    assert!(matches!(come_in(here, db, &out, "").await, Err(LoginError::NotAdmitted)));
    assert_eq!(roles().await, has(&[("auditor", false)]));
    assert!(matches!(
        come_in(here, db, &Vouched { subject: "s-9".into(), ..out }, "").await,
        Err(LoginError::NotAdmitted)
    ));
    // Closed here, whatever the provider says.
    let shut = AccountChange { is_disabled: Some(true), ..AccountChange::default() };
    account::change(OPERATOR, db, made.id, &shut).await.unwrap();
    assert!(matches!(come_in(here, db, &vouched("s-1", "eva", &[]), "").await, Err(LoginError::Refused)));
    // No password opens what a provider vouches for, and none can be set.
    assert!(matches!(link::for_account(OPERATOR, db, made.id).await, Err(AccessError::Invalid { .. })));
}

#[tokio::test]
async fn two_first_logins_at_once_make_one_account() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let here = &from("192.0.2.1");
    let person = vouched("s-1", "eva", &[grant("planner", "Salud")]);
    let (one, other) = tokio::join!(come_in(here, db, &person, ""), come_in(here, db, &person, ""));
    assert_eq!(one.unwrap().account, other.unwrap().account);
}

#[tokio::test]
async fn an_errand_is_good_once_for_the_browser_that_began_it() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let here = &from("192.0.2.1");
    let kept = Errand {
        provider: "alcaldia".into(),
        nonce: "n".into(),
        verifier: "v".into(),
        redirect: "http://localhost/back".into(),
        return_to: "/".into(),
    };
    let begin = async || errand::begin(here, db, &kept).await.unwrap();
    let end = async |provider: &str, browser: &Token, state: &Token| {
        errand::end(here, db, provider, browser, state).await.unwrap()
    };
    let begun = begin().await;
    assert_eq!(end("alcaldia", &begun.browser, &begun.state).await.as_ref(), Some(&kept));
    assert_eq!(end("alcaldia", &begun.browser, &begun.state).await, None, "it was used");
    let (one, other) = (begin().await, begin().await);
    assert_eq!(end("alcaldia", &one.browser, &other.state).await, None, "another browser's");
    assert_eq!(end("alcaldia", &one.browser, &one.state).await, None, "what was tried wrongly is spent");
    assert_eq!(end("otro", &other.browser, &other.state).await, None, "another provider's");
    let late = begin().await;
    let mut admin = test.superuser().await;
    sqlx::query("UPDATE access.errand SET expires_at = now() - interval '1 s'").execute(&mut admin).await.unwrap();
    assert_eq!(end("alcaldia", &late.browser, &late.state).await, None, "too slow");
}

#[tokio::test]
async fn bounds_hold_at_login_and_at_each_request() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let person = NewAccount::new("eva", AccountKind::Person);
    let eva = account::create(OPERATOR, db, &person).await.unwrap().id;
    let (link, _) = link::for_account(OPERATOR, db, eva).await.unwrap();
    link::follow(&from("192.0.2.1"), db, &link, None, Password::typed(PASSWORD), "").await.unwrap();
    let try_in = async |address: &str| {
        let password = Password::typed(PASSWORD);
        let attempt = Attempt { name: "eva", password: &password, device: None, user_agent: "", directory: None };
        log_in(&from(address), db, attempt).await.map(|come_in| come_in.session.token)
    };
    let set = async |change: AccountChange| account::change(OPERATOR, db, eva, &change).await.unwrap();

    let gate = Arc::new(Gate::new(db.clone()));
    let listening = Arc::clone(&gate);
    tokio::spawn(async move { listening.listen().await });
    let token = try_in("192.0.2.1").await.unwrap();
    let opens = async |address: &str| {
        let address: IpAddr = address.parse().unwrap();
        gate.open(&token, Some(address)).await.unwrap().is_some()
    };
    let within_a_second = async |address: &str, expected: bool| {
        let deadline = Instant::now() + Duration::from_secs(1);
        while opens(address).await != expected {
            assert!(Instant::now() < deadline, "{address} is not {expected} within a second");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(opens("198.51.100.1").await);
    let networks = Some(vec!["192.0.2.0/24".parse().unwrap()]);
    set(AccountChange { networks, ..AccountChange::default() }).await;
    within_a_second("198.51.100.1", false).await;
    assert!(opens("192.0.2.77").await, "one session, from within");
    assert!(gate.open(&token, None).await.unwrap().is_none(), "from nobody knows where");
    let refused = try_in("198.51.100.1").await;
    assert!(matches!(refused, Err(LoginError::OutOfBounds(OutOfBounds::Network))));
    assert!(try_in("192.0.2.1").await.is_ok());

    // A window of the day before yesterday's weekday alone is shut now.
    let shut = serde_json::from_value(serde_json::json!([{
        "days": [(chrono::Utc::now() - chrono::TimeDelta::hours(5 + 72)).format("%a").to_string().to_lowercase()],
        "from": "00:00", "to": "00:00"
    }]));
    set(AccountChange { hours: Some(shut.unwrap()), networks: Some(Vec::new()), ..AccountChange::default() }).await;
    within_a_second("192.0.2.1", false).await;
    assert!(matches!(try_in("192.0.2.1").await, Err(LoginError::OutOfBounds(OutOfBounds::Hour))));
    set(AccountChange { hours: Some(Vec::new()), ..AccountChange::default() }).await;
    within_a_second("198.51.100.1", true).await;
}

#[tokio::test]
async fn a_key_is_for_systems_and_within_their_bounds() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let new = |title: &str| NewKey { title: title.into(), permissions: None, expires_at: None };
    let eva = account::create(OPERATOR, db, &NewAccount::new("eva", AccountKind::Person)).await.unwrap();
    assert!(matches!(key::create(OPERATOR, db, eva.id, &new("x")).await, Err(AccessError::Invalid { .. })));
    let networks = vec!["10.0.0.9/8".parse().unwrap()];
    let sensor = NewAccount { networks, ..NewAccount::new("sensor", AccountKind::System) };
    let sensor = account::create(OPERATOR, db, &sensor).await.unwrap();
    assert_eq!(sensor.networks, ["10.0.0.0/8".parse().unwrap()], "without the bits of a host");
    let (token, _) = key::create(OPERATOR, db, sensor.id, &new("x")).await.unwrap();
    let gate = Gate::new(db.clone());
    let by = gate.open(&token, "10.1.2.3".parse().ok()).await.unwrap().map(|caller| caller.login().unwrap().by);
    assert!(matches!(by, Some(Credential::Key(_))));
    assert!(gate.open(&token, "192.0.2.1".parse().ok()).await.unwrap().is_none());
}

#[tokio::test]
async fn who_manages_where_nobody_is_yet_sees_an_empty_list() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let here = &from("192.0.2.1");
    let session = come_in(here, db, &vouched("s-1", "jefa", &[grant("administrator", "Nueva")]), "").await.unwrap();
    let gate = Gate::new(db.clone());
    let jefa = gate.open(&session.token, None).await.unwrap().unwrap();
    assert_eq!(account::list(&jefa, db).await.unwrap(), []);
    assert!(!role::list(&jefa, db).await.unwrap().is_empty());
    let session = come_in(here, db, &vouched("s-2", "otro", &[grant("planner", "Nueva")]), "").await.unwrap();
    let nobody = gate.open(&session.token, None).await.unwrap().unwrap();
    assert!(matches!(account::list(&nobody, db).await, Err(AccessError::Denied(_))));
    assert!(matches!(role::list(&nobody, db).await, Err(AccessError::Denied(_))));
}
