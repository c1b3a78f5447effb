//! What an event is, and the envelope in which it waits in an outbox.
//!
//! An event carries the whole state that its readers copy, with its origin's version, so any
//! one can be applied without those before it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A type of event. The payload is the implementing type as JSON.
pub trait Event:
    Serialize + DeserializeOwned + schemars::JsonSchema + Send + Sync + 'static
{
    /// The name of the type, as `ce-type` and in consumer names: `OrderCreated`.
    const NAME: &'static str;
    /// `noun.verb`, without the namespace: `order.created`.
    const SUBJECT: &'static str;

    /// The id of the aggregate that it is about, as `ce-subject`.
    fn aggregate(&self) -> &str;
}

/// An event on its way: an entry of a document's `outbox` array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The event's id, and the message id that deduplicates it.
    pub id: String,
    /// The event's type.
    pub name: String,
    /// Its subject, without the namespace.
    pub subject: String,
    /// The aggregate that it is about.
    pub aggregate: String,
    /// When it happened, RFC 3339.
    pub time: String,
    /// The origin that it follows from.
    pub traceparent: String,
    /// The payload as it goes out, byte for byte.
    pub payload: String,
}

/// An event that a decision asks for; it gets its id and time when it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emit {
    pub(crate) name: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) aggregate: String,
    pub(crate) payload: String,
}

impl Emit {
    /// Asks for this event.
    pub fn new<E: Event>(event: &E) -> Self {
        Self {
            name: E::NAME,
            subject: E::SUBJECT,
            aggregate: event.aggregate().to_owned(),
            payload: serde_json::to_string(event).expect("an event is plain data"),
        }
    }
}
