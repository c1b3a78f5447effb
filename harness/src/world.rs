//! A world: what a run holds. Clients, services that start and crash, faults, time and the
//! trace.
//!
//! There are two implementations, [`Simulated`](crate::simulated::Simulated) and
//! [`Real`](crate::real::Real). Callers hold a `dyn World` and cannot tell which it is. The
//! interface is split by role: [`Drive`] acts as clients and time, [`Operate`] as an operator, and
//! [`Inspect`] only reads.
//!
//! Next: [`crate::system`] for what runs in a world, [`error`] for its failures.

pub mod error;

use std::time::Duration;

use async_trait::async_trait;
use bson::Document;
use bytes::Bytes;
use platform::deadletter::DeadLetter;
use ports::Timestamp;
use ports::bus::Message;
use ports::causality::Causality;

use crate::faults::Faults;
use crate::quiescence::NotQuiescent;
use crate::trace::{InstanceId, RecordKind, Trace};

pub use error::WorldError;

/// The outcome of a request, as its client observes it.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A response arrived.
    Answer(http::Response<Bytes>),
    /// No response arrived, for this reason: no instance serves the path, the instance
    /// crashed, or the client timed out.
    Unanswered(String),
}

impl Reply {
    /// The HTTP status; `None` without a response.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(response) => Some(response.status().as_u16()),
            Self::Unanswered(_) => None,
        }
    }

    /// The body as JSON; null without a response and for a body that is not JSON.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Answer(response) => serde_json::from_slice(response.body()).unwrap_or_default(),
            Self::Unanswered(_) => serde_json::Value::Null,
        }
    }
}

/// Name of the client that sends a request, as a request extension. It goes into the trace;
/// services never see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker(pub String);

/// Gives a request a `traceparent` of its own, as a tracing ingress does, unless its client sent
/// one. Whatever follows from the request carries it.
pub(crate) fn begin_trace(request: &mut http::Request<Bytes>, origin: &Causality, number: u64) {
    if let Ok(header) = origin.traceparent(&format!("{number:016x}")).parse() {
        request.headers_mut().entry("traceparent").or_insert(header);
    }
}

/// The record of a request.
pub(crate) fn request_record(
    request: &http::Request<Bytes>,
    number: u64,
    to: Option<InstanceId>,
) -> RecordKind {
    let line = format!("{} {}", request.method(), request.uri());
    let by = request.extensions().get::<Asker>().map(|asker| asker.0.clone());
    let (headers, body) = (request.headers().clone(), request.body().clone());
    RecordKind::Request { number, line, by, to, headers, body }
}

/// The record of its answer.
pub(crate) fn answer_record(number: u64, reply: &Reply) -> RecordKind {
    let (headers, body) = match reply {
        Reply::Answer(response) => (response.headers().clone(), response.body().clone()),
        Reply::Unanswered(_) => Default::default(),
    };
    RecordKind::Answer { number, status: reply.status(), headers, body }
}

/// Requests and the passing of time.
#[async_trait(?Send)]
pub trait Drive {
    /// Sends these requests concurrently through the ingress and waits for all replies, in
    /// the order of the requests. A relative URI is enough.
    async fn send(&mut self, requests: Vec<http::Request<Bytes>>) -> Vec<Reply>;

    /// Lets this much time pass, and runs the work that falls due.
    async fn pass(&mut self, time: Duration);

    /// As [`pass`](Self::pass), but leaves the work that falls due at the very end of this
    /// time pending, so that it runs concurrently with the next call. Real time cannot be
    /// stopped, so on real servers that work merely begins at about the same time.
    async fn pass_to(&mut self, time: Duration);

    /// Runs all pending work, and the work that it causes, until the system is quiescent (see
    /// [`crate::quiescence`]). Time passes as needed.
    ///
    /// # Errors
    ///
    /// When work is still pending after a limit, or when work is pending while a service has no
    /// instance.
    async fn quiesce(&mut self) -> Result<(), NotQuiescent>;
}

/// Starting, crashing and feeding services.
#[async_trait(?Send)]
pub trait Operate {
    /// Starts one more instance of a service and waits until it is up. Under
    /// [`revive`](Self::revive) it does not wait, because faults can delay a start for long.
    ///
    /// # Errors
    ///
    /// When there is no such service, or it does not start.
    async fn start(&mut self, service: &str) -> Result<(), WorldError>;

    /// Crashes all instances of a service at once and begins to start one, which comes up
    /// while the run continues.
    ///
    /// # Errors
    ///
    /// When there is no such service.
    async fn restart(&mut self, service: &str) -> Result<(), WorldError>;

    /// Crashes all instances of a service at once; returns their number.
    async fn crash(&mut self, service: &str) -> usize;

    /// Deletes the database and the durable consumers of a service that has no instance, so that
    /// its next start is that of a service which is new.
    ///
    /// # Errors
    ///
    /// When there is no such service, or the servers do not answer.
    async fn forget(&mut self, service: &str) -> Result<(), WorldError>;

    /// From now on, replaces an instance that a fault crashes, and retries a start that fails.
    fn revive(&mut self);

    /// Publishes a message to the event stream from outside the system. No service sent it,
    /// so the trace does not record the publish.
    ///
    /// # Errors
    ///
    /// When the bus does not accept it.
    async fn publish(&mut self, message: Message) -> Result<(), WorldError>;
}

/// The state of the world, read-only.
#[async_trait(?Send)]
pub trait Inspect {
    /// Number of running instances of a service.
    fn instances(&self, service: &str) -> usize;

    /// The fault plan.
    fn faults(&self) -> &Faults;

    /// The trace so far.
    fn trace(&self) -> &Trace;

    /// Whether the trace contains the calls of services on their ports.
    fn traces_ports(&self) -> bool {
        true
    }

    /// The number of faults that the trace does not contain.
    fn untraced_faults(&self) -> usize {
        self.faults().cuts_begun()
    }

    /// The world's time.
    fn now(&self) -> Timestamp;

    /// The times that passed although services had calls pending, from and to: none where time
    /// passes by itself.
    fn hurried(&self) -> Vec<(Timestamp, Timestamp)> {
        Vec::new()
    }

    /// Every collection of every service: service and name.
    fn collections(&self) -> Vec<(&'static str, String)>;

    /// The documents of a service's collection, as stored.
    ///
    /// # Errors
    ///
    /// When there is no such service, or its database does not answer.
    async fn documents(
        &mut self,
        service: &str,
        collection: &str,
    ) -> Result<Vec<Document>, WorldError>;

    /// The dead letters so far, oldest first.
    ///
    /// # Errors
    ///
    /// When the bus does not answer.
    async fn dead_letters(&mut self) -> Result<Vec<DeadLetter>, WorldError>;
}

/// A running system, as a run holds it.
#[async_trait(?Send)]
pub trait World: Drive + Operate + Inspect {
    /// Crashes everything and releases the resources of this world.
    async fn end(&mut self);
}
