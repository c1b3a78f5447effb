//! The clients of a run: how an operation becomes a request, and what a reply teaches.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, header};
use ports::Timestamp;
use serde_json::Value;

use super::operation::Operation;
use crate::evidence::{Documents, Facts};
use crate::quiescence::NotQuiescent;
use crate::world::{Reply, World, WorldError};

/// A POST of this JSON body. A relative path is enough.
///
/// # Panics
///
/// When the path is not one of a URI.
pub fn post(path: &str, body: &Value) -> Request<Bytes> {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    request.body(Bytes::from(body.to_string())).expect("the path is one of a URI")
}

/// The clients of one run with their knowledge, and the external services of that run.
#[async_trait(?Send)]
pub trait Clients: 'static {
    /// The operations of a client.
    type Operation: Operation;
    /// The facts about an operation that are known when it is invoked and that invariants want
    /// later; `()` where there are none.
    type Context: Clone + Default + 'static;

    /// Prepares the clients before faults are injected: signs them up, for instance. The
    /// system reaches quiescence afterwards by itself. Nothing by default.
    ///
    /// # Errors
    ///
    /// When a client cannot be prepared.
    async fn prepare(
        &mut self,
        _clients: &[String],
        _world: &mut dyn World,
    ) -> Result<(), Unprepared> {
        Ok(())
    }

    /// Whether this client is prepared. A scenario prepares the others before they act.
    fn is_prepared(&self, _client: &str) -> bool {
        true
    }

    /// The facts about an operation that is about to be invoked.
    fn context(&self, _operation: &Self::Operation, _now: Timestamp) -> Self::Context {
        Self::Context::default()
    }

    /// Carries out an operation that is no request, such as a change in the behaviour of an
    /// external service; false for any other operation.
    fn arrange(&mut self, _operation: &Self::Operation, _now: Timestamp) -> bool {
        false
    }

    /// The request of an operation; `None` where it makes no sense now, such as a return
    /// of a book that was never lent.
    fn request(&self, operation: &Self::Operation) -> Option<Request<Bytes>>;

    /// Learns from the reply to an operation: the id of what was created, for instance.
    fn learn(&mut self, operation: &Self::Operation, reply: &Reply, now: Timestamp);

    /// Ends all misbehaviour of the external services.
    fn heal(&mut self) {}

    /// The time after which work that is left can be finished, such as a refund that is asked
    /// for again in a minute, although the system is quiescent; `None` where none is left.
    fn unfinished(&self, _documents: &Documents, _now: Timestamp) -> Option<Duration> {
        None
    }

    /// Looks at the system through its API once it is quiescent and the evidence is gathered;
    /// the clients keep what they see for the invariants.
    async fn survey(&mut self, _facts: &Facts, _world: &mut dyn World) {}
}

/// The clients could not be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unprepared {
    /// The system does not reach quiescence.
    #[error(transparent)]
    NotQuiescent(#[from] NotQuiescent),
    /// The world failed.
    #[error(transparent)]
    World(#[from] WorldError),
    /// A client was refused.
    #[error("{client} is refused: {reply}")]
    Refused {
        /// The client.
        client: String,
        /// The reply.
        reply: String,
    },
}
