//! An open consumer of the simulated broker, and the replies to its deliveries.
//!
//! A subscription holds no messages: when it is dropped while it waits, nothing is lost.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use ports::Timestamp;
use ports::bus::{BusError, Delivery, Reply, Subscription};

use super::accesses;
use super::consumer::Queue;
use super::handle::Handle;
use crate::call::Operation;
use crate::kernel::Sleep;

/// An open consumer.
pub(super) struct SimSubscription {
    handle: Handle,
    backlog: u64,
}

impl SimSubscription {
    pub(super) fn new(handle: Handle, backlog: u64) -> Self {
        Self { handle, backlog }
    }
}

#[async_trait]
impl Subscription for SimSubscription {
    async fn next(&mut self) -> Result<Delivery, BusError> {
        let handle = &self.handle;
        loop {
            Availability { handle, ticket: None, timer: None }.await?;
            // Another subscriber may take the message before the scheduler picks this call.
            let take = |queue: &mut Queue, now| {
                let taken = queue.take(now);
                if taken.is_none() {
                    handle.note(|stream, id| accesses::took_nothing(stream, id, queue.has_room()));
                }
                taken
            };
            let Some((sequence, attempt)) = handle.act(Operation::Next, take).await? else {
                continue;
            };
            let stored = {
                let mut state = handle.connection.broker.state();
                Arc::clone(state.log(handle.stream).message(sequence))
            };
            let message = stored.message.clone();
            let memory = handle.broadcast.then_some(handle.connection.instance);
            handle.note(|stream, id| accesses::took(stream, id, &message, sequence, memory));
            return Ok(Delivery {
                message,
                sequence,
                published: stored.published,
                attempt,
                reply: Box::new(SimReply { handle: handle.clone(), sequence }),
            });
        }
    }

    fn backlog(&self) -> u64 {
        self.backlog
    }
}

impl Drop for SimSubscription {
    fn drop(&mut self) {
        if self.handle.broadcast {
            let handle = &self.handle;
            handle.connection.kernel.access(accesses::consumers_changed);
            handle.connection.broker.state().log(handle.stream).close(handle.id);
        }
    }
}

/// Waits until the consumer has a message to deliver.
struct Availability<'a> {
    handle: &'a Handle,
    ticket: Option<u64>,
    /// A timer for the consumer's next redelivery.
    timer: Option<(Timestamp, Sleep)>,
}

impl Future for Availability<'_> {
    type Output = Result<(), BusError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let connection = &this.handle.connection;
        loop {
            let now = connection.kernel.now();
            let mut state = connection.broker.state();
            let Some(queue) = state.log(this.handle.stream).consumer(this.handle.id) else {
                return Poll::Ready(Err(this.handle.gone()));
            };
            if let Some(ticket) = this.ticket {
                queue.stop_waiting(ticket);
            }
            queue.apply_due(now);
            this.handle.note(accesses::awaited);
            if queue.is_available() {
                this.ticket = None;
                return Poll::Ready(Ok(()));
            }
            this.ticket = Some(queue.wait(this.ticket, cx.waker()));
            let due = queue.first_due();
            drop(state);
            let Some(due) = due else {
                this.timer = None;
                return Poll::Pending;
            };
            let timer = match &mut this.timer {
                Some((at, timer)) if *at == due => timer,
                other => &mut other.insert((due, connection.kernel.sleep_until(due))).1,
            };
            if Pin::new(timer).poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Availability<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let mut state = self.handle.connection.broker.state();
            if let Some(queue) = state.log(self.handle.stream).consumer(self.handle.id) {
                queue.stop_waiting(ticket);
            }
        }
    }
}

/// The reply to a delivery. It concerns the message, whichever attempt it was.
struct SimReply {
    handle: Handle,
    sequence: u64,
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
            queue.ack(self.sequence, now);
        };
        self.handle.act(Operation::Ack, ack).await
    }

    async fn nak(&self, delay: Duration) -> Result<(), BusError> {
        let nak = |queue: &mut Queue, now| {
            self.note(true);
            queue.nak(self.sequence, delay, now);
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
