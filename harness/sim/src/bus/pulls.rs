//! Pull requests, which have a life of their own: a request that was sent holds its place until
//! it is served or expires, whether its caller still waits or not.
//!
//! A request whose caller waits is served when the scheduler picks the call, so a delivery is a
//! scheduling decision. One whose caller has dropped its wait is served by the broker at once,
//! and its message waits in the inbox of the subscription.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use parking_lot::Mutex;
use ports::Timestamp;
use ports::clock::after;

use super::message::StoredMessage;

/// The time for which the broker holds a request. A caller that still waits then sends another.
const EXPIRY: Duration = Duration::from_secs(30);
/// The interval at which the broker gives a sign of a request, and looks for a message again.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A delivery on its way to a subscriber.
pub(super) struct Taken {
    pub(super) message: Arc<StoredMessage>,
    pub(super) attempt: u32,
    /// The number of this delivery among those of the consumer, from 1.
    pub(super) number: u64,
}

/// The inbox of a subscription, which identifies it. Clones are the same inbox.
#[derive(Clone, Default)]
pub(super) struct Inbox(Arc<Mutex<Option<Taken>>>);

impl Inbox {
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().is_none()
    }

    pub(super) fn take(&self) -> Option<Taken> {
        self.0.lock().take()
    }

    fn put(&self, taken: Taken) {
        *self.0.lock() = Some(taken);
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The caller of a request.
enum Caller {
    /// It waits, to be woken when a message can be taken or the time of the next event changes.
    Waits(Option<Waker>),
    /// It has dropped its wait: the request expires at this time.
    Left(Timestamp),
    /// Its subscription is dropped. The broker notices when it looks for a message.
    Closed,
}

struct Pull {
    inbox: Inbox,
    sent: Timestamp,
    caller: Caller,
}

impl Pull {
    fn is_stale(&self, at: Timestamp) -> bool {
        match self.caller {
            Caller::Waits(_) => false,
            Caller::Left(expiry) => expiry <= at,
            Caller::Closed => true,
        }
    }

    /// Sends the request again for every expiry that its caller has waited through.
    fn renew(&mut self, at: Timestamp) {
        if matches!(self.caller, Caller::Waits(_)) {
            self.sent = latest(self.sent, EXPIRY, at);
        }
    }
}

/// The request that is served next.
pub(super) enum Front {
    /// Its caller waits, and takes the message itself.
    Waits,
    /// Its caller has dropped its wait.
    Left,
}

/// The requests of a consumer, in the order in which they are served.
#[derive(Default)]
pub(super) struct Pulls(Vec<Pull>);

impl Pulls {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True while a request waits whose caller has dropped its wait.
    pub(super) fn any_left(&self) -> bool {
        self.0.iter().any(|pull| matches!(pull.caller, Caller::Left(_)))
    }

    /// True for a subscription with a request.
    pub(super) fn has(&self, inbox: &Inbox, at: Timestamp) -> bool {
        self.0.iter().any(|pull| pull.inbox.is(inbox) && !pull.is_stale(at))
    }

    /// Sends a request.
    pub(super) fn send(&mut self, inbox: &Inbox, now: Timestamp) {
        let (inbox, caller) = (inbox.clone(), Caller::Waits(None));
        self.0.push(Pull { inbox, sent: now, caller });
    }

    /// The caller waits for its request.
    pub(super) fn wait(&mut self, inbox: &Inbox, waker: &Waker) {
        if let Some(pull) = self.of(inbox) {
            pull.caller = Caller::Waits(Some(waker.clone()));
        }
    }

    /// The caller drops its wait. Returns whether it had a request.
    pub(super) fn leave(&mut self, inbox: &Inbox, now: Timestamp) -> bool {
        let Some(pull) = self.of(inbox) else { return false };
        pull.renew(now);
        let waited = matches!(pull.caller, Caller::Waits(_));
        if waited {
            pull.caller = Caller::Left(after(pull.sent, EXPIRY));
        }
        waited
    }

    /// The subscription is dropped.
    pub(super) fn close(&mut self, inbox: &Inbox) {
        if let Some(pull) = self.of(inbox) {
            pull.caller = Caller::Closed;
        }
    }

    /// The request to serve next. Drops those before it that have expired or are closed.
    pub(super) fn front(&mut self, at: Timestamp) -> Option<Front> {
        self.0.iter_mut().for_each(|pull| pull.renew(at));
        self.0.sort_by_key(|pull| pull.sent);
        let stale = self.0.iter().take_while(|pull| pull.is_stale(at)).count();
        self.0.drain(..stale);
        self.0.first().map(|pull| match pull.caller {
            Caller::Waits(_) => Front::Waits,
            Caller::Left(_) | Caller::Closed => Front::Left,
        })
    }

    /// True if a request is served before that of this subscription although nobody waits.
    pub(super) fn left_before(&self, inbox: &Inbox) -> bool {
        let before = self.0.iter().take_while(|pull| !pull.inbox.is(inbox));
        before.into_iter().any(|pull| matches!(pull.caller, Caller::Left(_)))
    }

    /// Serves the first request whose caller has dropped its wait.
    pub(super) fn serve_left(&mut self, taken: Taken) {
        if let Some(at) = self.0.iter().position(|pull| matches!(pull.caller, Caller::Left(_))) {
            self.0.remove(at).inbox.put(taken);
        }
    }

    /// Removes the request of this subscription, because it is served.
    pub(super) fn remove(&mut self, inbox: &Inbox) {
        self.0.retain(|pull| !pull.inbox.is(inbox));
    }

    /// Drops the requests that have expired or are closed.
    pub(super) fn discard_stale(&mut self, at: Timestamp) {
        self.0.retain(|pull| !pull.is_stale(at));
    }

    /// Drops the requests that nobody waits for, as a restart does: who waits sends another.
    pub(super) fn restart(&mut self, now: Timestamp) {
        self.0.retain(|pull| matches!(pull.caller, Caller::Waits(_)));
        self.0.iter_mut().for_each(|pull| pull.sent = now);
    }

    /// Wakes the callers that wait.
    pub(super) fn wake(&mut self) {
        for pull in &mut self.0 {
            if let Caller::Waits(waker) = &mut pull.caller {
                waker.take().into_iter().for_each(Waker::wake);
            }
        }
    }

    /// The time at which the broker last gave a sign of a request, and so looked for a message.
    pub(super) fn last_look(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.iter().map(|pull| latest(pull.sent, HEARTBEAT, now)).max()
    }

    /// The time of the next sign of a request.
    pub(super) fn next_look(&self, now: Timestamp) -> Option<Timestamp> {
        self.0.iter().map(|pull| after(latest(pull.sent, HEARTBEAT, now), HEARTBEAT)).min()
    }

    fn of(&mut self, inbox: &Inbox) -> Option<&mut Pull> {
        self.0.iter_mut().find(|pull| pull.inbox.is(inbox))
    }
}

/// The last of `from`, `from + interval`, and so on that is not after `now`.
fn latest(from: Timestamp, interval: Duration, now: Timestamp) -> Timestamp {
    let interval = interval.as_nanos() as i128;
    let whole = (now.as_nanosecond() - from.as_nanosecond()).max(0) / interval;
    let latest = from.as_nanosecond() + whole * interval;
    Timestamp::from_nanosecond(latest).expect("between two timestamps")
}
