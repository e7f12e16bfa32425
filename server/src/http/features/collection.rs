//! What is said of a collection.

use chrono::{SecondsFormat, Utc};
use layers::{Layer, Text, crs};
use serde_json::{Value, json};

use super::SCHEMA;
use crate::http::asked::Asked;
use crate::http::document::{GEOJSON, JSON};
use crate::http::links::{self, Link};

/// The link relation of a collection's vector tiles (OGC API Tiles).
const TILESETS: &str = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";

/// The link relation of what a feature is made of (OGC API Features, part 5).
const SCHEMA_OF: &str = "http://www.opengis.net/def/rel/ogc/1.0/schema";

/// The link relation of what a filter may name (OGC API Features, part 3).
const QUERYABLES: &str = "http://www.opengis.net/def/rel/ogc/1.0/queryables";

/// `/collections`.
pub(super) fn collections(asked: &Asked, layers: &[Layer]) -> Value {
    json!({
        "links": links::own(asked, JSON),
        "numberMatched": layers.len(),
        "numberReturned": layers.len(),
        "collections": layers.iter().map(|layer| collection(asked, layer)).collect::<Vec<_>>(),
    })
}

/// `/collections/{id}`, also as a member of `/collections`.
pub(super) fn collection(asked: &Asked, layer: &Layer) -> Value {
    let language = asked.language.code();
    let definition = &layer.definition;
    let mut document = json!({
        "id": layer.id,
        "title": definition.title.in_language(language),
        "description": definition.description.in_language(language),
        "itemType": "feature",
        "crs": [crs::CRS84],
        "links": links(asked, layer),
        "lindero": lindero(asked, layer),
    });
    if let Some(extent) = layer.extent {
        document["extent"] = json!({ "spatial": { "bbox": [extent.to_array()], "crs": crs::CRS84 } });
    }
    document
}

fn links(asked: &Asked, layer: &Layer) -> Vec<Link> {
    let here = format!("/collections/{}", layer.id);
    let title = layer.definition.title.in_language(asked.language.code());
    let to = |rest: &str| asked.base.join(&format!("{here}{rest}"));
    let mut links = vec![
        Link::new("self", JSON, to("?f=json")).titled(title),
        Link::new("alternate", "text/html", to("?f=html")).titled(title),
        Link::new("items", GEOJSON, to("/items?f=json")).titled(title),
        Link::new("items", "text/html", to("/items?f=html")).titled(title),
        Link::new(SCHEMA_OF, SCHEMA, to("/schema?f=json")).titled(title),
        Link::new(QUERYABLES, SCHEMA, to("/queryables?f=json")).titled(title),
        Link::new(TILESETS, JSON, to("/tiles?f=json")).titled(title),
    ];
    if layer.definition.licence.starts_with("http") {
        links.push(Link::new("license", "text/html", layer.definition.licence.clone()));
    }
    links
}

/// What Lindero knows of the layer beside what OGC's document has room for.
fn lindero(asked: &Asked, layer: &Layer) -> Value {
    let definition = &layer.definition;
    let text = |text: &Text| json!({ "es": text.in_language("es"), "en": text.in_language("en") });
    let attributes: Vec<Value> = definition
        .attributes
        .iter()
        .map(|attribute| {
            let domain = attribute.domain.as_ref().map(|domain| match domain {
                layers::Domain::Values(values) => json!({ "values": values.iter().map(|value| json!({
                    "value": value.value,
                    "title": if value.title.is_empty() {
                        json!({ "es": value.value, "en": value.value })
                    } else {
                        text(&value.title)
                    },
                    "color": value.color,
                })).collect::<Vec<_>>() }),
                other => json!(other),
            });
            json!({
                "name": attribute.name,
                "type": attribute.kind,
                "title": if attribute.title.is_empty() {
                    json!({ "es": attribute.name, "en": attribute.name })
                } else {
                    text(&attribute.title)
                },
                "unit": attribute.unit,
                "required": attribute.required,
                "domain": domain,
            })
        })
        .collect();
    json!({
        "municipality": layer.municipality.as_str(),
        "kind": layer.kind,
        "title": text(&definition.title),
        "description": text(&definition.description),
        "sector": definition.sector,
        "sectorTitle": text(&definition.sector.title()),
        "sectorRank": definition.sector.rank(),
        "geometryType": layer.geometry_type,
        "storageCrs": crs::epsg_uri(layer.storage_srid),
        "featureCount": layer.feature_count,
        "visibility": layer.visibility(),
        "subject": layer.subject(),
        "dependency": definition.dependency,
        "custodian": definition.custodian,
        "source": definition.source,
        "licence": definition.licence,
        "updateFrequency": definition.update_frequency,
        "updated": layer.content_updated_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        "overdue": layer.is_overdue(Utc::now()),
        "naturalKey": definition.natural_key,
        "label": definition.label,
        "classifyBy": definition.classify_by,
        "minZoom": definition.min_zoom,
        "editable": layer.is_editable_by(&asked.caller),
        "history": layer.history_since.map(|since| since.to_rfc3339_opts(SecondsFormat::Secs, true)),
        "attributes": attributes,
    })
}
