//! Which version is meant (`If-Match`), and why (`Lindero-Reason`).

use axum::http::header::IF_MATCH;
use axum::http::{HeaderMap, HeaderName};
use layers::Expected;
use percent_encoding::percent_decode_str;

use super::problem::{Kind, Problem, Result};

/// Why something is edited, kept with the versions: percent-encoded UTF-8, as
/// headers hold no other letters than English has.
pub(super) const REASON: HeaderName = HeaderName::from_static("lindero-reason");

/// The version of `what` that `If-Match` names; 428 where it names none.
pub(super) fn expected(headers: &HeaderMap, what: &str) -> Result<Expected> {
    let values: Vec<&str> = headers.get_all(IF_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() {
        return Err(Problem::new(Kind::PreconditionRequired).with_detail(format!(
            "send the ETag with which the {what} was read as If-Match, so that nobody's change is lost"
        )));
    }
    Ok(tags(&values.join(",")))
}

/// The tags in a list. A weak one is taken for a strong one: some proxies
/// weaken tags when they compress what they pass on, and these tags are of the
/// content, whatever its encoding.
pub(super) fn tags(list: &str) -> Expected {
    if list.trim() == "*" {
        return Expected::Any;
    }
    let tag = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    Expected::OneOf(list.split(',').map(tag).collect())
}

/// The tag as a header has it.
pub(super) fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// Why, if anything is said.
pub(super) fn reason(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(REASON) else { return Ok(None) };
    let refused = || Problem::invalid_parameter(REASON.as_str(), "expected text, percent-encoded as UTF-8");
    let text = percent_decode_str(value.to_str().map_err(|_| refused())?).decode_utf8().map_err(|_| refused())?;
    if text.contains('\0') { Err(refused()) } else { Ok(Some(text.into_owned())) }
}
