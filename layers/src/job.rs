//! The server's jobs, for whoever may operate it and need not see every layer.

use std::collections::HashSet;

use access::job::{self, Job, JobError, JobQuery};
use access::{Caller, Database};
use thiserror::Error;

use crate::catalog::{self, CatalogError};

/// Why the jobs cannot be told.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "they say what they are")]
pub enum JobsError {
    #[error(transparent)]
    Job(#[from] JobError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// The jobs that are asked for, newest first. What is worked on is not said
/// where it is a layer that the caller may not know of, nor what a job reported
/// but for its numbers: a report may quote the rows that were refused.
pub async fn list(caller: &Caller, db: &Database, query: &JobQuery) -> Result<Vec<Job>, JobsError> {
    let mut jobs = job::page(caller, db, query).await?;
    let known: HashSet<String> =
        catalog::list(caller, db).await?.into_iter().map(|layer| layer.id.to_string()).collect();
    let hidden: HashSet<String> = catalog::list(&Caller::OPERATOR, db)
        .await?
        .into_iter()
        .map(|layer| layer.id.to_string())
        .filter(|id| !known.contains(id))
        .collect();
    for job in &mut jobs {
        if hidden.contains(&job.subject) {
            job.subject.clear();
            job.message = None;
        }
        if let Some(serde_json::Value::Object(report)) = &mut job.report {
            report.retain(|_, value| value.is_number() || value.is_boolean());
        }
    }
    Ok(jobs)
}
