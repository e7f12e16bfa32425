//! The change feed: every change of a layer reaches a follower once, whatever
//! the order of commits, the writer's rights and the state of its connection.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::HashMap;
use std::time::Duration;

use access::Caller;
use layers::catalog;
use layers::change::{self, Change, Event, FeedError, Follower, Operation, Touched};
use proptest::prelude::*;
use sqlx::{Connection, PgConnection};
use support::{OPERATOR, id, run};
use testdb::TestDatabase;

/// The keys that a change lists.
fn keys(change: &Change) -> Vec<String> {
    match &change.touched {
        Touched::Features(features) => features.iter().map(|feature| feature.key.clone()).collect(),
        other => panic!("{other:?} lists no keys"),
    }
}

const POINT: &str = "ST_SetSRID(ST_MakePoint(4752388, 2048868), 9377)";

#[tokio::test]
async fn a_write_by_psql_is_told_once_with_its_places() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let layer = support::managed(db, "kioscos", support::definition("Kioscos")).await;
    let start = change::position(OPERATOR, db).await.unwrap();

    let mut psql = test.superuser().await;
    run(&mut psql, &format!("INSERT INTO geo.kioscos (fid, nombre, geom) VALUES (7, 'Machín', {POINT})")).await;
    run(&mut psql, "UPDATE geo.kioscos SET geom = ST_Translate(geom, 100, 0) WHERE fid = 7").await;
    run(&mut psql, "DELETE FROM geo.kioscos WHERE fid = 7").await;
    run(&mut psql, "UPDATE geo.kioscos SET nombre = '' WHERE fid = 99").await;

    let (changes, next) = change::read(OPERATOR, db, &start).await.unwrap();
    let told: Vec<_> = changes.iter().map(|c| (c.layer.clone(), c.operation, c.features)).collect();
    assert_eq!(
        told,
        [
            (layer.clone(), Operation::Insert, Some(1)),
            (layer.clone(), Operation::Update, Some(1)),
            (layer.clone(), Operation::Delete, Some(1)),
        ]
    );
    let Touched::Features(moved) = &changes[1].touched else { panic!("one feature") };
    let before = [4_752_388.0, 2_048_868.0, 4_752_388.0, 2_048_868.0];
    let after = [4_752_488.0, 2_048_868.0, 4_752_488.0, 2_048_868.0];
    assert_eq!((moved[0].key.as_str(), moved[0].old, moved[0].new), ("7", Some(before), Some(after)));

    let (again, _) = change::read(OPERATOR, db, &next).await.unwrap();
    assert_eq!(again, []);
}

#[tokio::test]
async fn a_feature_that_is_nowhere_does_not_stop_the_feed() {
    let test = TestDatabase::new().await;
    let db = test.database();
    support::managed(db, "kioscos", support::definition("Kioscos")).await;
    let start = change::position(OPERATOR, db).await.unwrap();
    let mut psql = test.superuser().await;
    for (fid, x) in [(9001, "'NaN'"), (9002, "'-Infinity'"), (9003, "4752388")] {
        let point = format!("ST_SetSRID(ST_MakePoint({x}, 2048868), 9377)");
        run(&mut psql, &format!("INSERT INTO geo.kioscos (fid, geom) VALUES ({fid}, {point})")).await;
    }
    run(&mut psql, "INSERT INTO geo.kioscos (geom) SELECT ST_SetSRID(ST_MakePoint('NaN', n), 9377) FROM generate_series(1, 300) AS n").await;
    let (changes, _) = change::read(OPERATOR, db, &start).await.unwrap();
    let places: Vec<_> = changes
        .iter()
        .flat_map(|change| match &change.touched {
            Touched::Features(features) => features.iter().map(|feature| feature.new).collect(),
            Touched::Extents { new, .. } => vec![*new],
            Touched::Everything => panic!("all is listed"),
        })
        .collect();
    assert_eq!(places, [None, None, Some([4_752_388.0, 2_048_868.0, 4_752_388.0, 2_048_868.0]), None]);
}

#[tokio::test]
async fn many_features_are_told_as_two_extents() {
    let test = TestDatabase::new().await;
    let db = test.database();
    support::managed(db, "arboles", support::definition("Árboles")).await;
    let start = change::position(OPERATOR, db).await.unwrap();
    let mut psql = test.superuser().await;
    run(
        &mut psql,
        "INSERT INTO geo.arboles (geom) SELECT ST_SetSRID(ST_MakePoint(4750000 + n, 2040000), 9377) \
         FROM generate_series(1, 257) AS n",
    )
    .await;
    run(&mut psql, "UPDATE geo.arboles SET geom = ST_Translate(geom, 0, 10)").await;
    run(&mut psql, "TRUNCATE geo.arboles").await;
    let (changes, _) = change::read(OPERATOR, db, &start).await.unwrap();
    let was = [4_750_001.0, 2_040_000.0, 4_750_257.0, 2_040_000.0];
    let is = [4_750_001.0, 2_040_010.0, 4_750_257.0, 2_040_010.0];
    assert_eq!(changes[0].touched, Touched::Extents { old: None, new: Some(was) });
    assert_eq!(changes[1].touched, Touched::Extents { old: Some(was), new: Some(is) });
    assert_eq!((changes[1].features, changes[2].operation), (Some(257), Operation::Truncate));
}

#[tokio::test]
async fn a_transaction_that_commits_after_a_later_one_is_told_late_but_told() {
    let test = TestDatabase::new().await;
    let db = test.database();
    support::managed(db, "postes", support::definition("Postes")).await;
    let start = change::position(OPERATOR, db).await.unwrap();

    let (mut early, mut late) = (test.superuser().await, test.superuser().await);
    run(&mut early, "BEGIN").await;
    run(&mut early, "INSERT INTO geo.postes (fid) VALUES (1)").await;
    run(&mut late, "INSERT INTO geo.postes (fid) VALUES (2)").await;
    let (first, position) = change::read(OPERATOR, db, &start).await.unwrap();
    run(&mut early, "COMMIT").await;
    let (second, position) = change::read(OPERATOR, db, &position).await.unwrap();
    let (third, _) = change::read(OPERATOR, db, &position).await.unwrap();

    let told = |changes: &[Change]| changes.iter().flat_map(keys).collect::<Vec<_>>();
    assert_eq!(told(&first), ["2"]);
    assert_eq!(told(&second), ["1"]);
    assert_eq!(third, []);
}

#[tokio::test]
async fn an_open_writer_in_another_database_hides_nothing() {
    let (test, other) = (TestDatabase::new().await, TestDatabase::new().await);
    let db = test.database();
    support::managed(db, "semaforos", support::definition("Semáforos")).await;
    let mut open = other.superuser().await;
    run(&mut open, "CREATE TABLE t (n int); BEGIN; INSERT INTO t VALUES (1)").await;

    let start = change::position(OPERATOR, db).await.unwrap();
    run(&mut test.superuser().await, "INSERT INTO geo.semaforos (fid) VALUES (3)").await;
    let (changes, _) = change::read(OPERATOR, db, &start).await.unwrap();
    assert_eq!(changes.iter().flat_map(keys).collect::<Vec<_>>(), ["3"]);
    run(&mut open, "ROLLBACK").await;
}

#[tokio::test]
async fn writes_to_the_parent_and_to_a_partition_are_each_told_once() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let mut admin = test.superuser().await;
    support::published(db, &mut admin, "lotes").await;
    let start = change::position(OPERATOR, db).await.unwrap();
    run(&mut admin, "INSERT INTO catastro.lotes VALUES ('a1', 'uno', NULL), ('z9', 'nueve', NULL)").await;
    run(&mut admin, "INSERT INTO catastro.lotes_a VALUES ('a2', 'dos', NULL)").await;
    // A row that moves to another partition is one update of the parent.
    run(&mut admin, "UPDATE catastro.lotes SET codigo = 'y8' WHERE codigo = 'a1'").await;
    let (changes, _) = change::read(OPERATOR, db, &start).await.unwrap();
    let mut told: Vec<Vec<String>> = changes.iter().map(keys).collect();
    for keys in &mut told {
        keys.sort();
    }
    assert_eq!(told, [vec!["a1", "z9"], vec!["a2"], vec!["a1", "y8"]]);

    // A partition that comes later is reported as unseen, until it is mended.
    run(&mut admin, "CREATE TABLE catastro.lotes_b PARTITION OF catastro.lotes FOR VALUES IN ('b1')").await;
    let layer = catalog::get(OPERATOR, db, &id("lotes")).await.unwrap();
    assert_eq!(catalog::missing_triggers(&mut admin, layer.kind, &layer.table).await.unwrap(), ["catastro.lotes_b"]);
    let mut transaction = admin.begin().await.unwrap();
    catalog::install_triggers(&mut transaction, &layer.id, layer.kind, &layer.table).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(catalog::missing_triggers(&mut admin, layer.kind, &layer.table).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_writer_without_rights_on_our_schemas_does_not_fail() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let mut admin = test.superuser().await;
    support::published(db, &mut admin, "redes").await;
    let role = format!("contratista_{}", uuid::Uuid::new_v4().simple());
    run(
        &mut admin,
        &format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA catastro TO {role}; GRANT INSERT ON catastro.redes TO {role}"
        ),
    )
    .await;
    let start = change::position(OPERATOR, db).await.unwrap();
    // A search path that would lead a careless function astray.
    run(&mut admin, &format!("CREATE SCHEMA trap AUTHORIZATION {role}; SET ROLE {role}; SET search_path = trap")).await;
    run(&mut admin, "INSERT INTO catastro.redes VALUES ('r1', NULL, NULL)").await;
    run(&mut admin, "RESET ROLE").await;
    let (changes, _) = change::read(OPERATOR, db, &start).await.unwrap();
    assert_eq!(changes.iter().flat_map(keys).collect::<Vec<_>>(), ["r1"]);
    // A session that replays as a replica is recorded too.
    run(&mut admin, "SET session_replication_role = replica; INSERT INTO catastro.redes VALUES ('r2', NULL, NULL)")
        .await;
    let (changes, _) = change::read(OPERATOR, db, &start).await.unwrap();
    assert_eq!(changes.len(), 2);
    run(&mut admin, &format!("DROP SCHEMA trap; DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_follower_whose_connection_was_cut_misses_nothing() {
    let test = TestDatabase::new().await;
    let db = test.database();
    support::managed(db, "puentes", support::definition("Puentes")).await;
    let mut follower = Follower::from_now(OPERATOR, db.clone(), Duration::from_mins(1)).await.unwrap();
    let mut psql = test.superuser().await;

    // Let it listen, then cut every connection but our own, then write.
    run(&mut psql, "INSERT INTO geo.puentes (fid) VALUES (1)").await;
    assert!(matches!(follower.next().await.unwrap(), Event::Changed(changes) if keys(&changes[0]) == ["1"]));
    run(
        &mut psql,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    run(&mut psql, "INSERT INTO geo.puentes (fid) VALUES (2)").await;
    let event = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            // A pool may first hand out a connection that was cut.
            if let Ok(event) = follower.next().await {
                return event;
            }
        }
    })
    .await
    .expect("the change arrives before the follower would look by itself");
    assert!(matches!(event, Event::Changed(changes) if changes.iter().flat_map(keys).eq(["2"])));
}

#[tokio::test]
async fn another_log_and_a_pruned_one_are_noticed() {
    let test = TestDatabase::new().await;
    let db = test.database();
    support::managed(db, "canales", support::definition("Canales")).await;
    let start = change::position(OPERATOR, db).await.unwrap();
    let mut psql = test.superuser().await;
    run(&mut psql, "INSERT INTO geo.canales (fid) VALUES (1)").await;

    // Another test's open transaction keeps the entry: until that ends.
    let pruned = async {
        while change::prune(OPERATOR, db, chrono::TimeDelta::zero()).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), pruned).await.expect("the entry is pruned");
    assert!(matches!(change::read(OPERATOR, db, &start).await, Err(FeedError::TooOld)));

    let now = change::position(OPERATOR, db).await.unwrap();
    assert!(change::read(OPERATOR, db, &now).await.is_ok());
    change::renew_identity(OPERATOR, db).await.unwrap();
    assert!(matches!(change::read(OPERATOR, db, &now).await, Err(FeedError::AnotherLog)));

    // A restore by hand into the same database makes the table anew.
    let now = change::position(OPERATOR, db).await.unwrap();
    run(
        &mut psql,
        "CREATE TABLE catalog.change_copy (LIKE catalog.change INCLUDING ALL); \
         ALTER TABLE catalog.change_copy OWNER TO lindero_owner; \
         GRANT SELECT ON catalog.change_copy TO lindero_app; \
         DROP TABLE catalog.change; ALTER TABLE catalog.change_copy RENAME TO change",
    )
    .await;
    assert!(matches!(change::read(OPERATOR, db, &now).await, Err(FeedError::AnotherLog)));
    let mut follower = Follower::new(OPERATOR, db.clone(), now, Duration::from_mins(1));
    assert_eq!(follower.next().await.unwrap(), Event::Rebuild);
}

/// Runs one of PostgreSQL's programs to its end.
fn program(name: &str, arguments: &[&str]) {
    let output = std::process::Command::new(name).args(arguments).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_restore_makes_another_log_and_goes_on_recording() {
    let (test, empty) = (TestDatabase::new().await, TestDatabase::new().await);
    let db = test.database();
    support::managed(db, "muros", support::definition("Muros")).await;
    let mut psql = test.superuser().await;
    run(&mut psql, "INSERT INTO geo.muros (fid) VALUES (1)").await;
    let dump = std::env::temp_dir().join(format!("{}.dump", uuid::Uuid::new_v4()));
    let dump_path = dump.to_str().unwrap();
    program("pg_dump", &["--format=custom", "--file", dump_path, "--dbname", &test.url()]);

    // Into the same database, over what was done since.
    let before = change::position(OPERATOR, db).await.unwrap();
    run(&mut psql, "INSERT INTO geo.muros (fid) VALUES (2)").await;
    program("pg_restore", &["--clean", "--if-exists", "--single-transaction", "--dbname", &test.url(), dump_path]);
    assert!(matches!(change::read(OPERATOR, db, &before).await, Err(FeedError::AnotherLog)));

    // Into another one; its triggers record there.
    program("pg_restore", &["--clean", "--if-exists", "--single-transaction", "--dbname", &empty.url(), dump_path]);
    let restored = empty.database();
    assert!(matches!(change::read(OPERATOR, restored, &before).await, Err(FeedError::AnotherLog)));
    // The dump's entries have transaction numbers of their own: pretend that
    // they lie in this cluster's future, as after a restore into a new one.
    run(&mut empty.superuser().await, "UPDATE catalog.change SET xid = '9000000000'").await;
    let start = change::position(OPERATOR, restored).await.unwrap();
    run(&mut empty.superuser().await, "INSERT INTO geo.muros (fid) VALUES (3)").await;
    let (changes, _) = change::read(OPERATOR, restored, &start).await.unwrap();
    assert_eq!(changes.iter().flat_map(keys).collect::<Vec<_>>(), ["3"]);
    std::fs::remove_file(dump).unwrap();
}

#[tokio::test]
async fn a_view_is_found_changed_by_comparison() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let mut admin = test.superuser().await;
    support::ibague(db).await;
    run(
        &mut admin,
        "CREATE TABLE pozos (n int PRIMARY KEY, geom geometry(Point, 9377)); INSERT INTO pozos VALUES (1, NULL); \
         CREATE VIEW pozos_activos AS SELECT n, geom FROM pozos WHERE n < 100",
    )
    .await;
    let publication = catalog::Publication {
        id: id("pozos"),
        municipality: "73001".parse().unwrap(),
        schema: "public".to_owned(),
        name: "pozos_activos".to_owned(),
        key: Some("n".to_owned()),
        geometry: None,
        definition: layers::LayerDefinition { title: layers::Text::same("Pozos"), ..Default::default() },
    };
    assert_eq!(catalog::publish(OPERATOR, &mut admin, &publication).await.unwrap(), layers::ChangeCapture::Comparison);
    assert!(!change::compare(OPERATOR, db, &id("pozos")).await.unwrap());
    assert!(!change::compare(OPERATOR, db, &id("pozos")).await.unwrap());
    let start = change::position(OPERATOR, db).await.unwrap();
    run(&mut admin, "INSERT INTO pozos VALUES (2, NULL)").await;
    assert!(change::compare(OPERATOR, db, &id("pozos")).await.unwrap());
    let (changes, _) = change::read(OPERATOR, db, &start).await.unwrap();
    assert_eq!((changes.len(), changes[0].operation), (1, Operation::Unknown));
    assert_eq!(catalog::get(OPERATOR, db, &id("pozos")).await.unwrap().feature_count, 2);
}

#[tokio::test]
async fn the_public_follows_nothing() {
    let test = TestDatabase::new().await;
    let refused = change::position(&Caller::ANONYMOUS, test.database()).await;
    assert!(matches!(refused, Err(FeedError::Denied(_))));
}

/// A step of a random history, of one of three writers.
#[derive(Debug, Clone)]
enum Step {
    Begin(usize),
    Write(usize),
    Savepoint(usize),
    RollbackToSavepoint(usize),
    Commit(usize),
    Rollback(usize),
    Read,
    Reconnect,
}

fn step() -> impl Strategy<Value = Step> {
    let writer = 0..3usize;
    prop_oneof![
        2 => writer.clone().prop_map(Step::Begin),
        6 => writer.clone().prop_map(Step::Write),
        1 => writer.clone().prop_map(Step::Savepoint),
        1 => writer.clone().prop_map(Step::RollbackToSavepoint),
        2 => writer.clone().prop_map(Step::Commit),
        1 => writer.prop_map(Step::Rollback),
        3 => Just(Step::Read),
        1 => Just(Step::Reconnect),
    ]
}

/// What a writer has done in its open transaction.
#[derive(Default)]
struct Open {
    active: bool,
    written: Vec<i64>,
    /// How much was written at the savepoint.
    savepoint: Option<usize>,
}

/// Runs a history on a database; returns how often each committed key was told.
async fn tell(test: &TestDatabase, steps: Vec<Step>, next_key: &mut i64) -> (HashMap<String, usize>, Vec<i64>) {
    let db = test.database();
    let mut writers: Vec<PgConnection> = Vec::new();
    for _ in 0..3 {
        writers.push(test.superuser().await);
    }
    let mut open: [Open; 3] = Default::default();
    let mut committed = Vec::new();
    let mut told: HashMap<String, usize> = HashMap::new();
    let mut position = change::position(OPERATOR, db).await.unwrap();
    let closing = (0..3).map(Step::Commit).chain([Step::Read, Step::Read]);
    for step in steps.into_iter().chain(closing) {
        match step {
            Step::Begin(w) if !open[w].active => {
                run(&mut writers[w], "BEGIN").await;
                open[w].active = true;
            }
            Step::Write(w) => {
                *next_key += 1;
                run(&mut writers[w], &format!("INSERT INTO geo.historia (fid) VALUES ({next_key})")).await;
                if open[w].active { open[w].written.push(*next_key) } else { committed.push(*next_key) }
            }
            Step::Savepoint(w) if open[w].active => {
                run(&mut writers[w], "SAVEPOINT s").await;
                open[w].savepoint = Some(open[w].written.len());
            }
            Step::RollbackToSavepoint(w) => {
                if let Some(kept) = open[w].savepoint {
                    run(&mut writers[w], "ROLLBACK TO s").await;
                    open[w].written.truncate(kept);
                }
            }
            Step::Commit(w) if open[w].active => {
                run(&mut writers[w], "COMMIT").await;
                committed.extend(std::mem::take(&mut open[w]).written);
            }
            Step::Rollback(w) if open[w].active => {
                run(&mut writers[w], "ROLLBACK").await;
                open[w] = Open::default();
            }
            Step::Read => {
                let (changes, next) = change::read(OPERATOR, db, &position).await.unwrap();
                for key in changes.iter().flat_map(keys) {
                    *told.entry(key).or_default() += 1;
                }
                position = next;
            }
            Step::Reconnect => {
                // Only the position's text survives a restart of the follower.
                let (identity, snapshot) = position.parts();
                position = change::Position::from_parts(identity.to_owned(), snapshot.to_owned());
            }
            _ => {}
        }
    }
    (told, committed)
}

#[test]
fn random_histories_are_told_exactly_once() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let test = runtime.block_on(async {
        let test = TestDatabase::new().await;
        support::managed(test.database(), "historia", support::definition("Historia")).await;
        test
    });
    let next_key = std::cell::Cell::new(0);
    proptest!(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() },
    |(steps in prop::collection::vec(step(), 1..40))| {
        let mut key = next_key.get();
        let (told, committed) = runtime.block_on(tell(&test, steps, &mut key));
        next_key.set(key);
        let expected: HashMap<String, usize> = committed.iter().map(|key| (key.to_string(), 1)).collect();
        prop_assert_eq!(told, expected);
    });
}
