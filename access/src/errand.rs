//! Logins under way at an identity provider: from when a browser is sent there
//! until it comes back.
//!
//! Kept in the database and not in a cookie of the browser: so any process may
//! be the one to which it comes back, the verifier and the nonce never leave
//! the server, no key must be shared and changed, and what came back once is
//! gone, in all processes together.

use std::time::Duration;

use sqlx::{FromRow, Row};

use crate::login::{LoginError, network};
use crate::throttle::{self, Rate, Taken};
use crate::{Caller, Database, Token, session};

/// As long as somebody may take to type a password and a second factor there.
pub const LIFETIME: chrono::TimeDelta = chrono::TimeDelta::minutes(10);
/// Logins begun from one network.
const OF_NETWORK: Rate = Rate { burst: 100, every: Duration::from_secs(2) };

/// What is kept of a login under way.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Errand {
    /// The identity provider's id.
    pub provider: String,
    /// What the ID token must repeat.
    pub nonce: String,
    /// What shows at the provider that the code is ours (PKCE).
    pub verifier: String,
    /// To where the provider sends the browser back.
    pub redirect: String,
    /// To where the browser is then sent on: the path of a page of ours.
    pub return_to: String,
}

/// A login that just began.
#[derive(Debug)]
pub struct Begun {
    /// What the browser keeps.
    pub browser: Token,
    /// What it brings back (`state`).
    pub state: Token,
}

/// Begins a login.
pub async fn begin(caller: &Caller, db: &Database, errand: &Errand) -> Result<Begun, LoginError> {
    let network = network(caller.origin().and_then(|origin| origin.address));
    if let Taken::No(wait) = throttle::take(db.app(), &["errand", &network], OF_NETWORK).await? {
        return Err(LoginError::TooMany(wait));
    }
    // Most never come back.
    sqlx::query("DELETE FROM access.errand WHERE expires_at < now()").execute(db.app()).await?;
    let begun = Begun { browser: Token::new(), state: Token::new() };
    sqlx::query(
        "INSERT INTO access.errand (browser, state, provider, nonce, verifier, redirect, return_to, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8)",
    )
    .bind(begun.browser.digest().as_slice())
    .bind(begun.state.digest().as_slice())
    .bind(&errand.provider)
    .bind(&errand.nonce)
    .bind(&errand.verifier)
    .bind(&errand.redirect)
    .bind(&errand.return_to)
    .bind(session::interval(LIFETIME))
    .execute(db.app())
    .await?;
    Ok(begun)
}

/// Ends a login under way, whatever comes of it: what the browser keeps is good
/// once. None where it keeps nothing, was too slow, or brings back what another
/// browser was given.
pub async fn end(
    _caller: &Caller,
    db: &Database,
    provider: &str,
    browser: &Token,
    state: &Token,
) -> Result<Option<Errand>, LoginError> {
    let row = sqlx::query(
        "DELETE FROM access.errand WHERE browser = $1 RETURNING provider, nonce, verifier, redirect, return_to, \
            state = $2 AND provider = $3 AND expires_at > now() AS is_good",
    )
    .bind(browser.digest().as_slice())
    .bind(state.digest().as_slice())
    .bind(provider)
    .fetch_optional(db.app())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let is_good: bool = row.try_get("is_good")?;
    if is_good { Ok(Some(Errand::from_row(&row)?)) } else { Ok(None) }
}
