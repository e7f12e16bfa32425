//! The parameters `filter`, `filter-lang`, `filter-crs` (OGC API Features,
//! part 3).

use layers::Layer;
use layers::filter::{Filter, FilterLanguage};

use super::KNOWN_CRS;
use crate::http::asked::Asked;
use crate::http::problem::{Problem, Result};

/// Their names.
pub(in crate::http) const PARAMETERS: [&str; 3] = ["filter", "filter-lang", "filter-crs"];

/// Takes the parameters: the filter over the layer that they say, if any.
pub(in crate::http) fn filter(asked: &mut Asked, layer: &Layer) -> Result<Option<Filter>> {
    let language = match asked.text("filter-lang")? {
        Some(name) => name.parse().map_err(|()| {
            Problem::invalid_parameter("filter-lang", format!("expected {}", FilterLanguage::NAMES.join(" or ")))
        })?,
        None => FilterLanguage::default(),
    };
    if let Some(uri) = asked.text("filter-crs")?
        && !KNOWN_CRS.contains(&uri.as_str())
    {
        return Err(Problem::invalid_parameter("filter-crs", format!("only {} is offered", layers::crs::CRS84)));
    }
    let Some(text) = asked.text("filter")? else { return Ok(None) };
    Filter::read(&asked.caller, layer, language, &text)
        .map(Some)
        .map_err(|wrong| Problem::invalid_parameter("filter", wrong))
}
