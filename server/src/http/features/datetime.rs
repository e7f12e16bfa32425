//! The parameter `datetime` (OGC API Features, 7.15.4). No layer has a
//! temporal geometry yet, and features without one always match: the value is
//! checked, and then selects everything.

use chrono::{DateTime, FixedOffset};

use crate::http::problem::{Problem, Result};

/// Checks an instant or an interval.
pub(super) fn check(value: &str) -> Result<()> {
    let refused = |reason: &str| Problem::invalid_parameter("datetime", reason);
    let instant = |text: &str| -> Result<Option<DateTime<FixedOffset>>> {
        if matches!(text, "" | "..") {
            return Ok(None);
        }
        DateTime::parse_from_rfc3339(text).map(Some).map_err(|_| {
            refused("expected an instant as 2026-11-20T08:00:00Z, or an interval of two with / between (.. is open)")
        })
    };
    match value.split_once('/') {
        None => match instant(value)? {
            Some(_) => Ok(()),
            None => Err(refused("expected an instant or an interval")),
        },
        Some((from, to)) => match (instant(from)?, instant(to)?) {
            (Some(from), Some(to)) if from > to => Err(refused("the interval ends before it begins")),
            (None, None) if from.is_empty() && to.is_empty() => Err(refused("expected an instant or an interval")),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_intervals_are_known() {
        for good in ["2026-11-20T08:00:00Z", "2026-11-20T08:00:00-05:00/..", "../2026-11-20T08:00:00Z", "../..", "/.."]
        {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "..", "/", "yesterday", "2026-13-01T00:00:00Z", "2026-11-20T08:00:00Z/2025-11-20T08:00:00Z"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
