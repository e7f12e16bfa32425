//! Who writes, from where and why: what the versions that a transaction makes
//! tell of it.

use access::Caller;
use sqlx::PgConnection;

/// By which way something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An edit through the API.
    Api,
    /// An import.
    Import,
}

impl Source {
    fn code(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Import => "import",
        }
    }
}

/// Says of the transaction that begins who writes in it; returns the
/// changeset's id. A transaction without is told of as somebody's who wrote
/// past the program.
pub async fn begin(
    caller: &Caller,
    transaction: &mut PgConnection,
    source: Source,
    reason: Option<&str>,
) -> Result<i64, sqlx::Error> {
    let login = caller.login();
    let name = login.map_or(if caller.is_operator() { "operator" } else { "" }, |login| login.name.as_str());
    let origin = caller.origin();
    sqlx::query_scalar(
        "INSERT INTO catalog.changeset (source, account, account_name, address, request, reason) \
         VALUES ($1, $2, $3, $4::inet, $5, $6) RETURNING id",
    )
    .bind(source.code())
    .bind(login.map(|login| login.account))
    .bind(name)
    .bind(origin.and_then(|origin| origin.address).map(|address| address.to_string()))
    .bind(origin.map_or("", |origin| &*origin.request))
    .bind(reason.filter(|reason| !reason.trim().is_empty()))
    .fetch_one(transaction)
    .await
}
