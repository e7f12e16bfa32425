//! When and from where an account may come in.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Datelike, NaiveTime, Utc};
use chrono_tz::America::Bogota;
use enumset::{EnumSet, EnumSetType};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use thiserror::Error;
use uuid::Uuid;

use crate::AccessError;

/// The most networks or windows that an account has.
const MOST: usize = 50;

/// A day of the week.
#[derive(Debug, Hash, EnumSetType, Serialize, Deserialize)]
#[enumset(serialize_repr = "list")]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<chrono::Weekday> for Day {
    fn from(day: chrono::Weekday) -> Self {
        match day {
            chrono::Weekday::Mon => Self::Mon,
            chrono::Weekday::Tue => Self::Tue,
            chrono::Weekday::Wed => Self::Wed,
            chrono::Weekday::Thu => Self::Thu,
            chrono::Weekday::Fri => Self::Fri,
            chrono::Weekday::Sat => Self::Sat,
            chrono::Weekday::Sun => Self::Sun,
        }
    }
}

/// A time of the day to the minute: `07:30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(NaiveTime);

const MINUTE: &str = "%H:%M";

impl std::str::FromStr for Minute {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NaiveTime::parse_from_str(text, MINUTE).map(Self)
    }
}

impl Serialize for Minute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.format(MINUTE))
    }
}

impl<'de> Deserialize<'de> for Minute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom("expected a time of the day as 07:30"))
    }
}

/// A window of the week, by Colombia's clock. One that does not end later than
/// it begins ends on the next day: 22:00 to 06:00, and 00:00 to 00:00 is all day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The days on which it begins.
    pub days: EnumSet<Day>,
    /// When it begins.
    pub from: Minute,
    /// When it ends: that minute is outside.
    pub to: Minute,
}

impl fmt::Display for Window {
    /// As `mon, tue 07:00 to 18:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, day) in self.days.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{}", format!("{day:?}").to_lowercase())?;
        }
        write!(f, " {} to {}", self.from.0.format(MINUTE), self.to.0.format(MINUTE))
    }
}

impl Window {
    fn holds(&self, at: DateTime<Utc>) -> bool {
        let at = at.with_timezone(&Bogota);
        let (day, time) = (at.weekday(), at.time());
        let begins = |day: chrono::Weekday| self.days.contains(day.into());
        if self.from < self.to {
            begins(day) && self.from.0 <= time && time < self.to.0
        } else {
            begins(day) && self.from.0 <= time || begins(day.pred()) && time < self.to.0
        }
    }
}

/// When and from where an account may come in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// From there alone; none: from anywhere.
    pub networks: Vec<IpNet>,
    /// Then alone; none: at any time.
    pub hours: Vec<Window>,
}

/// An account may not come in now, or from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OutOfBounds {
    /// Not from there.
    #[error("this account may not come in from this network; an administrator can say from where")]
    Network,
    /// Not now.
    #[error("this account may not come in at this hour; an administrator can say when")]
    Hour,
}

impl Bounds {
    /// Passes who comes from within, at such a time. Where it is not known from
    /// where somebody comes, it is from nowhere.
    pub fn admit(&self, address: Option<IpAddr>, at: DateTime<Utc>) -> Result<(), OutOfBounds> {
        let address = address.map(|address| address.to_canonical());
        let is_near = |network: &IpNet| address.is_some_and(|address| network.contains(&address));
        if !self.networks.is_empty() && !self.networks.iter().any(is_near) {
            return Err(OutOfBounds::Network);
        }
        if !self.hours.is_empty() && !self.hours.iter().any(|window| window.holds(at)) {
            return Err(OutOfBounds::Hour);
        }
        Ok(())
    }

    /// From the columns `networks` (as text) and `hours`.
    pub(crate) fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        let networks: Vec<String> = row.try_get("networks")?;
        let networks = networks.iter().map(|network| network.parse()).collect::<Result<_, _>>();
        let sqlx::types::Json(hours) = row.try_get("hours")?;
        Ok(Self { networks: networks.map_err(|error| sqlx::Error::Decode(Box::new(error)))?, hours })
    }
}

/// What the columns of an account's bounds are called in a `SELECT`.
pub(crate) const COLUMNS: &str = "networks::text[] AS networks, hours";

/// An account's bounds.
pub(crate) async fn of(connection: &mut PgConnection, account: Uuid) -> Result<Bounds, sqlx::Error> {
    let select = format!("SELECT {COLUMNS} FROM access.account WHERE id = $1");
    Bounds::of(&sqlx::query(sqlx::AssertSqlSafe(select)).bind(account).fetch_one(connection).await?)
}

/// Networks as PostgreSQL's `cidr` takes them: no bit of a host.
pub(crate) fn networks(given: &[IpNet]) -> Result<Vec<String>, AccessError> {
    if given.len() > MOST {
        return Err(AccessError::invalid("networks", format!("an account has at most {MOST} networks")));
    }
    Ok(given.iter().map(|network| network.trunc().to_string()).collect())
}

/// Windows that can be.
pub(crate) fn check_hours(given: &[Window]) -> Result<(), AccessError> {
    if given.len() > MOST {
        return Err(AccessError::invalid("hours", format!("an account has at most {MOST} windows")));
    }
    if given.iter().any(|window| window.days.is_empty()) {
        return Err(AccessError::invalid("hours", "a window without days is never open: name its days"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[Day], from: &str, to: &str) -> Window {
        let days = days.iter().copied().collect();
        Window { days, from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    /// 2026-11-20 is a Friday; Colombia is five hours behind UTC.
    fn at(text: &str) -> DateTime<Utc> {
        format!("{text}:00-05:00").parse().unwrap()
    }

    #[test]
    fn hours_are_colombias_and_may_pass_midnight() {
        let office = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri];
        let bounds = Bounds { hours: vec![window(&office, "07:00", "18:00")], ..Bounds::default() };
        let admits = |bounds: &Bounds, time: &str| bounds.admit(None, at(time)).is_ok();
        assert!(admits(&bounds, "2026-11-20T07:00") && admits(&bounds, "2026-11-20T17:59"));
        assert!(!admits(&bounds, "2026-11-20T18:00") && !admits(&bounds, "2026-11-20T06:59"));
        assert_eq!(bounds.admit(None, at("2026-11-21T10:00")), Err(OutOfBounds::Hour));
        let night = Bounds { hours: vec![window(&[Day::Fri], "22:00", "06:00")], ..Bounds::default() };
        assert!(admits(&night, "2026-11-20T22:00") && admits(&night, "2026-11-21T05:59"));
        assert!(!admits(&night, "2026-11-21T06:00") && !admits(&night, "2026-11-20T05:00"));
        let day = Bounds { hours: vec![window(&[Day::Sun], "00:00", "00:00")], ..Bounds::default() };
        assert!(admits(&day, "2026-11-22T23:59") && !admits(&day, "2026-11-23T00:00"));
    }

    #[test]
    fn networks_hold_addresses_and_an_unknown_one_is_in_none() {
        let networks = vec!["10.20.0.0/16".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let bounds = Bounds { networks, ..Bounds::default() };
        let admits = |address: &str| bounds.admit(address.parse().ok(), Utc::now()).is_ok();
        assert!(admits("10.20.3.4") && admits("::ffff:10.20.3.4") && admits("2001:db8::7"));
        assert!(!admits("10.21.3.4") && !admits("192.0.2.1"));
        assert_eq!(bounds.admit(None, Utc::now()), Err(OutOfBounds::Network));
        assert_eq!(Bounds::default().admit(None, Utc::now()), Ok(()));
    }

    #[test]
    fn a_window_is_read_as_it_is_written() {
        let text = r#"{"days":["mon","fri"],"from":"07:30","to":"18:00"}"#;
        let read: Window = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        for bad in
            [r#"{"days":["mon"],"from":"25:00","to":"18:00"}"#, r#"{"days":["lun"],"from":"07:00","to":"18:00"}"#]
        {
            assert!(serde_json::from_str::<Window>(bad).is_err(), "{bad}");
        }
    }
}
