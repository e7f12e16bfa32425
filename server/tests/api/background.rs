//! What the server does beside answering.

use std::time::Duration;

use axum::http::StatusCode;
use layers::change::{Event, Follower, Operation};
use lindero::background;
use lindero::config::Settings;
use tiles::TileCoord;
use tokio::time::{interval, timeout};

use crate::support::City;

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn the_catalogue_learns_what_psql_changed() {
    let city = City::new().await;
    let mut tasks = background::start(&city.state);
    let mut admin = city.db.superuser().await;
    let before = city.get("/collections/sitios").await.json()["lindero"].clone();
    assert_eq!(before["featureCount"], 2500);

    let mut ticks = interval(Duration::from_millis(200));
    let learnt = timeout(PATIENCE, async {
        // Deleted again and again: the first may come before the task listens.
        let mut left = 2500;
        loop {
            ticks.tick().await;
            if left > 2000 {
                left -= 100;
                sqlx::query("DELETE FROM geo.sitios WHERE fid > $1")
                    .bind(i64::from(left))
                    .execute(&mut admin)
                    .await
                    .unwrap();
            }
            let now = city.get("/collections/sitios").await.json()["lindero"].clone();
            if now["featureCount"] == 2000 {
                return now;
            }
        }
    });
    let now = learnt.await.expect("the count follows the table");
    assert!(now["updated"].as_str() >= before["updated"].as_str());
    tasks.shutdown().await;
}

#[tokio::test]
async fn a_count_is_remembered_until_the_layer_changes() {
    let city = City::new().await;
    let mut tasks = background::start(&city.state);
    let mut admin = city.db.superuser().await;
    let id = "sitios".parse().unwrap();
    let mut ticks = interval(Duration::from_millis(20));
    timeout(PATIENCE, async {
        while city.freshness.stamp(&id).is_none() {
            ticks.tick().await;
        }
    })
    .await
    .expect("the feed is followed");
    for (statement, query, expected) in [
        ("SELECT 1", "tipo=cam", 833),
        ("UPDATE geo.sitios SET tipo = 'pvd' WHERE fid <= 3", "tipo=cam", 832),
        ("DELETE FROM geo.sitios WHERE fid > 2400", "limit=5", 2400),
        ("TRUNCATE geo.sitios", "bbox=-76,4,-74,5", 0),
    ] {
        let before = city.freshness.stamp(&id);
        sqlx::raw_sql(statement).execute(&mut admin).await.unwrap();
        timeout(PATIENCE, async {
            while statement != "SELECT 1" && city.freshness.stamp(&id) == before {
                ticks.tick().await;
            }
        })
        .await
        .expect("the change is told");
        for _ in 0..2 {
            let page = city.get(&format!("/collections/sitios/items?{query}")).await.json();
            assert_eq!(page["numberMatched"], expected, "{statement} {query}");
        }
    }
    tasks.shutdown().await;
}

#[tokio::test]
async fn a_disabled_trigger_is_made_anew_and_the_gap_recorded() {
    let city = City::new().await;
    let database = city.db.database();
    let operator = &access::Caller::OPERATOR;
    let mut admin = city.db.superuser().await;
    for (layer, table) in [("sitios", "geo.sitios"), ("lotes", "catastro.lotes")] {
        let id = layer.parse().unwrap();
        assert_eq!(layers::change::repair(operator, database, &id).await.unwrap(), Vec::<String>::new());
        let mut follower = Follower::from_now(operator, database.clone(), Duration::from_secs(1)).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "ALTER TABLE {table} DISABLE TRIGGER ALL; DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})"
        )))
        .execute(&mut admin)
        .await
        .unwrap();
        assert_eq!(layers::change::repair(operator, database, &id).await.unwrap(), [table]);
        let Event::Changed(changes) = timeout(PATIENCE, follower.next()).await.unwrap().unwrap() else {
            panic!("the log is the same")
        };
        assert_eq!(changes.len(), 1);
        assert_eq!((changes[0].layer.as_str(), changes[0].operation), (layer, Operation::Unknown));
        assert_eq!(layers::change::repair(operator, database, &id).await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_server_that_starts_makes_the_triggers_that_its_database_lacks() {
    let city = City::with(Settings { compare_interval: Some(0), ..Settings::default() }).await;
    let mut admin = city.db.superuser().await;
    sqlx::raw_sql("ALTER TABLE geo.sitios DISABLE TRIGGER ALL").execute(&mut admin).await.unwrap();
    let disabled = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'geo.sitios'::regclass AND tgenabled = 'D'";
    assert!(sqlx::query_scalar::<_, i64>(disabled).fetch_one(&mut admin).await.unwrap() > 0);
    let mut tasks = background::start(&city.state);
    let mut ticks = interval(Duration::from_millis(50));
    let made = timeout(PATIENCE, async {
        while sqlx::query_scalar::<_, i64>(disabled).fetch_one(&mut admin).await.unwrap() > 0 {
            ticks.tick().await;
        }
    });
    made.await.expect("they are made anew");
    tasks.shutdown().await;
}

#[tokio::test]
async fn a_tile_shows_what_psql_changed() {
    let city = City::new().await;
    let mut tasks = background::start(&city.state);
    let mut admin = city.db.superuser().await;
    let mut ticks = interval(Duration::from_millis(20));
    let tile = TileCoord::holding(16, -75.2322, 4.4389).unwrap();
    let path = format!("/collections/sitios/tiles/WebMercatorQuad/16/{}/{}", tile.row(), tile.column());
    timeout(PATIENCE, async {
        while !city.tiles.has_index(&"sitios".parse().unwrap()) {
            ticks.tick().await;
        }
    })
    .await
    .expect("the indexes are built");
    let full = city.get(&path).await;
    assert_eq!(full.status, StatusCode::OK);
    let mut before = full.body.len();
    for statement in ["DELETE FROM geo.sitios WHERE fid % 2 = 0", "DELETE FROM geo.sitios"] {
        sqlx::raw_sql(statement).execute(&mut admin).await.unwrap();
        let left = timeout(PATIENCE, async {
            loop {
                let now = city.get(&path).await;
                if now.body.len() < before {
                    return now.body.len();
                }
                ticks.tick().await;
            }
        });
        before = left.await.expect("the tile follows the table");
    }
    assert_eq!(city.get(&path).await.status, StatusCode::NO_CONTENT);
    tasks.shutdown().await;
}
