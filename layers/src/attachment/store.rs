use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::prefix::PrefixStore;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};
use serde::Deserialize;
use thiserror::Error;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Images looked into at once: each may take hundreds of megabytes.
const EXAMINED_AT_ONCE: usize = 2;

/// Where the attachments' files are kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreLocation {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket of Amazon S3, or of what speaks as it does: `s3://bucket/prefix`.
    Bucket {
        /// Its name.
        bucket: String,
        /// What the files' names in it begin with; may be empty.
        prefix: String,
    },
}

/// A location that cannot be.
#[derive(Debug, Error)]
#[error("{0:?} is neither an absolute folder (/var/lib/lindero/attachments) nor a bucket (s3://bucket/prefix)")]
pub struct InvalidLocation(String);

impl FromStr for StoreLocation {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        let refusal = || InvalidLocation(text.to_owned());
        if let Some(bucket) = text.strip_prefix("s3://") {
            let (bucket, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
            let prefix = prefix.trim_matches('/');
            let is_plain = !bucket.is_empty() && !prefix.contains("//") && ObjectPath::parse(prefix).is_ok();
            return is_plain
                .then(|| Self::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
                .ok_or_else(refusal);
        }
        if Path::new(text).is_absolute() { Ok(Self::Folder(text.into())) } else { Err(refusal()) }
    }
}

impl TryFrom<String> for StoreLocation {
    type Error = InvalidLocation;

    fn try_from(text: String) -> Result<Self, InvalidLocation> {
        text.parse()
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// Why files could not be kept or brought.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The folder cannot be made or written to.
    #[error("the attachments' folder {} cannot be used: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The store refused or could not be reached.
    #[error("the attachments' store failed: {0}")]
    Objects(#[from] object_store::Error),
}

/// A file of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The photo or document itself.
    Whole,
    /// A small picture of it.
    Preview,
}

/// Keeps the attachments' files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    pub(super) examining: Arc<Semaphore>,
}

impl Store {
    /// Opens a store; makes the folder where it is not there. What is put into
    /// a folder is on disk when that returns. Who may use a bucket is said by
    /// the environment (`AWS_ACCESS_KEY_ID` and the like).
    pub fn open(location: &StoreLocation) -> Result<Self, StoreError> {
        let objects: Arc<dyn ObjectStore> = match location {
            StoreLocation::Folder(folder) => {
                make_private(folder).map_err(|source| StoreError::Folder { folder: folder.clone(), source })?;
                Arc::new(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true))
            }
            StoreLocation::Bucket { bucket, prefix } => {
                let bucket = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(patience()).build()?;
                Arc::new(PrefixStore::new(bucket, prefix.as_str()))
            }
        };
        Ok(Self { objects, examining: Arc::new(Semaphore::new(EXAMINED_AT_ONCE)) })
    }

    /// Whether it can be read.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.objects.list(None).next().await.transpose()?;
        Ok(())
    }

    pub(super) async fn put(&self, id: Uuid, part: Part, content: Bytes) -> Result<(), StoreError> {
        self.objects.put(&path(id, part), content.into()).await?;
        Ok(())
    }

    /// The file, as it is read; none where it is not there.
    pub(super) async fn get(
        &self,
        id: Uuid,
        part: Part,
    ) -> Result<Option<BoxStream<'static, object_store::Result<Bytes>>>, StoreError> {
        match self.objects.get(&path(id, part)).await {
            Ok(found) => Ok(Some(found.into_stream())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an attachment's files; it is none where they are not there.
    pub(super) async fn delete(&self, id: Uuid) -> Result<(), StoreError> {
        for part in [Part::Preview, Part::Whole] {
            match self.objects.delete(&path(id, part)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub(super) fn list(&self) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.objects.list(None)
    }
}

/// Somebody waits: a bucket that does not answer is said within seconds.
fn patience() -> RetryConfig {
    RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(10), ..RetryConfig::default() }
}

/// Two levels: a folder of a million files is slow to look into.
fn path(id: Uuid, part: Part) -> ObjectPath {
    let name = id.as_simple().to_string();
    // The end of it: ids made in the same second begin alike.
    let folder = &name[name.len() - 2..];
    match part {
        Part::Whole => ObjectPath::from(format!("{folder}/{name}")),
        Part::Preview => ObjectPath::from(format!("{folder}/{name}.preview")),
    }
}

/// The attachment whose file that is; none where it is a file of somebody else.
pub(super) fn id_of(file: &ObjectPath) -> Option<Uuid> {
    let name = file.filename()?;
    let id = Uuid::try_parse(name.strip_suffix(".preview").unwrap_or(name)).ok()?;
    [Part::Whole, Part::Preview].iter().any(|part| path(id, *part) == *file).then_some(id)
}

/// Makes a folder that nobody else of this machine may look into.
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if let Some(above) = folder.parent() {
        std::fs::create_dir_all(above)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
