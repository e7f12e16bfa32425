use access::Visibility;
use sqlx::{Postgres, QueryBuilder};

use super::*;
use crate::{Attribute, AttributeType, ChangeCapture, Dimension, GeometryType, Kind, LayerDefinition, Table, Text};

/// A layer with an attribute of each type, named for it.
fn layer() -> Layer {
    let attribute =
        |(name, kind): (&str, AttributeType)| Attribute { name: name.to_owned(), kind, ..Attribute::default() };
    let attributes = [
        ("texto", AttributeType::Text),
        ("entero", AttributeType::Integer),
        ("numero", AttributeType::Number),
        ("activo", AttributeType::Boolean),
        ("dia", AttributeType::Date),
        ("momento", AttributeType::DateTime),
        ("ficha", AttributeType::Json),
        ("con \"comillas\"", AttributeType::Text),
    ];
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
            attributes: attributes.map(attribute).to_vec(),
            ..LayerDefinition::default()
        },
        feature_count: 0,
        extent: None,
        change_capture: ChangeCapture::Triggers,
        content_updated_at: chrono::DateTime::UNIX_EPOCH,
        history_since: None,
    }
}

fn read(text: &str) -> Result<Filter, InvalidFilter> {
    let language = if text.starts_with(['{', '[']) { FilterLanguage::Json } else { FilterLanguage::Text };
    Filter::read(&Caller::ANONYMOUS, &layer(), language, text)
}

fn sql(text: &str) -> String {
    let mut sql = QueryBuilder::<Postgres>::new("");
    read(text).unwrap_or_else(|error| panic!("{text}: {error}")).push(&mut sql);
    sql.sql().as_str().to_owned()
}

fn refusal(text: &str) -> String {
    match read(text) {
        Ok(_) => panic!("{text} was read"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn text_and_json_give_the_same_statement() {
    for (text, json, expected) in [
        (
            "texto = 'a' AND entero > 3",
            r#"{"op":"and","args":[{"op":"=","args":[{"property":"texto"},"a"]},
                {"op":">","args":[{"property":"entero"},3]}]}"#,
            r#"((("texto" = $1) AND ("entero" > $2)))"#,
        ),
        (
            "NOT (numero BETWEEN 1 AND 2.5 OR activo)",
            r#"{"op":"not","args":[{"op":"or","args":[{"op":"between","args":[{"property":"numero"},1,2.5]},
                {"property":"activo"}]}]}"#,
            r#"((NOT (("numero" BETWEEN $1 AND $2) OR "activo")))"#,
        ),
        (
            "CASEI(texto) LIKE casei('Ñ%') ",
            r#"{"op":"like","args":[{"op":"casei","args":[{"property":"texto"}]},{"op":"casei","args":["Ñ%"]}]}"#,
            r#"((lower("texto") LIKE lower($1)))"#,
        ),
        (
            "entero IN (1, 2, 3)",
            r#"{"op":"in","args":[{"property":"entero"},[1,2,3]]}"#,
            r#"(("entero" IN ($1, $2, $3)))"#,
        ),
        (
            "ficha IS NOT NULL",
            r#"{"op":"not","args":[{"op":"isNull","args":[{"property":"ficha"}]}]}"#,
            r#"((NOT ("ficha" IS NULL)))"#,
        ),
        (
            "dia >= DATE('2026-01-31')",
            r#"{"op":">=","args":[{"property":"dia"},{"date":"2026-01-31"}]}"#,
            r#"(("dia" >= $1))"#,
        ),
        (
            "T_DURING(momento, INTERVAL('2026-01-01T00:00:00Z', '..'))",
            r#"{"op":"t_during","args":[{"property":"momento"},{"interval":["2026-01-01T00:00:00Z",".."]}]}"#,
            r#"((("momento" > $1) AND ("momento" < 'infinity'::timestamptz)))"#,
        ),
        (
            "S_INTERSECTS(geom, POINT(-75.2 4.4))",
            r#"{"op":"s_intersects","args":[{"property":"geom"},{"type":"Point","coordinates":[-75.2,4.4]}]}"#,
            "((\"geom\" && ST_Transform(ST_GeomFromWKB($1, 4326), 9377) \
              AND ST_Intersects(\"geom\", ST_Transform(ST_GeomFromWKB($2, 4326), 9377))))",
        ),
    ] {
        assert_eq!(sql(text), expected, "{text}");
        assert_eq!(sql(json), expected, "{json}");
    }
}

#[test]
fn no_word_of_a_filter_is_in_the_statement() {
    for evil in [
        "'; DROP TABLE geo.predios; --",
        "\\'; SELECT 1; --",
        "$1",
        "$tag$ x $tag$",
        "a\" OR 1=1 --",
        "E'\\047'",
        "%s {} {0} :name ?",
        "\u{2019} OR true",
        "/* */",
    ] {
        let quoted = evil.replace('\'', "''");
        for (filter, expected) in [
            (format!("texto = '{quoted}'"), r#"(("texto" = $1))"#),
            (format!("texto LIKE '{quoted}%'"), r#"(("texto" LIKE $1))"#),
            (format!("texto IN ('{quoted}', 'b')"), r#"(("texto" IN ($1, $2)))"#),
            (
                format!("CASEI(texto) > CASEI('{quoted}')"),
                r#"(((lower("texto")) COLLATE "C" > (lower($1)) COLLATE "C"))"#,
            ),
        ] {
            assert_eq!(sql(&filter), expected);
        }
        let json = serde_json::json!({ "op": "=", "args": [{ "property": "texto" }, evil] }).to_string();
        assert_eq!(sql(&json), r#"(("texto" = $1))"#);
        for name in ["property", "date", "timestamp"] {
            let wrong = serde_json::json!({ "op": "=", "args": [{ name: evil }, { name: evil }] }).to_string();
            refusal(&wrong);
        }
        for wrong in [
            format!("\"{}\" = 'a'", evil.replace('"', "\"\"")),
            format!("DATE('{quoted}') = dia"),
            format!("TIMESTAMP('{quoted}') = momento"),
            format!("T_AFTER(dia, INTERVAL('{quoted}', '..'))"),
            format!("\"{}\"(texto) = 'a'", evil.replace('"', "\"\"")),
        ] {
            refusal(&wrong);
        }
        for wrong in [
            serde_json::json!({ "op": evil, "args": [1, 2] }),
            serde_json::json!({ "op": "s_intersects", "args": [{ "property": "geom" }, { "type": evil, "coordinates": [1, 2] }] }),
            serde_json::json!({ "op": "s_intersects", "args": [{ "property": "geom" }, { "bbox": [1, 2, 3, evil] }] }),
            serde_json::json!({ "op": "in", "args": [{ "property": "texto" }, [[evil]]] }),
        ] {
            refusal(&wrong.to_string());
        }
    }
    // A name with quotes is the catalogue's own, quoted as PostgreSQL asks.
    assert_eq!(sql("\"con \"\"comillas\"\"\" = 'a'"), r#"(("con ""comillas""" = $1))"#);
}

#[test]
fn what_is_wrong_is_said() {
    for (filter, said) in [
        ("", "from character 1"),
        ("texto = = 'a'", "from character 9 on: \"= 'a'\""),
        ("texto = 'a' y más", "character 13"),
        ("(texto = 'a'", "character 13"),
        ("nada = 1", "the layer predios has no property \"nada\""),
        ("fid = 1", "no property \"fid\""),
        ("texto = 1", "texto (a text) cannot be compared with 1 (a whole number)"),
        ("entero > 'uno'", "entero (a whole number) cannot be compared with 'uno' (a text)"),
        ("momento > '2026-01-01T00:00:00Z'", "as TIMESTAMP('2026-11-20T08:00:00Z')"),
        ("momento > DATE('2026-01-01')", "cannot be compared"),
        ("entero IN (1, 'dos')", "'dos'"),
        ("entero BETWEEN 1 AND 'x'", "'x'"),
        ("ficha = 'a'", "ficha, which is a document"),
        ("geom = 'a'", "the geometry geom"),
        ("texto", "a condition, which is true or false, not texto"),
        ("entero + 1", "a condition"),
        ("texto + 1 = 2", "numbers"),
        ("texto = NULL", "IS NULL"),
        ("entero LIKE '1%'", "LIKE: expected texts"),
        ("texto LIKE texto", "a pattern in quotes"),
        ("texto LIKE 'a\\'", "escapes nothing"),
        ("CASEI(entero) = 'a'", "casei: expected a text"),
        ("dia = DATE('2026-02-30')", "2026-02-30"),
        ("momento = TIMESTAMP('hoy')", "hoy"),
        ("avg(entero) > 3", "the operator or function \"avg\" is not offered"),
        ("A_CONTAINS(ficha, ('a'))", "a_contains"),
        ("S_NEAR(geom, POINT(0 0))", "S_NEAR"),
        ("S_INTERSECTS(texto, POINT(0 0))", "the attribute texto"),
        ("S_INTERSECTS(geom, geom)", "the geometry twice"),
        ("S_INTERSECTS(POINT(0 0), POINT(0 0))", "two literals"),
        ("S_INTERSECTS(geom, 'POINT(0 0)')", "a geometry or a BBOX"),
        ("S_INTERSECTS(geom)", "two operands"),
        ("S_INTERSECTS(geom, POINT(4.4 -175.2))", "longitude first"),
        ("S_INTERSECTS(geom, POINT EMPTY)", "a geometry"),
        ("S_INTERSECTS(geom, POLYGON((0 0, 1 1, 1 0, 0 1, 0 0)))", "not valid"),
        ("S_INTERSECTS(geom, POLYGON((0 0, 1 1)))", "not valid"),
        ("S_INTERSECTS(geom, BBOX(1,2,3))", "four numbers"),
        ("S_INTERSECTS(geom, BBOX(1,2,3,'a'))", "numbers"),
        ("S_TOUCHES(geom, GEOMETRYCOLLECTION(POINT(0 0)))", "takes no collections"),
        ("T_AFTER(dia, momento)", "cannot be compared"),
        ("T_AFTER(texto, dia)", "dates, instants or intervals"),
        ("T_AFTER(INTERVAL('..', '..'), INTERVAL('..', '..'))", "not open"),
        ("T_AFTER(dia, INTERVAL('2026-01-01', '2026-01-01T00:00:00Z'))", "one of each"),
        ("T_AFTER(dia, INTERVAL('2026-01-01'))", "two bounds"),
        ("entero = 1e999", "larger"),
        (r#"{"op":"=","args":[{"property":"nada"},1]}"#, "nada"),
        (r#"{"op":"=","args":[{"property":"entero"}]}"#, "two operands"),
        (r#"{"op":"=","args":1}"#, "a list of args"),
        (r#"{"op":"=","argz":[]}"#, "[\"op\", \"argz\"]"),
        (r#"{"op":"in","args":[{"property":"entero"},[]]}"#, "an empty one"),
        (r#"{"op":"and","args":[]}"#, "two conditions"),
        (r#"{"op":"not","args":[true,false]}"#, "one condition"),
        (
            r#"{"op":"s_intersects","args":[{"property":"geom"},{"type":"Point","coordinates":[1]}]}"#,
            "two to four numbers",
        ),
        (r#"{"op":"s_intersects","args":[{"property":"geom"},{"type":"Polygon","coordinates":[1,2]}]}"#, ""),
        (
            r#"{"op":"s_intersects","args":[{"property":"geom"},{"type":"Polygon","coordinates":[[[0,0],[1]]]}]}"#,
            "two to four",
        ),
        (r#"{"op":"s_intersects","args":[{"property":"geom"},{"type":"Polygon","coordinates":[]}]}"#, ""),
        ("[", "JSON"),
        ("{}", "[]"),
        ("[true]", ""),
    ] {
        let refusal = refusal(filter);
        assert!(refusal.contains(said), "{filter}: {refusal}");
    }
    let secret =
        Layer { definition: LayerDefinition { visibility: Visibility::Reservada, ..layer().definition }, ..layer() };
    let error = Filter::read(&Caller::ANONYMOUS, &secret, FilterLanguage::Text, "texto = 'a'").unwrap_err();
    assert!(matches!(error, InvalidFilter::UnknownProperty { .. }), "{error}");
}

/// Within a stack of a worker's size, and quickly.
#[test]
fn depth_and_length_are_bounded() {
    let within =
        |n: usize, open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
    for filter in [
        within(8000, "(", "", ""),
        within(4000, "(", "activo", ")"),
        within(31, "(", "activo", ""),
        within(31, "(", "activo x", ")"),
        within(30, "(", "1", ", 2)"),
        within(2000, "NOT ", "activo", ""),
        within(4000, "-", "1", " = 1"),
        within(800, "CASEI(", "texto", ")"),
        format!("entero = {}1", "1+".repeat(4000)),
        format!("activo{}", " = activo".repeat(900)),
        format!("entero = {}1", "1^".repeat(4000)),
        within(2000, "[", "1", "]"),
        within(60, r#"{"op":"not","args":["#, "true", "]}"),
        format!(r#"{{"op":"{}","args":[]}}"#, "x".repeat(9000)),
        format!("texto = '{}'", "x".repeat(9000)),
        within(500, r#"{"op":"not","args":["#, "true", "]}"),
    ] {
        let started = std::time::Instant::now();
        let refusal = refusal(&filter);
        assert!(started.elapsed().as_secs() < 5, "{:?} for {}", started.elapsed(), &filter[..40.min(filter.len())]);
        assert!(refusal.len() < 400, "{refusal}");
    }
    // What a person may well write is read.
    let many = (0..400).map(|n| format!("entero = {n}")).collect::<Vec<_>>().join(" OR ");
    assert!(read(&many).is_ok());
    let ring = |n: usize| {
        let at = |i: usize| {
            let angle = i as f64 / n as f64 * std::f64::consts::TAU;
            format!("{:.4} {:.4}", -75.2 + angle.cos(), 4.4 + angle.sin())
        };
        (0..n).chain([0]).map(at).collect::<Vec<_>>().join(",")
    };
    let polygon = format!("((((activo OR S_WITHIN(geom, POLYGON(({})))))))", ring(500));
    assert!(polygon.len() < LONGEST && polygon.len() > 7000, "{}", polygon.len());
    assert!(read(&polygon).is_ok(), "{:?}", read(&polygon).err());
}
