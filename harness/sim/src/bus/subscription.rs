//! An open consumer of the simulated broker, and the replies to its deliveries.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use ports::Timestamp;
use ports::bus::{BusError, Delivery, Reply, Subscription, check_delay};

use super::accesses;
use super::consumer::Queue;
use super::handle::Handle;
use super::pulls::{Inbox, Taken};
use super::stream::Opened;
use crate::call::Operation;
use crate::kernel::Sleep;

/// An open consumer.
pub(super) struct SimSubscription {
    handle: Handle,
    backlog: u64,
    has_gap: bool,
    inbox: Inbox,
}

impl SimSubscription {
    pub(super) fn new(handle: Handle, opened: &Opened) -> Self {
        let (backlog, has_gap) = (opened.backlog, opened.has_gap);
        Self { handle, backlog, has_gap, inbox: Inbox::default() }
    }

    fn delivery(&self, taken: Taken) -> Delivery {
        let Taken { message: stored, attempt, number } = taken;
        let (message, sequence) = (stored.message.clone(), stored.sequence);
        let memory = self.handle.broadcast.then_some(self.handle.connection.instance);
        self.handle.note(|stream, id| accesses::took(stream, id, &message, sequence, memory));
        let handle = self.handle.clone();
        Delivery {
            message,
            sequence,
            published: stored.published,
            attempt,
            reply: Box::new(SimReply { handle, sequence, number }),
        }
    }
}

#[async_trait]
impl Subscription for SimSubscription {
    async fn next(&mut self) -> Result<Delivery, BusError> {
        let handle = &self.handle;
        let wait = Wait { handle, inbox: &self.inbox };
        loop {
            Availability { wait: &wait, timer: None }.await?;
            if !self.inbox.is_empty() {
                // The message of an earlier call arrives, whatever has become of the consumer.
                handle.connection.step(Operation::Next, &handle.name).await;
                handle.connection.kernel.access(accesses::consumers_read);
                if let Some(taken) = self.inbox.take() {
                    return Ok(self.delivery(taken));
                }
            }
            // Another subscriber may take the message before the scheduler picks this call.
            let take = |queue: &mut Queue, now| {
                let taken = queue.take(&self.inbox, now);
                if taken.is_none() {
                    handle.note(|stream, id| accesses::took_nothing(stream, id, queue.has_room()));
                }
                taken
            };
            if let Some(taken) = handle.act(Operation::Next, take).await? {
                return Ok(self.delivery(taken));
            }
        }
    }

    fn backlog(&self) -> u64 {
        self.backlog
    }

    fn has_gap(&self) -> bool {
        self.has_gap
    }
}

impl Drop for SimSubscription {
    fn drop(&mut self) {
        let handle = &self.handle;
        let mut state = handle.connection.state();
        let now = handle.connection.kernel.now();
        let log = state.log(handle.stream, now);
        if handle.broadcast {
            handle.connection.kernel.access(accesses::consumers_changed);
            log.close(handle.id);
        } else if let Some(queue) = handle.find(log) {
            handle.note_if_serving(queue);
            queue.close(&self.inbox, now);
        }
    }
}

/// The wait of a caller. Dropping it leaves its request with the broker.
struct Wait<'a> {
    handle: &'a Handle,
    inbox: &'a Inbox,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let now = self.handle.connection.kernel.now();
        let mut state = self.handle.connection.state();
        if let Some(queue) = self.handle.find(state.log(self.handle.stream, now)) {
            queue.leave(self.inbox, now);
            self.handle.note_if_serving(queue);
        }
    }
}

/// Waits until there is a message to deliver.
struct Availability<'a> {
    wait: &'a Wait<'a>,
    /// A timer for the consumer's next event.
    timer: Option<(Timestamp, Sleep)>,
}

impl Future for Availability<'_> {
    type Output = Result<(), BusError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Wait { handle, inbox } = this.wait;
        let connection = &handle.connection;
        loop {
            if !inbox.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let now = connection.kernel.now();
            let mut state = connection.state();
            let Some(queue) = handle.find(state.log(handle.stream, now)) else {
                return Poll::Ready(Err(handle.gone()));
            };
            queue.request(inbox, now);
            handle.note(accesses::awaited);
            handle.note_if_serving(queue);
            if !inbox.is_empty() || queue.is_available() {
                return Poll::Ready(Ok(()));
            }
            queue.wait(inbox, cx.waker());
            let event = queue.next_change();
            drop(state);
            let Some(event) = event else {
                this.timer = None;
                return Poll::Pending;
            };
            let timer = match &mut this.timer {
                Some((at, timer)) if *at == event => timer,
                other => &mut other.insert((event, connection.kernel.sleep_until(event))).1,
            };
            if Pin::new(timer).poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

/// The reply to a delivery. It concerns the message, whichever attempt it was.
struct SimReply {
    handle: Handle,
    sequence: u64,
    /// The number of the delivery among those of the consumer.
    number: u64,
}

impl SimReply {
    fn note(&self, moves: bool) {
        self.handle.note(|stream, id| accesses::answered(stream, id, self.sequence, moves));
    }
}

#[async_trait]
impl Reply for SimReply {
    async fn ack(&self) -> Result<(), BusError> {
        let ack = |queue: &mut Queue, now| {
            self.note(!queue.has_room() || queue.is_due(self.sequence, now));
            queue.ack(self.sequence, now)
        };
        if self.handle.act(Operation::Ack, ack).await? {
            return Ok(());
        }
        let why = "an acknowledgement of what the consumer has not delivered is not confirmed";
        Err(BusError::Unavailable(why.to_owned()))
    }

    async fn nak(&self, delay: Duration) -> Result<(), BusError> {
        check_delay(delay)?;
        let nak = |queue: &mut Queue, now| {
            self.note(true);
            queue.nak(self.sequence, self.number, delay, now);
        };
        self.handle.act(Operation::Nak, nak).await
    }

    async fn in_progress(&self) -> Result<(), BusError> {
        let in_progress = |queue: &mut Queue, now| {
            self.note(true);
            queue.in_progress(self.sequence, now);
        };
        self.handle.act(Operation::InProgress, in_progress).await
    }
}
