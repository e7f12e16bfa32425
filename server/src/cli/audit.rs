use std::io::{self, Write};
use std::path::PathBuf;

use access::audit::{self, Action, Finding, Kept, Seal, SealKey, Wanted, verify};
use access::{Caller, Database, MunicipalityCode};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use futures::{TryStreamExt, pin_mut};
use ipnet::IpNet;

use super::{CommandError, Outcome, with_database};
use crate::audit_csv;
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
    /// Search the trail: its rows as CSV, the newest first. That it was searched is in the trail.
    Search(Box<Search>),
}

#[derive(Debug, Args)]
pub(super) struct Search {
    /// Of this instant or later: 2026-03-01T00:00:00-05:00.
    #[arg(long, value_name = "INSTANT")]
    from: Option<DateTime<Utc>>,
    /// Before this instant.
    #[arg(long, value_name = "INSTANT")]
    to: Option<DateTime<Utc>>,
    /// By this account: its id, or its name.
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// What was done: `log_in`, `import`, `read_reserved` …
    #[arg(long, value_name = "ACTION")]
    action: Option<Action>,
    /// How it ended: `done`, `failed`, `denied`.
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<audit::Outcome>,
    /// The municipality that it concerns.
    #[arg(long, value_name = "CODE")]
    municipality: Option<MunicipalityCode>,
    /// The layer that it concerns.
    #[arg(long, value_name = "LAYER")]
    layer: Option<String>,
    /// What it was done to: an account's id, a feature's.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// From this address, or a network as 10.0.0.0/8.
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    address: Option<IpNet>,
}

fn network(text: &str) -> Result<IpNet, &'static str> {
    audit::network(text).ok_or("expected an address (10.0.0.1) or a network (10.0.0.0/8)")
}

pub(super) async fn run(command: Command, config: &Config) -> Result<Outcome, CommandError> {
    let digest = match command {
        Command::Verify { digest } => digest,
        Command::Search(wanted) => {
            return with_database(config, async |session| search(*wanted, session.database()).await).await;
        }
    };
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

async fn search(search: Search, db: &Database) -> Result<Outcome, CommandError> {
    let Search { from, to, account, action, outcome, municipality, layer, subject, address } = search;
    let wanted = Wanted { from, to, account, action, outcome, municipality, layer, subject, address, before: None };
    let batches = audit::export(&Caller::OPERATOR, db, wanted).await?;
    let write = |text: Result<Vec<u8>, csv::Error>| {
        text.map_err(io::Error::other).and_then(|text| io::stdout().write_all(&text)).map_err(CommandError::Output)
    };
    write(audit_csv::header())?;
    pin_mut!(batches);
    while let Some(rows) = batches.try_next().await? {
        write(audit_csv::lines(&rows))?;
    }
    Ok(Outcome::Done)
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
