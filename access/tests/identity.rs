//! Accounts, sessions, keys and links on a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::account::{self, AccountChange, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::key::{self, NewKey};
use access::link::{self, LinkFor};
use access::login::{Attempt, LoggedIn, LoginError, log_in};
use access::password::Password;
use access::role::{self, Role};
use access::session;
use access::{AccessError, BUILT_IN_ROLES, Caller, Gate, Origin, Permission, Reach, Token};
use sqlx::Row;
use testdb::TestDatabase;
use uuid::Uuid;

const OPERATOR: &Caller = &Caller::OPERATOR;
const PASSWORD: &str = "ceiba violeta 41 nubes";

fn from(address: &str) -> Caller {
    let address: IpAddr = address.parse().unwrap();
    Caller::ANONYMOUS.from(Origin { address: Some(address), request: "r-1".into() })
}

fn person(name: &str, dependency: &str) -> NewAccount {
    NewAccount { dependency: dependency.to_owned(), ..NewAccount::new(name, AccountKind::Person) }
}

fn role(role: &str, reach: Reach) -> NewAssignment {
    NewAssignment { role: role.to_owned(), reach, expires_at: None }
}

fn of(dependency: &str) -> Reach {
    Reach { dependency: Some(dependency.to_owned()), ..Reach::default() }
}

struct House {
    test: TestDatabase,
    gate: Gate,
}

impl House {
    async fn new() -> Self {
        let test = TestDatabase::new().await;
        let gate = Gate::new(test.database().clone());
        Self { test, gate }
    }

    /// An account with a password and a role that reaches so far.
    async fn account(&self, name: &str, assigned: &[NewAssignment]) -> Uuid {
        let db = self.test.database();
        let account = account::create(OPERATOR, db, &person(name, "")).await.unwrap();
        let (link, _) = link::for_account(OPERATOR, db, account.id).await.unwrap();
        link::follow(&from("192.0.2.1"), db, &link, None, Password::typed(PASSWORD), "").await.unwrap();
        for role in assigned {
            assignment::assign(OPERATOR, db, account.id, role).await.unwrap();
        }
        account.id
    }

    async fn try_in(
        &self,
        caller: &Caller,
        name: &str,
        password: &str,
        device: Option<&Token>,
    ) -> Result<LoggedIn, LoginError> {
        let password = Password::typed(password);
        log_in(
            caller,
            self.test.database(),
            Attempt { name, password: &password, device, user_agent: "Firefox", directory: None },
        )
        .await
    }

    async fn caller(&self, name: &str) -> Caller {
        let token = self.try_in(&from("192.0.2.1"), name, PASSWORD, None).await.unwrap().session.token;
        self.gate.open(&token, None).await.unwrap().unwrap()
    }

    async fn audited(&self) -> Vec<String> {
        let rows = sqlx::query("SELECT action || ' ' || outcome AS said FROM access.audit ORDER BY id");
        let rows = rows.fetch_all(self.test.database().app()).await.unwrap();
        rows.iter().map(|row| row.get("said")).collect()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an outcome, as it comes")]
fn is_denied<T>(outcome: Result<T, AccessError>) -> bool {
    matches!(outcome, Err(AccessError::Denied(_)))
}

#[tokio::test]
async fn the_first_administrator_comes_by_a_link_once() {
    let house = House::new().await;
    let db = house.test.database();
    // Nobody is there before, by no password and by no key.
    let there: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM access.account) + (SELECT count(*) FROM access.key) \
            + (SELECT count(*) FROM access.session) + (SELECT count(*) FROM access.link)",
    )
    .fetch_one(db.app())
    .await
    .unwrap();
    assert_eq!(there, 0);
    let old = link::for_first_administrator(OPERATOR, db).await.unwrap().unwrap();
    let link = link::for_first_administrator(OPERATOR, db).await.unwrap().unwrap();
    assert!(matches!(link::look(&Caller::ANONYMOUS, db, &old).await, Err(AccessError::SpentLink)));
    assert_eq!(link::look(&Caller::ANONYMOUS, db, &link).await.unwrap(), LinkFor::FirstAdministrator);
    assert!(is_denied(link::for_first_administrator(&Caller::ANONYMOUS, db).await));

    let follow = async |name, password| {
        link::follow(&from("192.0.2.1"), db, &link, Some(name), Password::typed(password), "Firefox").await
    };
    assert!(matches!(follow("ana", "password1234").await, Err(AccessError::Weak(_))));
    assert!(matches!(follow("Ana Ruiz", PASSWORD).await, Err(AccessError::Invalid { field: "name", .. })));
    let session = follow("ana", PASSWORD).await.unwrap();
    assert!(matches!(follow("eva", PASSWORD).await, Err(AccessError::SpentLink)));
    assert_eq!(link::for_first_administrator(OPERATOR, db).await.unwrap(), None);

    let ana = house.gate.open(&session.token, None).await.unwrap().unwrap();
    assert!(ana.may_within(Permission::ManageAccounts, &Reach::default()));
    assert_eq!(house.audited().await, ["create_account done", "assign done", "set_password done", "log_in done"]);
}

#[tokio::test]
async fn only_the_right_password_of_an_open_account_comes_in() {
    let house = House::new().await;
    let db = house.test.database();
    let eva = house.account("eva", &[]).await;
    let client = from("192.0.2.7");
    assert!(house.try_in(&client, " EVA ", PASSWORD, None).await.is_ok());
    for (name, password) in [("eva", "ceiba violeta 41 nubeS"), ("nadie", PASSWORD), ("eva", "")] {
        let refused = house.try_in(&client, name, password, None).await.unwrap_err();
        assert!(matches!(refused, LoginError::Refused), "{refused}");
    }
    let system = account::create(OPERATOR, db, &NewAccount { kind: AccountKind::System, ..person("sensor", "") }).await;
    assert!(link::for_account(OPERATOR, db, system.unwrap().id).await.is_err());
    for change in [
        AccountChange { is_disabled: Some(true), ..AccountChange::default() },
        AccountChange {
            is_disabled: Some(false),
            expires_at: Some(Some(chrono::Utc::now())),
            ..AccountChange::default()
        },
    ] {
        account::change(OPERATOR, db, eva, &change).await.unwrap();
        assert!(matches!(house.try_in(&client, "eva", PASSWORD, None).await, Err(LoginError::Refused)));
    }
    let open = AccountChange { expires_at: Some(None), ..AccountChange::default() };
    account::change(OPERATOR, db, eva, &open).await.unwrap();
    assert!(house.try_in(&client, "eva", PASSWORD, None).await.is_ok());
    // Nothing that a stranger typed is in the trail.
    let trail: String =
        sqlx::query_scalar("SELECT string_agg(a::text, ' ') FROM access.audit AS a WHERE outcome = 'failed'")
            .fetch_one(db.app())
            .await
            .unwrap();
    assert!(!trail.contains("nadie") && !trail.contains("violeta") && trail.contains("192.0.2.7"), "{trail}");
}

#[tokio::test]
async fn ten_thousand_wrong_passwords_do_not_keep_the_owner_out() {
    let house = Arc::new(House::new().await);
    house.account("eva", &[]).await;
    let device = house.try_in(&from("192.0.2.7"), "eva", PASSWORD, None).await.unwrap().device;
    // From the network in which the owner is too.
    let attack = from("192.0.2.7");
    let (mut wrong, mut stopped) = (0, 0);
    for attempt in 0..10_000 {
        match house.try_in(&attack, "eva", &format!("adivina {attempt}"), None).await.unwrap_err() {
            LoginError::Refused => wrong += 1,
            LoginError::TooMany(_) => stopped += 1,
            other => panic!("{other}"),
        }
    }
    assert!(wrong < 30 && stopped > 9_900, "{wrong} were looked at, {stopped} not");
    assert!(house.try_in(&from("198.51.100.4"), "eva", PASSWORD, None).await.is_ok(), "from another network");
    assert!(house.try_in(&attack, "eva", PASSWORD, Some(&device)).await.is_ok(), "from a browser that is known");
    // Hammering does not keep the bucket from filling.
    let later = "UPDATE access.bucket SET at = at - interval '31 seconds'";
    sqlx::query(later).execute(house.test.database().app()).await.unwrap();
    let again = house.try_in(&attack, "eva", "adivina", None).await.unwrap_err();
    assert!(matches!(again, LoginError::Refused), "{again}");
    let stranger = Token::given("no-such-device");
    let refused = house.try_in(&attack, "eva", PASSWORD, Some(&stranger)).await.unwrap_err();
    assert!(matches!(refused, LoginError::TooMany(_)), "{refused}");
}

#[tokio::test]
async fn what_is_revoked_is_out_in_every_process_within_a_second() {
    let house = House::new().await;
    let db = house.test.database();
    let eva = house.account("eva", &[role("planner", Reach::default())]).await;
    let system =
        account::create(OPERATOR, db, &NewAccount { kind: AccountKind::System, ..person("sensor", "") }).await.unwrap();
    let gates = [Arc::new(Gate::new(db.clone())), Arc::new(Gate::new(db.clone()))];
    for gate in &gates {
        let gate = Arc::clone(gate);
        tokio::spawn(async move { gate.listen().await });
    }
    let enter = async || house.try_in(&from("192.0.2.7"), "eva", PASSWORD, None).await.unwrap().session.token;
    let clearance = |caller: &Caller| caller.may_within(Permission::ReadClassified, &Reach::default());
    // Whether both are so, and hold on to it for a while, within a second.
    let soon = async |token: &Token, expected: Option<bool>| {
        for gate in &gates {
            let began = Instant::now();
            while gate.open(token, None).await.unwrap().as_ref().map(clearance) != expected {
                assert!(began.elapsed() < Duration::from_secs(1), "{expected:?} is not so after a second");
                tokio::task::yield_now().await;
            }
        }
    };

    let token = enter().await;
    soon(&token, Some(true)).await;
    let caller = gates[0].open(&token, None).await.unwrap().unwrap();
    session::log_out(&caller, db).await.unwrap();
    soon(&token, None).await;

    let token = enter().await;
    soon(&token, Some(true)).await;
    let planner = Role {
        id: "planner".into(),
        title: "Planeación".into(),
        title_en: String::new(),
        permissions: Permission::ReadAudit.into(),
    };
    role::put(OPERATOR, db, &planner).await.unwrap();
    soon(&token, Some(false)).await;
    let assigned = assignment::list(OPERATOR, db, eva).await.unwrap();
    assignment::assign(OPERATOR, db, eva, &role("editor", Reach::default())).await.unwrap();
    soon(&token, Some(true)).await;
    assert_eq!(assigned.len(), 1);
    let shut = AccountChange { is_disabled: Some(true), ..AccountChange::default() };
    account::change(OPERATOR, db, eva, &shut).await.unwrap();
    soon(&token, None).await;

    let new = NewKey { title: "sensores".into(), permissions: None, expires_at: None };
    let (token, made) = key::create(OPERATOR, db, system.id, &new).await.unwrap();
    soon(&token, Some(false)).await;
    key::revoke(OPERATOR, db, system.id, made.id).await.unwrap();
    soon(&token, None).await;

    // By psql too.
    let (token, _) = key::create(OPERATOR, db, system.id, &new).await.unwrap();
    soon(&token, Some(false)).await;
    let mut admin = house.test.superuser().await;
    sqlx::query("DELETE FROM access.key").execute(&mut admin).await.unwrap();
    soon(&token, None).await;
}

#[tokio::test]
async fn nobody_gets_further_through_another() {
    let house = House::new().await;
    let db = house.test.database();
    house.account("ana", &[role("administrator", of("Salud"))]).await;
    let boss = house.account("jefa", &[role("administrator", Reach::default())]).await;
    let ana = house.caller("ana").await;
    let own = ana.login().unwrap().account;

    // Within her dependency.
    let eva = account::create(&ana, db, &person("eva", "Salud")).await.unwrap();
    assignment::assign(&ana, db, eva.id, &role("editor", of("Salud"))).await.unwrap();
    assert!(link::for_account(&ana, db, eva.id).await.is_ok());
    // Not beyond.
    assert!(is_denied(account::create(&ana, db, &person("leo", "Hacienda")).await));
    assert!(is_denied(assignment::assign(&ana, db, eva.id, &role("editor", Reach::default())).await));
    assert!(is_denied(assignment::assign(&ana, db, eva.id, &role("editor", of("Hacienda"))).await));
    let moved = AccountChange { dependency: Some("Hacienda".into()), ..AccountChange::default() };
    assert!(is_denied(account::change(&ana, db, eva.id, &moved).await));
    assert!(is_denied(
        role::put(
            &ana,
            db,
            &Role {
                id: "todo".into(),
                title: "Todo".into(),
                title_en: String::new(),
                permissions: Permission::ReadReserved.into()
            }
        )
        .await
    ));
    // Not by her own hand, and not through somebody who may more.
    assert!(is_denied(assignment::assign(&ana, db, own, &role("editor", of("Salud"))).await));
    assert!(matches!(link::for_account(&ana, db, boss).await, Err(AccessError::Unknown { .. })));
    assert!(matches!(account::get(&ana, db, boss).await, Err(AccessError::Unknown { .. })));
    assignment::assign(OPERATOR, db, eva.id, &role("auditor", Reach::default())).await.unwrap();
    assert!(is_denied(link::for_account(&ana, db, eva.id).await));
    assert!(is_denied(
        key::create(&ana, db, eva.id, &NewKey { title: "x".into(), permissions: None, expires_at: None }).await
    ));
    let seen: Vec<String> = account::list(&ana, db).await.unwrap().into_iter().map(|account| account.name).collect();
    assert_eq!(seen, ["eva"]);
    // Who manages nothing sees and does nothing.
    for nobody in [Caller::ANONYMOUS, house.caller("jefa").await] {
        let may = nobody.login().is_some();
        assert_eq!(account::list(&nobody, db).await.is_ok(), may);
        assert_eq!(account::create(&nobody, db, &person("otra", "")).await.is_ok(), may);
    }
}

#[tokio::test]
async fn a_key_has_no_more_than_its_account_and_what_it_was_given() {
    let house = House::new().await;
    let db = house.test.database();
    let system =
        account::create(OPERATOR, db, &NewAccount { kind: AccountKind::System, ..person("sensor", "") }).await.unwrap();
    assignment::assign(OPERATOR, db, system.id, &role("editor", of("Salud"))).await.unwrap();
    let permissions = Some(Permission::EditFeatures | Permission::ManageAccounts);
    let (token, made) =
        key::create(OPERATOR, db, system.id, &NewKey { title: "lecturas".into(), permissions, expires_at: None })
            .await
            .unwrap();
    let caller = house.gate.open(&token, None).await.unwrap().unwrap();
    assert!(caller.may_within(Permission::EditFeatures, &of("Salud")));
    assert!(!caller.may_within(Permission::ReadClassified, &of("Salud")));
    assert!(!caller.may_within(Permission::ManageAccounts, &of("Salud")));
    assert!(token.expose().starts_with(&made.prefix) && made.prefix.len() < 20);
    // What is kept opens nothing.
    let kept: String =
        sqlx::query_scalar("SELECT row_to_json(k)::text FROM access.key AS k").fetch_one(db.app()).await.unwrap();
    assert!(!kept.contains(token.expose()));
    for other in [made.prefix.as_str(), "lindero_", ""] {
        assert!(house.gate.open(&Token::given(other), None).await.unwrap().is_none());
    }
    let ended = NewKey { title: "vieja".into(), permissions: None, expires_at: Some(chrono::Utc::now()) };
    let (token, _) = key::create(OPERATOR, db, system.id, &ended).await.unwrap();
    assert!(house.gate.open(&token, None).await.unwrap().is_none());
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_the_old_one() {
    let house = House::new().await;
    let db = house.test.database();
    let eva = house.account("eva", &[]).await;
    let (here, there) = (house.caller("eva").await, house.caller("eva").await);
    let change = async |present: &str, next: &str| {
        link::change_password(&here, db, Password::typed(present), Password::typed(next)).await
    };
    assert!(matches!(
        change("otra cosa", "guayacán 7 lluvias mansas").await,
        Err(AccessError::Invalid { field: "present", .. })
    ));
    assert!(matches!(change(PASSWORD, "corta").await, Err(AccessError::Weak(_))));
    change(PASSWORD, "guayacán 7 lluvias mansas").await.unwrap();
    let left = session::list(&here, db, eva).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(here.login().unwrap().by, access::Credential::Session(left[0].id));
    assert!(session::end(&there, db, eva, left[0].id).await.is_ok(), "one of its own");
    assert!(house.try_in(&from("192.0.2.9"), "eva", PASSWORD, None).await.is_err());
}

#[tokio::test]
async fn the_roles_of_the_code_are_those_of_the_database() {
    let house = House::new().await;
    let roles = role::list(OPERATOR, house.test.database()).await.unwrap();
    let mut expected: Vec<Role> = BUILT_IN_ROLES
        .iter()
        .map(|role| Role {
            id: role.id.into(),
            title: role.title[0].into(),
            title_en: role.title[1].into(),
            permissions: role.permissions,
        })
        .collect();
    expected.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(roles, expected);
    let administrator = Role { id: "administrator".into(), ..expected[1].clone() };
    assert!(role::put(OPERATOR, house.test.database(), &administrator).await.is_err());
}

#[tokio::test]
async fn the_trail_can_be_added_to_and_not_changed() {
    let house = House::new().await;
    house.account("eva", &[]).await;
    for statement in [
        "UPDATE access.audit SET action = 'x'",
        "DELETE FROM access.audit",
        "TRUNCATE access.audit",
        "INSERT INTO access.audit (action, outcome, at) VALUES ('log_in', 'done', '2020-01-01')",
    ] {
        for pool in [house.test.database().app(), house.test.database().loader()] {
            let refused = sqlx::query(statement).execute(pool).await.unwrap_err();
            assert!(refused.to_string().contains("permission denied"), "{refused}");
        }
    }
}
