//! Bans: broadcast to every instance of every service, and remembered for as long as a token
//! can live.
//!
//! An instance receives every ban; at start it replays those of the last token lifetime before
//! it answers its first request. It stores nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contracts::user::{BAN_CONSUMER, BAN_EVENTS, BanState, UserBanned, UserUnbanned};
use parking_lot::Mutex;
use ports::Timestamp;

use platform::event::Event;
use platform::listen::{HandleError, Handler, Listener, decode};
use ports::bus::{Group, Message};
use ports::clock::Clock;

/// Upper bound on the duration of a sign-in. One that began just before a ban can still issue a
/// token, so bans are remembered for this much longer than a token lives.
pub const MAX_SIGN_IN_DURATION: Duration = Duration::from_secs(60);

/// The bans that one instance knows. Clones share them.
#[derive(Clone)]
pub struct Bans {
    clock: Arc<dyn Clock>,
    latest: Arc<Mutex<BTreeMap<String, Latest>>>,
}

/// The newest event about one user.
struct Latest {
    version: i64,
    until: Timestamp,
    is_banned: bool,
}

impl Bans {
    /// Creates an instance's memory of bans, which is empty.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, latest: Arc::default() }
    }

    /// Returns true if this instance knows of a ban of this user.
    #[must_use]
    pub fn is_banned(&self, user: &str) -> bool {
        self.latest.lock().get(user).is_some_and(|latest| latest.is_banned)
    }

    /// Creates the listener that receives bans; `token_lifetime` bounds how far back it replays.
    #[must_use]
    pub fn listener(&self, token_lifetime: Duration) -> Listener {
        Listener {
            event: BAN_CONSUMER,
            subjects: BAN_EVENTS.types().iter().map(|event| event.subject).collect(),
            group: Group::Broadcast,
            replay: Some(token_lifetime + MAX_SIGN_IN_DURATION),
            handler: Arc::new(self.clone()),
        }
    }

    /// Applies an event unless a newer one of the same user was applied; forgets the expired.
    fn apply(&self, event: BanState, is_banned: bool) {
        let now = self.clock.now();
        let mut all = self.latest.lock();
        all.retain(|_, latest| latest.until > now);
        if all.get(&event.id).is_some_and(|latest| latest.version >= event.version) {
            return;
        }
        let latest = Latest { version: event.version, until: event.until, is_banned };
        all.insert(event.id, latest);
    }
}

#[async_trait]
impl Handler for Bans {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        if message.subject == UserBanned::SUBJECT {
            let UserBanned(event) = decode(message)?;
            self.apply(event, true);
        } else {
            let UserUnbanned(event) = decode(message)?;
            self.apply(event, false);
        }
        Ok(())
    }
}
