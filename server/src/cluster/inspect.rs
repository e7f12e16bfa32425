//! A look at a data folder from outside, which changes nothing.

use std::path::Path;

use super::ClusterError;
use super::folder::DataFolder;
use super::lock;

/// What a data folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataState {
    /// Absent or empty.
    Absent,
    /// Ours.
    Made {
        /// The major version of PostgreSQL that its cluster is of.
        postgresql: u32,
        /// What the server that uses it says of itself.
        server: Option<String>,
    },
}

/// What the folder at `root` is; an error where it is not for us.
pub fn inspect(root: &Path) -> Result<DataState, ClusterError> {
    let folder = DataFolder::at(root);
    let Some(description) = folder.describe()? else { return Ok(DataState::Absent) };
    Ok(DataState::Made { postgresql: description.postgresql, server: lock::server(&folder) })
}
