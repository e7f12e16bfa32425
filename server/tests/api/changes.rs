//! The stream of changes.

use std::pin::Pin;
use std::time::Duration;

use access::{Caller, Visibility};
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use futures::{Stream, StreamExt};
use layers::catalog;
use lindero::background;
use lindero::config::Settings;
use serde_json::Value;
use tiles::TileCoord;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tower::ServiceExt;

use crate::support::City;

const PATIENCE: Duration = Duration::from_secs(40);

/// One event.
#[derive(Debug, Default)]
struct Event {
    kind: String,
    id: String,
    data: Value,
}

impl Event {
    fn collections(&self) -> Vec<&str> {
        let collections = self.data["collections"].as_array().into_iter().flatten();
        collections.map(|collection| collection["id"].as_str().unwrap()).collect()
    }
}

/// A page that is being told of changes.
struct Listener {
    body: Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>,
    read: String,
    /// All that was ever read.
    heard: String,
}

impl Listener {
    async fn new(city: &City, uri: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = Request::builder().uri(uri).header("host", "localhost:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = city.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with("text/event-stream"));
        assert_eq!(header("cache-control"), "no-cache");
        let body = Box::pin(response.into_body().into_data_stream());
        Self { body, read: String::new(), heard: String::new() }
    }

    /// The next block; none where the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        let block = timeout(PATIENCE, async {
            loop {
                if let Some((block, rest)) = self.read.split_once("\n\n") {
                    let (block, rest) = (block.to_owned(), rest.to_owned());
                    self.read = rest;
                    return Some(block);
                }
                let piece = self.body.next().await?.unwrap();
                self.read.push_str(std::str::from_utf8(&piece).unwrap());
                self.heard.push_str(std::str::from_utf8(&piece).unwrap());
            }
        });
        let block = block.await.expect("something is told")?;
        let mut event = Event::default();
        for line in block.lines() {
            match line.split_once(": ") {
                Some(("event", kind)) => kind.clone_into(&mut event.kind),
                Some(("id", id)) => id.clone_into(&mut event.id),
                Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                _ => {}
            }
        }
        Some(event)
    }

    /// What is told of the features of a collection, and the event's id.
    async fn features_of(&mut self, collection: &str) -> (Value, String) {
        loop {
            let event = self.next().await.expect("it does not end");
            let changes = event.data["collections"].as_array().into_iter().flatten();
            let features = changes.filter(|change| change["id"] == collection).map(|change| &change["features"]);
            if let Some(boxes) = features.into_iter().find(|boxes| **boxes != serde_json::json!([])) {
                return (boxes.clone(), event.id);
            }
        }
    }
}

async fn start(city: &City) -> JoinSet<()> {
    let mut all = Listener::new(city, "/changes", &[]).await;
    let tasks = background::start(&city.state);
    assert!(all.next().await.is_some_and(|first| first.kind.is_empty() && !first.id.is_empty()));
    // From now on the feed is followed.
    assert_eq!(all.next().await.unwrap().kind, "everything");
    tasks
}

async fn indexed(city: &City, layer: &str) {
    let mut ticks = interval(Duration::from_millis(20));
    timeout(PATIENCE, async {
        while !city.tiles.has_index(&layer.parse().unwrap()) {
            ticks.tick().await;
        }
    })
    .await
    .expect("the index is built");
}

async fn run(city: &City, statement: &'static str) {
    sqlx::raw_sql(statement).execute(&mut city.db.superuser().await).await.unwrap();
}

fn holds(boxes: &Value, place: &Value) -> bool {
    let number = |value: &Value| value.as_f64().unwrap();
    let (x, y) = (number(&place[0]), number(&place[1]));
    boxes
        .as_array()
        .unwrap()
        .iter()
        .any(|one| number(&one[0]) <= x && x <= number(&one[2]) && number(&one[1]) <= y && y <= number(&one[3]))
}

#[tokio::test]
async fn a_change_is_told_once_the_tile_shows_it_and_of_public_layers_only() {
    let city = City::new().await;
    let mut tasks = start(&city).await;
    indexed(&city, "sitios").await;
    let mut page = Listener::new(&city, "/changes", &[("accept", "text/event-stream")]).await;
    let place = city.get("/collections/sitios/items/7").await.json()["geometry"]["coordinates"].clone();
    let tile = TileCoord::holding(16, place[0].as_f64().unwrap(), place[1].as_f64().unwrap()).unwrap();
    let path = format!("/collections/sitios/tiles/WebMercatorQuad/16/{}/{}", tile.row(), tile.column());
    for name in ["quebrada", "laguna", "humedal"] {
        run(&city, "UPDATE geo.expedientes SET nombre = nombre || 'x'; UPDATE geo.personas SET nombre = 'x'").await;
        let update = format!("UPDATE geo.sitios SET nombre = '{name}' WHERE fid = 7");
        sqlx::query(sqlx::AssertSqlSafe(update)).execute(&mut city.db.superuser().await).await.unwrap();
        let (boxes, _) = page.features_of("sitios").await;
        assert!(holds(&boxes, &place), "{boxes} {place}");
        assert_eq!(boxes.as_array().unwrap().len(), 1);
        // At the first asking.
        let shown = city.get_with(&path, &[("accept-encoding", "identity")]).await;
        assert!(shown.body.windows(name.len()).any(|part| part == name.as_bytes()), "{name}");
    }
    // When it is counted anew, which takes seconds, the catalogue has another date.
    loop {
        let event = page.next().await.unwrap();
        let collections = event.data["collections"].as_array().unwrap().clone();
        if collections.iter().any(|change| change["id"] == "sitios" && change["described"] == true) {
            break;
        }
    }
    assert!(!page.heard.contains("expedientes") && !page.heard.contains("personas"), "{}", page.heard);

    // What ceases to be public is not named either.
    let (operator, id) = (&Caller::OPERATOR, "barrios".parse().unwrap());
    let mut reserved = catalog::get(operator, city.db.database(), &id).await.unwrap().definition;
    reserved.visibility = Visibility::Reservada;
    reserved.legal_reason = "Ley 1712 de 2014, artículo 19".to_owned();
    catalog::describe(operator, city.db.database(), &id, &reserved).await.unwrap();
    loop {
        let event = page.next().await.unwrap();
        assert!(!event.collections().contains(&"barrios"), "{event:?}");
        if event.kind == "everything" {
            break;
        }
    }
    assert_eq!(city.get("/collections/barrios").await.status, StatusCode::NOT_FOUND);

    city.stopping.cancel();
    while page.next().await.is_some() {}
    tasks.shutdown().await;
}

#[tokio::test]
async fn a_layer_without_an_index_is_told_of_too() {
    let settings = || Settings { tile_index_memory: Some(0), ..Settings::default() };
    let city = City::with(settings()).await;
    let mut tasks = start(&city).await;
    let mut page = Listener::new(&city, "/changes", &[]).await;
    let place = city.get("/collections/sitios/items/7").await.json()["geometry"]["coordinates"].clone();
    run(&city, "UPDATE geo.sitios SET nombre = 'laguna' WHERE fid = 7").await;
    let (boxes, _) = page.features_of("sitios").await;
    assert!(holds(&boxes, &place) && !holds(&boxes, &serde_json::json!([-75.0, 4.0])), "{boxes} {place}");
    run(&city, "TRUNCATE geo.sitios").await;
    let (boxes, _) = page.features_of("sitios").await;
    assert!(holds(&boxes, &serde_json::json!([0.0, 0.0])), "{boxes}");
    assert!(!city.tiles.has_index(&"sitios".parse().unwrap()));
    tasks.shutdown().await;
}

#[tokio::test]
async fn who_comes_back_is_told_what_came_meanwhile_or_that_it_may_be_anything() {
    let settings = || Settings { max_streams: Some(2), ..Settings::default() };
    let city = City::with(settings()).await;
    let mut tasks = start(&city).await;
    indexed(&city, "sitios").await;
    let landing = city.get("/").await.json();
    let link = crate::support::link(&landing, "monitor").unwrap().to_owned();
    assert_eq!(link, "http://localhost:8080/changes");
    let position = landing["lindero"]["changes"].as_str().unwrap().to_owned();
    let mut page = Listener::new(&city, "/changes", &[]).await;
    run(&city, "UPDATE geo.sitios SET nombre = 'laguna' WHERE fid = 7").await;
    let (told, id) = page.features_of("sitios").await;
    for headers in [&[][..], &[("last-event-id", position.as_str())]] {
        let uri = format!("/changes?since={}", if headers.is_empty() { &position } else { &id });
        let mut late = Listener::new(&city, &uri, headers).await;
        assert_eq!(late.features_of("sitios").await.0, told);
    }
    for header in ["0123456789abcdef-3", "no position"] {
        let mut lost = Listener::new(&city, &format!("/changes?since={position}"), &[("last-event-id", header)]).await;
        assert_eq!(lost.next().await.unwrap().kind, "");
        let event = lost.next().await.unwrap();
        assert_eq!(event.kind, "everything");
        assert!(!event.id.is_empty());
    }
    for (uri, status) in [
        ("/changes?since=yesterday", StatusCode::BAD_REQUEST),
        ("/changes?layer=vias", StatusCode::BAD_REQUEST),
        ("/changes?f=json", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(city.get(uri).await.status, status, "{uri}");
    }
    assert_eq!(city.get_with("/changes", &[("accept", "application/json")]).await.status, StatusCode::NOT_ACCEPTABLE);

    let second = Listener::new(&city, "/changes", &[]).await;
    assert_eq!(city.get("/changes").await.status, StatusCode::SERVICE_UNAVAILABLE);
    drop(second);
    Listener::new(&city, "/changes", &[]).await;
    tasks.shutdown().await;
}
