use std::path::PathBuf;

use access::Caller;
use access::audit::{Finding, Kept, Seal, SealKey, verify};
use clap::Subcommand;

use super::{CommandError, Outcome, with_database};
use crate::audit_seal::KEY;
use crate::config::Config;

/// `lindero audit`: the trail of what was done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Look whether the trail is as it was sealed: no row removed, none altered.
    Verify {
        /// A digest that was kept elsewhere (`audit/2026-12-31.json` of the data folder): the trail must hold what it says.
        #[arg(long, value_name = "FILE")]
        digest: Option<PathBuf>,
    },
}

pub(super) async fn run(command: Command, config: &Config) -> Result<Outcome, CommandError> {
    let Command::Verify { digest } = command;
    let file = |path: PathBuf| move |source| CommandError::AuditFile { path, source };
    let known: Option<Seal> = match digest {
        Some(path) => {
            let text = std::fs::read(&path).map_err(file(path.clone()))?;
            Some(serde_json::from_slice(&text).map_err(|error| file(path)(error.into()))?)
        }
        None => None,
    };
    let path = config.audit_dir().join(KEY);
    // Where there is none, this machine has sealed nothing.
    let key = path.exists().then(|| SealKey::open(&path)).transpose().map_err(file(path))?;
    let public_key = key.map(|key| key.public_key());
    with_database(config, async |session| {
        let kept = Kept { public_key: public_key.as_deref(), seal: known.as_ref() };
        let found = verify(&Caller::OPERATOR, session.database(), kept).await?;
        println!(
            "{} rows are as they were sealed, by {} seals; {} are not sealed yet.",
            found.rows, found.seals, found.unsealed
        );
        if let Some(last) = &found.last {
            println!("The last seal: row {}, {}, {}.", last.position, last.at, last.digest);
        }
        for finding in &found.findings {
            println!("{}", say(finding));
        }
        if found.found == 0 {
            return Ok(Outcome::Done);
        }
        eprintln!("lindero: the audit trail is not as it was sealed: {} findings.", found.found);
        Ok(Outcome::Code(1))
    })
    .await
}

fn say(finding: &Finding) -> String {
    match finding {
        Finding::Removed(position, id) => format!("REMOVED  row {id}, the {position}th of the chain"),
        Finding::Altered(position, id) => format!("ALTERED  row {id}, the {position}th of the chain"),
        Finding::Missing(position) => format!("MISSING  the {position}th place of the chain"),
        Finding::Forged(position) => {
            format!("FORGED   the seal at place {position}: its signature or its chain is another")
        }
        Finding::Cut(position) => {
            format!("CUT      the digest that was given seals place {position}, and the trail does not hold it")
        }
    }
}
