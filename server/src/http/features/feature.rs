//! `/collections/{id}/items/{feature}`: one feature.

use axum::extract::State;
use axum::response::Response;
use layers::features::get;

use super::items::OFFERS;
use super::{attachments, datetime, geojson, geojson_headers};
use crate::http::asked::{Asked, Format};
use crate::http::extract::Path;
use crate::http::links::{self, Link};
use crate::http::precondition::quoted;
use crate::http::problem::{Problem, Result};
use crate::http::{AppState, document, pages};

pub(super) async fn feature(
    State(state): State<AppState>,
    Path((id, feature)): Path<(String, String)>,
    mut asked: Asked,
) -> Result<Response> {
    let moment = datetime::asked(&mut asked)?;
    asked.finish()?;
    let format = asked.format(OFFERS)?;
    let layer = super::layer(&state, &asked, &id).await?;
    let feature = get(&asked.caller, &state.database, &layer, &feature, moment).await?;
    if format == Format::Html {
        // They have no versions: of what was, nobody knows them.
        let attachments = match moment {
            None => attachments::listed(&state, &asked, &layer, &feature.id.to_string()).await?,
            Some(_) => Vec::new(),
        };
        return Ok(document::html(&asked, pages::feature(&asked, &layer, &feature, &attachments)));
    }
    let written = || -> serde_json::Result<Vec<u8>> {
        let names = layer.definition.attributes.iter().map(|attribute| attribute.name.as_str());
        let mut out = Vec::with_capacity(4096);
        geojson::write_feature(&mut out, &geojson::property_keys(names)?, &feature)?;
        let mut links = links::own(&asked, document::GEOJSON);
        let collection = asked.base.join(&format!("/collections/{}?f=json", layer.id));
        links.push(Link::new("collection", document::JSON, collection));
        out.extend_from_slice(br#","links":"#);
        serde_json::to_writer(&mut out, &links)?;
        out.push(b'}');
        Ok(out)
    };
    let body = written().map_err(|error| Problem::internal(&error))?;
    let mut response = document::tagged(&asked, document::GEOJSON, &quoted(&feature.tag(&layer)), body);
    geojson_headers(response.headers_mut());
    Ok(response)
}
