//! Listeners: from a delivery through a handler to an acknowledgement.
//!
//! A message is acknowledged after its handler's write is durable. A transient failure is a nak
//! with a back-off; after the last attempt, or at once if no retry can succeed, the message
//! moves to the dead-letter stream with the reason. A dependency that does not answer never
//! makes a dead letter. The replay of a dead letter is handled by the consumer that gave up, which
//! then removes the letter.
//!
//! This module enforces the bound on attempts, not the bus: a message whose handler brings the
//! whole process down is delivered again after the restart with a higher attempt number, and so
//! becomes a dead letter instead of being dropped without a trace.
//!
//! It never subscribes; see `consumer.rs`.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use serde::de::DeserializeOwned;

use crate::chain::Chain;
use crate::collection::{Aggregate, ChangeError, Collection, Decision};
use crate::deadletter::{self, Replay};
use crate::event::{Event, EventGroup};
use crate::outbox::TIME;
use crate::outcome::DeliveryOutcome;
use crate::policy::Policy;
use ports::bus::{BusError, Delivery, Group, Message, Reply};
use ports::clock::before;
use ports::store::{ReadError, WriteError};
use ports::{Ports, Timestamp};

/// A handler's failure to handle a message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandleError {
    /// A dependency does not answer: the message waits for it, however long, and never becomes a
    /// dead letter for this reason.
    #[error(transparent)]
    Unavailable(Box<dyn Error + Send + Sync>),
    /// A retry may succeed: the message is delivered again after a back-off.
    #[error(transparent)]
    Transient(Box<dyn Error + Send + Sync>),
    /// No retry can succeed: the message becomes a dead letter.
    #[error(transparent)]
    Permanent(Box<dyn Error + Send + Sync>),
}

impl HandleError {
    /// Wraps the cause of a failure that may pass: an error, or a message.
    pub fn transient(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Transient(cause.into())
    }

    /// Wraps the cause of a failure that no retry can cure: an error, or a message.
    pub fn permanent(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Permanent(cause.into())
    }
}

impl From<ReadError> for HandleError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::Unavailable(error.into()),
            ReadError::Rejected(_) => Self::permanent(error),
        }
    }
}

impl From<WriteError> for HandleError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Unavailable(_) | WriteError::Unknown(_) => Self::Unavailable(error.into()),
            WriteError::Duplicate { .. } | WriteError::Rejected(_) => Self::permanent(error),
        }
    }
}

impl From<Infallible> for HandleError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl<E: Into<HandleError> + Error + Send + Sync + 'static> From<ChangeError<E>> for HandleError {
    fn from(error: ChangeError<E>) -> Self {
        match error {
            ChangeError::Refused(error) => error.into(),
            ChangeError::Read(error) => error.into(),
            ChangeError::Write(error) => error.into(),
            ChangeError::Contended { .. } => Self::transient(error),
        }
    }
}

/// An event about a document that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{collection} has no {id}")]
struct UnknownDocument {
    collection: &'static str,
    id: String,
}

impl<T: Aggregate> Collection<T> {
    /// Applies an event to the document with this id. The event of an unknown document is a
    /// permanent failure, so this is for documents that exist before any event about them.
    ///
    /// # Errors
    ///
    /// As [`Self::change`].
    pub async fn follow(
        &self,
        id: &str,
        mut decide: impl FnMut(&T) -> Decision<T>,
    ) -> Result<(), HandleError> {
        let decide = |document: Option<&T>| match document {
            Some(document) => Ok(decide(document)),
            None => {
                let (collection, id) = (T::COLLECTION, id.to_owned());
                Err(HandleError::permanent(UnknownDocument { collection, id }))
            }
        };
        self.change(id, decide).await?;
        Ok(())
    }
}

/// A function that handles the messages of a listener.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Handles one message. The same message may arrive again, so handling it must be
    /// idempotent.
    async fn handle(&self, message: &Message) -> Result<(), HandleError>;
}

/// A listener of a service.
#[derive(Clone)]
pub struct Listener {
    /// The event part of the consumer's name: `<service>-<event>`.
    pub event: &'static str,
    /// The subjects that it receives, without the namespace.
    pub subjects: Vec<&'static str>,
    /// Durable: one instance handles each message. Broadcast: every instance does.
    pub group: Group,
    /// Age of the oldest message that a new consumer receives; `None` for the whole stream.
    pub replay: Option<Duration>,
    /// The handler of its messages.
    pub handler: Arc<dyn Handler>,
}

impl Listener {
    /// Creates a durable listener for each type in the group, all with the same handler.
    pub fn durable<S, P, F>(
        events: EventGroup<P>,
        state: &S,
        handle: fn(S, P) -> F,
    ) -> impl Iterator<Item = Self>
    where
        S: Clone + Send + Sync + 'static,
        P: DeserializeOwned + 'static,
        F: Future<Output = Result<(), HandleError>> + Send + 'static,
    {
        events.types().iter().map(move |event| Self {
            event: event.name,
            subjects: vec![event.subject],
            group: Group::Durable,
            replay: None,
            handler: Arc::new(Typed { event: event.name, state: state.clone(), handle }),
        })
    }

    /// Returns the name of the consumer that this listener has in a service.
    #[must_use]
    pub fn consumer(&self, service: &str) -> String {
        format!("{service}-{}", self.event)
    }
}

/// Decodes the payload and calls a function.
struct Typed<S, P, F> {
    event: &'static str,
    state: S,
    handle: fn(S, P) -> F,
}

#[async_trait]
impl<S, P, F> Handler for Typed<S, P, F>
where
    S: Clone + Send + Sync + 'static,
    P: DeserializeOwned + 'static,
    F: Future<Output = Result<(), HandleError>> + Send + 'static,
{
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        let handled = (self.handle)(self.state.clone(), parse(self.event, message)?);
        handled.await
    }
}

/// A payload that does not match its event type.
#[derive(Debug, thiserror::Error)]
#[error("the payload is not a valid {event}")]
struct PayloadError {
    event: &'static str,
    #[source]
    source: serde_json::Error,
}

/// Decodes the payload of a message. An invalid payload is a permanent failure.
pub fn decode<E: Event>(message: &Message) -> Result<E, HandleError> {
    parse(E::NAME, message)
}

fn parse<P: DeserializeOwned>(event: &'static str, message: &Message) -> Result<P, HandleError> {
    serde_json::from_slice(&message.payload)
        .map_err(|source| HandleError::permanent(PayloadError { event, source }))
}

/// Handles one delivery, from the call of the handler to the confirmation of the bus.
pub async fn deliver(
    handler: &dyn Handler,
    consumer: &str,
    delivery: &Delivery,
    ports: &Ports,
    policy: &Policy,
) -> DeliveryOutcome {
    let attempt = delivery.attempt;
    let replay = Replay::of(&delivery.message);
    if replay.is_some_and(|replay| replay.consumer != consumer) {
        // The replay is for the consumer that gave up; this one has had the message.
        return concluded(delivery.reply.ack().await, DeliveryOutcome::Acknowledged);
    }
    let handled = if attempt > policy.max_deliver {
        let attempts = attempt - 1;
        Err(HandleError::permanent(format!("unacknowledged after {attempts} deliveries")))
    } else if let Some(outdated) = Outdated::of(&delivery.message, ports.clock.now(), policy) {
        Err(HandleError::permanent(outdated))
    } else {
        let work = handle(handler, consumer, delivery, ports, policy);
        keep_alive(work, &*delivery.reply, ports, policy).await
    };
    let handled = match (handled, replay) {
        (Ok(()), Some(replay)) => {
            let removed = deadletter::remove(&*ports.bus, replay.sequence).await;
            removed.map_err(|error| HandleError::Unavailable(error.into()))
        }
        (handled, _) => handled,
    };
    let (replied, outcome) = match handled {
        Ok(()) => (delivery.reply.ack().await, DeliveryOutcome::Acknowledged),
        Err(error @ (HandleError::Transient(_) | HandleError::Unavailable(_)))
            if attempt < policy.max_deliver =>
        {
            let delay = policy.back_off(attempt);
            let reason = Chain(&error).to_string();
            tracing::warn!(consumer, attempt, reason, ?delay, "delivery failed, to be retried");
            (delivery.reply.nak(delay).await, DeliveryOutcome::Retried(delay))
        }
        Err(error) => {
            let reason = Chain(&error).to_string();
            tracing::error!(consumer, attempt, reason, "moved to the dead letters");
            let kept = match replay {
                // The letter is still there.
                Some(_) => Ok(()),
                None => deadletter::store(&*ports.bus, consumer, delivery, &reason).await,
            };
            match kept {
                Ok(()) => (delivery.reply.ack().await, DeliveryOutcome::DeadLettered(reason)),
                Err(error) => {
                    let delay = policy.back_off(attempt);
                    tracing::error!(consumer, %error, "dead letter not stored, to be retried");
                    (delivery.reply.nak(delay).await, DeliveryOutcome::Retried(delay))
                }
            }
        }
    };
    concluded(replied, outcome)
}

/// An event that is so old that the documents it is about may have been removed since. Taken for
/// news, it would bring them back in a state that is long over.
#[derive(Debug, thiserror::Error)]
#[error("the event is of {time}, and what it is about may have been removed since")]
struct Outdated {
    time: Timestamp,
}

impl Outdated {
    fn of(message: &Message, now: Timestamp, policy: &Policy) -> Option<Self> {
        let horizon = policy.horizon()?;
        let time: Timestamp = message.headers.get(TIME)?.parse().ok()?;
        (time < before(now, horizon)).then_some(Self { time })
    }
}

fn concluded(replied: Result<(), BusError>, outcome: DeliveryOutcome) -> DeliveryOutcome {
    match replied {
        Ok(()) => outcome,
        Err(error) => DeliveryOutcome::Unanswered { settled: outcome.is_settled(), error },
    }
}

/// Calls the handler. On the last attempt it calls again for as long as a dependency does not
/// answer: the message is sound, and one more delivery would be one too many.
async fn handle(
    handler: &dyn Handler,
    consumer: &str,
    delivery: &Delivery,
    ports: &Ports,
    policy: &Policy,
) -> Result<(), HandleError> {
    let mut failures = 0;
    loop {
        match handler.handle(&delivery.message).await {
            Err(HandleError::Unavailable(error)) if delivery.attempt == policy.max_deliver => {
                failures += 1;
                let (delay, reason) = (policy.back_off(failures), Chain(&*error).to_string());
                tracing::warn!(consumer, reason, ?delay, "waiting for a dependency");
                ports.clock.sleep(delay).await;
            }
            handled => return handled,
        }
    }
}

/// Runs the handler, and tells the bus twice per ack wait that the message is in progress.
async fn keep_alive<T>(
    work: impl Future<Output = T> + Send,
    reply: &dyn Reply,
    ports: &Ports,
    policy: &Policy,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        let pause = std::pin::pin!(ports.clock.sleep(policy.ack_wait / 2));
        match select(work.as_mut(), pause).await {
            Either::Left((done, _)) => return done,
            // A lost signal is harmless: the bus delivers the message once more.
            Either::Right(_) => drop(reply.in_progress().await),
        }
    }
}
