//! Coming in by name and password.
//!
//! Guessing is slowed where it comes from, never for the account as a whole:
//! whoever tries ten thousand passwords from elsewhere does not keep the
//! account's owner out. A browser that was let in before has a bucket of its
//! own, by a token that it keeps, so that not even guesses from the same
//! network (a city hall behind one address) are in its way (OWASP, "device
//! cookies").

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use chrono::Utc;
use ipnet::{Ipv4Net, Ipv6Net};
use sqlx::FromRow;
use thiserror::Error;
use uuid::Uuid;

use crate::bounds::{self, OutOfBounds};
use crate::error::AccessError;
use crate::outside::{self, Directory, ProviderAway};
use crate::password::{HashError, Password};
use crate::session::{self, NewSession};
use crate::throttle::{self, Rate, Taken};
use crate::{Caller, Database, Token, audit};

/// For one account from one network, or from one known browser.
const OF_ACCOUNT: Rate = Rate { burst: 10, every: Duration::from_secs(30) };
/// For all accounts from one network.
const OF_NETWORK: Rate = Rate { burst: 100, every: Duration::from_secs(3) };

/// What somebody typed, and what the browser says.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The account's name.
    pub name: &'a str,
    /// Its password.
    pub password: &'a Password,
    /// What [`LoggedIn::device`] gave this browser.
    pub device: Option<&'a Token>,
    /// What the browser calls itself.
    pub user_agent: &'a str,
    /// The directories that are asked of names that are theirs, or nobody's.
    pub directory: Option<&'a dyn Directory>,
}

impl fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").finish_non_exhaustive()
    }
}

/// Somebody came in.
#[derive(Debug)]
pub struct LoggedIn {
    /// The session.
    pub session: NewSession,
    /// For the browser to keep for long: it opens nothing, and tells this
    /// browser from those who guess.
    pub device: Token,
}

/// Why somebody did not come in.
#[derive(Debug, Error)]
pub enum LoginError {
    /// There is no such account, the password is another, or the account was
    /// shut: which, is not said.
    #[error("the name or the password is not right, or the account was closed")]
    Refused,
    /// Not now, or not from there; told to who showed that it is that account's.
    #[error(transparent)]
    OutOfBounds(#[from] OutOfBounds),
    /// An identity provider vouches for somebody to whom no rule gives anything.
    #[error("nothing here was given to your account; ask an administrator to add you to a group that may come in")]
    NotAdmitted,
    /// An identity provider cannot be asked.
    #[error(transparent)]
    Away(#[from] ProviderAway),
    /// Too many were wrong.
    #[error("too many attempts from here; try again in {} s", .0.as_secs().max(1))]
    TooMany(Duration),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The session could not begin.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database refused or could not be reached.
    #[error("the account could not be read: {0}")]
    Database(#[from] sqlx::Error),
}

#[derive(FromRow)]
struct Known {
    id: Uuid,
    password: Option<String>,
    provider: Option<String>,
    may_enter: bool,
}

/// Lets somebody in who has the right password: an account's own, or that of
/// the directory which vouches for it.
pub async fn log_in(caller: &Caller, db: &Database, attempt: Attempt<'_>) -> Result<LoggedIn, LoginError> {
    let name = attempt.name.trim().to_lowercase();
    let network = network(caller.origin().and_then(|origin| origin.address));
    let device = known_device(db, attempt.device, &name).await?;
    let place = device.as_deref().unwrap_or(&network);
    // A known browser is not in the crowd of its network.
    let mut buckets = vec![(["account", name.as_str(), place], OF_ACCOUNT)];
    if device.is_none() {
        buckets.push((["network", network.as_str(), ""], OF_NETWORK));
    }
    for (bucket, rate) in &buckets {
        if let Taken::No(wait) = throttle::take(db.app(), bucket, *rate).await? {
            return Err(LoginError::TooMany(wait));
        }
    }
    let known: Option<Known> = sqlx::query_as(
        "SELECT id, password, provider, \
            kind = 'person' AND NOT is_disabled AND coalesce(expires_at > now(), true) AS may_enter \
         FROM access.account WHERE name = $1",
    )
    .bind(&name)
    .fetch_optional(db.app())
    .await?;
    let session = match attempt.directory {
        // A name that is an account's of ours is asked of no directory: no
        // directory can vouch for it.
        Some(directory) if known.as_ref().is_none_or(|known| known.provider.is_some()) => {
            by_directory(caller, db, directory, known.as_ref(), &name, &attempt).await?
        }
        _ => by_password(caller, db, known, &attempt).await?,
    };
    let device = Token::new();
    sqlx::query("INSERT INTO access.device (token, account) VALUES ($1, $2)")
        .bind(device.digest().as_slice())
        .bind(session.account)
        .execute(db.app())
        .await?;
    for (bucket, _) in &buckets {
        throttle::forget(db.app(), bucket).await?;
    }
    Ok(LoggedIn { session, device })
}

async fn by_password(
    caller: &Caller,
    db: &Database,
    known: Option<Known>,
    attempt: &Attempt<'_>,
) -> Result<NewSession, LoginError> {
    let (account, password, may_enter) =
        known.map_or((None, None, false), |known| (Some(known.id), known.password, known.may_enter));
    let is_right = attempt.password.clone().matches(password).await?;
    let mut transaction = db.app().begin().await?;
    let Some(account) = account.filter(|_| is_right && may_enter) else {
        audit::record_failed_login(&mut transaction, caller, account).await?;
        transaction.commit().await?;
        return Err(LoginError::Refused);
    };
    let bounds = bounds::of(&mut transaction, account).await?;
    let address = caller.origin().and_then(|origin| origin.address);
    if let Err(refusal) = bounds.admit(address, Utc::now()) {
        audit::record_failed_login(&mut transaction, caller, Some(account)).await?;
        transaction.commit().await?;
        return Err(refusal.into());
    }
    let session = session::begin(&mut transaction, caller, account, "password", attempt.user_agent).await?;
    transaction.commit().await?;
    Ok(session)
}

async fn by_directory(
    caller: &Caller,
    db: &Database,
    directory: &dyn Directory,
    known: Option<&Known>,
    name: &str,
    attempt: &Attempt<'_>,
) -> Result<NewSession, LoginError> {
    let provider = known.and_then(|known| known.provider.as_deref());
    let Some(vouched) = directory.vouch(provider, name, attempt.password).await? else {
        let mut transaction = db.app().begin().await?;
        audit::record_failed_login(&mut transaction, caller, known.map(|known| known.id)).await?;
        transaction.commit().await?;
        return Err(LoginError::Refused);
    };
    outside::come_in(caller, db, &vouched, attempt.user_agent).await
}

/// The known browser's id, if it is one of that account's.
async fn known_device(db: &Database, device: Option<&Token>, name: &str) -> Result<Option<String>, sqlx::Error> {
    let Some(device) = device else { return Ok(None) };
    sqlx::query_scalar(
        "SELECT encode(d.token, 'hex') FROM access.device AS d JOIN access.account AS a ON a.id = d.account \
         WHERE d.token = $1 AND a.name = $2",
    )
    .bind(device.digest().as_slice())
    .bind(name)
    .fetch_optional(db.app())
    .await
}

/// What somebody has who has one address: an IPv4 address, a /64 of IPv6.
pub(crate) fn network(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => String::new(),
        Some(IpAddr::V4(address)) => Ipv4Net::from(address).to_string(),
        Some(IpAddr::V6(address)) => {
            Ipv6Net::new(address, 64).map_or_else(|_| address.to_string(), |network| network.trunc().to_string())
        }
    }
}
