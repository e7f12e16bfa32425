//! From a filter's text to the `cql2` crate's expression, within limits.

use std::num::NonZeroUsize;
use std::sync::Once;
use std::thread;

use cql2::{Error, Expr};
use pest::error::InputLocation;
use serde_json::Value;

use super::{FilterLanguage, InvalidFilter};

/// The longest filter, in bytes.
pub const LONGEST: usize = 8 * 1024;

/// How deep parts may lie in each other.
pub(super) const DEEPEST: usize = 32;

/// Steps that the grammar may take. It goes back where parentheses may begin a
/// list or a group, twice as often with each level: a polygon of 8 kB takes
/// 150 000 steps, forty unbalanced parentheses would take 10¹⁴.
const MOST_STEPS: usize = 1_000_000;

/// The parser, the expression and its `Drop` go as deep as the text nests,
/// some thousand levels within [`LONGEST`]; a worker's 2 MB do not hold that.
const STACK: usize = 64 << 20;

/// Reads the text and hands the expression to `then`, all on a thread with room
/// enough.
pub(super) fn read<T: Send>(
    language: FilterLanguage,
    text: &str,
    then: impl FnOnce(Expr) -> Result<T, InvalidFilter> + Send,
) -> Result<T, InvalidFilter> {
    if text.len() > LONGEST {
        return Err(InvalidFilter::TooLong { bytes: text.len(), most: LONGEST });
    }
    let broken = || InvalidFilter::TooDeep { most: DEEPEST };
    thread::scope(|scope| {
        let reader = thread::Builder::new().name("filter".to_owned()).stack_size(STACK);
        let work = move || {
            let expression = match language {
                FilterLanguage::Text => of_text(text),
                FilterLanguage::Json => of_json(text),
            };
            expression.and_then(then)
        };
        // A panic within the crate is one filter's, and no reason to fall.
        reader.spawn_scoped(scope, work).ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| Err(broken()))
    })
}

fn of_text(text: &str) -> Result<Expr, InvalidFilter> {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| pest::set_call_limit(NonZeroUsize::new(MOST_STEPS)));
    if deepest(text) > DEEPEST {
        return Err(InvalidFilter::TooDeep { most: DEEPEST });
    }
    cql2::parse_text(text).map_err(|error| match error {
        Error::Pest(error) => {
            if matches!(&error.variant, pest::error::ErrorVariant::CustomError { .. }) {
                // The limit, which is the only error of its own that pest has.
                return InvalidFilter::TooDeep { most: DEEPEST };
            }
            let at = match error.location {
                InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
            };
            let before = text.get(..at).unwrap_or(text);
            let rest: String = text.get(at..).unwrap_or_default().chars().take(20).collect();
            InvalidFilter::Text {
                position: before.chars().count() + 1,
                rest: if rest.is_empty() { String::new() } else { format!(": {rest:?}") },
            }
        }
        other => InvalidFilter::literal("the filter", other.to_string()),
    })
}

/// How deep the parentheses of a text nest, those within quotes aside.
fn deepest(text: &str) -> usize {
    let (mut depth, mut deepest, mut quote) = (0_usize, 0, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn of_json(text: &str) -> Result<Expr, InvalidFilter> {
    let document: Value = serde_json::from_str(text).map_err(|error| InvalidFilter::Json(error.to_string()))?;
    check(&document, 0)?;
    serde_json::from_value(document).map_err(|error| InvalidFilter::Json(error.to_string()))
}

/// Checks that the document has the shape of a filter. The crate would say
/// only that it has not, and reads positions of one number.
fn check(document: &Value, depth: usize) -> Result<(), InvalidFilter> {
    if depth > DEEPEST {
        return Err(InvalidFilter::TooDeep { most: DEEPEST });
    }
    let refused = |reason: &str| Err(InvalidFilter::Json(reason.to_owned()));
    let all = |members: &[Value]| members.iter().try_for_each(|member| check(member, depth + 1));
    let members = match document {
        Value::Array(members) => return all(members),
        Value::Object(members) => members,
        _ => return Ok(()),
    };
    let is_text = |name: &str| members.get(name).is_some_and(Value::is_string);
    let list = |name: &str| members.get(name).and_then(Value::as_array);
    let known = |names: &[&str]| members.keys().all(|name| names.contains(&name.as_str()));
    if is_text("op") && known(&["op", "args"]) {
        return list("args").map_or_else(|| refused("an operation has a list of args"), |args| all(args));
    }
    if members.len() == 1 {
        if is_text("property") || is_text("date") || is_text("timestamp") {
            return Ok(());
        }
        if let Some(members) = list("interval").or_else(|| list("bbox")) {
            return all(members);
        }
    }
    if is_text("type") && known(&["type", "coordinates", "geometries", "bbox", "crs"]) {
        return match (members.get("coordinates"), list("geometries")) {
            (Some(coordinates), None) if positions(coordinates) => Ok(()),
            (None, Some(geometries)) => all(geometries),
            _ => refused("a geometry has coordinates of two to four numbers each"),
        };
    }
    let names: Vec<&str> = members.keys().map(String::as_str).take(4).collect();
    refused(&format!(
        "an object is an operation (op, args), a property, a date, a timestamp, an interval, a bbox or a GeoJSON \
         geometry; one has {names:?}"
    ))
}

fn positions(coordinates: &Value) -> bool {
    let Some(members) = coordinates.as_array() else { return false };
    if members.iter().any(Value::is_number) {
        (2..=4).contains(&members.len()) && members.iter().all(Value::is_number)
    } else {
        members.iter().all(positions)
    }
}
