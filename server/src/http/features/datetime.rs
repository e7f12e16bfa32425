//! The parameter `datetime` (OGC API Features, 7.15.4): a layer whose versions
//! are kept is told as it was at that moment, at the end of an interval. The
//! others have no time, and always match.

use chrono::{DateTime, FixedOffset, Utc};

use crate::http::asked::Asked;
use crate::http::problem::{Problem, Result};

/// Takes the parameter: the moment that it asks for, none where it is now.
pub(in crate::http) fn asked(asked: &mut Asked) -> Result<Option<DateTime<Utc>>> {
    Ok(asked.text("datetime")?.map(|text| moment(&text)).transpose()?.flatten())
}

/// The moment that an instant or an interval asks for; none where it is now.
fn moment(value: &str) -> Result<Option<DateTime<Utc>>> {
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
            Some(at) => Ok(Some(at.with_timezone(&Utc))),
            None => Err(refused("expected an instant or an interval")),
        },
        Some((from, to)) => match (instant(from)?, instant(to)?) {
            (Some(from), Some(to)) if from > to => Err(refused("the interval ends before it begins")),
            (None, None) if from.is_empty() && to.is_empty() => Err(refused("expected an instant or an interval")),
            (_, to) => Ok(to.map(|to| to.with_timezone(&Utc))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_asked_for_as_it_ended() {
        let at = |text: &str| moment(text).unwrap().map(|at| at.to_rfc3339());
        assert_eq!(at("2026-11-20T08:00:00-05:00").as_deref(), Some("2026-11-20T13:00:00+00:00"));
        assert_eq!(at("../2026-11-20T08:00:00Z").as_deref(), Some("2026-11-20T08:00:00+00:00"));
        assert_eq!(at("2026-11-20T08:00:00Z/.."), None);
    }

    #[test]
    fn instants_and_intervals_are_known() {
        for good in ["2026-11-20T08:00:00Z", "2026-11-20T08:00:00-05:00/..", "../2026-11-20T08:00:00Z", "../..", "/.."]
        {
            assert!(moment(good).is_ok(), "{good}");
        }
        for bad in ["", "..", "/", "yesterday", "2026-13-01T00:00:00Z", "2026-11-20T08:00:00Z/2025-11-20T08:00:00Z"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
