//! Listeners: from a delivery to a handler to an acknowledgement.
//!
//! A message is acknowledged after its handler's write is durable. A passing failure is a nak
//! with a back-off; after the last attempt, or at once where no repetition can help, the
//! message moves to the dead-letter stream with the reason.
//!
//! The bound on attempts is kept here and not by the bus: a message whose handler takes the
//! whole process down is seen again after the restart, one attempt later, and so is put aside
//! too instead of being dropped without a trace.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};

use crate::collection::ChangeError;
use crate::deadletter;
use crate::event::Event;
use crate::run::Policy;
use ports::Ports;
use ports::bus::{BusError, Delivery, Group, Message, Reply};
use ports::store::{ReadError, WriteError};

/// Why a handler did not handle a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// It may go well the next time.
    #[error("{0}")]
    Passing(String),
    /// It never will.
    #[error("{0}")]
    Permanent(String),
}

impl From<ReadError> for HandleError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::Passing(error.to_string()),
            ReadError::Rejected(_) => Self::Permanent(error.to_string()),
        }
    }
}

impl From<WriteError> for HandleError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Unavailable(_) | WriteError::Unknown(_) => Self::Passing(error.to_string()),
            WriteError::Duplicate { .. } | WriteError::Rejected(_) => {
                Self::Permanent(error.to_string())
            }
        }
    }
}

impl From<ChangeError<HandleError>> for HandleError {
    fn from(error: ChangeError<HandleError>) -> Self {
        match error {
            ChangeError::Refused(error) => error,
            ChangeError::Read(error) => error.into(),
            ChangeError::Write(error) => error.into(),
        }
    }
}

/// What handles the messages of a listener.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Handles one message; may be called again with the same one.
    async fn handle(&self, message: &Message) -> Result<(), HandleError>;
}

/// A listener of a service.
#[derive(Clone)]
pub struct Listener {
    /// The event, for the consumer's name: `<service>-<event>`.
    pub event: &'static str,
    /// The subjects it hears.
    pub subjects: Vec<&'static str>,
    /// Shared by all instances, or heard by each.
    pub group: Group,
    /// How far back a new consumer begins; `None` for the whole stream.
    pub replay: Option<Duration>,
    /// What it does.
    pub handler: Arc<dyn Handler>,
}

impl Listener {
    /// A durable listener to events of type `E`: each event is handled by one instance.
    pub fn on<S, E, F>(state: &S, handle: fn(S, E) -> F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        E: Event,
        F: Future<Output = Result<(), HandleError>> + Send + 'static,
    {
        Self {
            event: E::NAME,
            subjects: vec![E::SUBJECT],
            group: Group::Durable,
            replay: None,
            handler: Arc::new(Typed { state: state.clone(), handle, event: PhantomData }),
        }
    }
}

/// Decodes the payload and calls a function.
struct Typed<S, E, F> {
    state: S,
    handle: fn(S, E) -> F,
    event: PhantomData<fn() -> E>,
}

#[async_trait]
impl<S, E, F> Handler for Typed<S, E, F>
where
    S: Clone + Send + Sync + 'static,
    E: Event,
    F: Future<Output = Result<(), HandleError>> + Send + 'static,
{
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        (self.handle)(self.state.clone(), decode(message)?).await
    }
}

/// The event in a message's payload.
pub fn decode<E: Event>(message: &Message) -> Result<E, HandleError> {
    serde_json::from_slice(&message.payload)
        .map_err(|e| HandleError::Permanent(format!("not an {}: {e}", E::NAME)))
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Handled and acknowledged.
    Acknowledged,
    /// To be delivered again after the delay.
    Retried(Duration),
    /// Moved to the dead-letter stream for this reason.
    DeadLettered(String),
    /// Nothing could be said to the bus: the ack wait will run out.
    Unanswered {
        /// Whether there is nothing left to do for this message but to say so.
        settled: bool,
        /// Why the bus did not hear it.
        why: BusError,
    },
}

impl Outcome {
    /// Whether the handler is done with the message, whatever the bus knows of that.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Acknowledged | Self::DeadLettered(_) => true,
            Self::Retried(_) => false,
            Self::Unanswered { settled, .. } => *settled,
        }
    }
}

/// Handles one delivery, from the handler's call to the bus's confirmation.
pub async fn deliver(
    handler: &dyn Handler,
    consumer: &str,
    delivery: &Delivery,
    ports: &Ports,
    policy: &Policy,
) -> Outcome {
    let handled = if delivery.attempt > policy.max_deliver {
        let attempts = delivery.attempt - 1;
        Err(HandleError::Permanent(format!("unacknowledged after {attempts} deliveries")))
    } else {
        let work = handler.handle(&delivery.message);
        keep_alive(work, &*delivery.reply, ports, policy).await
    };
    let (answer, outcome) = match handled {
        Ok(()) => (delivery.reply.ack().await, Outcome::Acknowledged),
        Err(HandleError::Passing(why)) if delivery.attempt < policy.max_deliver => {
            let delay = policy.back_off(delivery.attempt);
            tracing::warn!(consumer, attempt = delivery.attempt, why, "to be delivered again");
            (delivery.reply.nak(delay).await, Outcome::Retried(delay))
        }
        Err(HandleError::Passing(why) | HandleError::Permanent(why)) => {
            tracing::error!(consumer, attempt = delivery.attempt, why, "dead letter");
            match deadletter::put(&*ports.bus, consumer, delivery, &why).await {
                Ok(()) => (delivery.reply.ack().await, Outcome::DeadLettered(why)),
                Err(unsaved) => {
                    let delay = policy.back_off(delivery.attempt);
                    tracing::error!(consumer, %unsaved, "the dead letter is not stored yet");
                    (delivery.reply.nak(delay).await, Outcome::Retried(delay))
                }
            }
        }
    };
    match answer {
        Ok(()) => outcome,
        Err(why) => Outcome::Unanswered { settled: outcome.is_settled(), why },
    }
}

/// Runs the handler, telling the bus at every half of the ack wait that it is still at work.
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
            // Where the bus cannot be told, it delivers again: no harm is done.
            Either::Right(_) => drop(reply.in_progress().await),
        }
    }
}
