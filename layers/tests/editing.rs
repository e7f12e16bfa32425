//! Editing a layer's features.
#![allow(clippy::unwrap_used, reason = "tests")]

mod lots;
mod support;

use access::{Caller, Login};
use layers::Expected;
use layers::catalog::{self};
use layers::edit::{self, Edit, EditError, Rule};
use layers::features::{self, FeatureError};
use layers::{LayerDefinition, TopologyRule, Value};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use support::{OPERATOR, id, run};
use testdb::TestDatabase;

use lots::{as_drawn, draft, editor, layer, lot, lots};

fn broken(outcome: Result<Vec<edit::Edited>, EditError>) -> Vec<(usize, String, &'static str)> {
    match outcome.unwrap_err() {
        EditError::Broken(violations) => {
            violations.into_iter().map(|violation| (violation.edit, violation.pointer, violation.rule.code())).collect()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_batch_is_written_whole_and_read_back() {
    let test = TestDatabase::new().await;
    let (db, caller) = (test.database(), &editor());
    let lots = lots(db).await;
    let (first, expected) = lot(db, caller, 1).await;
    let (_, second) = lot(db, caller, 2).await;
    let mut square = as_drawn(&first);
    for ring in square["coordinates"][0].as_array_mut().unwrap() {
        for position in ring.as_array_mut().unwrap() {
            position[1] = json!(position[1].as_f64().unwrap() + 0.01);
        }
    }
    let edited = edit::apply(
        caller,
        db,
        &lots,
        &[
            Edit::Create { id: None, draft: draft(json!({ "codigo": "L9", "pisos": 2 }), Some(square)) },
            Edit::Update { id: 1, expected, draft: draft(json!({ "uso": "lote" }), None) },
            Edit::Delete { id: 2, expected: second },
        ],
        Some("visita de campo"),
    )
    .await
    .unwrap();
    let now = layer(db, caller).await;
    let values = |number: i64| async move {
        let layer = layer(db, caller).await;
        features::get(caller, db, &layer, &number.to_string(), None).await.map(|feature| feature.values)
    };
    assert_eq!(edited.iter().map(|edited| edited.id).collect::<Vec<_>>(), [4, 1, 2]);
    assert!(
        edited[2].feature.is_none()
            && edited[1].feature.as_ref().unwrap().tag(&now) == lot(db, caller, 1).await.0.tag(&now)
    );
    assert_eq!(values(4).await.unwrap(), [Value::Text("L9".into()), Value::Null, Value::Integer(2)]);
    assert_eq!(values(1).await.unwrap(), [Value::Text("L1".into()), Value::Text("lote".into()), Value::Integer(1)]);
    assert!(matches!(values(2).await, Err(FeatureError::UnknownFeature { .. })));
    // What the editor may not see stays as it was.
    let whole = features::get(OPERATOR, db, &layer(db, OPERATOR).await, "1", None).await.unwrap();
    assert_eq!(whole.values[3], Value::Text("secreto 1".into()));
    let audited: (String, String, Json) =
        sqlx::query_as("SELECT account_name, layer, detail FROM access.audit WHERE action = 'edit_features'")
            .fetch_one(db.app())
            .await
            .unwrap();
    assert_eq!((audited.0.as_str(), audited.1.as_str(), &audited.2["deleted"]), ("editora", "lotes", &json!(1)));
}

#[tokio::test]
async fn a_vertex_that_is_not_moved_stays_to_the_last_bit() {
    let test = TestDatabase::new().await;
    let (db, caller) = (test.database(), &editor());
    let lots = lots(db).await;
    let (first, expected) = lot(db, caller, 1).await;
    let mut geometry = as_drawn(&first);
    // One corner on the far side from its neighbour.
    let ring = geometry["coordinates"][0][0].as_array_mut().unwrap();
    let corner = ring.iter().position(|position| *position == ring[0]).unwrap();
    let moved = json!([ring[corner][0].as_f64().unwrap() - 0.0002, ring[corner][1]]);
    let last = ring.len() - 1;
    (ring[0], ring[last]) = (moved.clone(), moved);
    let bits = "SELECT string_agg(encode(ST_AsEWKB(p.geom), 'hex'), ' ' ORDER BY p.path) FROM geo.lotes, ST_DumpPoints(geom) AS p WHERE fid = 1";
    let read = || async { sqlx::query_scalar::<_, String>(bits).fetch_one(db.app()).await.unwrap() };
    let before = read().await;
    edit::apply(caller, db, &lots, &[Edit::Update { id: 1, expected, draft: draft(json!({}), Some(geometry)) }], None)
        .await
        .unwrap();
    let after = read().await;
    let pairs: Vec<bool> = before.split(' ').zip(after.split(' ')).map(|(before, after)| before == after).collect();
    assert_eq!(pairs, [false, true, true, true, false]);
    // The neighbours still share their corners, by PostGIS's own judgement.
    let touches: bool = sqlx::query_scalar("SELECT ST_Touches(a.geom, b.geom) AND ST_Area(ST_Intersection(a.geom, b.geom)) = 0 FROM geo.lotes a, geo.lotes b WHERE a.fid = 1 AND b.fid = 2")
        .fetch_one(db.app())
        .await
        .unwrap();
    assert!(touches);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let test = TestDatabase::new().await;
    let (db, caller) = (test.database(), &editor());
    let lots = lots(db).await;
    let (first, expected) = lot(db, caller, 1).await;
    let (_, second) = lot(db, caller, 2).await;
    let bow = json!({ "type": "Polygon", "coordinates": [[[-75.2, 4.4], [-75.19, 4.41], [-75.19, 4.4], [-75.2, 4.41], [-75.2, 4.4]]] });
    let point = json!({ "type": "Point", "coordinates": [-75.2, 4.4] });
    let far = json!({ "type": "Polygon", "coordinates": [[[-70.2, 4.4], [-70.1, 4.4], [-70.1, 4.5], [-70.2, 4.4]]] });
    let outcome = edit::apply(
        caller,
        db,
        &lots,
        &[
            Edit::Create {
                id: None,
                draft: draft(json!({ "uso": "castillo", "pisos": "tres", "torre": 1 }), Some(bow)),
            },
            Edit::Create { id: None, draft: draft(json!({ "codigo": "L2", "pisos": 99 }), Some(point)) },
            Edit::Create { id: None, draft: draft(json!({ "codigo": "L8" }), Some(far)) },
            Edit::Replace { id: 1, expected, draft: draft(json!({ "codigo": "L3" }), None) },
            // The key is free: its feature goes in the same batch.
            Edit::Delete { id: 2, expected: second },
        ],
        None,
    )
    .await;
    let expected = [
        (0, "/geometry", "geometry_valid"),
        (0, "/properties/codigo", "required"),
        (0, "/properties/pisos", "type"),
        (0, "/properties/torre", "unknown"),
        (0, "/properties/uso", "domain"),
        (1, "/geometry", "geometry_type"),
        (1, "/properties/pisos", "domain"),
        (2, "/geometry", "bounds"),
        (3, "/geometry", "required"),
        (3, "/properties/codigo", "unique"),
    ];
    assert_eq!(broken(outcome), expected.map(|(edit, pointer, rule)| (edit, pointer.to_owned(), rule)));
    // What nobody may see is no attribute that there is.
    let (_, expected) = lot(db, caller, 1).await;
    let probe = Edit::Update { id: 1, expected, draft: draft(json!({ "propietario": "yo" }), None) };
    assert_eq!(broken(edit::apply(caller, db, &lots, &[probe], None).await)[0].2, "unknown");
    assert_eq!(lot(db, caller, 1).await.0, first);
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM catalog.feature_version").fetch_one(db.app()).await.unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn areas_that_must_not_overlap_do_not() {
    let test = TestDatabase::new().await;
    let (db, caller) = (test.database(), &editor());
    let lots = lots(db).await;
    let (first, expected) = lot(db, caller, 1).await;
    let over = |east: f64| {
        let mut geometry = as_drawn(&first);
        let positions = geometry["coordinates"][0][0].as_array_mut().unwrap();
        let most = positions.iter().filter_map(|position| position[0].as_f64()).fold(f64::MIN, f64::max);
        for position in positions {
            if position[0].as_f64().unwrap() > most - 1e-5 {
                position[0] = json!(position[0].as_f64().unwrap() + east);
            }
        }
        geometry
    };
    let update = |east| Edit::Update { id: 1, expected: expected.clone(), draft: draft(json!({}), Some(over(east))) };
    match edit::apply(caller, db, &lots, &[update(0.0001)], None).await.unwrap_err() {
        EditError::Broken(violations) => {
            assert!(
                matches!(
                    violations[..],
                    [layers::edit::Violation { rule: Rule::Overlap(Some(2)), position: Some(_), .. }]
                ),
                "{violations:?}"
            );
        }
        other => panic!("{other}"),
    }
    // Less than drawn by hand can be: 0.1 mm of 100 m.
    edit::apply(caller, db, &lots, &[update(1e-9)], None).await.unwrap();
}

#[tokio::test]
async fn what_must_be_covered_is() {
    let test = TestDatabase::new().await;
    let (db, caller) = (test.database(), &editor());
    let lots = lots(db).await;
    support::managed(
        db,
        "ambito",
        LayerDefinition { attributes: Vec::new(), label: None, ..support::definition("Ámbito") },
    )
    .await;
    let mut psql = test.superuser().await;
    run(
        &mut psql,
        "ALTER TABLE geo.ambito ALTER COLUMN geom TYPE geometry; \
         INSERT INTO geo.ambito (geom) SELECT ST_Expand(ST_Collect(geom), 5) FROM geo.lotes",
    )
    .await;
    let mut definition = layer(db, OPERATOR).await.definition;
    definition.topology = vec![TopologyRule::MustBeCoveredBy(id("ambito"))];
    catalog::describe(OPERATOR, db, &lots, &definition).await.unwrap();
    let (first, expected) = lot(db, caller, 1).await;
    let moved = |north: f64| {
        let mut geometry = as_drawn(&first);
        for position in geometry["coordinates"][0][0].as_array_mut().unwrap() {
            position[1] = json!(position[1].as_f64().unwrap() + north);
        }
        [Edit::Update { id: 1, expected: expected.clone(), draft: draft(json!({}), Some(geometry)) }]
    };
    // 11 m, of which 5 are covered; then 1 m.
    let outside = broken(edit::apply(caller, db, &lots, &moved(0.0001), None).await);
    assert_eq!(outside, [(0, "/geometry".to_owned(), "covered")]);
    edit::apply(caller, db, &lots, &moved(0.00001), None).await.unwrap();
}

#[tokio::test]
async fn who_was_slower_is_told_and_shown_what_is_there() {
    let test = TestDatabase::new().await;
    let (db, caller) = (test.database(), &editor());
    let lots = lots(db).await;
    let (_, expected) = lot(db, caller, 1).await;
    let (_, third) = lot(db, caller, 3).await;
    let update = |uso: &str, expected: &Expected| Edit::Update {
        id: 1,
        expected: expected.clone(),
        draft: draft(json!({ "uso": uso }), None),
    };
    edit::apply(caller, db, &lots, &[update("lote", &expected)], None).await.unwrap();
    let gone = Edit::Delete { id: 77, expected: Expected::Any };
    let slower = edit::apply(
        caller,
        db,
        &lots,
        &[Edit::Delete { id: 3, expected: third }, update("casa", &expected), gone],
        None,
    )
    .await;
    let EditError::Changed(conflicts) = slower.unwrap_err() else { panic!("a conflict") };
    let now = conflicts[0].now.as_ref().unwrap();
    assert_eq!((conflicts.len(), conflicts[0].edit, &now.values[1]), (2, 1, &Value::Text("lote".into())));
    assert_eq!((conflicts[1].id, conflicts[1].now.is_none()), (77, true));
    assert!(features::get(caller, db, &layer(db, caller).await, "3", None).await.is_ok(), "all or nothing");
    edit::apply(caller, db, &lots, &[update("casa", &Expected::OneOf(vec![now.tag(&layer(db, caller).await)]))], None)
        .await
        .unwrap();
}

#[tokio::test]
async fn only_who_may_edits() {
    let test = TestDatabase::new().await;
    let db = test.database();
    let lots = lots(db).await;
    let edit = || [Edit::Delete { id: 1, expected: Expected::Any }];
    for caller in [
        &Caller::ANONYMOUS,
        &Caller::account(Arc::new(Login { rights: Vec::new(), ..editor().login().unwrap().clone() })),
    ] {
        assert!(matches!(
            edit::apply(caller, db, &lots, &edit(), None).await,
            Err(EditError::Denied(_) | EditError::Catalog(_))
        ));
    }
    let mut admin = test.superuser().await;
    let published = support::published(db, &mut admin, "lotes_ajenos").await;
    assert!(matches!(edit::apply(OPERATOR, db, &published, &edit(), None).await, Err(EditError::NotWritable(_))));
    let twice = [edit(), edit()].concat();
    assert!(matches!(edit::apply(OPERATOR, db, &lots, &twice, None).await, Err(EditError::Twice { edit: 1, id: 1 })));
    assert!(matches!(edit::apply(OPERATOR, db, &lots, &[], None).await, Err(EditError::Count(0))));
}
