//! Filters in CQL2, and what they may name.

use axum::http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::support::{City, link};

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn ids(page: &Value) -> Vec<String> {
    let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    page["features"].as_array().unwrap().iter().map(|feature| text(&feature["id"])).collect()
}

async fn by_hand(city: &City, table: &str, key: &str, condition: &str) -> Vec<String> {
    let mut admin = city.db.superuser().await;
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
        "SELECT t.{key}::text FROM {table} AS t WHERE {condition} ORDER BY t.{key}"
    )))
    .fetch_all(&mut admin)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_filter_selects_what_sql_selects() {
    let city = City::new().await;
    let area = "ST_Transform(ST_Segmentize(ST_MakeEnvelope(-75.235, 4.44, -75.225, 4.45, 4326), 0.0005), 9377)";
    for (layer, filter, condition) in [
        ("barrios", "estrato = 1".to_owned(), "estrato = 1".to_owned()),
        ("barrios", "estrato <> 1".to_owned(), "estrato <> 1".to_owned()),
        ("barrios", "NOT (estrato = 1)".to_owned(), "NOT estrato = 1".to_owned()),
        ("barrios", "estrato IS NULL".to_owned(), "estrato IS NULL".to_owned()),
        ("barrios", "area_m2 > 30000 AND estrato IN (2,3)".to_owned(), "area_m2 > 30000 AND estrato IN (2, 3)".to_owned()),
        ("barrios", "nombre LIKE '%1_»'".to_owned(), "nombre LIKE '%1_»'".to_owned()),
        ("barrios", "CASEI(nombre) = CASEI('BARRIO «12»')".to_owned(), "nombre = 'Barrio «12»'".to_owned()),
        ("barrios", "fundado BETWEEN DATE('1910-01-01') AND DATE('1920-01-01')".to_owned(), "fundado BETWEEN '1910-01-01' AND '1920-01-01'".to_owned()),
        ("barrios", "revisado > TIMESTAMP('2026-01-10T00:00:00Z')".to_owned(), "revisado > '2026-01-10 00:00Z'".to_owned()),
        ("barrios", "T_AFTER(fundado, INTERVAL('..', '1930-12-31'))".to_owned(), "fundado > '1930-12-31'".to_owned()),
        ("barrios", "activo AND estrato * 2 = 6".to_owned(), "activo AND estrato = 3".to_owned()),
        ("barrios", "ficha IS NULL OR geom IS NULL".to_owned(), "ficha IS NULL OR geom IS NULL".to_owned()),
        ("barrios", "S_INTERSECTS(geom, BBOX(-75.235,4.44,-75.225,4.45))".to_owned(), format!("ST_Intersects(geom, {area})")),
        ("barrios", "S_WITHIN(geom, POLYGON((-75.235 4.44,-75.225 4.44,-75.225 4.45,-75.235 4.45,-75.235 4.44)))".to_owned(), format!("ST_Within(geom, {area})")),
        ("barrios", "S_DISJOINT(geom, BBOX(-75.235,4.44,-75.225,4.45))".to_owned(), format!("NOT ST_Intersects(geom, {area})")),
        ("barrios", "S_INTERSECTS(geom, BBOX(-180,-90,180,90))".to_owned(), "geom IS NOT NULL".to_owned()),
        ("barrios", "S_WITHIN(geom, BBOX(-180,-90,180,90))".to_owned(), "geom IS NOT NULL".to_owned()),
        ("barrios", "S_INTERSECTS(geom, POINT(100 50))".to_owned(), "false".to_owned()),
        ("vias", "S_CROSSES(geom, LINESTRING(-75.23 4.3,-75.23 4.6)) AND clase = 'local'".to_owned(), "clase = 'local' AND ST_Crosses(geom, ST_Transform(ST_Segmentize('SRID=4326;LINESTRING(-75.23 4.3,-75.23 4.6)'::geometry, 0.01), 9377))".to_owned()),
        ("postes", "\"Estado\" = 'malo' AND altura >= 9.5".to_owned(), "\"Estado\" = 'malo' AND altura >= 9.5".to_owned()),
        ("postes", "\"Estado\" = 'feo'".to_owned(), "false".to_owned()),
        ("postes", "S_INTERSECTS(geom, BBOX(-75.235,4.44,-75.225,4.45))".to_owned(), "geom && ST_MakeEnvelope(-75.235, 4.44, -75.225, 4.45, 4326)".to_owned()),
        ("lotes", "S_WITHIN(the_geom, BBOX(-76,4,-75,5))".to_owned(), "the_geom IS NOT NULL".to_owned()),
        ("ejes", "S_INTERSECTS(geom, BBOX(-75.235,4.44,-75.225,4.45))".to_owned(), "ST_Intersects(geom, ST_Transform(ST_Segmentize(ST_MakeEnvelope(-75.235, 4.44, -75.225, 4.45, 4326), 0.0005), ST_SRID(geom)))".to_owned()),
    ] {
        let (table, key) = match layer {
            "barrios" | "vias" => (format!("geo.{layer}"), "fid"),
            "postes" => ("catastro.postes".to_owned(), "id"),
            "lotes" => ("catastro.lotes".to_owned(), "gid"),
            _ => ("catastro.ejes".to_owned(), "codigo"),
        };
        let answer = city.get(&format!("/collections/{layer}/items?limit=10000&filter={}", encoded(&filter))).await;
        assert_eq!(answer.status, StatusCode::OK, "{filter}: {}", answer.text());
        let page = answer.json();
        let mut expected = by_hand(&city, &table, key, &condition).await;
        let mut found = ids(&page);
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{layer} {filter}");
        assert_eq!(page["numberMatched"], expected.len(), "{layer} {filter}");
    }
}

#[tokio::test]
async fn a_filter_goes_with_the_other_parameters_and_along_the_pages() {
    let city = City::new().await;
    let text = encoded("activo = true");
    let json = encoded(&json!({ "op": "=", "args": [{ "property": "activo" }, true] }).to_string());
    let bbox = "-75.235,4.44,-75.225,4.45";
    let condition = "activo AND estrato = 1 AND ST_Intersects(geom, \
        ST_Transform(ST_Segmentize(ST_MakeEnvelope(-75.235, 4.44, -75.225, 4.45, 4326), 0.0005), 9377))";
    let expected = by_hand(&city, "geo.barrios", "fid", condition).await;
    assert!(expected.len() > 3);
    for filter in [format!("filter={text}"), format!("filter-lang=cql2-json&filter={json}")] {
        let start = format!(
            "/collections/barrios/items?limit=2&estrato=1&bbox={bbox}&datetime=../..&{filter}\
             &filter-crs=http://www.opengis.net/def/crs/OGC/1.3/CRS84"
        );
        let (mut found, mut page) = (Vec::new(), city.get(&start).await.json());
        loop {
            assert_eq!(page["numberMatched"], expected.len());
            found.extend(ids(&page));
            let Some(next) = link(&page, "next") else { break };
            page = city.follow(next).await.json();
        }
        assert_eq!(found, expected, "{filter}");
    }
    // Two filters are two counts, also where counts are remembered.
    for (filter, count) in [("estrato = 1", 66), ("estrato = 2", 67), ("estrato = 1", 66)] {
        let page = city.get(&format!("/collections/barrios/items?filter={}", encoded(filter))).await.json();
        assert_eq!(page["numberMatched"], count, "{filter}");
    }
    let table = city.get(&format!("/collections/barrios/items?f=html&limit=5&filter={text}")).await.text();
    assert!(table.contains("filter=activo+%3D+true"), "the pages of the table keep the filter");
}

#[tokio::test]
async fn a_wrong_filter_is_named() {
    let city = City::new().await;
    for (query, parameter, said) in [
        ("filter=", "filter", "character 1"),
        ("filter=estrato%20%3D", "filter", "character 10"),
        ("filter=nada%20%3D%201", "filter", "no property \"nada\""),
        ("filter=estrato%20%3D%20%27uno%27", "filter", "cannot be compared"),
        ("filter=avg(estrato)%20%3D%201", "filter", "\"avg\" is not offered"),
        ("filter=geom%20%3D%201", "filter", "the geometry geom"),
        ("filter=true&filter=true", "filter", "more than once"),
        ("filter=true&filter-lang=cql", "filter-lang", "cql2-json"),
        ("filter=true&filter-crs=http://www.opengis.net/def/crs/EPSG/0/9377", "filter-crs", "CRS84"),
        ("filter-lang=cql2-json&filter=estrato%20%3D%201", "filter", "JSON"),
        ("filter-lang=cql2-json&filter=%7B%7D", "filter", "JSON"),
    ] {
        let answer = city.get(&format!("/collections/barrios/items?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}: {}", answer.text());
        let problem = answer.json();
        assert_eq!(problem["type"], "urn:problem-type:lindero:invalid-parameter", "{query}");
        assert_eq!(problem["parameter"], parameter, "{query}");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{query}: {problem}");
    }
    // Not even whether there is such a layer, or such an attribute of it, can be asked.
    for layer in ["expedientes", "personas", "nada"] {
        for rest in ["items?filter=true", "items?filter=tipo%20%3D%201", "queryables"] {
            assert_eq!(city.get(&format!("/collections/{layer}/{rest}")).await.status, StatusCode::NOT_FOUND);
        }
    }
    // Arithmetic that overflows is the caller's; what is divided by nothing is nothing.
    for (filter, status) in [("estrato ^ 999 > 1", StatusCode::BAD_REQUEST), ("1 / 0 = 1", StatusCode::OK)] {
        let answer = city.get(&format!("/collections/barrios/items?filter={}", encoded(filter))).await;
        assert_eq!(answer.status, status, "{filter}: {}", answer.text());
    }
}

#[tokio::test]
async fn no_filter_reaches_sql_but_as_a_value() {
    let city = City::new().await;
    for evil in
        ["'; DROP TABLE geo.barrios; --", "\\'; SELECT pg_sleep(9); --", "$1", "' OR true --", "\" OR true --", "/*"]
    {
        let quoted = evil.replace('\'', "''");
        let name = evil.replace('"', "\"\"");
        for (filter, status) in [
            (format!("nombre = '{quoted}'"), StatusCode::OK),
            (format!("nombre LIKE '{quoted}'"), StatusCode::OK),
            (format!("ACCENTI(CASEI(nombre)) IN ('{quoted}')"), StatusCode::OK),
            (format!("nombre > '{quoted}' AND nombre < '{quoted}'"), StatusCode::OK),
            (format!("\"{name}\" = 'a'"), StatusCode::BAD_REQUEST),
            (format!("\"{name}\" IS NULL"), StatusCode::BAD_REQUEST),
            (format!("\"{name}\"(nombre) = 'a'"), StatusCode::BAD_REQUEST),
            (format!("fundado = DATE('{quoted}')"), StatusCode::BAD_REQUEST),
            (format!("T_AFTER(revisado, INTERVAL('{quoted}', '..'))"), StatusCode::BAD_REQUEST),
        ] {
            let answer = city.get(&format!("/collections/barrios/items?filter={}", encoded(&filter))).await;
            assert_eq!(answer.status, status, "{filter}: {}", answer.text());
            if status == StatusCode::OK {
                assert_eq!(answer.json()["numberMatched"], 0, "{filter}");
            }
        }
    }
    assert_eq!(city.get("/collections/barrios/items").await.json()["numberMatched"], 400, "the table is whole");
}

#[tokio::test]
async fn queryables_say_what_may_be_asked() {
    let city = City::new().await;
    let answer = city.get("/collections/barrios/queryables").await;
    assert_eq!(answer.header("content-type"), "application/schema+json");
    let schema = answer.json();
    assert_eq!(
        (&schema["$schema"], &schema["type"], &schema["additionalProperties"]),
        (&json!("https://json-schema.org/draft/2020-12/schema"), &json!("object"), &json!(false))
    );
    assert_eq!(schema["$id"], "http://localhost:8080/collections/barrios/queryables");
    let properties = &schema["properties"];
    assert_eq!(properties["geom"], json!({ "format": "geometry-multipolygon", "x-ogc-role": "primary-geometry" }));
    assert_eq!(properties["estrato"], json!({ "title": "Estrato", "type": "integer", "enum": [1, 2, 3, 4, 5, 6] }));
    assert_eq!(properties["area_m2"]["x-ogc-unit"], "m2");
    assert_eq!(properties["revisado"]["format"], "date-time");
    assert!(properties.get("ficha").is_none(), "documents cannot be compared");
    assert_eq!(
        city.get("/collections/lotes/queryables").await.json()["properties"]["the_geom"]["format"],
        "geometry-polygon"
    );

    let collection = city.get("/collections/barrios").await.json();
    let there = link(&collection, "http://www.opengis.net/def/rel/ogc/1.0/queryables").unwrap();
    assert_eq!(city.follow(there).await.json()["properties"], *properties);
    let page = city.get("/collections/barrios/queryables?f=html&lang=en").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("<code>estrato</code>"));

    // Each is a property that a filter may name.
    for name in properties.as_object().unwrap().keys() {
        let answer =
            city.get(&format!("/collections/barrios/items?filter={}", encoded(&format!("\"{name}\" IS NULL")))).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
    }
    let classes = city.get("/conformance").await.json()["conformsTo"].to_string();
    for class in
        ["features-3/1.0/conf/features-filter", "cql2/1.0/conf/cql2-json", "cql2/1.0/conf/basic-spatial-functions"]
    {
        assert!(classes.contains(class), "{class}");
    }
}
