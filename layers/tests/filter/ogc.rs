//! OGC's abstract tests of CQL2 and its examples, and the operator tests of
//! the `cql2` crate, where the shared data are at hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gdal::Dataset;
use gdal::vector::{FieldValue, LayerAccess};
use layers::catalog::{self, Publication};
use layers::{Layer, LayerDefinition, Text};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use testdb::TestDatabase;

use crate::support::{OPERATOR, ibague, id, run};
use crate::{layer, matched, read};

/// The folder with CQL2's material; none where it is absent, which is said.
fn material() -> Option<PathBuf> {
    let folder = std::env::var_os("LINDERO_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from)
        .join("cql2");
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
    }
    folder.is_dir().then_some(folder)
}

/// Makes and publishes `terceros.{name}` with these columns and rows.
async fn publish(
    db: &TestDatabase,
    admin: &mut PgConnection,
    name: &str,
    columns: &[(String, &str)],
    rows: Vec<Value>,
) -> Layer {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<String> = columns.iter().map(|(name, kind)| format!("{} {kind}", quoted(name))).collect();
    run(
        admin,
        &format!(
            "CREATE SCHEMA IF NOT EXISTS terceros; \
             CREATE TABLE terceros.{name} (lindero_fid bigint PRIMARY KEY, {})",
            columns.join(", ")
        ),
    )
    .await;
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "INSERT INTO terceros.{name} SELECT * FROM jsonb_populate_recordset(NULL::terceros.{name}, $1)"
    )))
    .bind(Value::Array(rows))
    .execute(&mut *admin)
    .await
    .unwrap();
    ibague(db.database()).await;
    let publication = Publication {
        id: id(name),
        municipality: "73001".parse().unwrap(),
        schema: "terceros".to_owned(),
        name: name.to_owned(),
        key: None,
        geometry: None,
        definition: LayerDefinition {
            title: Text::same(name),
            visibility: access::Visibility::Publica,
            ..LayerDefinition::default()
        },
    };
    catalog::publish(OPERATOR, admin, &publication).await.unwrap();
    layer(db.database(), name).await
}

/// A layer of OGC's GeoPackage as a table of its queryables' types.
async fn countries_places_rivers(db: &TestDatabase, folder: &Path) -> BTreeMap<String, Layer> {
    let mut admin = db.superuser().await;
    let dataset = Dataset::open(folder.join("ne110m4cql2.gpkg")).unwrap();
    let mut published = BTreeMap::new();
    for name in ["ne_110m_admin_0_countries", "ne_110m_populated_places_simple", "ne_110m_rivers_lake_centerlines"] {
        let queryables: Value =
            serde_json::from_slice(&std::fs::read(folder.join(format!("queryables_{name}.json"))).unwrap()).unwrap();
        let columns: Vec<(String, &str)> = queryables["properties"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, property)| {
                let kind = match (property["type"].as_str(), property["format"].as_str()) {
                    (None, _) => "geometry(Geometry, 4326)",
                    (_, Some("date")) => "date",
                    (_, Some("date-time")) => "timestamptz",
                    (Some("integer"), _) => "bigint",
                    (Some("number"), _) => "double precision",
                    (Some("boolean"), _) => "boolean",
                    _ => "varchar(254)",
                };
                (name.clone(), kind)
            })
            .collect();
        let mut source = dataset.layer_by_name(name).unwrap();
        let rows: Vec<Value> = source.features().map(|feature| row(&feature, &columns)).collect();
        published.insert(name.to_owned(), publish(db, &mut admin, name, &columns, rows).await);
    }
    published
}

fn row(feature: &gdal::vector::Feature, columns: &[(String, &str)]) -> Value {
    let mut row = Map::new();
    row.insert("lindero_fid".to_owned(), json!(feature.fid().unwrap()));
    row.insert("geom".to_owned(), json!(geometry(feature)));
    for (name, value) in feature.fields() {
        if !columns.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let value = match value {
            Some(FieldValue::IntegerValue(number)) => json!(number),
            Some(FieldValue::Integer64Value(number)) => json!(number),
            Some(FieldValue::RealValue(number)) => json!(number),
            Some(FieldValue::StringValue(text)) => json!(text),
            Some(FieldValue::DateValue(date)) => json!(date.to_string()),
            Some(FieldValue::DateTimeValue(instant)) => json!(instant.to_rfc3339()),
            _ => Value::Null,
        };
        row.insert(name, value);
    }
    Value::Object(row)
}

/// The geometry as PostGIS reads it to the last digit: WKB in hexadecimal.
fn geometry(feature: &gdal::vector::Feature) -> String {
    use std::fmt::Write;
    let wkb = feature.geometry().unwrap().wkb().unwrap();
    wkb.iter().fold("SRID=4326;".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The rows of a table of CSV, by column.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let dataset = Dataset::open(path).unwrap();
    let mut table = dataset.layer(0).unwrap();
    let text = |value: Option<FieldValue>| value.and_then(FieldValue::into_string).unwrap_or_default();
    table.features().map(|row| row.fields().map(|(name, value)| (name, text(value))).collect()).collect()
}

/// Two that OGC's table has wrong: of its places Chicago, Chengdu and Chișinău
/// begin with Ch, and only the last with Chis.
const MISCOUNTED: [(&str, usize); 2] =
    [("ACCENTI(name) LIKE accenti('Ch%')", 3), ("ACCENTI(CASEI(name)) LIKE accenti(casei('cHis%'))", 1)];

#[tokio::test]
async fn ogcs_tests_count_as_many_as_they_should() {
    let Some(folder) = material() else { return };
    let db = TestDatabase::new().await;
    let layers = countries_places_rivers(&db, &folder).await;
    let mut tests: Vec<(String, String, usize)> = table(&folder.join("ats_predicates.csv"))
        .iter()
        .map(|row| (row["data_source"].clone(), row["predicate"].clone(), row["expected_items"].parse().unwrap()))
        .collect();
    tests.extend(table(&folder.join("ats_combinations.csv")).iter().map(|row| {
        let [p1, p2, p3, p4] = ["p1", "p2", "p3", "p4"].map(|name| &row[name]);
        let filter = format!("(NOT ({p2}) AND {p1}) OR ({p3} and {p4}) or not ({p1} OR {p4})");
        (row["data_source"].clone(), filter, row["expected_items"].parse().unwrap())
    }));
    assert_eq!(tests.len(), 235, "all of them are read");
    let mut wrong = Vec::new();
    for (source, predicate, expected) in tests {
        let layer = &layers[&source];
        match read(layer, &predicate) {
            Ok(filter) => match matched(db.database(), layer, filter).await {
                Ok(ids) if ids.len() == expected || MISCOUNTED.contains(&(&predicate, ids.len())) => {}
                Ok(ids) => wrong.push(format!("{predicate}: {} instead of {expected}", ids.len())),
                Err(error) => wrong.push(format!("{predicate}: {error}")),
            },
            Err(error) => wrong.push(format!("{predicate}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_operator_finds_the_records_it_should() {
    let Some(folder) = material() else { return };
    let db = TestDatabase::new().await;
    let mut admin = db.superuser().await;
    let columns = [
        ("intfield", "integer"),
        ("geom", "geometry(Geometry, 4326)"),
        ("textfield", "text"),
        ("floatfield", "numeric"),
        ("boolfield", "boolean"),
        ("datefield", "date"),
        ("ts_start", "timestamptz"),
        ("ts_end", "timestamptz"),
        ("intarrayfield", "jsonb"),
        ("nfield", "boolean"),
    ]
    .map(|(name, kind)| (name.to_owned(), kind));
    let records = std::fs::read_to_string(folder.join("cql2testdata.ndjson")).unwrap();
    let rows = records.lines().enumerate().map(|(index, line)| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        row["lindero_fid"] = json!(index + 1);
        row["geom"] = json!(row["geom"].to_string());
        row
    });
    let layer = publish(&db, &mut admin, "registros", &columns, rows.collect()).await;
    let (mut right, mut refused, mut wrong) = (0, Vec::new(), Vec::new());
    for row in table(&folder.join("operators_expected.csv")) {
        let (filter, expected) = (&row["filter"], &row["matching_record_numbers"]);
        let expected: Vec<i64> = expected.split_whitespace().map(|number| number.parse().unwrap()).collect();
        match read(&layer, filter) {
            Ok(read) => match matched(db.database(), &layer, read).await {
                Ok(ids) if ids == expected => right += 1,
                other => wrong.push(format!("{filter}: {other:?} instead of {expected:?}")),
            },
            Err(error) => refused.push(format!("{filter}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    // Dates beside instants, lists, longitudes beyond 180.
    for refusal in &refused {
        assert!(
            ["cannot be compared", "\"a_", "longitude first"].iter().any(|reason| refusal.contains(reason)),
            "{refusal}"
        );
    }
    assert!(right >= 70, "{right} right, {} refused: {refused:#?}", refused.len());
}

#[tokio::test]
async fn every_example_runs_or_is_refused_with_a_reason() {
    let Some(folder) = material() else { return };
    let db = TestDatabase::new().await;
    let mut admin = db.superuser().await;
    let of = |kind: &'static str, names: &str| names.split(' ').map(|name| (name.to_owned(), kind)).collect::<Vec<_>>();
    let columns = [
        of("geometry(Geometry, 4326)", "geometry"),
        of(
            "text",
            "city name cityName road_class etat_vol landsat:scene_id eo:instrument beamMode swathDirection polarization \
             owner material geophys:SURVEY_NAME id landsat:wrs_path layer:ids values",
        ),
        of(
            "double precision",
            "windSpeed balance depth category vehicle_height bridge_clearance eo:cloud_cover landsat:wrs_row floors \
             taxes value foo bar x",
        ),
        of("boolean", "swimming_pool"),
        of("date", "updated built"),
        of("timestamptz", "event_time touchdown liftOff starts_at ends_at updated_at"),
    ]
    .concat();
    let layer = publish(&db, &mut admin, "ejemplos", &columns, vec![json!({ "lindero_fid": 1 })]).await;
    let examples = std::fs::read_to_string(folder.join("cql2_examples_roundtrip.jsonl")).unwrap();
    let (mut ran, mut refused) = (0, Vec::new());
    for line in examples.lines() {
        let example: Value = serde_json::from_str(line).unwrap();
        let text = example["input"].as_str().unwrap().trim();
        // The layer has one geometry.
        let one = [("footprint", "geometry"), ("location", "geometry"), ("(road,", "(geometry,")]
            .iter()
            .fold(text.to_owned(), |text, (name, geometry)| text.replace(name, geometry))
            .replace(r#""property":"road""#, r#""property":"geometry""#);
        match read(&layer, &one) {
            Ok(filter) => {
                matched(db.database(), &layer, filter).await.unwrap_or_else(|error| panic!("{one}: {error}"));
                ran += 1;
            }
            Err(error) => refused.push(format!("{one}: {error}")),
        }
    }
    for refusal in &refused {
        let known = [
            "not offered here",
            "cannot be compared",
            "not valid",
            "longitude first",
            "takes no collections",
            "two literals",
            "one of each",
            "longitudes lie",
            "a condition",
            "a geometry or a BBOX",
        ];
        assert!(known.iter().any(|reason| refusal.contains(reason)), "{refusal}");
    }
    assert!(ran >= 110, "{ran} ran, {} refused: {refused:#?}", refused.len());
}
