//! Rows of the audit trail as CSV (RFC 4180), for people and their spreadsheets.

use access::audit::Row;
use chrono::SecondsFormat;

/// What the columns are called.
const COLUMNS: [&str; 17] = [
    "id",
    "at",
    "action",
    "outcome",
    "account",
    "account_name",
    "dependency",
    "session",
    "key",
    "address",
    "request",
    "municipality",
    "layer",
    "subject",
    "detail",
    "database_role",
    "application",
];

/// The line above all rows.
pub(crate) fn header() -> Result<Vec<u8>, csv::Error> {
    written(|writer| writer.write_record(COLUMNS))
}

/// A line a row.
pub(crate) fn lines(rows: &[Row]) -> Result<Vec<u8>, csv::Error> {
    written(|writer| rows.iter().try_for_each(|row| writer.write_record(values(row))))
}

fn written(write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> Result<(), csv::Error>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    write(&mut writer)?;
    writer.into_inner().map_err(|error| error.into_error().into())
}

fn values(row: &Row) -> [String; 17] {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let values = [
        row.id.to_string(),
        row.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        row.action.clone(),
        row.outcome.clone(),
        row.account.map(|id| id.to_string()).unwrap_or_default(),
        row.account_name.clone(),
        row.dependency.clone(),
        row.session.map(|id| id.to_string()).unwrap_or_default(),
        row.key.map(|id| id.to_string()).unwrap_or_default(),
        optional(&row.address),
        row.request.clone(),
        optional(&row.municipality),
        optional(&row.layer),
        row.subject.clone(),
        row.detail.as_ref().map(ToString::to_string).unwrap_or_default(),
        row.database_role.clone(),
        row.application.clone(),
    ];
    values.map(plain)
}

/// A spreadsheet takes what begins so for a formula, and computes it: behind an
/// apostrophe it is a text (OWASP, "CSV injection").
fn plain(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+57", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(plain(text.to_owned()), format!("'{text}"));
        }
        assert_eq!(plain("vías".to_owned()), "vías");
    }
}
