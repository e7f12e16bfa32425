//! The access review as rows: one for each role of each account, and one for
//! an account that has none.

use access::review::{Held, Reviewed};
use access::{Permission, Reach};
use chrono::{DateTime, Utc};

/// The columns' names.
pub const COLUMNS: [&str; 20] = [
    "account",
    "kind",
    "full_name",
    "email",
    "municipality",
    "dependency",
    "provider",
    "standing",
    "expires_at",
    "role",
    "permissions",
    "role_municipality",
    "role_dependency",
    "role_layer",
    "role_expires_at",
    "role_by",
    "keys",
    "last_login_at",
    "last_action_at",
    "last_action",
];

/// A row.
pub type Row = [String; COLUMNS.len()];

/// The rows of an account.
pub fn rows(reviewed: &Reviewed) -> Vec<Row> {
    if reviewed.roles.is_empty() {
        return vec![row(reviewed, None)];
    }
    reviewed.roles.iter().map(|held| row(reviewed, Some(held))).collect()
}

fn row(reviewed: &Reviewed, held: Option<&Held>) -> Row {
    let Reviewed { account, .. } = reviewed;
    let none = Reach::default();
    let Reach { municipality, dependency, layer } = held.map_or(&none, |held| &held.assignment.reach);
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let permissions = held.map(|held| held.permissions.iter().map(Permission::code).collect::<Vec<_>>().join(" "));
    [
        account.name.clone(),
        account.kind.code().to_owned(),
        account.full_name.clone(),
        account.email.clone(),
        account.municipality.as_ref().map(ToString::to_string).unwrap_or_default(),
        account.dependency.clone(),
        text(account.provider.as_ref()),
        reviewed.standing.code().to_owned(),
        instant(account.expires_at),
        held.map(|held| held.assignment.role.clone()).unwrap_or_default(),
        permissions.unwrap_or_default(),
        municipality.as_ref().map(ToString::to_string).unwrap_or_default(),
        text(dependency.as_ref()),
        text(layer.as_ref()),
        instant(held.and_then(|held| held.assignment.expires_at)),
        held.and_then(|held| held.assignment.provider.clone()).unwrap_or_default(),
        reviewed.keys.to_string(),
        instant(account.last_login_at.max(reviewed.last_key_used_at)),
        instant(reviewed.last_action_at),
        text(reviewed.last_action.as_ref()),
    ]
}

fn instant(at: Option<DateTime<Utc>>) -> String {
    at.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default()
}

/// The review as CSV, for a spreadsheet.
pub fn csv(reviewed: &[Reviewed]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS)?;
    for row in reviewed.iter().flat_map(rows) {
        writer.write_record(row.iter().map(|cell| inert(cell)))?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// A text that no spreadsheet takes for a formula: what a provider says of
/// somebody is a stranger's text.
fn inert(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

/// The review as a table for a terminal: who, what, where, when.
pub fn table(reviewed: &[Reviewed]) -> String {
    const SHOWN: [usize; 8] = [0, 7, 9, 11, 12, 13, 17, 18];
    let rows = reviewed.iter().flat_map(rows).map(|row| SHOWN.map(|column| row[column].clone()));
    let rows: Vec<[String; 8]> = std::iter::once(SHOWN.map(|column| COLUMNS[column].to_owned())).chain(rows).collect();
    let widths: Vec<usize> =
        (0..SHOWN.len()).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let line = |row: &[String; 8]| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for nasty in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert!(inert(nasty).starts_with('\''), "{nasty}");
        }
        assert_eq!(inert("Eva Prueba"), "Eva Prueba");
    }
}
