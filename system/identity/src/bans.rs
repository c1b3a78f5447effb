//! Bans: broadcast to every instance of every service, and remembered as long as a token can
//! live.
//!
//! An instance hears every ban and, when it starts, reads back those of the last token
//! lifetime before it answers its first request. It stores nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use contracts::user::{BAN_CONSUMER, UserBanned, UserUnbanned};
use ports::Timestamp;

use platform::event::Event;
use platform::listen::{HandleError, Handler, Listener, decode};
use ports::bus::{Group, Message};
use ports::clock::Clock;

/// What one instance knows of bans. Clones share it.
#[derive(Clone)]
pub struct Bans {
    clock: Arc<dyn Clock>,
    known: Arc<Mutex<BTreeMap<String, Known>>>,
}

struct Known {
    version: i64,
    until: Timestamp,
    banned: bool,
}

impl Bans {
    /// Knows of none.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: Arc::default() }
    }

    /// Whether this user is banned, as far as this instance has heard.
    pub fn is_banned(&self, user: &str) -> bool {
        let known = self.known.lock().expect("no panic holds this lock");
        known.get(user).is_some_and(|known| known.banned)
    }

    /// The listener that keeps this up to date; `lifetime` is a token's.
    pub fn listener(&self, lifetime: Duration) -> Listener {
        Listener {
            event: BAN_CONSUMER,
            subjects: vec![UserBanned::SUBJECT, UserUnbanned::SUBJECT],
            group: Group::Broadcast,
            replay: Some(lifetime + MARGIN),
            handler: Arc::new(self.clone()),
        }
    }

    fn learn(&self, user: String, version: i64, until: Timestamp, banned: bool) {
        let now = self.clock.now();
        let mut known = self.known.lock().expect("no panic holds this lock");
        known.retain(|_, known| known.until > now);
        if known.get(&user).is_some_and(|known| known.version >= version) {
            return;
        }
        let news = Known { version, until, banned };
        known.insert(user, news);
    }
}

/// Longer than any request takes: a sign-in that began just before a ban may still hand out
/// a token.
pub const MARGIN: Duration = Duration::from_secs(60);

#[async_trait]
impl Handler for Bans {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        if message.subject == UserBanned::SUBJECT {
            let UserBanned(event) = decode(message)?;
            self.learn(event.id, event.version, event.until, true);
        } else {
            let UserUnbanned(event) = decode(message)?;
            self.learn(event.id, event.version, event.until, false);
        }
        Ok(())
    }
}
