use access::{Caller, job};
use clap::Subcommand;
use uuid::Uuid;

use super::{CommandError, Outcome, with_database};
use crate::config::Config;
use crate::database::Session;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the newest jobs, newest first.
    List {
        /// How many at most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask a running job to stop; it undoes what it has begun.
    Cancel {
        /// The job, as `job list` names it.
        id: Uuid,
    },
}

pub(super) async fn run(command: Command, config: &Config) -> Result<Outcome, CommandError> {
    with_database(config, async |session| act(command, session).await).await
}

async fn act(command: Command, session: &Session) -> Result<Outcome, CommandError> {
    let caller = &Caller::OPERATOR;
    match command {
        Command::List { limit, json } => {
            let jobs = job::list(caller, session.database(), limit).await?;
            if json {
                println!("{}", serde_json::to_string_pretty(&jobs).unwrap_or_default());
                return Ok(Outcome::Done);
            }
            if jobs.is_empty() {
                println!("There are no jobs.");
            }
            for job in jobs {
                println!(
                    "{}  {:<11}  {}  {} {}  {}{}",
                    job.id,
                    job.state,
                    job.started_at.format("%Y-%m-%d %H:%M:%S UTC"),
                    job.kind,
                    job.subject,
                    job.total.map_or_else(|| job.done.to_string(), |total| format!("{}/{total}", job.done)),
                    job.message.map(|message| format!("  {message}")).unwrap_or_default(),
                );
            }
            Ok(Outcome::Done)
        }
        Command::Cancel { id } => {
            if job::cancel(caller, session.database(), id).await? {
                println!("The job {id} was asked to stop.");
                Ok(Outcome::Done)
            } else {
                eprintln!("No job {id} is running; `lindero job list` shows what is.");
                Ok(Outcome::Code(1))
            }
        }
    }
}
