//! Revocations: bans and ends of sessions, broadcast to every instance of every service, and
//! remembered for as long as a token can live.
//!
//! An instance receives every revocation; at start it replays those of the last token lifetime
//! before it answers its first request. It stores nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contracts::user::{
    ACCESS_CONSUMER, BAN_EVENTS, BanState, SESSION_EVENTS, SessionEnd, USER_EVENTS, UserBanned,
    UserSignedOut, UserState, UserUnbanned, UserUpdated,
};
use parking_lot::Mutex;
use ports::Timestamp;

use crate::token::User;
use platform::event::Event;
use platform::listen::{HandleError, Handler, Listener, decode};
use ports::bus::{Group, Message};
use ports::clock::{Clock, after};

/// Upper bound on the duration of a sign-in. One that began just before a revocation can still
/// issue a token, so revocations are remembered for this much longer than a token lives.
pub const MAX_SIGN_IN_DURATION: Duration = Duration::from_secs(60);

/// Time between two removals of what has expired, which look at every entry.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// The revocations that one instance knows. Clones share them.
#[derive(Clone)]
pub(crate) struct Revocations {
    clock: Arc<dyn Clock>,
    retention: Duration,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    users: BTreeMap<String, Access>,
    swept: Option<Timestamp>,
}

/// The revocations of one user. Each of them may arrive late or again: of bans and their ends the
/// newest counts, and an ended session stays so.
struct Access {
    /// The version of the newest ban or end of one, -1 for none.
    version: i64,
    is_banned: bool,
    /// Sessions of an earlier generation have ended.
    generation: i64,
    /// The ids of the other sessions that have ended, each with the time at which it may be
    /// forgotten.
    ended: BTreeMap<String, Timestamp>,
    /// The time at which everything may be forgotten.
    until: Timestamp,
}

impl Revocations {
    /// Creates an instance's memory of revocations, which is empty. `token_lifetime` bounds how
    /// far back it replays, and how long it remembers.
    pub(crate) fn new(clock: Arc<dyn Clock>, token_lifetime: Duration) -> Self {
        let retention = token_lifetime + MAX_SIGN_IN_DURATION;
        Self { clock, retention, known: Arc::default() }
    }

    /// Returns true if this instance knows of a ban of this user.
    pub(crate) fn is_banned(&self, user: &User) -> bool {
        self.known.lock().users.get(&user.id).is_some_and(|access| access.is_banned)
    }

    /// Returns true if this instance knows that this session has ended.
    pub(crate) fn has_ended(&self, user: &User) -> bool {
        self.known.lock().users.get(&user.id).is_some_and(|access| {
            user.generation < access.generation || access.ended.contains_key(&user.session)
        })
    }

    /// Creates the listener that receives revocations.
    pub(crate) fn listener(&self) -> Listener {
        let types = BAN_EVENTS.types().iter().chain(SESSION_EVENTS.types());
        let types = types.chain(USER_EVENTS.types());
        Listener {
            event: ACCESS_CONSUMER,
            subjects: types.map(|event| event.subject).collect(),
            group: Group::Broadcast,
            replay: Some(self.retention),
            handler: Arc::new(self.clone()),
        }
    }

    fn ban(&self, event: &BanState, is_banned: bool) {
        self.change(&event.id, event.until, |access| {
            if event.version > access.version {
                access.version = event.version;
                access.is_banned = is_banned;
            }
        });
    }

    fn end(&self, event: SessionEnd) {
        self.change(&event.id, event.until, |access| {
            access.ended.insert(event.session, event.until);
        });
    }

    fn follow(&self, user: &UserState) {
        let until = after(self.clock.now(), self.retention);
        self.change(&user.id, until, |access| {
            access.generation = access.generation.max(user.generation);
        });
    }

    fn change(&self, user: &str, until: Timestamp, change: impl FnOnce(&mut Access)) {
        let now = self.clock.now();
        let mut known = self.known.lock();
        known.sweep(now);
        let access = known.users.entry(user.to_owned()).or_insert_with(|| Access {
            version: -1,
            is_banned: false,
            generation: 0,
            ended: BTreeMap::new(),
            until,
        });
        access.until = access.until.max(until);
        change(access);
    }
}

impl Known {
    fn sweep(&mut self, now: Timestamp) {
        if self.swept.is_some_and(|swept| now < after(swept, SWEEP_INTERVAL)) {
            return;
        }
        self.swept = Some(now);
        self.users.retain(|_, access| access.until > now);
        for access in self.users.values_mut() {
            access.ended.retain(|_, until| *until > now);
        }
    }
}

#[async_trait]
impl Handler for Revocations {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        if message.subject == UserBanned::SUBJECT {
            let UserBanned(event) = decode(message)?;
            self.ban(&event, true);
        } else if message.subject == UserUnbanned::SUBJECT {
            let UserUnbanned(event) = decode(message)?;
            self.ban(&event, false);
        } else if message.subject == UserSignedOut::SUBJECT {
            let UserSignedOut(event) = decode(message)?;
            self.end(event);
        } else {
            let UserUpdated(event) = decode(message)?;
            self.follow(&event);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that a test sets.
    #[derive(Default)]
    struct VirtualClock(Mutex<Timestamp>);

    #[async_trait]
    impl Clock for VirtualClock {
        fn now(&self) -> Timestamp {
            *self.0.lock()
        }

        async fn sleep_until(&self, _: Timestamp) {}
    }

    fn user(session: &str, generation: i64) -> User {
        let (id, email) = ("anna".to_owned(), "anna@example.org".to_owned());
        User { id, email, iat: 0, session: session.to_owned(), generation }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn memory(clock: &Arc<VirtualClock>) -> Revocations {
        Revocations::new(clock.clone(), Duration::from_secs(40))
    }

    fn end(session: &str, until: i64) -> SessionEnd {
        let (id, session) = ("anna".to_owned(), session.to_owned());
        SessionEnd { id, session, until: at(until), version: 1 }
    }

    fn state(generation: i64) -> UserState {
        let User { id, email, .. } = user("", 0);
        UserState { id, email, generation, version: 1 }
    }

    #[test]
    fn a_sign_out_ends_one_session_and_a_new_password_all_older_ones() {
        let known = memory(&Arc::default());
        known.end(end("one", 100));
        assert!(known.has_ended(&user("one", 0)));
        assert!(!known.has_ended(&user("two", 0)));
        known.follow(&state(2));
        // A late event of an earlier change.
        known.follow(&state(1));
        assert!(known.has_ended(&user("two", 1)));
        assert!(!known.has_ended(&user("two", 2)));
        assert!(!known.is_banned(&user("two", 2)));
    }

    #[test]
    fn of_a_ban_and_its_end_the_newer_one_counts() {
        let known = memory(&Arc::default());
        let ban = |version| BanState { id: "anna".to_owned(), until: at(100), version };
        known.ban(&ban(2), false);
        known.ban(&ban(1), true);
        assert!(!known.is_banned(&user("one", 0)));
        known.ban(&ban(3), true);
        assert!(known.is_banned(&user("one", 0)));
    }

    #[test]
    fn revocations_are_forgotten_when_no_token_can_be_left() {
        let clock = Arc::new(VirtualClock::default());
        let known = memory(&clock);
        known.follow(&state(1));
        known.end(end("one", 100));
        known.end(end("two", 300));
        *clock.0.lock() = at(200);
        known.end(end("three", 400));
        assert!(!known.has_ended(&user("one", 1)));
        assert!(known.has_ended(&user("two", 1)));
        *clock.0.lock() = at(500);
        known.change("ben", at(600), |_| {});
        assert_eq!(known.known.lock().users.len(), 1);
    }
}
