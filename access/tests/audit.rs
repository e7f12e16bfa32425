//! The audit trail's seal, and what it tells.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use access::account::{self, AccountKind, NewAccount};
use access::audit::{Action, Entry, Finding, Kept, Seal, SealKey, Verification, record, seal, state, verify};
use access::login::{self, Attempt};
use access::password::Password;
use access::{AccessError, Caller, link};
use testdb::TestDatabase;
use tokio::time::timeout;

const OPERATOR: &Caller = &Caller::OPERATOR;

struct Trail {
    test: TestDatabase,
    key: SealKey,
    folder: tempfile::TempDir,
}

impl Trail {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = SealKey::open(&folder.path().join("key")).unwrap();
        Self { test: TestDatabase::new().await, key, folder }
    }

    /// One more row: an account is made.
    async fn add(&self, name: &str) {
        let new = NewAccount { full_name: "Ñandú «1»".to_owned(), ..NewAccount::new(name, AccountKind::System) };
        account::create(OPERATOR, self.test.database(), &new).await.unwrap();
    }

    async fn seal(&self) -> Option<Seal> {
        seal(OPERATOR, self.test.database(), &self.key).await.unwrap()
    }

    async fn verify(&self, known: Option<&Seal>) -> Verification {
        let public_key = self.key.public_key();
        let kept = Kept { public_key: Some(&public_key), seal: known };
        verify(OPERATOR, self.test.database(), kept).await.unwrap()
    }

    /// As somebody who may do anything in the database.
    async fn tamper(&self, statement: &'static str) {
        sqlx::raw_sql(statement).execute(&mut self.test.superuser().await).await.unwrap();
    }
}

#[tokio::test]
async fn a_trail_as_it_was_is_found_so() {
    let trail = Trail::new().await;
    assert_eq!(trail.seal().await, None);
    for name in ["a1", "a2", "a3"] {
        trail.add(name).await;
    }
    let first = trail.seal().await.unwrap();
    assert_eq!((first.position, trail.seal().await), (3, None));
    trail.add("a4").await;
    let found = trail.verify(Some(&first)).await;
    assert_eq!((found.rows, found.seals, found.unsealed, found.found), (3, 1, 1, 0), "{found:?}");
    trail.seal().await.unwrap();
    let found = trail.verify(Some(&first)).await;
    assert_eq!((found.rows, found.seals, found.unsealed, found.found), (4, 2, 0, 0), "{found:?}");
    let denied = verify(&Caller::ANONYMOUS, trail.test.database(), Kept::default()).await;
    assert!(matches!(denied, Err(AccessError::Denied(_))));
    // The key is the same after a restart, and nobody else's to read.
    let path = trail.folder.path().join("key");
    assert_eq!(SealKey::open(&path).unwrap().public_key(), trail.key.public_key());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_removed_or_altered_is_found() {
    for (statement, expected) in [
        ("DELETE FROM access.audit WHERE id = 2", vec![Finding::Removed(2, 2)]),
        ("UPDATE access.audit SET account_name = 'otra' WHERE id = 2", vec![Finding::Altered(2, 2)]),
        ("UPDATE access.audit SET at = at - interval '1 microsecond' WHERE id = 3", vec![Finding::Altered(3, 3)]),
        ("UPDATE access.audit SET detail = detail || '{\"x\": 1}' WHERE id = 1", vec![Finding::Altered(1, 1)]),
        ("UPDATE access.audit SET session = gen_random_uuid() WHERE id = 1", vec![Finding::Altered(1, 1)]),
        ("UPDATE access.audit SET dependency = 'x', account_name = '' WHERE id = 1", vec![Finding::Altered(1, 1)]),
        (
            "DELETE FROM access.audit WHERE id = 2; DELETE FROM access.audit_chain WHERE audit = 2",
            vec![Finding::Missing(2), Finding::Altered(3, 3)],
        ),
        ("UPDATE access.audit_seal SET digest = sha256('x')", vec![Finding::Forged(3)]),
        ("UPDATE access.audit_seal SET signature = signature || '\\x00'", vec![Finding::Forged(3)]),
    ] {
        let trail = Trail::new().await;
        for name in ["a1", "a2", "a3"] {
            trail.add(name).await;
        }
        trail.seal().await.unwrap();
        trail.tamper(statement).await;
        assert_eq!(trail.verify(None).await.findings, expected, "{statement}");
    }
}

#[tokio::test]
async fn a_trail_that_is_made_anew_is_not_the_one_that_was_kept() {
    let trail = Trail::new().await;
    for name in ["a1", "a2", "a3"] {
        trail.add(name).await;
    }
    let kept = trail.seal().await.unwrap();
    // All of it taken away behind the first row, and sealed again: with another key, or none.
    trail
        .tamper("DELETE FROM access.audit WHERE id > 1; DELETE FROM access.audit_chain; DELETE FROM access.audit_seal")
        .await;
    assert_eq!(trail.verify(Some(&kept)).await.findings, [Finding::Cut(3)]);
    let others = SealKey::open(&trail.folder.path().join("other")).unwrap();
    seal(OPERATOR, trail.test.database(), &others).await.unwrap().unwrap();
    assert_eq!(trail.verify(None).await.findings, [Finding::Forged(1)]);
}

#[tokio::test]
async fn a_row_of_a_long_transaction_is_sealed_when_it_is_there_and_holds_up_nobody() {
    let trail = Trail::new().await;
    trail.add("a1").await;
    let db = trail.test.database();
    let mut long = db.app().begin().await.unwrap();
    sqlx::query("INSERT INTO access.audit (action, outcome) VALUES ('log_in', 'done')")
        .execute(&mut *long)
        .await
        .unwrap();
    trail.add("a2").await;
    assert_eq!(trail.seal().await.unwrap().position, 2, "those that are there");
    trail.add("a3").await;
    assert_eq!(trail.seal().await.unwrap().position, 3);
    long.commit().await.unwrap();
    assert_eq!(trail.seal().await.unwrap().position, 4, "and the late one");
    let found = trail.verify(None).await;
    assert_eq!((found.rows, found.unsealed, found.found), (4, 0, 0), "{found:?}");
}

#[tokio::test]
async fn an_import_that_stays_open_delays_no_login() {
    let trail = Trail::new().await;
    let db = trail.test.database();
    let account = account::create(OPERATOR, db, &NewAccount::new("eva", AccountKind::Person)).await.unwrap().id;
    let (link, _) = link::for_account(OPERATOR, db, account).await.unwrap();
    let password = Password::typed("ceiba violeta 41 nubes");
    link::follow(OPERATOR, db, &link, None, password.clone(), "").await.unwrap();

    // It wrote its row, and does not end.
    let mut import = db.loader().begin().await.unwrap();
    let municipality = "73001".parse().unwrap();
    record(&mut import, OPERATOR, Entry::of_layer(Action::Import, &municipality, "vias")).await.unwrap();
    let attempt = Attempt { name: "eva", password: &password, device: None, user_agent: "", directory: None };
    let come_in = timeout(Duration::from_secs(20), login::log_in(&Caller::ANONYMOUS, db, attempt)).await;
    assert!(come_in.expect("nobody waits for the import").is_ok());
    let before = trail.seal().await.unwrap().position;
    import.commit().await.unwrap();
    assert_eq!(trail.seal().await.unwrap().position, before + 1);
    assert_eq!(trail.verify(None).await.found, 0);
}

#[tokio::test]
async fn what_was_found_is_kept_and_told() {
    let trail = Trail::new().await;
    let db = trail.test.database();
    let at_first = state(OPERATOR, db).await.unwrap();
    assert!(at_first.seal.is_none() && at_first.verification.is_none() && at_first.unsealed == 0);
    for name in ["a1", "a2"] {
        trail.add(name).await;
    }
    assert_eq!(state(OPERATOR, db).await.unwrap().unsealed, 2);
    let sealed = trail.seal().await.unwrap();
    trail.add("a3").await;
    trail.tamper("UPDATE access.audit SET subject = 'x' WHERE id = 1").await;
    trail.verify(None).await;
    let now = state(OPERATOR, db).await.unwrap();
    assert_eq!((now.seal, now.unsealed), (Some(sealed), 1));
    let last = now.verification.unwrap();
    assert_eq!((last.rows, last.found, last.unsealed), (1, 1, 1), "{last:?}");
    assert_eq!(last.findings, serde_json::json!([{ "altered": [1, 1] }]));
    assert!(matches!(state(&Caller::ANONYMOUS, db).await, Err(AccessError::Denied(_))));
}
