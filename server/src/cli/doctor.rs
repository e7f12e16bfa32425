use clap::Args;

use super::{CommandError, Outcome};
use crate::config::Config;
use crate::doctor::{self, Status};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Exit code 0 where nothing is wrong, 1 where something is.
pub(super) async fn run(options: Options, config: &Config) -> Result<Outcome, CommandError> {
    let report = doctor::examine(config).await;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        for finding in &report.findings {
            let mark = match finding.status {
                Status::Ok => "ok     ",
                Status::Warning => "WARNING",
                Status::Problem => "PROBLEM",
            };
            println!("{mark}  {}: {}", finding.check, finding.found);
            if let Some(advice) = &finding.advice {
                println!("         What to do: {}", advice.replace('\n', "\n         "));
            }
        }
    }
    Ok(Outcome::Code(u8::from(!report.is_well())))
}
