//! The parameters of `items`.

use layers::features::{Bbox, Query};
use layers::{Layer, crs};
use url::form_urlencoded;

use super::{FILTER_PARAMETERS, cursor, datetime, filter};
use crate::http::asked::Asked;
use crate::http::problem::{Problem, Result};

/// Features a page where nothing is said.
pub(in crate::http) const DEFAULT_LIMIT: usize = 10;
/// Features a page at most; who asks for more gets so many.
pub(in crate::http) const MOST: usize = 10_000;

/// The CRSs in which boxes are read and features are written.
pub(in crate::http) const KNOWN_CRS: [&str; 2] = [crs::CRS84, "http://www.opengis.net/def/crs/OGC/0/CRS84h"];

/// Parameters with a meaning of their own: an attribute of that name cannot be
/// asked for by it.
pub(in crate::http) const RESERVED: [&str; 12] = [
    "f",
    "lang",
    "limit",
    "offset",
    "cursor",
    "bbox",
    "bbox-crs",
    "crs",
    "datetime",
    "filter",
    "filter-lang",
    "filter-crs",
];

/// A page of a collection's features.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// Which features.
    pub(super) query: Query,
    /// How many at most.
    pub(super) limit: usize,
    /// What selects features, as it was asked for, whatever the page.
    pub(super) selection: String,
    /// How many were passed over; none where a cursor says where to begin.
    pub(super) offset: u64,
}

impl Page {
    /// Reads the parameters. What is none of OGC's is an attribute's.
    pub(super) fn of(asked: &mut Asked, layer: &Layer) -> Result<Self> {
        let mut query = Query::default();
        let limit = whole(asked, "limit", 1)?.map_or(DEFAULT_LIMIT, |limit| limit.min(MOST as u64) as usize);
        let offset = whole(asked, "offset", 0)?.unwrap_or(0);
        query = query.skipping(offset);
        if let Some(text) = asked.text("cursor")? {
            if offset > 0 {
                return Err(Problem::invalid_parameter("offset", "give a cursor or an offset, not both"));
            }
            query = query.after(cursor::read(layer, &text)?);
        }
        let bbox = asked.text("bbox")?;
        for name in ["bbox-crs", "crs"] {
            if let Some(uri) = asked.text(name)?
                && !KNOWN_CRS.contains(&uri.as_str())
            {
                return Err(Problem::invalid_parameter(name, format!("only {} is offered", crs::CRS84)));
            }
        }
        if let Some(text) = bbox {
            query = query.within(Bbox::from_numbers(&numbers("bbox", &text)?)?);
        }
        if let Some(moment) = datetime::asked(asked)? {
            query = query.as_of(moment);
        }
        if let Some(filter) = filter(asked, layer)? {
            query = query.matching(filter);
        }
        let selection = selection(asked);
        for (name, value) in asked.rest() {
            query = query.with_equal(layer, &name, &value)?;
        }
        Ok(Self { query, limit, selection, offset })
    }
}

/// The parameters that select features, in one order.
fn selection(asked: &Asked) -> String {
    let selects = |name: &str| {
        matches!(name, "bbox" | "datetime") || FILTER_PARAMETERS.contains(&name) || !RESERVED.contains(&name)
    };
    let mut pairs: Vec<_> = asked.given.iter().filter(|(name, _)| selects(name)).collect();
    pairs.sort();
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A whole number of any length: what is larger than there can be features is
/// the largest.
fn whole(asked: &mut Asked, name: &str, least: u64) -> Result<Option<u64>> {
    let Some(text) = asked.text(name)? else { return Ok(None) };
    let refused = || Problem::invalid_parameter(name, format!("expected a whole number, {least} or more"));
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let number = text.parse().unwrap_or(u64::MAX);
    if number < least { Err(refused()) } else { Ok(Some(number)) }
}

/// Numbers with commas between.
fn numbers(name: &str, text: &str) -> Result<Vec<f64>> {
    text.split(',')
        .map(|number| {
            number.trim().parse().map_err(|_| Problem::invalid_parameter(name, format!("{number:?} is not a number")))
        })
        .collect()
}
