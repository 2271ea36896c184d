//! Failed tries, counted in memory: per account and per address, known or not. Who failed too often waits, longer each time.
//!
//! A try counts as failed from its beginning and is taken back when it succeeds, so that a hundred at once are not a hundred free
//! ones. The counts live as long as the process; they are bounded, and the ones that rested longest go first.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use kernel::secrets::token_hash;
use kernel::{Error, PersonId, Result, Timestamp};
use lru::LruCache;
use parking_lot::Mutex;

/// Most accounts, and most addresses, that are remembered.
const REMEMBERED_MAX: NonZeroUsize = NonZeroUsize::new(50_000).expect("not zero");
const WAIT_MAX_S: u64 = 15 * 60;

/// How a kind of count behaves.
#[derive(Clone, Copy)]
struct Rule {
    free: u32,
    forgotten_after: Duration,
}
const ACCOUNT: Rule = Rule { free: 5, forgotten_after: Duration::from_secs(24 * 3600) };
/// An address may be a whole office: more failures are free, and they are forgotten sooner.
const ADDRESS: Rule = Rule { free: 20, forgotten_after: Duration::from_secs(3600) };

#[derive(Clone, Copy, Debug, PartialEq)]
struct Count {
    failures: u32,
    last: Timestamp,
}

type Key = Vec<u8>;

/// Failed tries of accounts and addresses.
pub struct Tries {
    accounts: Mutex<LruCache<Key, Count>>,
    addresses: Mutex<LruCache<Key, Count>>,
}

/// One try that was let through, and counts as failed until it says otherwise.
pub(crate) struct Attempt {
    tries: Arc<Tries>,
    account: (Key, Option<Count>),
    address: Option<(Key, Option<Count>)>,
    at: Timestamp,
}

/// What somebody signed in gives again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Again {
    Password,
    Code,
}

impl Tries {
    /// Nobody failed yet.
    #[expect(clippy::new_without_default, reason = "it takes memory")]
    pub fn new() -> Self {
        Self { accounts: Mutex::new(LruCache::new(REMEMBERED_MAX)), addresses: Mutex::new(LruCache::new(REMEMBERED_MAX)) }
    }

    /// Lets a try on an account through, from an address.
    ///
    /// # Errors
    /// `TooMany` with the seconds to wait; the same whether the account exists or not.
    pub(crate) fn admit(self: Arc<Self>, account: &str, address: &str, now: Timestamp) -> Result<Attempt> {
        let account = token_hash(&format!("account {account}"));
        let address = token_hash(&format!("address {}", network_of(address)));
        self.begin(account, Some(address), now)
    }

    /// Lets somebody ask for a new password, for an account, from an address. Counted apart from signing in, and for good: there is no success.
    ///
    /// # Errors
    /// `TooMany`; the same whether the account exists or not.
    pub(crate) fn admit_reset(self: Arc<Self>, account: &str, address: &str, now: Timestamp) -> Result<()> {
        let account = token_hash(&format!("reset of {account}"));
        let address = token_hash(&format!("reset from {}", network_of(address)));
        self.begin(account, Some(address), now).map(drop)
    }

    /// Lets a try of somebody signed in through who gives their own password or code again.
    ///
    /// # Errors
    /// `TooMany`.
    pub(crate) fn admit_again(self: Arc<Self>, what: Again, person: PersonId, now: Timestamp) -> Result<Attempt> {
        self.begin(token_hash(&format!("{what:?} of {person} again")), None, now)
    }

    fn begin(self: Arc<Self>, account: Key, address: Option<Key>, now: Timestamp) -> Result<Attempt> {
        let (mut accounts, mut addresses) = (self.accounts.lock(), self.addresses.lock());
        let old_account = current(&mut accounts, &account, ACCOUNT, now);
        let old_address = address.as_ref().and_then(|key| current(&mut addresses, key, ADDRESS, now));
        let wait = ACCOUNT.wait_s(old_account, now).max(ADDRESS.wait_s(old_address, now));
        if wait > 0 {
            return Err(Error::TooMany(wait));
        }
        accounts.put(account.clone(), one_more(old_account, now));
        if let Some(key) = &address {
            addresses.put(key.clone(), one_more(old_address, now));
        }
        drop((accounts, addresses));
        let address = address.map(|key| (key, old_address));
        Ok(Attempt { tries: self, account: (account, old_account), address, at: now })
    }
}

impl Attempt {
    /// It was right: the account's failures are forgotten, this one is no failure of the address.
    pub(crate) fn succeeded(&self) {
        self.tries.accounts.lock().pop(&self.account.0);
        self.take_back_address();
    }

    /// It was neither right nor wrong: it does not count.
    pub(crate) fn forget(&self) {
        self.take_back(&mut self.tries.accounts.lock(), &self.account);
        self.take_back_address();
    }

    /// What came of it: only wrong credentials count.
    pub(crate) fn settle<T>(&self, result: Result<T>) -> Result<T> {
        match &result {
            Ok(_) => self.succeeded(),
            Err(Error::BadCredentials) => {}
            Err(_) => self.forget(),
        }
        result
    }

    fn take_back_address(&self) {
        if let Some(address) = &self.address {
            self.take_back(&mut self.tries.addresses.lock(), address);
        }
    }

    fn take_back(&self, counts: &mut LruCache<Key, Count>, (key, old): &(Key, Option<Count>)) {
        let Some(count) = counts.get_mut(key) else { return };
        count.failures = count.failures.saturating_sub(1);
        if let (true, Some(old)) = (count.last == self.at, old) {
            count.last = old.last;
        }
        if count.failures == 0 {
            counts.pop(key);
        }
    }
}

impl Rule {
    /// Whole seconds until the next try, 0: now.
    fn wait_s(self, count: Option<Count>, now: Timestamp) -> u64 {
        let Some(count) = count.filter(|count| count.failures >= self.free) else { return 0 };
        let wait_s = 1_u64.checked_shl(count.failures - self.free).unwrap_or(WAIT_MAX_S).min(WAIT_MAX_S);
        let left_us = count.last.after(Duration::from_secs(wait_s)).0 - now.0;
        u64::try_from(left_us).unwrap_or(0).div_ceil(1_000_000)
    }
}

fn current(counts: &mut LruCache<Key, Count>, key: &Key, rule: Rule, now: Timestamp) -> Option<Count> {
    counts.get(key).copied().filter(|count| now < count.last.after(rule.forgotten_after))
}

fn one_more(old: Option<Count>, now: Timestamp) -> Count {
    Count { failures: old.map_or(0, |old| old.failures).saturating_add(1), last: now }
}

/// What one client can hardly have many of: an IPv4 address, an IPv6 /64.
fn network_of(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(v6)) => format!("{:x?}", &v6.segments()[..4]),
        Ok(v4) => v4.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_251_600_000_000);

    fn wait_of(result: Result<Attempt>) -> u64 {
        match result {
            Ok(_) => 0,
            Err(Error::TooMany(wait)) => wait,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn after_five_failures_an_account_waits_twice_as_long_each_time_up_to_a_quarter_of_an_hour() {
        let tries = Arc::new(Tries::new());
        let mut now = NOW;
        for n in 0..5 {
            assert_eq!(wait_of(tries.clone().admit("a@b.co", &format!("10.0.0.{n}"), now)), 0, "try {n}");
        }
        let mut waits = Vec::new();
        for n in 0..12 {
            let wait = wait_of(tries.clone().admit("a@b.co", &format!("10.0.1.{n}"), now));
            waits.push(wait);
            now = now.after(Duration::from_secs(wait));
            assert_eq!(wait_of(tries.clone().admit("a@b.co", &format!("10.0.1.{n}"), now)), 0, "after the wait");
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }

    #[test]
    fn success_clears_the_account_and_is_no_failure_of_the_address() {
        let tries = Arc::new(Tries::new());
        for _ in 0..4 {
            tries.clone().admit("a@b.co", "10.0.0.1", NOW).expect("free");
        }
        tries.clone().admit("a@b.co", "10.0.0.1", NOW).expect("free").succeeded();
        for _ in 0..5 {
            tries.clone().admit("a@b.co", "10.0.0.1", NOW).expect("free again");
        }
        assert_eq!(wait_of(tries.clone().admit("a@b.co", "10.0.0.2", NOW)), 1);
        let counted = tries.addresses.lock().get(&token_hash("address 10.0.0.1")).copied();
        assert_eq!(counted.map(|count| count.failures), Some(9));
    }

    #[test]
    fn an_address_has_twenty_and_an_ipv6_network_is_one_address() {
        let tries = Arc::new(Tries::new());
        for n in 0..20 {
            tries.clone().admit(&format!("{n}@b.co"), &format!("2001:db8::{n:x}"), NOW).expect("free");
        }
        assert_eq!(wait_of(tries.clone().admit("x@b.co", "2001:db8::ffff", NOW)), 1);
        assert_eq!(wait_of(tries.clone().admit("x@b.co", "2001:db8:0:1::1", NOW)), 0);
    }

    #[test]
    fn what_was_not_really_tried_does_not_count() {
        let tries = Arc::new(Tries::new());
        for _ in 0..100 {
            tries.clone().admit("a@b.co", "10.0.0.1", NOW).expect("free").forget();
        }
        assert_eq!(tries.accounts.lock().len(), 0);
    }

    #[test]
    fn a_thousand_at_once_are_not_a_thousand_free_ones() {
        let tries = Arc::new(Tries::new());
        let begun: Vec<_> = (0..1000).filter_map(|_| tries.clone().admit("a@b.co", "10.0.0.1", NOW).ok()).collect();
        assert_eq!(begun.len(), 5);
    }
}
