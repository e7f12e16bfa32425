//! The landing page and the conformance classes.

use super::routes::{Routes, Rule};
use axum::extract::State;
use axum::response::Response;
use layers::municipality::Municipality;
use layers::{Extent, Layer, catalog, municipality};
use serde_json::{Value, json};

use super::asked::{Asked, Format, JSON_AND_HTML};
use super::document::JSON;
use super::links::{self, Link};
use super::openapi;
use super::problem::Result;
use super::{AppState, assets, changes, document, pages};

/// What this server conforms to.
pub(super) const CONFORMANCE: &[&str] = &[
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/landing-page",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/json",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
    "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/accent-insensitive-comparison",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions-plus",
    "http://www.opengis.net/spec/cql2/1.0/conf/spatial-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/temporal-functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/property-property",
    "http://www.opengis.net/spec/cql2/1.0/conf/arithmetic",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tileset",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/tilesets-list",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/dataset-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/collections-selection",
    "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/mvt",
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
];

pub(super) fn routes() -> Routes {
    Routes::default().get("/", Rule::Seen, landing).get("/conformance", Rule::Everybody, conformance)
}

async fn landing(State(state): State<AppState>, asked: Asked) -> Result<Response> {
    asked.finish()?;
    let format = asked.format(JSON_AND_HTML)?;
    let language = asked.language;
    let description = language.choose(
        "El territorio del municipio: capas, teselas vectoriales y búsqueda.",
        "The municipality's territory: layers, vector tiles and search.",
    );
    if format == Format::Html {
        let app = assets::index(&asked);
        return Ok(app.unwrap_or_else(|| document::html(&asked, pages::landing(&asked, description))));
    }
    // Before anything is read: what changes from here on is told.
    let position = state.tiles.change_position().to_string();
    let municipalities = municipality::list(&asked.caller, &state.database).await?;
    let layers = catalog::list(&asked.caller, &state.database).await?;
    let mut links = links::own(&asked, JSON);
    for (rel, media_type, path, es, en) in [
        ("service-desc", openapi::MEDIA_TYPE, "/api?f=json", "Descripción de la API", "API description"),
        ("service-doc", "text/html", "/api?f=html", "Documentación de la API", "API documentation"),
        ("conformance", JSON, "/conformance?f=json", "Clases de conformidad", "Conformance classes"),
        ("data", JSON, "/collections?f=json", "Capas", "Layers"),
        ("monitor", changes::EVENT_STREAM, "/changes", "Cambios, a medida que ocurren", "Changes, as they happen"),
        (
            "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector",
            JSON,
            "/tiles?f=json",
            "Teselas vectoriales de todas las capas",
            "Vector tiles of all layers",
        ),
        (
            "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes",
            JSON,
            "/tileMatrixSets?f=json",
            "Esquemas de teselas",
            "Tile matrix sets",
        ),
    ] {
        links.push(Link::new(rel, media_type, asked.base.join(path)).titled(language.choose(es, en)));
    }
    let title = match municipalities.as_slice() {
        [only] => format!("Lindero · {}", only.name),
        _ => "Lindero".to_owned(),
    };
    let known: Vec<Value> = municipalities.iter().map(|municipality| describe(municipality, &layers)).collect();
    document::json(
        &asked,
        JSON,
        &json!({
            "title": title,
            "description": description,
            "links": links,
            "lindero": { "version": env!("CARGO_PKG_VERSION"), "municipalities": known, "changes": position },
        }),
    )
}

/// The extent is that of the municipality's layers, as far as they lie where
/// its data must lie: one stray feature must not zoom the map out.
fn describe(municipality: &Municipality, layers: &[Layer]) -> Value {
    let own = layers.iter().filter(|layer| layer.municipality == municipality.code);
    let extent = own
        .filter_map(|layer| layer.extent)
        .filter_map(|extent| common(extent, municipality.extent))
        .reduce(Extent::union)
        .unwrap_or(municipality.extent);
    json!({
        "code": municipality.code.as_str(),
        "name": municipality.name,
        "department": municipality.department,
        "inhabitants": municipality.inhabitants,
        "extent": extent.to_array(),
    })
}

fn common(one: Extent, other: Extent) -> Option<Extent> {
    let common = Extent {
        west: one.west.max(other.west),
        south: one.south.max(other.south),
        east: one.east.min(other.east),
        north: one.north.min(other.north),
    };
    (common.west <= common.east && common.south <= common.north).then_some(common)
}

async fn conformance(asked: Asked) -> Result<Response> {
    asked.finish()?;
    match asked.format(JSON_AND_HTML)? {
        Format::Html => Ok(document::html(&asked, pages::conformance(&asked, CONFORMANCE))),
        _ => document::json(&asked, JSON, &json!({ "conformsTo": CONFORMANCE })),
    }
}
