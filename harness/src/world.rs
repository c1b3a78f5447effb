//! A world: what a test holds. Clients, services that start and crash, faults, time, the
//! trace. There are two, behind one trait, so a scenario does not know which it runs in.

use std::time::Duration;

use async_trait::async_trait;
use bson::Document;
use bytes::Bytes;
use platform::deadletter::DeadLetter;
use ports::Timestamp;
use ports::bus::Message;

use crate::faults::Faults;
use crate::quiescence::NotQuiescent;
use crate::trace::{InstanceId, RecordKind, Trace};

/// What a client gets.
#[derive(Debug, Clone)]
pub enum Reply {
    /// An answer.
    Answer(http::Response<Bytes>),
    /// None: the instance went down, or took too long.
    Unanswered(String),
}

impl Reply {
    /// The status; `None` for no answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) => Some(answer.status().as_u16()),
            Self::Unanswered(_) => None,
        }
    }

    /// The body as JSON; null where there is none.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Answer(answer) => serde_json::from_slice(answer.body()).unwrap_or_default(),
            Self::Unanswered(_) => serde_json::Value::Null,
        }
    }
}

/// Who sends a request, as an extension of it, for the record: services never see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker(pub String);

/// What the record says of a request.
pub(crate) fn requested(
    request: &http::Request<Bytes>,
    number: u64,
    to: Option<InstanceId>,
) -> RecordKind {
    let line = format!("{} {}", request.method(), request.uri());
    let by = request.extensions().get::<Asker>().map(|asker| asker.0.clone());
    RecordKind::Request { number, line, by, to, body: request.body().clone() }
}

/// What the record says of an answer.
pub(crate) fn answered(number: u64, reply: &Reply) -> RecordKind {
    let body = match reply {
        Reply::Answer(answer) => answer.body().clone(),
        Reply::Unanswered(_) => Bytes::new(),
    };
    RecordKind::Answer { number, status: reply.status(), body }
}

/// The world could not do what it was asked to: the harness failed, not the system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WorldError(pub String);

/// What a test holds.
#[async_trait(?Send)]
pub trait World {
    /// Sends these requests at the same moment, through the ingress, and waits for all
    /// answers. A relative URI is enough.
    async fn send(&mut self, requests: Vec<http::Request<Bytes>>) -> Vec<Reply>;

    /// Lets this much time pass.
    async fn pass(&mut self, time: Duration);

    /// Lets this much time pass, and leaves what falls due at its end to happen together with
    /// what comes next, where the world can.
    async fn pass_to(&mut self, time: Duration) {
        self.pass(time).await;
    }

    /// Lets everything that was caused play out; time passes as needed. A service of which no
    /// instance is up keeps it from rest.
    async fn quiesce(&mut self) -> Result<(), NotQuiescent>;

    /// Starts one more instance of a service.
    async fn start(&mut self, service: &str) -> Result<(), WorldError>;

    /// Brings down all instances of a service at once and starts one; where the world can, it
    /// comes up while other things go on.
    async fn restart(&mut self, service: &str) -> Result<(), WorldError> {
        self.crash(service).await;
        self.start(service).await
    }

    /// From now on an instance that a fault brings down starts again by itself, and a start
    /// that fails is tried again, where the world can.
    fn revive(&mut self) {}

    /// Brings down all instances of a service at once; returns how many there were.
    async fn crash(&mut self, service: &str) -> usize;

    /// How many instances of a service are up.
    fn instances(&self, service: &str) -> usize;

    /// The faults of this world.
    fn faults(&self) -> &Faults;

    /// The record so far.
    fn trace(&self) -> &Trace;

    /// The time in this world.
    fn now(&self) -> Timestamp;

    /// Every collection: service and name.
    fn collections(&self) -> Vec<(&'static str, String)>;

    /// The documents of a service's collection, as they lie there.
    async fn documents(
        &mut self,
        service: &str,
        collection: &str,
    ) -> Result<Vec<Document>, WorldError>;

    /// The dead letters so far.
    async fn dead_letters(&mut self) -> Result<Vec<DeadLetter>, WorldError>;

    /// Publishes a message to the event stream as an outsider: no service sent it, so it is
    /// not in the trace.
    async fn publish(&mut self, message: Message) -> Result<(), WorldError>;

    /// Brings everything down and gives back what it took.
    async fn end(&mut self);
}
