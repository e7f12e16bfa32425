//! What is kept of features, and what is made of it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod lots;
mod support;

use access::Caller;
use layers::Value;
use layers::catalog::{self};
use layers::edit::{self, Edit, EditError};
use layers::features::{self, Feature, FeatureError, Query};
use layers::history::{self, RevertError};
use serde_json::json;
use sqlx::Row;
use support::{OPERATOR, id, run};
use testdb::TestDatabase;

use lots::{draft, editor, layer, lot, lots};

#[tokio::test]
async fn every_version_is_kept_with_who_and_why() {
    let test = TestDatabase::new().await;
    let (db, caller) = (test.database(), &editor());
    let lots = lots(db).await;
    let update = |uso: &'static str| async move {
        let (_, expected) = lot(db, caller, 1).await;
        let edit = Edit::Update { id: 1, expected, draft: draft(json!({ "uso": uso }), None) };
        edit::apply(caller, db, &id("lotes"), &[edit], Some("revisión")).await.unwrap();
    };
    update("lote").await;
    let mut psql = test.superuser().await;
    run(
        &mut psql,
        "SET application_name = 'QGIS'; UPDATE geo.lotes SET geom = ST_Translate(geom, 0, 0.5) WHERE fid = 1",
    )
    .await;
    // What changes nothing makes no version.
    run(&mut psql, "UPDATE geo.lotes SET uso = uso").await;
    run(&mut psql, "DELETE FROM geo.lotes WHERE fid = 1").await;

    let known = layer(db, caller).await;
    let told = history::versions(caller, db, &known, 1, None, 10).await.unwrap();
    let operations: Vec<_> =
        told.versions.iter().map(|version| (version.version, version.operation.as_str())).collect();
    assert_eq!(operations, [(4, "delete"), (3, "update"), (2, "update"), (1, "create")]);
    assert_eq!((told.matched, &told.versions[1].changes[..]), (4, &["/geometry".to_owned()][..]));
    assert_eq!(told.versions[2].changes, ["/properties/uso"]);
    let author = |at: usize| told.versions[at].author.clone().unwrap();
    assert_eq!(
        (author(2).source.as_str(), author(2).name.as_str(), author(2).reason.as_deref()),
        ("api", "editora", Some("revisión"))
    );
    assert_eq!((author(1).source.as_str(), author(1).application.as_deref()), ("database", Some("QGIS")));
    assert!(told.versions[3].since.is_none() && told.versions[3].author.is_none() && told.versions[0].until.is_none());
    assert_eq!(told.versions[3].feature.as_ref().unwrap().values[1], Value::Text("casa".into()));
    assert_eq!(told.versions[3].feature.as_ref().unwrap().values.len(), 3, "nothing reserved");
    // Page by page the same; and who made them is not for everybody.
    let page = history::versions(&Caller::OPERATOR, db, &known, 1, Some(4), 1).await.unwrap();
    assert_eq!(
        (page.versions.len(), page.versions[0].version, &page.versions[0].changes),
        (1, 3, &told.versions[1].changes)
    );
    // psql's writes are in the audit trail, once a transaction.
    let rows = sqlx::query(
        "SELECT database_role, application FROM access.audit WHERE action = 'edit_features' AND account_name = ''",
    )
    .fetch_all(db.app())
    .await
    .unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].get::<String, _>("application"), "QGIS");
    // One that never changed has one version.
    let still = history::versions(caller, db, &known, 3, None, 10).await.unwrap();
    assert_eq!((still.matched, still.versions[0].operation.as_str()), (1, "create"));
    assert!(matches!(
        history::versions(caller, db, &known, 99, None, 10).await,
        Err(FeatureError::UnknownFeature { .. })
    ));
    let _ = lots;
}

#[tokio::test]
async fn what_was_can_be_again() {
    let test = TestDatabase::new().await;
    let (db, caller) = (test.database(), &editor());
    let lots = lots(db).await;
    let bits = || async {
        sqlx::query_scalar::<_, String>("SELECT encode(ST_AsEWKB(geom), 'hex') FROM geo.lotes WHERE fid = 1")
            .fetch_one(db.app())
            .await
            .unwrap()
    };
    let before = bits().await;
    let mut psql = test.superuser().await;
    run(&mut psql, "UPDATE geo.lotes SET geom = ST_Multi(ST_Buffer(geom, -3)), uso = 'lote' WHERE fid = 1").await;
    let (_, expected) = lot(db, caller, 1).await;
    history::revert(caller, db, &lots, 1, 1, Some(expected), Some("error de dibujo")).await.unwrap();
    assert_eq!(bits().await, before);
    run(&mut psql, "DELETE FROM geo.lotes WHERE fid = 1").await;
    let back = history::revert(caller, db, &lots, 1, 1, None, None).await.unwrap();
    assert_eq!((back.id, bits().await), (1, before));
    // Nothing comes back where something is, nor what was gone.
    assert!(matches!(
        history::revert(caller, db, &lots, 1, 1, None, None).await,
        Err(RevertError::Edit(EditError::Changed(_)))
    ));
    assert!(matches!(history::revert(caller, db, &lots, 1, 4, None, None).await, Err(RevertError::Gone(4))));
    assert!(matches!(
        history::revert(caller, db, &lots, 1, 40, None, None).await,
        Err(RevertError::Feature(FeatureError::UnknownVersion { .. }))
    ));
}

#[tokio::test]
async fn a_layer_can_be_asked_as_it_was() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let lots = lots(db).await;
    let mut psql = test.superuser().await;
    let now = || async {
        sqlx::query_scalar::<_, chrono::DateTime<chrono::Utc>>("SELECT clock_timestamp()")
            .fetch_one(db.app())
            .await
            .unwrap()
    };
    let codes = |moment| async move {
        let known = layer(db, OPERATOR).await;
        let query = Query::default().as_of(moment);
        let batches = features::batches(OPERATOR, db, &known, query.clone(), 100);
        let found: Vec<Vec<Feature>> = futures::TryStreamExt::try_collect(batches).await.unwrap();
        let codes: Vec<String> =
            found.into_iter().flatten().map(|feature| format!("{}{:?}", feature.id, feature.values[1])).collect();
        assert_eq!(features::count(OPERATOR, db, &known, &query).await.unwrap(), codes.len() as i64);
        codes.join(" ")
    };
    let begun = layer(db, OPERATOR).await.history_since.unwrap();
    let first = now().await;
    run(&mut psql, "UPDATE geo.lotes SET uso = 'lote' WHERE fid = 2").await;
    let second = now().await;
    run(&mut psql, "DELETE FROM geo.lotes WHERE fid = 1; INSERT INTO geo.lotes (codigo, uso) VALUES ('L4', 'nueva')")
        .await;
    let third = now().await;
    run(&mut psql, "UPDATE geo.lotes SET uso = 'otra' WHERE fid IN (2, 4); TRUNCATE geo.lotes").await;
    assert_eq!(codes(begun - chrono::TimeDelta::hours(1)).await, "");
    assert_eq!(codes(first).await, r#"1Text("casa") 2Text("casa") 3Text("casa")"#);
    assert_eq!(codes(second).await, r#"1Text("casa") 2Text("lote") 3Text("casa")"#);
    assert_eq!(codes(third).await, r#"2Text("lote") 3Text("casa") 4Text("nueva")"#);
    assert_eq!(codes(now().await).await, "");
    let known = layer(db, OPERATOR).await;
    let then = features::get(OPERATOR, db, &known, "1", Some(second)).await.unwrap();
    assert_eq!(then.values[0], Value::Text("L1".into()));
    assert!(features::get(OPERATOR, db, &known, "1", Some(third)).await.is_err());
    catalog::remove(OPERATOR, db, &lots).await.unwrap();
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM catalog.feature_version").fetch_one(db.app()).await.unwrap();
    assert_eq!(left, 0);
}
