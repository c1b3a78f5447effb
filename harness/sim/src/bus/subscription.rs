//! An open consumer of the simulated broker, and the answers to its deliveries.
//!
//! A subscription holds nothing: what it was waiting for when it is dropped stays where it is.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use ports::Timestamp;
use ports::bus::{BusError, Delivery, Reply, Stream, Subscription};

use super::consumer::Queue;
use super::{SimBus, accesses};
use crate::kernel::Sleep;

/// Which consumer, seen from which instance.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) bus: SimBus,
    pub(super) stream: Stream,
    pub(super) id: u64,
    pub(super) name: Arc<str>,
    /// Whether only this instance hears it.
    pub(super) broadcast: bool,
}

impl Place {
    fn gone(&self) -> BusError {
        BusError::Gone(self.name.to_string())
    }

    /// Takes a turn and does something to the consumer.
    async fn act<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut Queue, Timestamp) -> T,
    ) -> Result<T, BusError> {
        self.bus.turn(operation, &self.name).await;
        let now = self.bus.kernel.now();
        let mut state = self.bus.broker.state();
        let queue = state.log(self.stream).consumer(self.id).ok_or_else(|| self.gone())?;
        Ok(effect(queue, now))
    }
}

/// An open consumer.
pub(super) struct SimSubscription {
    pub(super) place: Place,
    pub(super) backlog: u64,
    /// Whether the consumer ends with its subscription.
    pub(super) gone_with_it: bool,
}

#[async_trait]
impl Subscription for SimSubscription {
    async fn next(&mut self) -> Result<Delivery, BusError> {
        loop {
            Availability { place: &self.place, ticket: None, timer: None }.await?;
            // Another subscriber may have it by the time it is this one's turn.
            let taken = self.place.act("next", Queue::take).await?;
            let kernel = &self.place.bus.kernel;
            if taken.is_none() {
                accesses::note(kernel, || accesses::took(&self.place, None));
            }
            if let Some((sequence, attempt)) = taken {
                let kept = {
                    let mut state = self.place.bus.broker.state();
                    Arc::clone(state.log(self.place.stream).message(sequence))
                };
                let message = &kept.message;
                accesses::note(kernel, || accesses::took(&self.place, Some((message, sequence))));
                return Ok(Delivery {
                    message: kept.message.clone(),
                    sequence,
                    published: kept.published,
                    attempt,
                    reply: Box::new(SimReply { place: self.place.clone(), sequence }),
                });
            }
        }
    }

    fn backlog(&self) -> u64 {
        self.backlog
    }
}

impl Drop for SimSubscription {
    fn drop(&mut self) {
        if self.gone_with_it {
            self.place.bus.broker.state().log(self.place.stream).close(self.place.id);
        }
    }
}

/// Waits until the consumer has something to take.
struct Availability<'a> {
    place: &'a Place,
    ticket: Option<u64>,
    /// Until when it sleeps: the time at which the consumer's next delivery falls due.
    timer: Option<(Timestamp, Sleep)>,
}

impl Future for Availability<'_> {
    type Output = Result<(), BusError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let bus = &this.place.bus;
        loop {
            let now = bus.kernel.now();
            let mut state = bus.broker.state();
            let Some(queue) = state.log(this.place.stream).consumer(this.place.id) else {
                return Poll::Ready(Err(this.place.gone()));
            };
            if let Some(ticket) = this.ticket {
                queue.stop_waiting(ticket);
            }
            queue.settle(now);
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
                other => &mut other.insert((due, bus.kernel.sleep_until(due))).1,
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
            let mut state = self.place.bus.broker.state();
            if let Some(queue) = state.log(self.place.stream).consumer(self.place.id) {
                queue.stop_waiting(ticket);
            }
        }
    }
}

/// Answers one delivery; whichever attempt it was, the answer is about the message.
struct SimReply {
    place: Place,
    sequence: u64,
}

impl SimReply {
    fn note(&self, moves: bool) {
        let kernel = &self.place.bus.kernel;
        accesses::note(kernel, || accesses::answered(&self.place, self.sequence, moves));
    }
}

#[async_trait]
impl Reply for SimReply {
    async fn ack(&self) -> Result<(), BusError> {
        let ack = |queue: &mut Queue, now| {
            self.note(!queue.has_room());
            queue.ack(self.sequence, now);
        };
        self.place.act("ack", ack).await
    }

    async fn nak(&self, delay: Duration) -> Result<(), BusError> {
        let nak = |queue: &mut Queue, now| {
            self.note(true);
            queue.nak(self.sequence, delay, now);
        };
        self.place.act("nak", nak).await
    }

    async fn in_progress(&self) -> Result<(), BusError> {
        let in_progress = |queue: &mut Queue, now| {
            self.note(true);
            queue.in_progress(self.sequence, now);
        };
        self.place.act("in_progress", in_progress).await
    }
}
