//! The throttle of guesses: how many attempts to sign in or up may fail, by client and by account.
//!
//! Attempts against one account count per client address, so that nobody can lock an owner out
//! by guessing. The counts are those of one instance and are lost with it, which only helps the
//! client. Nothing here does I/O, and time comes from the caller.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;
use ports::Timestamp;

/// A limit: this many failures at once, and one more each time `refill` has passed.
#[derive(Debug, Clone, Copy)]
struct Limit {
    burst: u32,
    refill: Duration,
}

/// The limit on failures of one client with one account.
const PER_ACCOUNT: Limit = Limit { burst: 20, refill: Duration::from_secs(3) };
/// The limit on failures of one client, which may be the proxy of many people.
const PER_CLIENT: Limit = Limit { burst: 1_000, refill: Duration::from_millis(100) };
/// The number of counts from which those that have run out are removed.
const SWEEP_SIZE: usize = 10_000;

/// The address of the client of a request, for routes that limit attempts. Requests without one
/// count as those of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientAddress(pub IpAddr);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Client(Option<ClientAddress>),
    Account(Option<ClientAddress>, String),
}

/// The failures of one instance. A count is kept as the time at which it will have run out.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<BTreeMap<Key, Timestamp>>);

impl Throttle {
    /// Returns the pause until another attempt is allowed; `None` if it is allowed now.
    pub(crate) fn pause(
        &self,
        client: Option<ClientAddress>,
        account: &str,
        now: Timestamp,
    ) -> Option<Duration> {
        let counts = self.0.lock();
        let pauses = keys(client, account).into_iter().filter_map(|(key, limit)| {
            let count = counts.get(&key)?.duration_since(now);
            // Room for one more failure.
            let allowed = limit.refill * (limit.burst - 1);
            Duration::try_from(count).ok()?.checked_sub(allowed).filter(|pause| !pause.is_zero())
        });
        pauses.max()
    }

    /// Counts a failed attempt.
    pub(crate) fn failed(&self, client: Option<ClientAddress>, account: &str, now: Timestamp) {
        let mut counts = self.0.lock();
        if counts.len() >= SWEEP_SIZE {
            counts.retain(|_, until| *until > now);
        }
        for (key, limit) in keys(client, account) {
            let until = counts.entry(key).or_insert(now);
            *until = (*until).max(now).saturating_add(limit.refill).unwrap_or(Timestamp::MAX);
        }
    }
}

fn keys(client: Option<ClientAddress>, account: &str) -> [(Key, Limit); 2] {
    [(Key::Client(client), PER_CLIENT), (Key::Account(client, account.to_owned()), PER_ACCOUNT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(last: u8) -> Option<ClientAddress> {
        Some(ClientAddress(IpAddr::from([192, 0, 2, last])))
    }

    fn after(time: Duration) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(time).unwrap()
    }

    #[test]
    fn a_client_that_guesses_waits_and_the_owner_elsewhere_does_not() {
        let (throttle, now) = (Throttle::default(), Timestamp::UNIX_EPOCH);
        for _ in 0..PER_ACCOUNT.burst {
            assert_eq!(throttle.pause(client(1), "anna", now), None);
            throttle.failed(client(1), "anna", now);
        }
        assert_eq!(throttle.pause(client(1), "anna", now), Some(PER_ACCOUNT.refill));
        assert_eq!(throttle.pause(client(2), "anna", now), None);
        assert_eq!(throttle.pause(client(1), "boris", now), None);
        let later = after(PER_ACCOUNT.refill);
        assert_eq!(throttle.pause(client(1), "anna", later), None);
        throttle.failed(client(1), "anna", later);
        assert!(throttle.pause(client(1), "anna", later).is_some());
    }

    #[test]
    fn a_client_that_tries_many_accounts_waits() {
        let (throttle, now) = (Throttle::default(), Timestamp::UNIX_EPOCH);
        for account in 0..PER_CLIENT.burst {
            throttle.failed(client(1), &account.to_string(), now);
        }
        assert_eq!(throttle.pause(client(1), "anna", now), Some(PER_CLIENT.refill));
        assert_eq!(throttle.pause(client(2), "anna", now), None);
    }

    #[test]
    fn counts_that_have_run_out_are_removed() {
        let throttle = Throttle::default();
        for account in 0..2 * SWEEP_SIZE {
            throttle.failed(
                client(1),
                &account.to_string(),
                after(Duration::from_secs(account as u64)),
            );
        }
        assert!(throttle.0.lock().len() <= SWEEP_SIZE);
    }
}
