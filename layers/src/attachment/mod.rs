//! Attachments: photos and documents of a managed layer's features (OGC API
//! Features has none; here they are `items/{id}/attachments`).
//!
//! What is known of them is in the database, their files in a [`Store`]. A
//! file is there before its row is, and goes after it: a process that dies in
//! between leaves a file that nobody names, which [`sweep`] finds.
//!
//! Whoever sees a feature sees its attachments; whoever may edit the layer's
//! features adds and removes them.

mod content;
mod metadata;
mod store;
mod sweep;

use access::audit::{self, Action, Entry};
use access::{Caller, Database};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::PgRow;
use thiserror::Error;
use tokio::task::JoinError;
use uuid::Uuid;

use self::content::{Content, examine};
pub use self::content::{ContentError, MEDIA_TYPES, MOST_BYTES, MOST_PIXELS, PREVIEW, PREVIEW_TYPE};
pub use self::store::{InvalidLocation, Part, Store, StoreError, StoreLocation};
pub use self::sweep::{GRACE, sweep};
use crate::edit::{self, EditError};
use crate::features::{self, FeatureError};
use crate::{Kind, Layer, LayerId};

/// Attachments of a feature at most.
pub const MOST: i64 = 50;
/// The characters of a caption at most.
pub const MOST_CAPTION: usize = 500;
/// The characters of a file's name that are kept.
const MOST_NAME: usize = 120;

/// A photo or document of a feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its id.
    pub id: Uuid,
    /// The file's name.
    pub name: String,
    /// What is said of it.
    pub caption: Option<String>,
    /// Its media type, one of [`MEDIA_TYPES`].
    pub media_type: String,
    /// Its bytes.
    pub size: i64,
    /// Their SHA-256.
    pub sha256: Vec<u8>,
    /// Width and height of an image as it is shown, in pixels.
    pub pixels: Option<(i32, i32)>,
    /// When it was added.
    pub created: DateTime<Utc>,
}

/// A file to be attached.
#[derive(Debug, Clone, Default)]
pub struct NewAttachment {
    /// Its name, as whoever sent it has it.
    pub name: String,
    /// What is said of it; empty is nothing.
    pub caption: Option<String>,
    /// Its content.
    pub content: Bytes,
}

/// A file as it is read.
pub type File = BoxStream<'static, Result<Bytes, object_store::Error>>;

/// Why there is no attachment, or none more.
#[derive(Debug, Error)]
pub enum AttachmentError {
    /// The layer is not edited by the caller, or not here.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// There is no such feature.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The feature has no such attachment, or not that part of it.
    #[error("the feature has no attachment {0}")]
    Unknown(Uuid),
    /// The caption is too long.
    #[error("the caption has more than {MOST_CAPTION} characters")]
    Caption,
    /// The file cannot be attached.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The feature has [`MOST`] already.
    #[error("a feature has at most {MOST} attachments; remove one first")]
    TooMany,
    /// It is known, but its file is not in the store.
    #[error("the file of the attachment {0} is not in the store any more")]
    Lost(Uuid),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Looking into the file failed.
    #[error("the file could not be looked into: {0}")]
    Examine(#[from] JoinError),
    /// The database refused or could not be reached.
    #[error("the attachments could not be read or written: {0}")]
    Database(#[from] sqlx::Error),
}

const COLUMNS: &str = "id, name, caption, media_type, size, sha256, width, height, created_at";

/// A feature's attachments, the oldest first. Those of a published layer are none.
pub async fn list(
    caller: &Caller,
    db: &Database,
    layer: &Layer,
    feature: &str,
) -> Result<Vec<Attachment>, AttachmentError> {
    if layer.kind == Kind::Published {
        features::get(caller, db, layer, feature, None).await?;
        return Ok(Vec::new());
    }
    let feature = seen(caller, db, layer, feature).await?;
    let sql = format!(
        "SELECT {COLUMNS} FROM catalog.attachment WHERE municipality = $1 AND layer = $2 AND feature = $3 \
         ORDER BY created_at, id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(layer.municipality.as_str())
        .bind(layer.id.as_str())
        .bind(feature)
        .fetch_all(db.app())
        .await?;
    Ok(rows.iter().map(attachment).collect::<Result<_, _>>()?)
}

/// One of a feature's attachments.
pub async fn get(
    caller: &Caller,
    db: &Database,
    layer: &Layer,
    feature: &str,
    id: Uuid,
) -> Result<Attachment, AttachmentError> {
    let feature = seen(caller, db, layer, feature).await?;
    let sql = format!(
        "SELECT {COLUMNS} FROM catalog.attachment WHERE municipality = $1 AND layer = $2 AND feature = $3 AND id = $4"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(layer.municipality.as_str())
        .bind(layer.id.as_str())
        .bind(feature)
        .bind(id)
        .fetch_optional(db.app())
        .await?;
    Ok(attachment(&row.ok_or(AttachmentError::Unknown(id))?)?)
}

/// The file of an attachment that [`get`] found, or its preview.
pub async fn open(store: &Store, attachment: &Attachment, part: Part) -> Result<File, AttachmentError> {
    if part == Part::Preview && attachment.pixels.is_none() {
        return Err(AttachmentError::Unknown(attachment.id));
    }
    store.get(attachment.id, part).await?.ok_or(AttachmentError::Lost(attachment.id))
}

/// Attaches a file to a feature of a layer that the caller may edit. When this
/// returns it is kept.
pub async fn add(
    caller: &Caller,
    db: &Database,
    store: &Store,
    layer: &LayerId,
    feature: i64,
    new: NewAttachment,
) -> Result<Attachment, AttachmentError> {
    let layer = edit::editable(caller, db, layer).await?;
    features::require(caller, db, &layer, feature, "attachments").await?;
    let caption = new.caption.map(|caption| caption.trim().to_owned()).filter(|caption| !caption.is_empty());
    if caption.as_ref().is_some_and(|caption| caption.chars().count() > MOST_CAPTION) {
        return Err(AttachmentError::Caption);
    }
    let content = {
        let _permit = store.examining.acquire().await;
        tokio::task::spawn_blocking(move || examine(new.content)).await??
    };
    let id = Uuid::now_v7();
    let name = name(&new.name, content.media_type);
    let kept = keep(caller, db, store, (&layer, feature), (id, &name, caption.as_deref()), content).await;
    if kept.is_err() {
        // What cannot be removed now is found by the sweep.
        if let Err(error) = store.delete(id).await {
            tracing::warn!(attachment = %id, %error, "the file of an attachment that failed could not be removed");
        }
    }
    kept
}

async fn keep(
    caller: &Caller,
    db: &Database,
    store: &Store,
    (layer, feature): (&Layer, i64),
    (id, name, caption): (Uuid, &str, Option<&str>),
    content: Content,
) -> Result<Attachment, AttachmentError> {
    let (size, picture) = (content.bytes.len() as i64, content.picture);
    store.put(id, Part::Whole, content.bytes).await?;
    let pixels = picture.as_ref().map(|picture| (picture.width.cast_signed(), picture.height.cast_signed()));
    if let Some(picture) = picture {
        store.put(id, Part::Preview, picture.preview).await?;
    }
    let mut transaction = db.app().begin().await?;
    // Who adds to the same feature meanwhile waits, or both count too few.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('lindero attach ' || $1 || ' ' || $2, 0))")
        .bind(layer.id.as_str())
        .bind(feature.to_string())
        .execute(&mut *transaction)
        .await?;
    let there: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM catalog.attachment WHERE municipality = $1 AND layer = $2 AND feature = $3",
    )
    .bind(layer.municipality.as_str())
    .bind(layer.id.as_str())
    .bind(feature)
    .fetch_one(&mut *transaction)
    .await?;
    if there >= MOST {
        return Err(AttachmentError::TooMany);
    }
    let sql = format!(
        "INSERT INTO catalog.attachment \
            (id, municipality, layer, feature, name, caption, media_type, size, sha256, width, height) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING {COLUMNS}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .bind(layer.municipality.as_str())
        .bind(layer.id.as_str())
        .bind(feature)
        .bind(name)
        .bind(caption)
        .bind(content.media_type)
        .bind(size)
        .bind(&content.sha256[..])
        .bind(pixels.map(|pixels| pixels.0))
        .bind(pixels.map(|pixels| pixels.1))
        .fetch_one(&mut *transaction)
        .await?;
    let added = attachment(&row)?;
    record(&mut transaction, caller, Action::AddAttachment, (layer, feature), &added).await?;
    transaction.commit().await?;
    Ok(added)
}

/// Removes an attachment of a feature of a layer that the caller may edit, with
/// its files.
pub async fn remove(
    caller: &Caller,
    db: &Database,
    store: &Store,
    layer: &LayerId,
    feature: i64,
    id: Uuid,
) -> Result<(), AttachmentError> {
    let layer = edit::editable(caller, db, layer).await?;
    features::require(caller, db, &layer, feature, "attachments").await?;
    let mut transaction = db.app().begin().await?;
    let sql = format!(
        "DELETE FROM catalog.attachment WHERE municipality = $1 AND layer = $2 AND feature = $3 AND id = $4 \
         RETURNING {COLUMNS}"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(layer.municipality.as_str())
        .bind(layer.id.as_str())
        .bind(feature)
        .bind(id)
        .fetch_optional(&mut *transaction)
        .await?;
    let removed = attachment(&row.ok_or(AttachmentError::Unknown(id))?)?;
    record(&mut transaction, caller, Action::RemoveAttachment, (&layer, feature), &removed).await?;
    transaction.commit().await?;
    if let Err(error) = store.delete(id).await {
        tracing::warn!(attachment = %id, %error, "the file of a removed attachment stays until the next sweep");
    }
    Ok(())
}

/// The feature's id, where the caller sees it.
async fn seen(caller: &Caller, db: &Database, layer: &Layer, feature: &str) -> Result<i64, FeatureError> {
    let unknown = |_| FeatureError::UnknownFeature { layer: layer.id.clone(), feature: feature.to_owned() };
    let id = feature.parse::<i64>().map_err(unknown)?;
    if layer.kind == Kind::Published {
        return Err(FeatureError::UnknownFeature { layer: layer.id.clone(), feature: feature.to_owned() });
    }
    features::require(caller, db, layer, id, "attachments").await?;
    Ok(id)
}

/// Without its name and caption, which a stranger typed.
async fn record(
    connection: &mut sqlx::PgConnection,
    caller: &Caller,
    action: Action,
    (layer, feature): (&Layer, i64),
    attachment: &Attachment,
) -> Result<(), sqlx::Error> {
    let entry = Entry {
        municipality: Some(&layer.municipality),
        layer: Some(layer.id.as_str()),
        ..Entry::done(action, feature.to_string())
    };
    let detail = json!({
        "attachment": attachment.id,
        "type": attachment.media_type,
        "size": attachment.size,
        "sha256": attachment.digest(),
    });
    audit::record(connection, caller, entry.with(detail)).await
}

impl Attachment {
    /// The SHA-256 of its bytes, in hexadecimal.
    pub fn digest(&self) -> String {
        hex::encode(&self.sha256)
    }
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

/// A file's name as it is kept: without folders, without what cannot be seen,
/// and with the ending of what it is: a page called `foto.jpg.html` is none.
fn name(said: &str, media_type: &str) -> String {
    let endings: &[&str] = match media_type {
        "image/jpeg" => &["jpg", "jpeg", "jpe"],
        "image/png" => &["png"],
        "image/webp" => &["webp"],
        _ => &["pdf"],
    };
    let last = said.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|character| !character.is_control()).collect();
    let plain = plain.trim().trim_start_matches('.');
    let (stem, ending) = match plain.rsplit_once('.') {
        Some((stem, ending)) if endings.contains(&ending.to_lowercase().as_str()) => (stem, ending),
        _ => (plain, endings[0]),
    };
    let stem: String = stem.chars().take(MOST_NAME).collect();
    let stem = if stem.trim().is_empty() { "adjunto" } else { stem.trim() };
    format!("{stem}.{ending}")
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_is_a_files_and_of_what_it_is() {
        for (said, media_type, kept) in [
            ("hueco.JPG", "image/jpeg", "hueco.JPG"),
            ("C:\\fotos\\vía 3.jpeg", "image/jpeg", "vía 3.jpeg"),
            ("../../etc/passwd", "application/pdf", "passwd.pdf"),
            ("acta.pdf.html", "application/pdf", "acta.pdf.html.pdf"),
            ("foto.jpg", "image/png", "foto.jpg.png"),
            ("a\r\nb\u{0}.png", "image/png", "ab.png"),
            (".pdf", "application/pdf", "pdf.pdf"),
            ("  ", "image/webp", "adjunto.webp"),
        ] {
            assert_eq!(name(said, media_type), kept);
        }
        assert_eq!(name(&"x".repeat(1000), "image/png").len(), 124);
    }
}
