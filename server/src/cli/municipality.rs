use access::{Caller, MunicipalityCode};
use clap::{Args, Subcommand};
use layers::Extent;
use layers::municipality::{self, Municipality};

use super::{CommandError, Outcome, with_database};
use crate::config::Config;
use crate::database::Session;

/// `lindero municipality`: whose data this server holds.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List them.
    List,
    /// Add one, or change what is known of it. Ibagué (73001) and Cúcuta (54001) need no more than their code.
    Add(Add),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The DIVIPOLA code: five digits.
    code: MunicipalityCode,
    /// Its name.
    #[arg(long)]
    name: Option<String>,
    /// Its department.
    #[arg(long)]
    department: Option<String>,
    /// How many people live there.
    #[arg(long)]
    inhabitants: Option<i32>,
    /// Where its data must lie, in degrees: west, south, east, north.
    #[arg(long, value_delimiter = ',', num_args = 4, allow_negative_numbers = true, value_name = "W,S,E,N")]
    extent: Option<Vec<f64>>,
}

pub(super) async fn run(command: Command, config: &Config) -> Result<Outcome, CommandError> {
    with_database(config, async |session| act(command, session).await).await
}

async fn act(command: Command, session: &Session) -> Result<Outcome, CommandError> {
    let (caller, db) = (&Caller::OPERATOR, session.database());
    let known = municipality::list(caller, db).await?;
    match command {
        Command::List => {
            for one in known {
                let Extent { west, south, east, north } = one.extent;
                println!("{}  {}, {}  ({west}, {south}, {east}, {north})", one.code, one.name, one.department);
            }
        }
        Command::Add(add) => {
            let before = known
                .into_iter()
                .find(|one| one.code == add.code)
                .or_else(|| etl::import::known_municipality(&add.code));
            let extent = match add.extent.as_deref() {
                Some(&[west, south, east, north]) => Some(Extent { west, south, east, north }),
                _ => before.as_ref().map(|one| one.extent),
            };
            let name = add.name.or(before.as_ref().map(|one| one.name.clone()));
            let (Some(name), Some(extent)) = (name, extent) else {
                eprintln!(
                    "lindero: this municipality is not known yet: give its --name, --department and --extent W,S,E,N."
                );
                return Ok(Outcome::Code(2));
            };
            let department = add.department.or(before.as_ref().map(|one| one.department.clone())).unwrap_or_default();
            let inhabitants = add.inhabitants.or(before.and_then(|one| one.inhabitants));
            let municipality = Municipality { code: add.code, name, department, inhabitants, extent };
            municipality::put(caller, db, &municipality).await?;
            println!("{} ({}) is known to this server.", municipality.name, municipality.code);
        }
    }
    Ok(Outcome::Done)
}
