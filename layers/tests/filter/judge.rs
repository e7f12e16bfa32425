//! Random filters over a small layer find what a judge finds, who reads the
//! rows and knows nothing of SQL; of geometries he asks PostGIS alone, one
//! literal at a time, in longitude and latitude.

use std::cmp::Ordering;
use std::collections::HashMap;

use access::Caller;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use futures::TryStreamExt;
use layers::catalog::{self, Registration};
use layers::features::{FeatureId, Query, batches};
use layers::{AttributeType, Dimension, GeometryType, Layer, LayerDefinition, Text, Value};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};
use testdb::TestDatabase;

use crate::support::{OPERATOR, attribute, ibague, run};
use crate::{layer, matched, read};

const ATTRIBUTES: [(&str, AttributeType, &str); 6] = [
    ("texto", AttributeType::Text, "text"),
    ("entero", AttributeType::Integer, "bigint"),
    ("numero", AttributeType::Number, "double precision"),
    ("activo", AttributeType::Boolean, "boolean"),
    ("dia", AttributeType::Date, "date"),
    ("momento", AttributeType::DateTime, "timestamptz"),
];

const WORDS: [&str; 6] = ["Ñandú", "nandu", "El Salado", "el_salado", "100%", "O'Higgins \"el\" \\ viejo"];
const PATTERNS: [&str; 6] = ["%", "el%", "El S_lado", "100\\%", "_and_", "%'%"];
const OPERATORS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];
const RELATIONS: [(&str, &str); 6] = [
    ("s_intersects", "ST_Intersects"),
    ("s_disjoint", "ST_Disjoint"),
    ("s_within", "ST_Within"),
    ("s_contains", "ST_Contains"),
    ("s_crosses", "ST_Crosses"),
    ("s_overlaps", "ST_Overlaps"),
];
/// Near the features, around them all, and far beyond where EPSG:9377 goes.
const SHAPES: [&str; 7] = [
    "POINT(-75.2322 4.4389)",
    "LINESTRING(-75.24 4.44,-75.22 4.45)",
    "POLYGON((-75.2405 4.4303,-75.2241 4.4312,-75.2263 4.4471,-75.2405 4.4303))",
    "POLYGON((-75.5 4.2,-74.9 4.2,-74.9 4.7,-75.5 4.7,-75.5 4.2))",
    "POLYGON((-120 -40,0 -40,0 60,-120 60,-120 -40),(-75.2315 4.43,-75.2315 4.46,-75.22 4.46,-75.22 4.43,-75.2315 4.43))",
    "MULTIPOLYGON(((-75.2405 4.4303,-75.2241 4.4312,-75.2263 4.4471,-75.2405 4.4303)),((20 20,30 20,30 30,20 20)))",
    "MULTIPOINT((-75.2322 4.4389),(100 50))",
];

#[derive(Debug, Clone)]
enum Ask {
    Compare(usize, &'static str, Value),
    Like(&'static str),
    Folded(&'static str),
    Between(Value, Value),
    In(usize, Vec<Value>),
    IsNull(usize),
    Product(i64, &'static str, f64),
    During(Value, Value),
    Near(usize, usize),
    Not(Box<Ask>),
    And(Vec<Ask>),
    Or(Vec<Ask>),
}

fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(number)
}

fn moment(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::hours(hours)
}

/// A value that rows have too, of the attribute with that number.
fn value(of: usize) -> BoxedStrategy<Value> {
    match of {
        0 => proptest::sample::select(&WORDS[..]).prop_map(|word| Value::Text(word.to_owned())).boxed(),
        1 => (-6_i64..6).prop_map(Value::Integer).boxed(),
        2 => (-8_i32..8).prop_map(|number| Value::Number(f64::from(number) / 4.0)).boxed(),
        3 => any::<bool>().prop_map(Value::Boolean).boxed(),
        4 => (0_u64..9).prop_map(|number| Value::Date(day(number))).boxed(),
        _ => (0_i64..9).prop_map(|number| Value::DateTime(moment(number))).boxed(),
    }
}

fn ask() -> impl Strategy<Value = Ask> {
    let operator = || proptest::sample::select(&OPERATORS[..]);
    let compare =
        (0..6_usize, operator()).prop_flat_map(|(of, op)| value(of).prop_map(move |v| Ask::Compare(of, op, v)));
    let is_in =
        (0..6_usize).prop_flat_map(|of| prop::collection::vec(value(of), 1..4).prop_map(move |v| Ask::In(of, v)));
    let leaf = prop_oneof![
        4 => compare,
        1 => proptest::sample::select(&PATTERNS[..]).prop_map(Ask::Like),
        1 => proptest::sample::select(&WORDS[..]).prop_map(Ask::Folded),
        1 => (value(2), value(2)).prop_map(|(low, high)| Ask::Between(low, high)),
        2 => is_in,
        1 => (0..7_usize).prop_map(Ask::IsNull),
        1 => (-3_i64..4, operator(), -9_i32..9).prop_map(|(by, op, to)| Ask::Product(by, op, f64::from(to) / 2.0)),
        1 => (value(5), value(5)).prop_map(|(from, to)| Ask::During(from, to)),
        3 => (0..RELATIONS.len(), 0..SHAPES.len()).prop_map(|(relation, shape)| Ask::Near(relation, shape)),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|of| Ask::Not(Box::new(of))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Ask::And),
            prop::collection::vec(inner, 2..4).prop_map(Ask::Or),
        ]
    })
}

impl Ask {
    fn text(&self) -> String {
        let all = |of: &[Self], word: &str| of.iter().map(Self::text).collect::<Vec<_>>().join(word);
        match self {
            Self::Compare(of, op, to) => format!("{} {op} {}", ATTRIBUTES[*of].0, literal(to)),
            Self::Like(pattern) => format!("texto LIKE {}", quoted(pattern)),
            Self::Folded(word) => format!("ACCENTI(CASEI(texto)) = ACCENTI(CASEI({}))", quoted(word)),
            Self::Between(low, high) => format!("numero BETWEEN {} AND {}", literal(low), literal(high)),
            Self::In(of, among) => {
                let among: Vec<String> = among.iter().map(literal).collect();
                format!("{} IN ({})", ATTRIBUTES[*of].0, among.join(","))
            }
            Self::IsNull(of) => format!("{} IS NULL", ATTRIBUTES.get(*of).map_or("geom", |known| known.0)),
            Self::Product(by, op, to) => format!("entero * {by} {op} {to}"),
            Self::During(from, to) => format!("T_DURING(momento, INTERVAL({}, {}))", bare(from), bare(to)),
            Self::Near(relation, shape) => {
                format!("{}(geom, {})", RELATIONS[*relation].0.to_uppercase(), SHAPES[*shape])
            }
            Self::Not(of) => format!("NOT ({})", of.text()),
            Self::And(of) => format!("({})", all(of, " AND ")),
            Self::Or(of) => format!("({})", all(of, " or ")),
        }
    }

    fn json(&self, shapes: &[Json]) -> Json {
        let of = |op: &str, args: Vec<Json>| json!({ "op": op, "args": args });
        let property = |of: usize| json!({ "property": ATTRIBUTES.get(of).map_or("geom", |known| known.0) });
        let folded = |inner: Json| of("accenti", vec![of("casei", vec![inner])]);
        match self {
            Self::Compare(at, op, to) => of(op, vec![property(*at), json_literal(to)]),
            Self::Like(pattern) => of("like", vec![property(0), json!(pattern)]),
            Self::Folded(word) => of("=", vec![folded(property(0)), folded(json!(word))]),
            Self::Between(low, high) => of("between", vec![property(2), json_literal(low), json_literal(high)]),
            Self::In(at, among) => of("in", vec![property(*at), Json::Array(among.iter().map(json_literal).collect())]),
            Self::IsNull(at) => of("isNull", vec![property(*at)]),
            Self::Product(by, op, to) => of(op, vec![of("*", vec![property(1), json!(by)]), json!(to)]),
            Self::During(from, to) => {
                let instant = |at: &Value| json_literal(at)["timestamp"].clone();
                of("t_during", vec![property(5), json!({ "interval": [instant(from), instant(to)] })])
            }
            Self::Near(relation, shape) => of(RELATIONS[*relation].0, vec![property(6), shapes[*shape].clone()]),
            Self::Not(inner) => of("not", vec![inner.json(shapes)]),
            Self::And(all) => of("and", all.iter().map(|one| one.json(shapes)).collect()),
            Self::Or(all) => of("or", all.iter().map(|one| one.json(shapes)).collect()),
        }
    }

    /// True, false or unknown, as SQL's logic has it.
    fn judged(&self, row: &Row) -> Option<bool> {
        match self {
            Self::Compare(of, op, to) => Some(holds(op, order(&row.values[*of], to)?)),
            Self::Like(pattern) => row.text().map(|text| like(text, pattern)),
            Self::Folded(word) => row.text().map(|text| folded(text) == folded(word)),
            Self::Between(low, high) => {
                let (low, high) = (order(&row.values[2], low)?, order(&row.values[2], high)?);
                Some(low.is_ge() && high.is_le())
            }
            Self::In(of, among) => {
                among.iter().map(|one| order(&row.values[*of], one).map(Ordering::is_eq)).reduce(or).flatten()
            }
            Self::IsNull(6) => Some(row.near.is_none()),
            Self::IsNull(of) => Some(row.values[*of] == Value::Null),
            Self::Product(by, op, to) => {
                let Value::Integer(number) = row.values[1] else { return None };
                Some(holds(op, ((number * by) as f64).partial_cmp(to)?))
            }
            Self::During(from, to) => {
                let (from, to) = (order(&row.values[5], from)?, order(&row.values[5], to)?);
                Some(from.is_gt() && to.is_lt())
            }
            Self::Near(relation, shape) => row.near.as_ref().map(|near| near[relation * SHAPES.len() + shape]),
            Self::Not(of) => of.judged(row).map(|held| !held),
            Self::And(all) => {
                all.iter().map(|one| one.judged(row).map(|held| !held)).reduce(or).flatten().map(|some_fail| !some_fail)
            }
            Self::Or(all) => all.iter().map(|one| one.judged(row)).reduce(or).flatten(),
        }
    }
}

fn or(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
        (Value::Integer(one), Value::Integer(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => one.partial_cmp(other),
        (Value::Boolean(one), Value::Boolean(other)) => Some(one.cmp(other)),
        (Value::Date(one), Value::Date(other)) => Some(one.cmp(other)),
        (Value::DateTime(one), Value::DateTime(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

fn holds(op: &str, order: Ordering) -> bool {
    match op {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    }
}

fn like(text: &str, pattern: &str) -> bool {
    let mut pattern = pattern.chars();
    match pattern.next() {
        None => text.is_empty(),
        Some('%') => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| like(&text[at..], pattern.as_str()))
        }
        Some(wanted) => {
            let (any, wanted) = match wanted {
                '\\' => (false, pattern.next().unwrap()),
                other => (other == '_', other),
            };
            let mut rest = text.chars();
            rest.next().is_some_and(|c| (any || c == wanted) && like(rest.as_str(), pattern.as_str()))
        }
    }
}

fn folded(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .map(|c| {
            if c == 'ñ' {
                'n'
            } else if c == 'ú' {
                'u'
            } else {
                c
            }
        })
        .collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn literal(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Date(date) => format!("DATE('{date}')"),
        Value::DateTime(_) => format!("TIMESTAMP({})", bare(value)),
        other => serde_json::to_string(other).unwrap(),
    }
}

fn bare(value: &Value) -> String {
    quoted(json_literal(value)["timestamp"].as_str().unwrap())
}

fn json_literal(value: &Value) -> Json {
    match value {
        Value::Date(_) => json!({ "date": value }),
        Value::DateTime(_) => json!({ "timestamp": value }),
        other => json!(other),
    }
}

struct Row {
    id: i64,
    values: Vec<Value>,
    /// Whether each relation holds to each shape; none without a geometry.
    near: Option<Vec<bool>>,
}

impl Row {
    fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.values[0] { Some(text) } else { None }
    }
}

/// A layer of 300 areas and lines, of which some have no geometry, no value.
async fn mixed(db: &TestDatabase) -> Layer {
    ibague(db.database()).await;
    let registration = Registration {
        id: "mezcla".parse().unwrap(),
        municipality: "73001".parse().unwrap(),
        geometry_type: GeometryType::Geometry,
        dimension: Dimension::Xy,
        declared_crs: "EPSG:9377".to_owned(),
        definition: LayerDefinition {
            title: Text::same("Mezcla"),
            visibility: access::Visibility::Publica,
            attributes: ATTRIBUTES.iter().map(|(name, kind, _)| attribute(name, *kind)).collect(),
            ..LayerDefinition::default()
        },
    };
    let columns: Vec<String> = ATTRIBUTES.iter().map(|(name, _, kind)| format!("{name} {kind}")).collect();
    let mut transaction = db.database().loader().begin().await.unwrap();
    run(
        &mut transaction,
        &format!(
            "CREATE TABLE geo.mezcla (municipality text NOT NULL DEFAULT '73001', \
             fid bigint GENERATED BY DEFAULT AS IDENTITY, {}, geom geometry(Geometry, 9377), \
             PRIMARY KEY (municipality, fid)); CREATE INDEX ON geo.mezcla USING gist (geom)",
            columns.join(", ")
        ),
    )
    .await;
    catalog::register(OPERATOR, &mut transaction, &registration).await.unwrap();
    sqlx::query(
        "INSERT INTO geo.mezcla (texto, entero, numero, activo, dia, momento, geom) \
         SELECT ($1::text[])[1 + n % 7], nullif(n % 13 - 6, 3), nullif(n % 17 - 8, -8) / 4.0, \
            (ARRAY[true, false, NULL])[1 + n % 3], date '2026-01-01' + nullif(n % 10, 9), \
            timestamptz '2026-01-01 00:00Z' + nullif(n % 11, 10) * interval '1 h', \
            CASE WHEN n % 19 = 0 THEN NULL \
                 WHEN n % 3 = 0 THEN ST_MakeLine(at, ST_Translate(at, 90 + n, n * 0.7)) \
                 ELSE ST_Buffer(at, 20 + n % 160, 3) END \
         FROM generate_series(1, 300) AS n, \
         LATERAL (SELECT ST_SetSRID(ST_MakePoint(4751400 + (n * 7919) % 1900, 2047900 + (n * 104729) % 2100), 9377) AS at) AS p",
    )
    .bind(WORDS.map(str::to_owned).to_vec())
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    layer(db.database(), "mezcla").await
}

async fn rows(db: &TestDatabase, layer: &Layer) -> Vec<Row> {
    let mut admin = db.superuser().await;
    let near: Vec<String> = RELATIONS
        .iter()
        .flat_map(|(_, function)| SHAPES.iter().map(move |shape| (function, shape)))
        .map(|(function, shape)| format!("{function}(ST_Transform(geom, 4326), 'SRID=4326;{shape}'::geometry)"))
        .collect();
    let near: HashMap<i64, Vec<bool>> = sqlx::query_as(sqlx::AssertSqlSafe(format!(
        "SELECT fid, ARRAY[{}] FROM geo.mezcla WHERE geom IS NOT NULL",
        near.join(", ")
    )))
    .fetch_all(&mut admin)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let pages: Vec<_> =
        batches(&Caller::ANONYMOUS, db.database(), layer, Query::default(), 1000).try_collect().await.unwrap();
    pages
        .into_iter()
        .flatten()
        .map(|feature| {
            let FeatureId::Number(id) = feature.id else { panic!("ids are numbers") };
            Row { id, values: feature.values, near: near.get(&id).cloned() }
        })
        .collect()
}

#[tokio::test]
async fn random_filters_find_what_the_judge_finds() {
    let db = TestDatabase::new().await;
    let layer = mixed(&db).await;
    let rows = rows(&db, &layer).await;
    assert_eq!((rows.len(), rows.iter().filter(|row| row.near.is_none()).count()), (300, 15));
    let mut admin = db.superuser().await;
    let mut shapes = Vec::new();
    for shape in SHAPES {
        let document: String =
            sqlx::query_scalar("SELECT ST_AsGeoJSON($1::geometry)").bind(shape).fetch_one(&mut admin).await.unwrap();
        shapes.push(serde_json::from_str::<Json>(&document).unwrap());
    }
    let mut runner = TestRunner::deterministic();
    let mut found_some = 0;
    for _ in 0..400 {
        let ask = ask().new_tree(&mut runner).unwrap().current();
        let expected: Vec<i64> = rows.iter().filter(|row| ask.judged(row) == Some(true)).map(|row| row.id).collect();
        for filter in [ask.text(), ask.json(&shapes).to_string()] {
            let filter_read = read(&layer, &filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
            let found = matched(db.database(), &layer, filter_read).await.unwrap();
            assert_eq!(found, expected, "{filter}");
        }
        found_some += usize::from(!expected.is_empty() && expected.len() < 300);
    }
    assert!(found_some > 200, "{found_some} filters find some and not all");
}

/// The index serves: a question of few features does not read the others.
#[tokio::test]
async fn a_spatial_filter_is_answered_from_the_index() {
    let db = TestDatabase::new().await;
    let layer = mixed(&db).await;
    let mut admin = db.superuser().await;
    run(
        &mut admin,
        "INSERT INTO geo.mezcla (geom) SELECT ST_SetSRID(ST_MakePoint(4700000 + n * 7, 2000000 + (n * 7919) % 100000), 9377) \
         FROM generate_series(1, 20000) AS n; ANALYZE geo.mezcla",
    )
    .await;
    for filter in [
        "S_INTERSECTS(geom, BBOX(-75.24,4.43,-75.23,4.44))",
        "S_WITHIN(geom, POLYGON((-75.24 4.43,-75.23 4.43,-75.23 4.44,-75.24 4.43))) AND entero > 0",
        "S_CROSSES(LINESTRING(-75.24 4.44,-75.22 4.45), geom)",
    ] {
        let mut sql = sqlx::QueryBuilder::<sqlx::Postgres>::new("EXPLAIN SELECT * FROM geo.mezcla WHERE ");
        read(&layer, filter).unwrap().push(&mut sql);
        let plan: Vec<String> = sql.build_query_scalar().persistent(false).fetch_all(&mut admin).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("Index") && !plan.contains("Seq Scan"), "{filter}: {plan}");
    }
}
