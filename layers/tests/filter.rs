//! Filters on real tables: beside OGC's own test data, and beside a judge
//! written here.
#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "filter/judge.rs"]
mod judge;
#[path = "filter/ogc.rs"]
mod ogc;
mod support;

use access::{Caller, Database};
use futures::TryStreamExt;
use layers::features::{FeatureError, FeatureId, Query, batches, count};
use layers::filter::{Filter, FilterLanguage, InvalidFilter};
use layers::{Layer, catalog};

pub(crate) fn read(layer: &Layer, text: &str) -> Result<Filter, InvalidFilter> {
    let language = if text.starts_with('{') { FilterLanguage::Json } else { FilterLanguage::Text };
    Filter::read(&Caller::ANONYMOUS, layer, language, text)
}

/// How many features match, and which.
pub(crate) async fn matched(db: &Database, layer: &Layer, filter: Filter) -> Result<Vec<i64>, FeatureError> {
    let query = Query::default().matching(filter);
    let number = count(&Caller::ANONYMOUS, db, layer, &query).await?;
    let pages: Vec<_> = batches(&Caller::ANONYMOUS, db, layer, query, 100_000).try_collect().await?;
    let ids: Vec<i64> = pages
        .into_iter()
        .flatten()
        .map(|feature| match feature.id {
            FeatureId::Number(number) => number,
            FeatureId::Text(text) => panic!("{text}"),
        })
        .collect();
    assert_eq!(number as usize, ids.len(), "the count is that of the features");
    Ok(ids)
}

pub(crate) async fn layer(db: &Database, id: &str) -> Layer {
    catalog::get(&Caller::OPERATOR, db, &id.parse().unwrap()).await.unwrap()
}
