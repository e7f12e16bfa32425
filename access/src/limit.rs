//! How much of anything somebody may ask for: token buckets in memory, settled
//! with those of other processes in the database.
//!
//! A request is looked at in memory alone, in a tenth of a microsecond. What was
//! taken is written to the database once a second, for whoever took more than
//! a little, and what all processes left is read back: nobody gets more by
//! coming to several, but for what is taken within that second, which is owed.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipnet::{IpNet, Ipv6Net};
use uuid::Uuid;

use crate::{Caller, Credential, Database, throttle};

/// Buckets are apart in so many groups, each with its lock.
const GROUPS: usize = 64;
/// What is taken is settled when it is this part of the bucket.
const SETTLED: f64 = 64.0;
/// A request that showed what opens nothing costs as much as so many.
const GUESS: f64 = 10.0;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Requests of those who did not come in, by their address.
    Address,
    /// Requests of an account by its sessions.
    Account,
    /// Requests by a key.
    Key,
    /// What those change or try who did not come in, by their address: logins,
    /// one-time links.
    Write,
}

/// What was shown that opened nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess {
    /// A key: no program shows one that was never any good.
    Key,
    /// A session: browsers show those that ended, with each picture of a page.
    Session,
}

impl Guess {
    fn tokens(self) -> f64 {
        match self {
            Self::Key => GUESS,
            Self::Session => 1.0,
        }
    }
}

/// How much somebody may ask for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// So many at once.
    pub burst: u32,
    /// Until an empty bucket is full again.
    pub window: Duration,
}

impl Quota {
    /// `number` in a second on average, and half a minute's at once; none for 0.
    pub fn a_second(number: u32) -> Option<Self> {
        (number > 0).then(|| Self { burst: number.saturating_mul(30), window: Duration::from_secs(30) })
    }

    /// `number` in a minute on average, and so many at once; none for 0.
    pub fn a_minute(number: u32) -> Option<Self> {
        (number > 0).then(|| Self { burst: number, window: Duration::from_mins(1) })
    }

    fn burst(self) -> f64 {
        f64::from(self.burst)
    }

    /// So many more in a second.
    fn rate(self) -> f64 {
        self.burst() / self.window.as_secs_f64()
    }
}

/// All quotas; what has none is not limited.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quotas {
    /// Of [`Policy::Address`].
    pub address: Option<Quota>,
    /// Of [`Policy::Account`].
    pub account: Option<Quota>,
    /// Of [`Policy::Key`].
    pub key: Option<Quota>,
    /// Of [`Policy::Write`].
    pub write: Option<Quota>,
}

/// What was found of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Admission {
    /// By which limit.
    pub policy: Policy,
    /// That limit.
    pub quota: Quota,
    /// So many more may come at once.
    pub left: u32,
    /// Until the bucket is full.
    pub full_in: Duration,
    /// Until the next one may come, where this one may not.
    pub refused: Option<Duration>,
}

/// The buckets of this process.
#[derive(Debug)]
pub struct Limits {
    quotas: Quotas,
    groups: Vec<Mutex<HashMap<Name, Bucket>>>,
    hasher: RandomState,
}

/// Whose bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    Account(Uuid),
    Key(Uuid),
    Address(IpNet),
    Write(IpNet),
    Guess(IpNet),
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
    /// Taken, and not settled yet.
    taken: f64,
}

impl Bucket {
    fn fill(&mut self, quota: Quota, now: Instant) {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + elapsed * quota.rate()).min(quota.burst());
        self.at = now;
    }
}

impl Limits {
    /// Every bucket is full.
    pub fn new(quotas: Quotas) -> Self {
        let groups = (0..GROUPS).map(|_| Mutex::default()).collect();
        Self { quotas, groups, hasher: RandomState::new() }
    }

    /// Takes one for a request of the caller's; `writes`: it may change
    /// something. None where it is not limited.
    pub fn admit(&self, caller: &Caller, writes: bool) -> Option<Admission> {
        self.take(name(caller, writes)?, 1.0, Instant::now())
    }

    /// Takes for a request that showed what opens nothing.
    pub fn guessed(&self, from: Option<IpAddr>) -> Option<Admission> {
        self.take(Name::Address(network(from?)), GUESS, Instant::now())
    }

    /// Counts that something which was shown, a key or a session, opened
    /// nothing. Apart from what else is asked from there: a crowd behind one
    /// address that shows nothing keeps nobody out who comes in.
    pub fn opened_nothing(&self, from: Option<IpAddr>, cost: Guess) {
        if let Some(from) = from {
            self.take(Name::Guess(network(from)), cost.tokens(), Instant::now());
        }
    }

    /// The refusal, without looking what it opens, of what somebody shows who
    /// showed too much that opened nothing; none where it may be looked at.
    pub fn refuses_guess(&self, from: Option<IpAddr>) -> Option<Admission> {
        self.take(Name::Guess(network(from?)), 0.0, Instant::now()).filter(|found| found.refused.is_some())
    }

    fn take(&self, name: Name, cost: f64, now: Instant) -> Option<Admission> {
        let (policy, quota) = self.quota(name)?;
        let mut group = self.group(&name);
        let full = Bucket { tokens: quota.burst(), at: now, taken: 0.0 };
        let bucket = group.entry(name).or_insert(full);
        bucket.fill(quota, now);
        // Who is refused takes nothing: the bucket fills all the same.
        let is_given = bucket.tokens >= 1.0;
        if is_given {
            bucket.tokens -= cost;
            bucket.taken += cost;
        }
        let left = bucket.tokens;
        drop(group);
        let after = |missing: f64| Duration::from_secs_f64(missing.max(0.0) / quota.rate());
        Some(Admission {
            policy,
            quota,
            left: left.max(0.0) as u32,
            full_in: after(quota.burst() - left),
            refused: (!is_given).then(|| after(1.0 - left)),
        })
    }

    fn quota(&self, name: Name) -> Option<(Policy, Quota)> {
        let (policy, quota) = match name {
            Name::Account(_) => (Policy::Account, self.quotas.account),
            Name::Key(_) => (Policy::Key, self.quotas.key),
            Name::Address(_) | Name::Guess(_) => (Policy::Address, self.quotas.address),
            Name::Write(_) => (Policy::Write, self.quotas.write),
        };
        Some((policy, quota?))
    }

    fn group(&self, name: &Name) -> MutexGuard<'_, HashMap<Name, Bucket>> {
        let place = self.hasher.hash_one(name) as usize % GROUPS;
        self.groups[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Settles with the other processes what was taken, and forgets the buckets
    /// that are full. To be called once a second.
    pub async fn settle(&self, db: &Database) -> Result<(), sqlx::Error> {
        for (policy, mut taken) in self.unsettled(Instant::now()) {
            // In one order, so that two processes do not wait for each other.
            taken.sort_by_key(|(_, key, _)| *key);
            let quota = self.quota(taken[0].0).map(|(_, quota)| quota);
            let Some(quota) = quota else { continue };
            tracing::trace!(?policy, buckets = taken.len(), "limits are settled");
            let left: Vec<(Vec<u8>, f64)> = sqlx::query_as(
                "INSERT INTO access.bucket AS b (key, tokens, was_given, at) \
                 SELECT key, $3 - taken, true, now() FROM unnest($1::bytea[], $2::float8[]) AS t (key, taken) \
                 ON CONFLICT (key) DO UPDATE SET at = now(), tokens = greatest(-$3, excluded.tokens - $3 \
                    + least($3, b.tokens + extract(epoch FROM now() - b.at)::float8 * $4)) \
                 RETURNING key, tokens",
            )
            .bind(taken.iter().map(|(_, key, _)| key.to_vec()).collect::<Vec<_>>())
            .bind(taken.iter().map(|(.., taken)| *taken).collect::<Vec<_>>())
            .bind(quota.burst())
            .bind(quota.rate())
            .fetch_all(db.app())
            .await?;
            let left: HashMap<Vec<u8>, f64> = left.into_iter().collect();
            for (name, key, _) in taken {
                let mut group = self.group(&name);
                if let (Some(bucket), Some(left)) = (group.get_mut(&name), left.get(&key[..])) {
                    // Less what was taken since.
                    bucket.tokens = bucket.tokens.min(left - bucket.taken);
                }
            }
        }
        Ok(())
    }

    /// What is to be settled, by its limit: whose, the key in the database, how much.
    fn unsettled(&self, now: Instant) -> HashMap<Policy, Vec<(Name, [u8; 32], f64)>> {
        let mut unsettled: HashMap<Policy, Vec<_>> = HashMap::new();
        for group in &self.groups {
            group.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, bucket| {
                let Some((policy, quota)) = self.quota(*name) else { return false };
                bucket.fill(quota, now);
                if bucket.taken >= (quota.burst() / SETTLED).max(1.0) {
                    let taken = std::mem::take(&mut bucket.taken);
                    unsettled.entry(policy).or_default().push((*name, key(*name), taken));
                    return true;
                }
                bucket.tokens < quota.burst()
            });
        }
        unsettled
    }
}

/// Whose bucket a request takes from; none where nobody knows from where it came.
fn name(caller: &Caller, writes: bool) -> Option<Name> {
    if let Some(login) = caller.login() {
        return Some(match login.by {
            Credential::Session(_) => Name::Account(login.account),
            Credential::Key(id) => Name::Key(id),
        });
    }
    let from = network(caller.origin()?.address?);
    Some(if writes { Name::Write(from) } else { Name::Address(from) })
}

/// What somebody has who has one address: that of IPv4, a /64 of IPv6.
fn network(address: IpAddr) -> IpNet {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Net::new(address, 64).map_or(IpNet::from(IpAddr::V6(address)), |net| net.trunc().into())
        }
        address @ IpAddr::V4(_) => IpNet::from(address),
    }
}

fn key(name: Name) -> [u8; 32] {
    let (kind, of) = match name {
        Name::Account(id) => ("account", id.to_string()),
        Name::Key(id) => ("key", id.to_string()),
        Name::Address(net) => ("address", net.to_string()),
        Name::Write(net) => ("write", net.to_string()),
        Name::Guess(net) => ("guess", net.to_string()),
    };
    throttle::key(&["limit", kind, &of])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Login, Origin};

    fn from(address: &str) -> Caller {
        Caller::ANONYMOUS.from(Origin { address: Some(address.parse().unwrap()), request: "".into() })
    }

    fn limits(address: u32, write: u32) -> Limits {
        Limits::new(Quotas { address: Quota::a_minute(address), write: Quota::a_minute(write), ..Quotas::default() })
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let (limits, begun) = (limits(60, 60), Instant::now());
        let name = name(&from("192.0.2.1"), false).unwrap();
        let take = |seconds| limits.take(name, 1.0, begun + Duration::from_secs(seconds)).unwrap();
        for left in (0..60).rev() {
            let given = take(0);
            assert_eq!((given.left, given.refused), (left, None));
        }
        let refused = take(0);
        assert_eq!((refused.left, refused.full_in.as_secs()), (0, 60));
        assert!((refused.refused.unwrap().as_secs_f64() - 1.0).abs() < 1e-6, "{refused:?}");
        assert_eq!(take(3).left, 2, "three came in three seconds");
        assert_eq!(take(3600).left, 59);
    }

    #[test]
    fn each_has_its_own_and_a_network_of_ipv6_is_one() {
        let limits = limits(1, 1);
        let is_in = |caller: &Caller, writes| limits.admit(caller, writes).is_none_or(|given| given.refused.is_none());
        assert!(is_in(&from("192.0.2.1"), false) && !is_in(&from("192.0.2.1"), false));
        assert!(!is_in(&from("::ffff:192.0.2.1"), false), "the same address");
        assert!(is_in(&from("192.0.2.1"), true), "what writes is counted apart");
        assert!(is_in(&from("192.0.2.2"), false));
        assert!(is_in(&from("2001:db8::1"), false) && !is_in(&from("2001:db8::ffff"), false));
        assert!(is_in(&from("2001:db8:0:1::1"), false));
        // Who came in is not in the crowd of its address, and not limited here.
        let login = Login {
            account: Uuid::nil(),
            name: String::new(),
            dependency: String::new(),
            by: Credential::Session(Uuid::nil()),
            rights: Vec::new(),
        };
        let origin = Origin { address: Some("192.0.2.1".parse().unwrap()), request: "".into() };
        let known = Caller::account(Arc::new(login)).from(origin);
        assert!((0..10).all(|_| limits.admit(&known, true).is_none()));
    }

    #[test]
    fn what_is_full_is_forgotten() {
        let (limits, now) = (limits(600, 60), Instant::now());
        for host in 1..=200 {
            limits.take(Name::Address(network(IpAddr::from([10, 0, 0, host]))), 1.0, now);
        }
        let many = || limits.groups.iter().map(|group| group.lock().unwrap().len()).sum::<usize>();
        assert_eq!(many(), 200);
        assert!(limits.unsettled(now + Duration::from_secs(1)).is_empty(), "too little to be told");
        assert_eq!(many(), 0);
    }
}
