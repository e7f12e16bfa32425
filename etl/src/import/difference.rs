//! From a staging table to a layer in use: only what differs is written, so
//! that the history, the feed and the caches see real changes.

use access::MunicipalityCode;
use layers::catalog::Quoted;
use layers::{Attribute, LayerId};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use super::{ImportError, Mode, Rejection, table};

/// What was written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) inserted: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
    pub(super) unchanged: u64,
}

/// The two tables and what they share.
pub(super) struct Tables<'a> {
    pub(super) layer: &'a LayerId,
    pub(super) municipality: &'a MunicipalityCode,
    /// The staging table, quoted.
    pub(super) staging: &'a str,
    /// The attributes that the staging table has.
    pub(super) attributes: &'a [Attribute],
    /// Whether the staging table has geometries.
    pub(super) geometry: bool,
}

impl Tables<'_> {
    fn target(&self) -> String {
        Quoted::new(&layers::catalog::managed_table(self.layer)).relation
    }

    fn columns(&self, prefix: &str) -> Vec<String> {
        let mut columns = table::names(self.attributes, prefix);
        if self.geometry {
            columns.push(format!("{prefix}geom"));
        }
        columns
    }
}

/// Takes the rows out of a table whose key is missing or was there before,
/// and says which they were: the first row of a key stays.
pub(super) async fn reject_duplicates(
    connection: &mut PgConnection,
    relation: &str,
    key: &str,
    source: &str,
    null_is_wrong: bool,
) -> Result<Vec<Rejection>, ImportError> {
    let column = Quoted::identifier(key);
    let rows = sqlx::query(AssertSqlSafe(format!(
        "WITH ranked AS (SELECT fid, {column}::text AS key, first_value(fid) OVER same AS first \
            FROM {relation} WHERE {column} IS NOT NULL WINDOW same AS (PARTITION BY {column} ORDER BY fid)) \
         SELECT fid, key, first FROM ranked WHERE fid <> first \
         UNION ALL SELECT fid, NULL, NULL FROM {relation} WHERE $1 AND {column} IS NULL ORDER BY 1",
    )))
    .bind(null_is_wrong)
    .fetch_all(&mut *connection)
    .await?;
    let mut rejections = Vec::with_capacity(rows.len());
    for row in &rows {
        let value: Option<String> = row.try_get("key")?;
        let first: Option<i64> = row.try_get("first")?;
        let reason = first.map_or_else(
            || "the key is missing".to_owned(),
            |first| format!("the key is repeated: row {first} has it already"),
        );
        rejections.push(Rejection {
            row: row.try_get::<i64, _>("fid")?.unsigned_abs(),
            field: Some(source.to_owned()),
            reason,
            value,
        });
    }
    if !rejections.is_empty() {
        let numbers: Vec<i64> = rejections.iter().map(|rejection| rejection.row.cast_signed()).collect();
        sqlx::query(AssertSqlSafe(format!("DELETE FROM {relation} WHERE fid = ANY ($1)")))
            .bind(numbers)
            .execute(connection)
            .await?;
    }
    Ok(rejections)
}

/// Writes the difference by key: what changed, what is new and, replacing,
/// what is gone.
pub(super) async fn by_key(
    connection: &mut PgConnection,
    tables: &Tables<'_>,
    key: &str,
    mode: Mode,
) -> Result<Written, ImportError> {
    let (target, staging, municipality) = (tables.target(), tables.staging, tables.municipality);
    let key = Quoted::identifier(key);
    connection.execute(AssertSqlSafe(format!("CREATE INDEX ON {staging} ({key}); ANALYZE {staging}"))).await?;
    table::with_short_lock(connection, &format!("LOCK TABLE {target} IN SHARE ROW EXCLUSIVE MODE")).await?;
    let same = format!("t.municipality = '{municipality}' AND t.{key} = s.{key}");
    let mut written = Written::default();
    if mode == Mode::Replace {
        written.deleted = table::execute(
            connection,
            format!(
                "DELETE FROM {target} AS t WHERE t.municipality = '{municipality}' \
                    AND NOT EXISTS (SELECT FROM {staging} AS s WHERE {same})"
            ),
        )
        .await?;
    }
    written.updated = table::execute(
        connection,
        format!(
            "UPDATE {target} AS t SET ({}) = ROW ({}) FROM {staging} AS s WHERE {same} \
                AND ({}) IS DISTINCT FROM ({})",
            tables.columns("").join(", "),
            tables.columns("s.").join(", "),
            tables.columns("t.").join(", "),
            tables.columns("s.").join(", "),
        ),
    )
    .await?;
    let columns = tables.columns("").join(", ");
    written.inserted = table::execute(
        connection,
        format!(
            "INSERT INTO {target} (municipality, {columns}) SELECT '{municipality}', {columns} FROM {staging} AS s \
                WHERE NOT EXISTS (SELECT FROM {target} AS t WHERE {same}) ORDER BY s.fid"
        ),
    )
    .await?;
    let staged: i64 =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {staging}"))).fetch_one(connection).await?;
    written.unchanged = staged.unsigned_abs().saturating_sub(written.inserted + written.updated);
    Ok(written)
}

/// Replaces without a key: rows that are the same in every attribute stay,
/// as many of each as both have.
pub(super) async fn by_content(connection: &mut PgConnection, tables: &Tables<'_>) -> Result<Written, ImportError> {
    let (target, staging, municipality) = (tables.target(), tables.staging, tables.municipality);
    table::with_short_lock(connection, &format!("LOCK TABLE {target} IN SHARE ROW EXCLUSIVE MODE")).await?;
    let columns = tables.columns("").join(", ");
    let digest = |relation: &str, filter: &str| {
        format!(
            "SELECT fid, digest, row_number() OVER (PARTITION BY digest ORDER BY fid) AS nth \
                FROM (SELECT fid, md5(ROW({columns})::text) AS digest FROM {relation} {filter}) AS rows"
        )
    };
    let row = sqlx::query(AssertSqlSafe(format!(
        "WITH old AS MATERIALIZED ({old}), new AS MATERIALIZED ({new}), \
         gone AS (DELETE FROM {target} AS t USING old LEFT JOIN new USING (digest, nth) \
            WHERE t.municipality = '{municipality}' AND t.fid = old.fid AND new.fid IS NULL RETURNING 1), \
         added AS (INSERT INTO {target} (municipality, {columns}) \
            SELECT '{municipality}', {staged} FROM {staging} AS s JOIN new ON new.fid = s.fid \
            LEFT JOIN old USING (digest, nth) WHERE old.fid IS NULL ORDER BY s.fid RETURNING 1) \
         SELECT (SELECT count(*) FROM gone) AS deleted, (SELECT count(*) FROM added) AS inserted, \
            (SELECT count(*) FROM new) AS staged",
        old = digest(&target, &format!("WHERE municipality = '{municipality}'")),
        new = digest(staging, ""),
        staged = tables.columns("s.").join(", "),
    )))
    .fetch_one(connection)
    .await?;
    let number = |name: &str| row.try_get::<i64, _>(name).map(i64::unsigned_abs);
    let inserted = number("inserted")?;
    Ok(Written {
        inserted,
        updated: 0,
        deleted: number("deleted")?,
        unchanged: number("staged")?.saturating_sub(inserted),
    })
}

/// Rows of the staging table whose key the layer has already with other
/// values: an append must not change them.
pub(super) async fn reject_known(
    connection: &mut PgConnection,
    tables: &Tables<'_>,
    key: &str,
    source: &str,
) -> Result<Vec<Rejection>, ImportError> {
    let (target, staging, municipality) = (tables.target(), tables.staging, tables.municipality);
    let column = Quoted::identifier(key);
    let rows = sqlx::query(AssertSqlSafe(format!(
        "DELETE FROM {staging} AS s USING {target} AS t \
         WHERE t.municipality = '{municipality}' AND t.{column} = s.{column} AND ({}) IS DISTINCT FROM ({}) \
         RETURNING s.fid, s.{column}::text AS key",
        tables.columns("t.").join(", "),
        tables.columns("s.").join(", "),
    )))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Rejection {
                row: row.try_get::<i64, _>("fid")?.unsigned_abs(),
                field: Some(source.to_owned()),
                reason: "the layer has another feature with this key; --mode upsert would change it".to_owned(),
                value: row.try_get("key")?,
            })
        })
        .collect()
}

/// Adds every staged row.
pub(super) async fn append_all(connection: &mut PgConnection, tables: &Tables<'_>) -> Result<Written, ImportError> {
    let columns = tables.columns("").join(", ");
    let inserted = table::execute(
        connection,
        format!(
            "INSERT INTO {} (municipality, {columns}) SELECT '{}', {columns} FROM {} ORDER BY fid",
            tables.target(),
            tables.municipality,
            tables.staging
        ),
    )
    .await?;
    Ok(Written { inserted, ..Written::default() })
}
