//! What it costs to know who asks and what it may see, with 10 000 sessions:
//! from memory, and, as the peer, asked of the database each time. Prints a
//! table. Run by `bench/access.sh`.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use access::{Caller, Database, Gate, Token, Visibility};
use layers::{Attribute, ChangeCapture, Dimension, GeometryType, Kind, Layer, LayerDefinition, Table, Text};
use testdb::TestDatabase;

const SESSIONS: usize = 10_000;
/// Rounds through all sessions.
const ROUNDS: usize = 20;

/// A thousand accounts, each with a role in three dependencies, ten sessions each.
const FILL: &str = "
    INSERT INTO access.account (id, name, kind)
        SELECT gen_random_uuid(), 'cuenta' || n, 'person' FROM generate_series(1, 1000) AS n;
    INSERT INTO access.assignment (id, account, role, dependency)
        SELECT gen_random_uuid(), a.id, 'planner', d FROM access.account AS a,
            unnest(ARRAY['Secretaría de Salud', 'Secretaría de Planeación', 'Secretaría de Hacienda']) AS d;
    INSERT INTO access.session (id, token, account, method, expires_at)
        SELECT gen_random_uuid(), sha256(convert_to('token-' || (row_number() OVER () - 1), 'UTF8')), a.id, 'password',
            now() + interval '1 hour'
        FROM access.account AS a, generate_series(1, 10);";

/// Twelve attributes, one of them above the layer.
fn layer() -> Layer {
    let attribute = |n: usize| Attribute {
        name: format!("atributo_{n}"),
        visibility: (n == 3).then_some(Visibility::Clasificada),
        ..Attribute::default()
    };
    Layer {
        id: "predios".parse().unwrap(),
        municipality: "73001".parse().unwrap(),
        kind: Kind::Managed,
        table: Table {
            schema: "geo".to_owned(),
            name: "predios".to_owned(),
            key: "fid".to_owned(),
            key_type: "bigint".to_owned(),
            geometry: "geom".to_owned(),
        },
        geometry_type: GeometryType::MultiPolygon,
        dimension: Dimension::Xy,
        storage_srid: 9377,
        declared_crs: "EPSG:9377".to_owned(),
        definition: LayerDefinition {
            title: Text::same("Predios"),
            visibility: Visibility::Publica,
            // None of theirs: the page lacks an attribute, which costs most.
            dependency: "Secretaría de Infraestructura".to_owned(),
            attributes: (0..12).map(attribute).collect(),
            ..LayerDefinition::default()
        },
        feature_count: 0,
        extent: None,
        change_capture: ChangeCapture::Triggers,
        content_updated_at: chrono::Utc::now(),
        history_since: None,
    }
}

/// What a tile needs to know: up to which classification the caller sees the layer.
fn tile(caller: &Caller, layer: &Layer) {
    black_box(layer.clearance(caller).map(|clearance| layer.view_level(clearance)));
}

/// What a page of features needs: the layer as the caller may know it, whom it lacks an attribute.
fn items(caller: &Caller, layer: &Layer) {
    black_box(layer.seen_by(caller));
}

/// The mean of a check, each session in turn.
async fn mean(gate: &Gate, tokens: &[Token], rounds: usize, check: impl Fn(&Caller)) -> Duration {
    let began = Instant::now();
    for _ in 0..rounds {
        for token in tokens {
            check(&gate.open(token, None).await.unwrap().unwrap());
        }
    }
    began.elapsed() / (rounds * tokens.len()) as u32
}

fn listening(db: &Database) -> Arc<Gate> {
    let gate = Arc::new(Gate::new(db.clone()));
    let listener = Arc::clone(&gate);
    tokio::spawn(async move { listener.listen().await });
    gate
}

#[tokio::main]
async fn main() {
    let test = TestDatabase::new().await;
    sqlx::raw_sql(FILL).execute(&mut test.superuser().await).await.unwrap();
    let tokens: Vec<Token> = (0..SESSIONS).map(|n| Token::given(&format!("token-{n}"))).collect();
    let layer = layer();
    // One that does not listen trusts nothing that it knows.
    let (gate, asking) = (listening(test.database()), Gate::new(test.database().clone()));
    for _ in 0..2 {
        mean(&gate, &tokens, 1, |_| {}).await;
    }
    println!("| A check with {SESSIONS} sessions | from memory | asked of the database | ratio | wanted |");
    println!("| --- | --- | --- | --- | --- |");
    let of_tile = |caller: &Caller| tile(caller, &layer);
    let of_items = |caller: &Caller| items(caller, &layer);
    for (name, wanted, ours, theirs) in [
        ("a tile", 2.0, mean(&gate, &tokens, ROUNDS, of_tile).await, mean(&asking, &tokens[..1000], 1, of_tile).await),
        (
            "a page of items",
            50.0,
            mean(&gate, &tokens, ROUNDS, of_items).await,
            mean(&asking, &tokens[..1000], 1, of_items).await,
        ),
    ] {
        let [ours, theirs] = [ours, theirs].map(|time| time.as_secs_f64() * 1e6);
        println!("| {name} | {ours:.2} us | {theirs:.0} us | 1/{:.0} | {wanted:.0} us |", theirs / ours);
    }
}
