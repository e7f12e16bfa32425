//! A collection on its way to a file: geometries with their attribute values,
//! in the order of the layer's definition.

use chrono::{Datelike, Days, NaiveDate};
use geo::Geometry;

/// An attribute's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Whole(i64),
    Number(f64),
    Flag(bool),
    Day(NaiveDate),
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Cell {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Whole(value)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<NaiveDate> for Cell {
    fn from(value: NaiveDate) -> Self {
        Self::Day(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One feature.
pub(super) struct Row {
    pub(super) geometry: Geometry,
    pub(super) cells: Vec<Cell>,
}

/// A row from a geometry and values of different types.
macro_rules! row {
    ($geometry:expr; $($cell:expr),+ $(,)?) => {
        $crate::demo::table::Row {
            geometry: geo::Geometry::from($geometry),
            cells: vec![$($crate::demo::table::Cell::from($cell)),+],
        }
    };
}
pub(super) use row;

/// The features of one collection.
pub(super) struct Table {
    pub(super) id: &'static str,
    pub(super) rows: Vec<Row>,
}

/// The day by which everything is dated, so that the city is the same whenever
/// it is generated.
pub(super) fn reference_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 6, 30).unwrap_or_default()
}

/// A day `ago` days before the reference day.
pub(super) fn days_ago(ago: i64) -> NaiveDate {
    reference_day().checked_sub_days(Days::new(ago.max(0).cast_unsigned())).unwrap_or_else(reference_day)
}

/// The year of the reference day.
pub(super) fn reference_year() -> i64 {
    i64::from(reference_day().year())
}

/// Rounded to a number of decimals.
pub(super) fn rounded(value: f64, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    (value * factor).round() / factor
}
