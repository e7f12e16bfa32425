use access::Denied;
use access::job::JobError;
use layers::catalog::CatalogError;
use layers::{DefinitionError, LayerId};
use thiserror::Error;

use super::{Report, SourceLayer};

/// Why nothing was imported. Whatever it is, nothing is left of the attempt
/// but its job's record.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The caller may not import.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The source cannot be imported as it is; says what to do.
    #[error("{0}")]
    Refused(String),
    /// The source has several layers.
    #[error("{message}{}", list(layers))]
    Layers {
        /// What to do.
        message: String,
        /// The layers.
        layers: Vec<SourceLayer>,
    },
    /// The process that reads came to a bad end.
    #[error("the file could not be read: {0}. Nothing was imported")]
    Reader(String),
    /// More rows were rejected than allowed.
    #[error(
        "{} of {} rows were rejected, {allowed} allowed: nothing was imported. Mend the rows, or accept the loss with \
         --max-rejects {}",
        report.rejected, report.read, report.rejected
    )]
    TooManyRejects {
        /// How many were allowed.
        allowed: u64,
        /// What was found.
        report: Box<Report>,
    },
    /// The layer exists and was to be created.
    #[error(
        "the layer {0} exists already: add --mode replace, append or upsert, choose another name with --as, or remove it \
         with `lindero layer remove {0}`"
    )]
    Exists(LayerId),
    /// The layer does not exist and was to be changed.
    #[error("there is no layer {0} to change: without --mode it is created")]
    Missing(LayerId),
    /// A mode that needs a key has none.
    #[error("the layer {0} has no natural key: say with --key which attribute identifies a feature")]
    NoKey(LayerId),
    /// No municipality was said, and there is none or more than one.
    #[error("say whose data these are with --municipality CODE (DIVIPOLA, as 73001){0}")]
    Municipality(String),
    /// Somebody stopped it.
    #[error("the import was stopped; nothing of it is left")]
    Cancelled,
    /// The definition is wrong.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The catalogue refused.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The job's record failed.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The database failed.
    #[error("the database failed: {0}. Nothing was imported")]
    Database(#[from] sqlx::Error),
    /// A file of ours could not be written or a process not started.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ImportError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

fn list(layers: &[SourceLayer]) -> String {
    let lines: Vec<String> = layers
        .iter()
        .map(|layer| {
            let count = layer.features.map(|count| format!(", {count} features")).unwrap_or_default();
            format!("\n  {}  ({}{count})", layer.name, layer.geometry)
        })
        .collect();
    lines.concat()
}
