//! The versions of one feature.

use std::net::IpAddr;

use access::{Caller, Database, Permission};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};

use crate::catalog::Quoted;
use crate::features::{self, Feature, FeatureError};
use crate::{Layer, crs};

/// A version of a feature.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its number: 1, 2, 3 ...
    pub version: i32,
    /// What made it: `create`, `update` or `delete`.
    pub operation: String,
    /// Since when it holds; none of what was there when the history began.
    pub since: Option<DateTime<Utc>>,
    /// Until when it held; none where it still does.
    pub until: Option<DateTime<Utc>>,
    /// Who made it, for whoever may know.
    pub author: Option<Author>,
    /// What it was; none where the feature is gone.
    pub feature: Option<Feature>,
    /// What differs from the version before, as JSON pointers into the
    /// feature; nothing of the first.
    pub changes: Vec<String>,
    /// Its geometry as the layer's table had it, WKB.
    pub(crate) stored: Option<Vec<u8>>,
}

/// Who made a version, from where and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// By which way: `api`, `import`, or `database` for whoever wrote past the
    /// program.
    pub source: String,
    /// The account's name, or the database's role.
    pub name: String,
    /// The program, where it wrote past this one.
    pub application: Option<String>,
    /// From where.
    pub address: Option<IpAddr>,
    /// Why.
    pub reason: Option<String>,
}

/// Versions of a feature.
#[derive(Debug, Clone)]
pub struct Versions {
    /// How many there are.
    pub matched: i64,
    /// The latest first.
    pub versions: Vec<Version>,
}

/// The latest versions of a feature, or those before one, at most `limit`. A
/// feature that never changed since its layer's history began has one.
///
/// Who made them is told to whoever may edit the layer's features or read the
/// audit trail.
pub async fn versions(
    caller: &Caller,
    db: &Database,
    layer: &Layer,
    id: i64,
    before: Option<i32>,
    limit: usize,
) -> Result<Versions, FeatureError> {
    let layer = &*features::check(caller, layer)?;
    let unknown = || FeatureError::UnknownFeature { layer: layer.id.clone(), feature: id.to_string() };
    layer.note_read(caller, "history", &id.to_string())?;
    if layer.history_since.is_none() {
        return Err(FeatureError::NoHistory(layer.id.clone()));
    }
    let matched: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM catalog.feature_version WHERE municipality = $1 AND layer = $2 AND feature = $3",
    )
    .bind(layer.municipality.as_str())
    .bind(layer.id.as_str())
    .bind(id)
    .fetch_one(db.app())
    .await?;
    if matched == 0 {
        let feature = features::get(caller, db, layer, &id.to_string(), None).await?;
        let versions = if before.is_some_and(|before| before <= 1) { Vec::new() } else { vec![unchanged(feature)] };
        return Ok(Versions { matched: 1, versions });
    }
    // One more, with which the last is compared.
    let mut sql = select(layer);
    sql.push(" WHERE v.municipality = ").push_bind(layer.municipality.as_str());
    sql.push(" AND v.layer = ").push_bind(layer.id.as_str()).push(" AND v.feature = ").push_bind(id);
    sql.push(" AND v.version < ").push_bind(before.unwrap_or(i32::MAX));
    sql.push(" ORDER BY v.version DESC LIMIT ").push_bind(limit as i64 + 1);
    let rows = sql.build().fetch_all(db.app()).await?;
    let mut versions = rows.iter().map(|row| version(layer, row)).collect::<Result<Vec<_>, _>>()?;
    for at in 0..versions.len() {
        let (newer, older) = versions.split_at_mut(at + 1);
        if let ([.., newer], [older, ..]) = (newer, older) {
            newer.changes = changes(layer, older.feature.as_ref(), newer.feature.as_ref());
        }
    }
    versions.truncate(limit);
    let scope = layer.scope();
    if !caller.may(Permission::EditFeatures, &scope) && !caller.may(Permission::ReadAudit, &scope) {
        for version in &mut versions {
            version.author = None;
        }
    }
    if versions.is_empty() && before.is_none() {
        return Err(unknown());
    }
    Ok(Versions { matched, versions })
}

/// One version of a feature.
pub async fn version_of(
    caller: &Caller,
    db: &Database,
    layer: &Layer,
    id: i64,
    version: i32,
) -> Result<Version, FeatureError> {
    let found = versions(caller, db, layer, id, version.checked_add(1), 1).await?;
    found.versions.into_iter().find(|found| found.version == version).ok_or_else(|| FeatureError::UnknownVersion {
        layer: layer.id.clone(),
        feature: id,
        version,
    })
}

/// The one version of a feature that never changed.
fn unchanged(feature: Feature) -> Version {
    Version {
        version: 1,
        operation: "create".to_owned(),
        since: None,
        until: None,
        author: None,
        feature: Some(feature),
        changes: Vec::new(),
        stored: None,
    }
}

/// The feature as [`features::feature`] reads it, then what is said of it.
fn select(layer: &Layer) -> QueryBuilder<Postgres> {
    let Quoted { relation, key, geometry } = Quoted::new(&layer.table);
    let was = format!("CASE WHEN v.until IS NULL THEN t.{geometry} ELSE v.geometry END");
    let mut sql = QueryBuilder::new("SELECT v.feature, ST_AsBinary(");
    sql.push(features::projected(&was, layer, crs::WGS_84)).push(", 'NDR')");
    for attribute in &layer.definition.attributes {
        let column = Quoted::identifier(&attribute.name);
        sql.push(format!(", CASE WHEN v.until IS NULL THEN t.{column} ELSE r.{column} END"));
    }
    sql.push(format!(
        ", v.version, v.operation, nullif(v.since, '-infinity'), v.until, v.until IS NULL AND t.{key} IS NOT NULL \
            OR v.attributes IS NOT NULL, ST_AsBinary({was}, 'NDR'), \
            c.source, CASE c.source WHEN 'database' THEN c.database_role ELSE c.account_name END, \
            CASE c.source WHEN 'database' THEN c.application END, host(c.address), c.reason \
         FROM catalog.feature_version AS v LEFT JOIN catalog.changeset AS c ON c.id = v.changeset \
         LEFT JOIN {relation} AS t ON v.until IS NULL AND v.operation <> 'delete' \
            AND t.municipality = v.municipality AND t.{key} = v.feature \
         LEFT JOIN LATERAL jsonb_populate_record(NULL::{relation}, v.attributes) AS r ON v.attributes IS NOT NULL"
    ));
    sql
}

fn version(layer: &Layer, row: &PgRow) -> Result<Version, sqlx::Error> {
    let at = layer.definition.attributes.len() + 2;
    let is_there: bool = row.try_get::<Option<_>, _>(at + 4)?.unwrap_or(false);
    let source: Option<String> = row.try_get(at + 6)?;
    let author = match source {
        Some(source) => Some(Author {
            source,
            name: row.try_get(at + 7)?,
            application: row.try_get::<Option<String>, _>(at + 8)?.filter(|name| !name.is_empty()),
            address: row.try_get::<Option<String>, _>(at + 9)?.and_then(|address| address.parse().ok()),
            reason: row.try_get(at + 10)?,
        }),
        None => None,
    };
    Ok(Version {
        version: row.try_get(at)?,
        operation: row.try_get(at + 1)?,
        since: row.try_get(at + 2)?,
        until: row.try_get(at + 3)?,
        author,
        feature: if is_there { Some(features::feature(layer, row)?) } else { None },
        changes: Vec::new(),
        stored: row.try_get(at + 5)?,
    })
}

/// What differs between two versions.
fn changes(layer: &Layer, older: Option<&Feature>, newer: Option<&Feature>) -> Vec<String> {
    let (Some(older), Some(newer)) = (older, newer) else { return Vec::new() };
    let attributes = layer.definition.attributes.iter().zip(older.values.iter().zip(&newer.values));
    let changed = attributes.filter(|(_, (older, newer))| older != newer);
    let mut pointers: Vec<String> = changed.map(|(attribute, _)| features::pointer(&attribute.name)).collect();
    if older.geometry != newer.geometry {
        pointers.push("/geometry".to_owned());
    }
    pointers
}
