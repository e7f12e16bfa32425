//! What the database has of attachments.

use access::Database;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::Attachment;
use super::content::Content;
use crate::Layer;

const COLUMNS: &str = "id, name, caption, media_type, size, sha256, width, height, created_at";
const OF_FEATURE: &str = "FROM catalog.attachment WHERE municipality = $1 AND layer = $2 AND feature = $3";

/// What is written of an attachment.
pub(super) struct New<'a> {
    pub(super) id: Uuid,
    pub(super) name: &'a str,
    pub(super) caption: Option<&'a str>,
    pub(super) content: &'a Content,
}

/// The oldest first.
pub(super) async fn list(db: &Database, layer: &Layer, feature: i64) -> Result<Vec<Attachment>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} {OF_FEATURE} ORDER BY created_at, id");
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(layer.municipality.as_str())
        .bind(layer.id.as_str())
        .bind(feature)
        .fetch_all(db.app())
        .await?;
    rows.iter().map(attachment).collect()
}

pub(super) async fn get(
    db: &Database,
    layer: &Layer,
    feature: i64,
    id: Uuid,
) -> Result<Option<Attachment>, sqlx::Error> {
    let sql = format!("SELECT {COLUMNS} {OF_FEATURE} AND id = $4");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(layer.municipality.as_str())
        .bind(layer.id.as_str())
        .bind(feature)
        .bind(id)
        .fetch_optional(db.app())
        .await?;
    row.as_ref().map(attachment).transpose()
}

/// How many there are; who adds to the same feature meanwhile waits until the
/// transaction's end, or both count too few.
pub(super) async fn lock_and_count(
    connection: &mut PgConnection,
    layer: &Layer,
    feature: i64,
) -> Result<i64, sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('lindero attach ' || $1 || ' ' || $2, 0))")
        .bind(layer.id.as_str())
        .bind(feature.to_string())
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) {OF_FEATURE}")))
        .bind(layer.municipality.as_str())
        .bind(layer.id.as_str())
        .bind(feature)
        .fetch_one(connection)
        .await
}

pub(super) async fn insert(
    connection: &mut PgConnection,
    layer: &Layer,
    feature: i64,
    new: &New<'_>,
) -> Result<Attachment, sqlx::Error> {
    let picture = new.content.picture.as_ref();
    let sql = format!(
        "INSERT INTO catalog.attachment \
            (id, municipality, layer, feature, name, caption, media_type, size, sha256, width, height) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING {COLUMNS}"
    );
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(new.id)
        .bind(layer.municipality.as_str())
        .bind(layer.id.as_str())
        .bind(feature)
        .bind(new.name)
        .bind(new.caption)
        .bind(new.content.media_type)
        .bind(new.content.bytes.len() as i64)
        .bind(&new.content.sha256[..])
        .bind(picture.map(|picture| picture.width.cast_signed()))
        .bind(picture.map(|picture| picture.height.cast_signed()))
        .fetch_one(connection)
        .await?;
    attachment(&row)
}

/// What was there; none where there was none.
pub(super) async fn delete(
    connection: &mut PgConnection,
    layer: &Layer,
    feature: i64,
    id: Uuid,
) -> Result<Option<Attachment>, sqlx::Error> {
    let row = sqlx::query(AssertSqlSafe(format!("DELETE {OF_FEATURE} AND id = $4 RETURNING {COLUMNS}")))
        .bind(layer.municipality.as_str())
        .bind(layer.id.as_str())
        .bind(feature)
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(attachment).transpose()
}

fn attachment(row: &PgRow) -> Result<Attachment, sqlx::Error> {
    let (width, height): (Option<i32>, Option<i32>) = (row.try_get("width")?, row.try_get("height")?);
    Ok(Attachment {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        caption: row.try_get("caption")?,
        media_type: row.try_get("media_type")?,
        size: row.try_get("size")?,
        sha256: row.try_get("sha256")?,
        pixels: width.zip(height),
        created: row.try_get("created_at")?,
    })
}
