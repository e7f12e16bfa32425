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
mod name;
mod store;
mod sweep;
mod table;

use access::audit::{self, Action, Entry};
use access::{Caller, Database};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::BoxStream;
use serde_json::json;
use thiserror::Error;
use tokio::task::JoinError;
use uuid::Uuid;

use self::content::examine;
pub use self::content::{ContentError, MEDIA_TYPES, MOST_BYTES, MOST_PIXELS, PREVIEW, PREVIEW_TYPE};
use self::name::name;
pub use self::store::{InvalidLocation, Part, Store, StoreError, StoreLocation};
pub use self::sweep::{GRACE, sweep};
use self::table::New;
use crate::edit::{self, EditError};
use crate::features::{self, FeatureError};
use crate::{Kind, Layer, LayerId};

/// Attachments of a feature at most.
pub const MOST: i64 = 50;
/// The characters of a caption at most.
pub const MOST_CAPTION: usize = 500;
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
    Ok(table::list(db, layer, feature).await?)
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
    table::get(db, layer, feature, id).await?.ok_or(AttachmentError::Unknown(id))
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
    let new = New {
        id: Uuid::now_v7(),
        name: &name(&new.name, content.media_type),
        caption: caption.as_deref(),
        content: &content,
    };
    let kept = keep(caller, db, store, (&layer, feature), &new).await;
    // Not where the database failed: the row may be there though its commit was
    // not heard of. What is left of either is found by the sweep.
    if let Err(AttachmentError::TooMany | AttachmentError::Store(_)) = kept
        && let Err(error) = store.delete(new.id).await
    {
        tracing::warn!(attachment = %new.id, %error, "the file of an attachment that failed stays until the next sweep");
    }
    kept
}

async fn keep(
    caller: &Caller,
    db: &Database,
    store: &Store,
    (layer, feature): (&Layer, i64),
    new: &New<'_>,
) -> Result<Attachment, AttachmentError> {
    store.put(new.id, Part::Whole, new.content.bytes.clone()).await?;
    if let Some(picture) = &new.content.picture {
        store.put(new.id, Part::Preview, picture.preview.clone()).await?;
    }
    let mut transaction = db.app().begin().await?;
    if table::lock_and_count(&mut transaction, layer, feature).await? >= MOST {
        return Err(AttachmentError::TooMany);
    }
    let added = table::insert(&mut transaction, layer, feature, new).await?;
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
    let removed = table::delete(&mut transaction, &layer, feature, id).await?;
    let removed = removed.ok_or(AttachmentError::Unknown(id))?;
    record(&mut transaction, caller, Action::RemoveAttachment, (&layer, feature), &removed).await?;
    transaction.commit().await?;
    if let Err(error) = store.delete(id).await {
        tracing::warn!(attachment = %id, %error, "the file of a removed attachment stays until the next sweep");
    }
    Ok(())
}

/// The feature's id, where the caller sees it.
async fn seen(caller: &Caller, db: &Database, layer: &Layer, feature: &str) -> Result<i64, FeatureError> {
    let unknown = || FeatureError::UnknownFeature { layer: layer.id.clone(), feature: feature.to_owned() };
    let id = feature.parse().ok().filter(|_| layer.kind == Kind::Managed).ok_or_else(unknown)?;
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
