use std::io::{self, Write};

use access::account::{self, Account, AccountChange, AccountKind, NewAccount};
use access::assignment::{self, NewAssignment};
use access::key::{self, NewKey};
use access::{AccessError, Caller, Database, Day, Minute, MunicipalityCode, Reach, Window, link, review};
use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Subcommand, ValueEnum};

use super::{CommandError, Outcome, with_database};
use crate::access_review;
use crate::config::{Config, Network};

/// `lindero user`: the accounts that may come in.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the accounts and what they were assigned.
    List,
    /// Look through who may do what, where, and when each last came in and did something.
    Review {
        /// As CSV, with every column, for a spreadsheet.
        #[arg(long)]
        csv: bool,
    },
    /// Make an account; for a person, print the link by which it sets its password.
    Add(Add),
    /// Print a link by which a person sets a new password; the old ones are good no more.
    Link {
        /// The account's name.
        name: String,
    },
    /// Assign a role: everywhere, or within what is named.
    Assign(Assign),
    /// Take back what was assigned.
    Unassign(Assign),
    /// Close an account: its sessions and keys open nothing from now on.
    Disable {
        /// The account's name.
        name: String,
    },
    /// Open a closed account again.
    Enable {
        /// The account's name.
        name: String,
    },
    /// Say from where and when an account may come in; what is not named stays.
    Admit(Admit),
    /// Make a key for another program, and print it: it is shown this once.
    Key(Key),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The name by which it logs in: lower-case letters, digits and `._@+-`.
    name: String,
    /// The person's full name, or what the system is for.
    #[arg(long, default_value = "")]
    full_name: String,
    /// Where to write to.
    #[arg(long, default_value = "")]
    email: String,
    /// The municipality (DIVIPOLA) in which it works; all where none is named.
    #[arg(long)]
    municipality: Option<MunicipalityCode>,
    /// The dependency in which it works, as layers name it.
    #[arg(long, default_value = "")]
    dependency: String,
    /// The last day on which it may come in, as its contract: 2026-12-31.
    #[arg(long, value_name = "DAY")]
    until: Option<NaiveDate>,
    /// Another program, which comes in by keys.
    #[arg(long)]
    system: bool,
}

#[derive(Debug, Args)]
pub(super) struct Assign {
    /// The account's name.
    name: String,
    /// The role: planner, editor, auditor, administrator, or another one.
    role: String,
    /// In one municipality only.
    #[arg(long)]
    municipality: Option<MunicipalityCode>,
    /// In the layers of one dependency only, as they name it.
    #[arg(long)]
    dependency: Option<String>,
    /// In one layer only.
    #[arg(long)]
    layer: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Admit {
    /// The account's name.
    name: String,
    /// From these networks alone: 10.20.0.0/16, separated by commas.
    #[arg(long, value_name = "NETWORKS", value_delimiter = ',')]
    network: Option<Vec<Network>>,
    /// From anywhere.
    #[arg(long, conflicts_with = "network")]
    anywhere: bool,
    /// On these days alone, by Colombia's clock: mon,tue,wed,thu,fri,sat,sun.
    #[arg(long, value_delimiter = ',', requires_all = ["from", "to"])]
    days: Option<Vec<WeekDay>>,
    /// On those days from then on: 07:00.
    #[arg(long, value_name = "TIME", requires = "days")]
    from: Option<Minute>,
    /// Until then: 18:00. Not later than it begins: until then on the next day.
    #[arg(long, value_name = "TIME", requires = "days")]
    to: Option<Minute>,
    /// And in the hours that it had until now.
    #[arg(long, requires = "days")]
    also: bool,
    /// At any time.
    #[arg(long, conflicts_with = "days")]
    always: bool,
}

/// [`Day`], as an argument.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum WeekDay {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<WeekDay> for Day {
    fn from(day: WeekDay) -> Self {
        match day {
            WeekDay::Mon => Self::Mon,
            WeekDay::Tue => Self::Tue,
            WeekDay::Wed => Self::Wed,
            WeekDay::Thu => Self::Thu,
            WeekDay::Fri => Self::Fri,
            WeekDay::Sat => Self::Sat,
            WeekDay::Sun => Self::Sun,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Key {
    /// The account's name.
    name: String,
    /// What the key is for.
    #[arg(long)]
    title: String,
    /// The last day on which it is good: 2026-12-31.
    #[arg(long, value_name = "DAY")]
    until: Option<NaiveDate>,
}

pub(super) async fn run(command: Command, config: &Config) -> Result<Outcome, CommandError> {
    with_database(config, async |session| {
        act(command, session.database(), &config.url(None)).await?;
        Ok(Outcome::Done)
    })
    .await
}

async fn act(command: Command, db: &Database, url: &str) -> Result<(), CommandError> {
    let caller = &Caller::OPERATOR;
    match command {
        Command::List => list(caller, db).await?,
        Command::Review { csv } => {
            let reviewed = review::review(caller, db).await?;
            let text = if csv { access_review::csv(&reviewed)? } else { access_review::table(&reviewed).into_bytes() };
            io::stdout().write_all(&text).map_err(CommandError::Output)?;
        }
        Command::Add(add) => {
            let kind = if add.system { AccountKind::System } else { AccountKind::Person };
            let new = NewAccount {
                full_name: add.full_name,
                email: add.email,
                municipality: add.municipality,
                dependency: add.dependency,
                expires_at: add.until.map(end_of),
                ..NewAccount::new(&add.name, kind)
            };
            let account = account::create(caller, db, &new).await?;
            println!("The account {} was made. It has no role yet: lindero user assign.", account.name);
            if kind == AccountKind::Person {
                invite(caller, db, &account, url).await?;
            }
        }
        Command::Link { name } => {
            let account = named(caller, db, &name).await?;
            invite(caller, db, &account, url).await?;
        }
        Command::Assign(assign) => {
            let account = named(caller, db, &assign.name).await?;
            let new = NewAssignment { role: assign.role.clone(), reach: assign.reach(), expires_at: None };
            assignment::assign(caller, db, account.id, &new).await?;
            println!("{} has the role {}.", account.name, assign.role);
        }
        Command::Unassign(assign) => {
            let account = named(caller, db, &assign.name).await?;
            let reach = assign.reach();
            let assigned = assignment::list(caller, db, account.id).await?;
            let known = assigned.iter().find(|known| known.role == assign.role && known.reach == reach);
            let known = known.ok_or_else(|| AccessError::Unknown { kind: "assignment", id: assign.role.clone() })?;
            assignment::unassign(caller, db, account.id, known.id).await?;
            println!("{} no longer has the role {}.", account.name, assign.role);
        }
        Command::Disable { name } => close(caller, db, &name, true).await?,
        Command::Enable { name } => close(caller, db, &name, false).await?,
        Command::Admit(admit) => {
            let account = named(caller, db, &admit.name).await?;
            let changed = account::change(caller, db, account.id, &admit.change(&account)).await?;
            println!(
                "{} may come in {}.",
                changed.name,
                bounds_of(&changed).unwrap_or("always, from anywhere".to_owned())
            );
        }
        Command::Key(options) => {
            let account = named(caller, db, &options.name).await?;
            let new = NewKey { title: options.title, permissions: None, expires_at: options.until.map(end_of) };
            let (token, _) = key::create(caller, db, account.id, &new).await?;
            println!("Send it as `Authorization: Bearer KEY`. It is shown this once:\n  {}", token.expose());
        }
    }
    Ok(())
}

impl Admit {
    fn change(self, account: &Account) -> AccountChange {
        let networks = match self.network {
            Some(networks) => Some(networks.into_iter().map(Network::net).collect()),
            None => self.anywhere.then(Vec::new),
        };
        let hours = match (self.days, self.from, self.to) {
            (Some(days), Some(from), Some(to)) => {
                let window = Window { days: days.into_iter().map(Day::from).collect(), from, to };
                let mut hours = if self.also { account.hours.clone() } else { Vec::new() };
                hours.push(window);
                Some(hours)
            }
            _ => self.always.then(Vec::new),
        };
        AccountChange { networks, hours, ..AccountChange::default() }
    }
}

/// When and from where it may come in, where that is bounded.
fn bounds_of(account: &Account) -> Option<String> {
    let networks: Vec<String> = account.networks.iter().map(ToString::to_string).collect();
    let hours: Vec<String> = account.hours.iter().map(ToString::to_string).collect();
    let parts = [("from ", networks), ("on ", hours)];
    let parts = parts.iter().filter(|(_, list)| !list.is_empty());
    let text = parts.map(|(word, list)| format!("{word}{}", list.join(", "))).collect::<Vec<_>>().join("; ");
    (!text.is_empty()).then_some(text)
}

impl Assign {
    fn reach(&self) -> Reach {
        Reach {
            municipality: self.municipality.clone(),
            dependency: self.dependency.clone(),
            layer: self.layer.clone(),
        }
    }
}

/// The end of that day, everywhere.
fn end_of(day: NaiveDate) -> DateTime<Utc> {
    // The day ends in Colombia (UTC-5) when it is five in the morning of the next one in UTC.
    let next = day.succ_opt().unwrap_or(day);
    next.and_hms_opt(5, 0, 0).unwrap_or_default().and_utc()
}

async fn list(caller: &Caller, db: &Database) -> Result<(), AccessError> {
    for account in account::list(caller, db).await? {
        let state = match (account.is_disabled, account.expires_at) {
            (true, _) => " (closed)".to_owned(),
            (false, Some(at)) if at < Utc::now() => " (ended)".to_owned(),
            (false, Some(at)) => format!(" (until {})", at.format("%Y-%m-%d")),
            (false, None) => String::new(),
        };
        let provider = account.provider.as_ref().map(|provider| format!("by {provider}")).unwrap_or_default();
        let parts = [&account.name, &account.full_name, &account.dependency, &provider];
        let parts: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        println!("{}{state}", parts.join("  "));
        if let Some(bounds) = bounds_of(&account) {
            println!("    comes in {bounds}");
        }
        for known in assignment::list(caller, db, account.id).await? {
            println!("    {}{}", known.role, said(&known.reach));
        }
    }
    Ok(())
}

fn said(reach: &Reach) -> String {
    let parts = [
        reach.municipality.as_ref().map(ToString::to_string),
        reach.dependency.clone(),
        reach.layer.as_ref().map(|layer| format!("layer {layer}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(" in {}", parts.join(", ")) }
}

async fn named(caller: &Caller, db: &Database, name: &str) -> Result<Account, AccessError> {
    let known = account::list(caller, db).await?;
    known
        .into_iter()
        .find(|account| account.name == name)
        .ok_or_else(|| AccessError::Unknown { kind: "account", id: name.to_owned() })
}

async fn invite(caller: &Caller, db: &Database, account: &Account, url: &str) -> Result<(), AccessError> {
    let (token, _) = link::for_account(caller, db, account.id).await?;
    println!(
        "Give this to {} and to nobody else. It is good for 24 hours, once:\n  {url}#link={}",
        account.name,
        token.expose()
    );
    Ok(())
}

async fn close(caller: &Caller, db: &Database, name: &str, is_disabled: bool) -> Result<(), AccessError> {
    let account = named(caller, db, name).await?;
    let change = AccountChange { is_disabled: Some(is_disabled), ..AccountChange::default() };
    account::change(caller, db, account.id, &change).await?;
    println!("The account {name} is {}.", if is_disabled { "closed" } else { "open" });
    Ok(())
}
