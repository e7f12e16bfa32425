//! `/collections/{id}/items`: a page of features.

use std::sync::Arc;

use access::{Caller, Database};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use chrono::{SecondsFormat, Utc};
use futures::stream::{self, TryStreamExt};
use layers::features::{Feature, FeatureError, FeatureId, Query, batches};
use layers::{Layer, crs};

use super::counts::matched;
use super::request::Page;
use super::{cursor, geojson};
use crate::http::asked::{Asked, Format, Offer};
use crate::http::extract::Path;
use crate::http::links::{self, Link};
use crate::http::problem::{Problem, Result};
use crate::http::{AppState, document, pages};

/// GeoJSON is JSON: who asks for that is given it.
pub(super) const OFFERS: &[Offer] =
    &[(Format::Json, &["application/geo+json", "application/json"]), (Format::Html, &["text/html"])];

/// Rows of a page for people at most: it is made whole, in memory.
const MOST_ROWS: usize = 1000;

pub(super) async fn items(State(state): State<AppState>, Path(id): Path<String>, mut asked: Asked) -> Result<Response> {
    let format = asked.format(OFFERS)?;
    let layer = super::layer(&state, &asked, &id).await?;
    let mut page = Page::of(&mut asked, &layer)?;
    if format == Format::Html {
        page.limit = page.limit.min(MOST_ROWS);
    }
    let layer = Arc::new(layer);
    let mut reader = Reader::new(asked.caller.clone(), state.database.clone(), layer.clone(), &page);
    // What can fail fails here, before the 200: the count and the first batch.
    let (matched, first) = tokio::try_join!(matched(&state, &asked.caller, &layer, &page), reader.next())?;
    match format {
        Format::Html => {
            let mut features = first;
            while features.len() <= page.limit && !reader.is_done() {
                features.extend(reader.next().await?);
            }
            let more = features.len() > page.limit;
            features.truncate(page.limit);
            let next = features.last().filter(|_| more).map(|last| next(&asked, &last.id, Format::Html));
            let previous = previous(&asked, &page, Format::Html);
            let list = pages::List { features: &features, matched, previous, next };
            Ok(document::html(&asked, pages::items(&asked, &layer, &list)))
        }
        _ => Ok(stream(asked, reader, &page, matched, first)?),
    }
}

/// Reads a page in batches, and one feature more than it has, which tells
/// whether there is a next page.
struct Reader {
    caller: Caller,
    database: Database,
    layer: Arc<Layer>,
    query: Query,
    left: usize,
}

impl Reader {
    fn new(caller: Caller, database: Database, layer: Arc<Layer>, page: &Page) -> Self {
        Self { caller, database, layer, query: page.query.clone(), left: page.limit + 1 }
    }

    fn is_done(&self) -> bool {
        self.left == 0
    }

    /// The next batch; empty at the end. Holds a connection for this batch only.
    async fn next(&mut self) -> Result<Vec<Feature>, FeatureError> {
        let batch = {
            let stream = batches(&self.caller, &self.database, &self.layer, self.query.clone(), self.left);
            futures::pin_mut!(stream);
            stream.try_next().await?
        };
        let batch = batch.unwrap_or_default();
        match batch.last() {
            Some(last) => {
                self.query = self.query.clone().skipping(0).after(last.id.clone());
                self.left -= batch.len();
            }
            None => self.left = 0,
        }
        Ok(batch)
    }
}

/// The document, written while it is read. A failure on the way is the
/// body's: the connection is cut, and the document never looks whole.
fn stream(asked: Asked, reader: Reader, page: &Page, matched: i64, first: Vec<Feature>) -> Result<Response> {
    let names = reader.layer.definition.attributes.iter().map(|attribute| attribute.name.as_str());
    let keys = geojson::property_keys(names).map_err(|error| Problem::internal(&error))?;
    let mut headers = document::negotiated(&asked, document::GEOJSON);
    if let Ok(value) = HeaderValue::from_str(&format!("<{}>", crs::CRS84)) {
        headers.insert(HeaderName::from_static("content-crs"), value);
    }
    let previous = previous(&asked, page, Format::Json);
    let writer = Writer { asked, keys, previous, matched, limit: page.limit, written: 0, last: None };
    let chunks = stream::try_unfold(Some((writer, reader, Some(first))), |state| async move {
        let Some((mut writer, mut reader, batch)) = state else { return Ok(None) };
        let batch = match batch {
            Some(first) => first,
            None => reader.next().await.map_err(std::io::Error::other)?,
        };
        let more = writer.written + batch.len() > writer.limit;
        let end = more || reader.is_done() || batch.is_empty();
        let chunk = writer.write(&batch, end.then_some(more)).map_err(std::io::Error::other)?;
        let state = (!end).then_some((writer, reader, None));
        Ok::<_, std::io::Error>(Some((Bytes::from(chunk), state)))
    })
    .inspect_err(|error| tracing::error!(%error, "a page of features broke off"));
    Ok((headers, Body::from_stream(chunks)).into_response())
}

struct Writer {
    asked: Asked,
    keys: Vec<String>,
    previous: Option<String>,
    matched: i64,
    limit: usize,
    written: usize,
    last: Option<FeatureId>,
}

impl Writer {
    /// The features of a batch, as far as the page goes, with the document's
    /// beginning before the first and its end after the last (`end` says
    /// whether there is a next page).
    fn write(&mut self, batch: &[Feature], end: Option<bool>) -> serde_json::Result<Vec<u8>> {
        let batch = &batch[..batch.len().min(self.limit - self.written)];
        let geometries: usize = batch.iter().filter_map(|feature| feature.geometry.as_ref()).map(Vec::len).sum();
        let mut out = Vec::with_capacity(2048 + geometries * 3 / 2 + batch.len() * 32 * (self.keys.len() + 2));
        if self.last.is_none() {
            out.extend_from_slice(br#"{"type":"FeatureCollection","features":["#);
        }
        for feature in batch {
            if self.written > 0 {
                out.push(b',');
            }
            geojson::write_feature(&mut out, &self.keys, feature)?;
            out.push(b'}');
            self.written += 1;
        }
        if let Some(last) = batch.last() {
            self.last = Some(last.id.clone());
        }
        if let Some(more) = end {
            let mut links = links::own(&self.asked, document::GEOJSON);
            if let Some(last) = self.last.as_ref().filter(|_| more) {
                links.push(Link::new("next", document::GEOJSON, next(&self.asked, last, Format::Json)));
            }
            if let Some(previous) = &self.previous {
                links.push(Link::new("prev", document::GEOJSON, previous.clone()));
            }
            let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
            let (matched, returned) = (self.matched, self.written);
            out.extend_from_slice(
                format!(r#"],"numberMatched":{matched},"numberReturned":{returned},"timeStamp":"{now}","links":"#)
                    .as_bytes(),
            );
            serde_json::to_writer(&mut out, &links)?;
            out.push(b'}');
        }
        Ok(out)
    }
}

fn next(asked: &Asked, last: &FeatureId, format: Format) -> String {
    let cursor = cursor::after(last);
    asked.url_with(&[("f", Some(format.name())), ("offset", None), ("cursor", Some(&cursor))])
}

/// The page before, where pages are counted by offset.
fn previous(asked: &Asked, page: &Page, format: Format) -> Option<String> {
    if page.offset == 0 {
        return None;
    }
    let offset = page.offset.saturating_sub(page.limit as u64).to_string();
    Some(asked.url_with(&[("f", Some(format.name())), ("offset", Some(&offset))]))
}
