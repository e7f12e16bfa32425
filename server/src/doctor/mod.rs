//! `lindero doctor`: what is there, what is missing, what to do about it.
//! Looks and reports; changes nothing.

mod attachments;
mod database;
mod identity;
mod machine;
mod tiles;

use serde::Serialize;

use crate::cluster::Purpose;
use crate::config::Config;
use crate::database::{attach, leave};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// What was looked at: stable, for programs.
    pub check: &'static str,
    /// How it came out.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// All that was looked at.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// In the order in which a reader would ask.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether there is no problem (there may be warnings).
    pub fn is_well(&self) -> bool {
        self.findings.iter().all(|finding| finding.status != Status::Problem)
    }

    fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.findings.push(Finding { check, status: Status::Ok, found: found.into(), advice: None });
    }

    fn warn(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.findings.push(Finding { check, status: Status::Warning, found: found.into(), advice });
    }

    fn problem(&mut self, check: &'static str, found: impl Into<String>, advice: impl Into<String>) {
        let advice = Some(advice.into());
        self.findings.push(Finding { check, status: Status::Problem, found: found.into(), advice });
    }
}

/// Looks at everything. What one check needs and another found missing is
/// left out.
pub async fn examine(config: &Config) -> Report {
    let mut report = Report::default();
    report.ok("version", format!("lindero {}", env!("CARGO_PKG_VERSION")));
    machine::examine(config, &mut report);
    tiles::examine(config, &mut report);
    attachments::examine(config, &mut report).await;
    identity::examine(config, &mut report).await;
    if config.database_url.is_none() && !machine::has_data(config) {
        let found = format!("{} has no database yet", config.data_dir.display());
        report.warn("database", found, "`lindero serve` makes it at its first start");
        return report;
    }
    match attach(config, Purpose::Command).await {
        Ok((target, cluster)) => {
            database::examine(&target, &mut report).await;
            if let Err(error) = leave(cluster).await {
                report.problem("cluster", error.to_string(), "look into the database's log");
            }
        }
        Err(error) => {
            let advice = if config.database_url.is_some() {
                "check DATABASE_URL, and that its server runs and lets this machine in"
            } else {
                "follow what it says; the database's log is in the data folder, under log/"
            };
            report.problem("database", error.to_string(), advice);
        }
    }
    report
}
