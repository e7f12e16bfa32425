//! Formats, languages, addresses, and the documents themselves.

use axum::http::StatusCode;
use lindero::config::Settings;
use serde_json::Value;

use crate::support::{Answer, City};

const PAGES: [&str; 14] = [
    "/conformance",
    "/api",
    "/collections",
    "/collections/barrios",
    "/collections/barrios/queryables",
    "/collections/barrios/items",
    "/collections/barrios/items/1",
    "/collections/postes/items",
    "/tiles",
    "/tiles/WebMercatorQuad",
    "/collections/barrios/tiles",
    "/collections/barrios/tiles/WebMercatorQuad",
    "/tileMatrixSets",
    "/tileMatrixSets/WebMercatorQuad",
];

#[tokio::test]
async fn every_document_is_json_and_a_page() {
    let city = City::new().await;
    for path in PAGES {
        for (accept, html) in [("", false), ("*/*", false), ("application/json", false), ("text/html,*/*;q=0.8", true)]
        {
            let answer = city.get_with(path, &[("accept", accept)]).await;
            assert_eq!(answer.status, StatusCode::OK, "{path} {accept}");
            assert_eq!(answer.header("content-type").starts_with("text/html"), html, "{path} {accept}");
            assert_eq!(answer.header("content-language"), "es");
            let vary = answer.header("vary").to_ascii_lowercase();
            assert!(vary.contains("accept") && vary.contains("accept-language"), "{path}: {vary}");
        }
        let answer = city.get_with(path, &[("accept", "image/png")]).await;
        assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE, "{path}");
        assert_eq!(answer.json()["type"], "urn:problem-type:lindero:not-acceptable");
    }
    // The landing page is the app's where HTML is asked for, else JSON.
    assert!(city.get("/").await.json()["lindero"]["municipalities"][0]["code"] == "73001");
    let page = city.get_with("/", &[("accept", "text/html")]).await;
    assert!(page.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn pages_carry_their_content_and_nothing_that_runs() {
    let city = City::new().await;
    for path in PAGES {
        for language in ["es", "en"] {
            let page = city.get(&format!("{path}?f=html&lang={language}")).await.text();
            assert!(page.contains(&format!("<html lang=\"{language}\">")), "{path}");
            assert!(!page.contains("<script") && !page.contains("style=\"") && !page.contains(" onclick"), "{path}");
            assert!(page.contains("<h1>") && page.contains("<main id=\"content\">"), "{path}");
            assert!(page.contains("lang=en") || language == "en", "{path}: a way to the other language");
        }
    }
    let layer = city.get("/collections/barrios?f=html&lang=es").await.text();
    assert!(layer.contains("Acuerdo &lt;116&gt; &amp; anexos") && layer.contains("Área (m2)"), "{layer}");
    let feature = city.get("/collections/barrios/items/3?f=html&lang=en").await.text();
    assert!(feature.contains("Stratum 3") && feature.contains("Barrio «2»") && feature.contains("sel=barrios/3"));
    let table = city.get("/collections/barrios/items?f=html&limit=5").await.text();
    assert!(table.contains("rel=\"next\"") && table.contains("5 de 400 elementos"), "{table}");
    let ids = city.get("/collections/ejes/items?f=html&limit=5").await.text();
    assert!(ids.contains("/collections/ejes/items/eje%2F1%3F"), "{ids}");
}

#[tokio::test]
async fn each_layer_says_how_it_is_generalised() {
    let city = City::new().await;
    for (layer, language, begins, others) in [
        ("barrios", "es", "Áreas: ", ["Líneas: ", "Puntos: "]),
        ("barrios", "en", "Areas: ", ["Lines: ", "Points: "]),
        ("vias", "en", "Lines: ", ["Areas: ", "Points: "]),
        ("postes", "en", "Points: ", ["Areas: ", "Lines: "]),
    ] {
        let tileset = format!("/collections/{layer}/tiles/WebMercatorQuad?lang={language}");
        let said = city.get(&tileset).await.json()["description"].as_str().unwrap().to_owned();
        assert!(said.contains(begins) && said.contains("point_count") != (layer == "barrios"), "{said}");
        assert!(others.iter().all(|other| !said.contains(other)), "{said}");
        if layer == "barrios" {
            assert!(said.contains("estrato") && said.contains("nombre"), "what it is classified and named by: {said}");
        }
        for page in [format!("{tileset}&f=html"), format!("/collections/{layer}?f=html&lang={language}")] {
            let page = city.get(&page).await.text();
            let steps = page.rsplit("<ol>").next().unwrap().split("</ol>").next().unwrap();
            let listed = steps.replace("</li><li>", " ").replace("<li>", "").replace("</li>", "");
            assert_eq!(listed, said);
        }
    }
}

#[tokio::test]
async fn titles_are_in_the_language_asked_for() {
    let city = City::new().await;
    for (uri, header, title) in [
        ("/collections/barrios", "", "Barrios"),
        ("/collections/barrios", "en-GB,en;q=0.8", "Barrios (en)"),
        ("/collections/barrios?lang=es", "en", "Barrios"),
    ] {
        let document = city.get_with(uri, &[("accept-language", header)]).await.json();
        assert_eq!(document["title"], title, "{uri} {header}");
        assert_eq!(document["lindero"]["title"]["en"], "Barrios (en)");
    }
}

/// Every address in a document.
fn addresses(document: &Value, found: &mut Vec<String>) {
    match document {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(address) if name == "href" || name == "url" => found.push(address.clone()),
                    other => addresses(other, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| addresses(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_link_starts_at_the_base_and_leads_somewhere() {
    let settings = Settings { trusted_proxies: Some(vec!["127.0.0.1".parse().unwrap()]), ..Settings::default() };
    let city = City::with(settings).await;
    let proxied = [
        ("host", "10.0.0.7:8080"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "mapas.example.gov.co"),
        ("x-forwarded-prefix", "/sig"),
    ];
    let v6 = [("host", "[2001:db8::7]:8080")];
    for (headers, base) in [(&proxied[..], "https://mapas.example.gov.co/sig"), (&v6[..], "http://[2001:db8::7]:8080")]
    {
        for path in PAGES.iter().chain(["/"].iter()) {
            let document = city.get_with(path, headers).await.json();
            let mut found = Vec::new();
            addresses(&document, &mut found);
            for address in found.iter().filter(|address| !address.contains('{')) {
                let rest = address.strip_prefix(base).unwrap_or_else(|| panic!("{path}: {address}"));
                if !rest.is_empty() {
                    // One of them is of a stream that does not end.
                    let answer = city.ask("HEAD", rest, headers).await;
                    assert_eq!(answer.status, StatusCode::OK, "{path}: {address}");
                }
            }
            let page = city.get_with(&format!("{path}?f=html"), headers).await.text();
            for part in page.split("href=\"").skip(1) {
                let address = part.split('"').next().unwrap();
                assert!(address.starts_with(base) || address.starts_with('#') || *path == "/", "{path}: {address}");
            }
        }
    }
}

#[tokio::test]
async fn other_methods_are_refused_and_head_and_options_answered() {
    let city = City::new().await;
    // What is edited takes other methods.
    let read = PAGES.iter().filter(|path| !path.contains("/items"));
    for path in read.chain(["/", "/search?q=a", "/here?lon=0&lat=0"].iter()) {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = city.ask(method, path, &[]).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert!(answer.header("allow").contains("GET"), "{method} {path}");
        }
        let Answer { status, body, .. } = city.ask("HEAD", path, &[]).await;
        assert_eq!((status, body.len()), (StatusCode::OK, 0), "HEAD {path}");
        assert_eq!(city.ask("OPTIONS", path, &[]).await.status, StatusCode::OK, "OPTIONS {path}");
    }
}

/// The document without what differs from run to run; numbers to 6 decimals.
fn masked(document: Value) -> Value {
    match document {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| match name.as_str() {
                "updated" | "version" | "changes" | "history" if value.is_string() => (name, Value::from("[masked]")),
                _ => (name, masked(value)),
            })
            .collect(),
        Value::Array(values) => values.into_iter().map(masked).collect(),
        Value::Number(number) if number.is_f64() => {
            serde_json::json!((number.as_f64().unwrap() * 1e6).round() / 1e6)
        }
        other => other,
    }
}

#[tokio::test]
async fn the_documents_are_as_they_were() {
    let city = City::new().await;
    for (name, path) in [
        ("landing", "/"),
        ("conformance", "/conformance"),
        ("collection", "/collections/barrios"),
        ("queryables", "/collections/barrios/queryables"),
        ("published_collection", "/collections/postes"),
        ("tileset", "/collections/barrios/tiles/WebMercatorQuad"),
        ("tilejson", "/collections/barrios/tiles/WebMercatorQuad?f=tilejson"),
        ("dataset_tileset", "/tiles/WebMercatorQuad?collections=vias,barrios"),
        ("dataset_tilejson", "/tiles/WebMercatorQuad?f=tilejson&collections=vias,barrios"),
        ("api", "/api"),
    ] {
        insta::assert_json_snapshot!(name, masked(city.get(path).await.json()));
    }
}

#[tokio::test]
async fn search_and_here_answer_as_the_web_app_expects() {
    let city = City::new().await;
    let found = city.get("/search?q=b012").await.json();
    assert_eq!(found["query"], "b012");
    let first = &found["results"][0];
    assert_eq!(
        (&first["kind"], &first["collection"], &first["id"]),
        (&"feature".into(), &"barrios".into(), &"13".into())
    );
    assert_eq!(first["bbox"].as_array().unwrap().len(), 4);
    let place = city.get("/search?q=4.4389,%20-75.2322").await.json();
    assert_eq!(place["results"][0]["title"], "4.43890, -75.23220");
    for (query, parameter) in
        [("", "q"), ("?q=", "q"), ("?q=a&limit=0", "limit"), ("?q=a&limit=51", "limit"), ("?q=a&x=1", "x")]
    {
        let answer = city.get(&format!("/search{query}")).await;
        assert_eq!(
            (answer.status, &answer.json()["parameter"]),
            (StatusCode::BAD_REQUEST, &parameter.into()),
            "{query}"
        );
    }
    let here = city.get("/here?lon=-75.2322&lat=4.4389&tolerance=100&collections=barrios,vias").await.json();
    assert_eq!(here["point"], serde_json::json!([-75.2322, 4.4389]));
    for found in here["collections"].as_array().unwrap() {
        assert_eq!(found["numberReturned"], found["features"].as_array().unwrap().len());
        assert_eq!(found["features"][0]["type"], "Feature");
    }
    let crowded = city.get("/here?lon=-75.2142&lat=4.4529&tolerance=1000&collections=sitios").await.json();
    assert_eq!((&crowded["truncated"], &crowded["collections"][0]["numberReturned"]), (&true.into(), &20.into()));
    for (query, parameter) in [
        ("lat=1", "lon"),
        ("lon=1", "lat"),
        ("lon=a&lat=1", "lon"),
        ("lon=181&lat=1", "lon"),
        ("lon=1&lat=-91", "lat"),
        ("lon=1&lat=1&tolerance=1001", "tolerance"),
        ("lon=1&lat=1&tolerance=NaN", "tolerance"),
        ("lon=1&lat=1&collections=A", "collections"),
    ] {
        let answer = city.get(&format!("/here?{query}")).await;
        assert_eq!(
            (answer.status, &answer.json()["parameter"]),
            (StatusCode::BAD_REQUEST, &parameter.into()),
            "{query}"
        );
    }
}
