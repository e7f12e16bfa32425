//! Attributes that fewer may see than their layer.

use access::{Caller, Visibility};
use axum::http::StatusCode;
use layers::catalog;
use lindero::background;

use crate::support::City;

/// Says of attributes of a layer that they are classified above it.
async fn classify(city: &City, layer: &str, names: &[&str]) {
    let (operator, database, id) = (&Caller::OPERATOR, city.db.database(), layer.parse().unwrap());
    let mut definition = catalog::get(operator, database, &id).await.unwrap().definition;
    for attribute in definition.attributes.iter_mut().filter(|attribute| names.contains(&attribute.name.as_str())) {
        attribute.visibility = Some(Visibility::Clasificada);
        "Ley 1712 de 2014, artículo 18".clone_into(&mut attribute.legal_reason);
    }
    catalog::describe(operator, database, &id, &definition).await.unwrap();
}

/// Whether the bytes hold the text somewhere.
fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

const HERE: &str = "lon=-75.23&lat=4.445&tolerance=100";
const TILE: &str = "tiles/WebMercatorQuad/14/7989/4767";

#[tokio::test]
async fn what_is_above_its_layer_is_in_no_answer() {
    let city = City::new().await;
    let asked = [
        "/collections".to_owned(),
        "/collections/barrios".to_owned(),
        "/collections/barrios?f=html".to_owned(),
        "/collections/barrios/queryables".to_owned(),
        "/collections/barrios/queryables?f=html".to_owned(),
        "/collections/barrios/items?limit=400".to_owned(),
        "/collections/barrios/items?limit=400&f=html".to_owned(),
        "/collections/barrios/items/12".to_owned(),
        "/collections/barrios/items/12?f=html".to_owned(),
        "/collections/barrios/items/12/history".to_owned(),
        format!("/here?{HERE}"),
        format!("/collections/barrios/{TILE}"),
        format!("/{TILE}"),
        format!("/collections/barrios/{TILE}?filter=estrato%3D1"),
        "/collections/barrios/tiles/WebMercatorQuad?f=tilejson".to_owned(),
        "/collections/barrios/tiles/WebMercatorQuad".to_owned(),
        "/api".to_owned(),
    ];
    let mut found = 0;
    for uri in &asked {
        let answer = city.get(uri).await;
        assert_eq!(answer.status, StatusCode::OK, "{uri}: {}", answer.text());
        found += usize::from(holds(&answer.body, "area_m2"));
    }
    assert!(found > 10, "the public attribute is in {found} of the answers");
    let known = city.get("/search?q=B012").await;
    assert!(holds(&known.body, "B012"), "{}", known.text());

    classify(&city, "barrios", &["codigo", "area_m2"]).await;
    for uri in &asked {
        let answer = city.get(uri).await;
        assert_eq!(answer.status, StatusCode::OK, "{uri}");
        for reserved in ["area_m2", "B012", "B210"] {
            assert!(!holds(&answer.body, reserved), "{reserved} is in {uri}");
        }
    }
    let unknown = city.get("/search?q=B012").await;
    assert_eq!(unknown.json()["results"].as_array().map(Vec::len), Some(0), "{}", unknown.text());
}

#[tokio::test]
async fn what_is_above_its_layer_cannot_be_asked_for() {
    let city = City::new().await;
    classify(&city, "barrios", &["codigo", "area_m2"]).await;
    for ask in [
        "items?{}=12",
        "items?filter={}%20%3D%2012",
        "items?filter={}%20IS%20NULL",
        "items?filter=estrato%20%3D%201%20OR%20{}%20%3D%201",
        "tiles/WebMercatorQuad/14/7989/4767?filter={}%20%3D%2012",
        "items?sortby={}",
        "items?sortby=-{}",
        "items?properties={}",
        "items?limit=1&{}=12&datetime=..",
        "items?filter=estrato%20BETWEEN%201%20AND%20{}",
        "items?filter=NOT%20({}%20IN%20(1,2))",
    ] {
        let of = async |name: &str| {
            let answer = city.get(&format!("/collections/barrios/{}", ask.replace("{}", name))).await;
            let mut problem = answer.json();
            // A request's own id is in each.
            problem.as_object_mut().unwrap().remove("instance");
            (answer.status, problem.to_string().replace(name, "?"))
        };
        let (status, problem) = of("area_m2").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{ask}: {problem}");
        assert_eq!((status, problem), of("no_such").await, "{ask}");
    }
}

#[tokio::test]
async fn no_statement_for_those_who_may_not_see_it_reads_it() {
    let city = City::new().await;
    let counted = async |selection: &str| {
        let answer = city.get(&format!("/collections/barrios/items?limit=1{selection}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{selection}: {}", answer.text());
        answer.json()["numberMatched"].clone()
    };
    let selections =
        ["", "&estrato=3", "&filter=estrato%20%3E%203%20AND%20fundado%20IS%20NOT%20NULL", "&bbox=-75.3,4.4,-75.2,4.5"];
    let mut before = Vec::new();
    for selection in selections {
        before.push(counted(selection).await);
    }
    let collection = city.get("/collections/barrios").await.json();
    classify(&city, "barrios", &["codigo", "area_m2"]).await;
    // Whoever answers requests may read all columns but those: a statement that
    // names one anywhere fails. How long it takes cannot tell of them either.
    sqlx::raw_sql(
        "UPDATE geo.barrios SET area_m2 = 1 WHERE fid = 12; \
         REVOKE SELECT ON geo.barrios FROM lindero_app; \
         GRANT SELECT (municipality, fid, nombre, estrato, fundado, revisado, activo, ficha, geom) ON geo.barrios \
            TO lindero_app",
    )
    .execute(&mut city.db.superuser().await)
    .await
    .unwrap();
    for (selection, before) in selections.iter().zip(before) {
        assert_eq!(counted(selection).await, before, "{selection}");
    }
    for uri in [
        "/collections/barrios/items/12",
        "/collections/barrios/items/12?datetime=2100-01-01T00:00:00Z",
        "/collections/barrios/items?limit=400&f=html",
        "/collections/barrios/items?limit=400&datetime=2100-01-01T00:00:00Z",
        "/collections/barrios/items/12/history",
        "/collections/barrios/items/12/history/1",
        "/collections/barrios/items/12/attachments",
        "/search?q=B012",
        "/search?q=Barrio+12",
        &format!("/here?{HERE}"),
        &format!("/collections/barrios/{TILE}"),
        &format!("/collections/barrios/{TILE}?filter=estrato%3D1"),
        &format!("/collections/barrios/{TILE}?datetime=2100-01-01T00:00:00Z"),
        &format!("/{TILE}"),
    ] {
        let answer = city.get(uri).await;
        assert_eq!(answer.status, StatusCode::OK, "{uri}: {}", String::from_utf8_lossy(&answer.body));
    }
    // Its number and its extent are of the features, whatever they hold.
    let now = city.get("/collections/barrios").await.json();
    assert_eq!(
        (&now["extent"]["spatial"], &now["lindero"]["featureCount"]),
        (&collection["extent"]["spatial"], &collection["lindero"]["featureCount"])
    );
}

#[tokio::test]
async fn a_kept_tile_is_forgotten_when_an_attribute_is_classified() {
    let city = City::new().await;
    let mut tasks = background::start(&city.state);
    city.tiles.ready().await;
    let mut changes = city.tiles.changes(&Caller::OPERATOR, None);
    for uri in [format!("/collections/barrios/{TILE}"), format!("/{TILE}")] {
        assert!(holds(&city.get(&uri).await.body, "area_m2"), "{uri}");
    }
    assert!(city.tiles.has_index(&"barrios".parse().unwrap()));

    classify(&city, "barrios", &["area_m2"]).await;
    changes.next().await;
    for uri in [format!("/collections/barrios/{TILE}"), format!("/{TILE}")] {
        let answer = city.get(&uri).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(!holds(&answer.body, "area_m2") && holds(&answer.body, "fundado"), "{uri}");
    }
    assert!(city.tiles.has_index(&"barrios".parse().unwrap()), "it serves the smaller view too");

    // In one transaction with a change of features.
    sqlx::raw_sql(
        "UPDATE catalog.layer SET definition = jsonb_set(definition, '{attributes,4,visibility}', '\"clasificada\"') \
            WHERE id = 'barrios'; \
         UPDATE geo.barrios SET estrato = 6 WHERE fid = 9",
    )
    .execute(&mut city.db.superuser().await)
    .await
    .unwrap();
    changes.next().await;
    for uri in [format!("/collections/barrios/{TILE}"), format!("/{TILE}")] {
        assert!(!holds(&city.get(&uri).await.body, "fundado"), "{uri}");
    }
    tasks.shutdown().await;
}
