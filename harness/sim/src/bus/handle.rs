//! An open consumer as one instance sees it.

use std::sync::Arc;

use ports::Timestamp;
use ports::bus::{BusError, Stream};

use super::accesses;
use super::connection::Connection;
use super::consumer::Queue;
use super::stream::Log;
use crate::access::Access;
use crate::call::Operation;

/// An open consumer. Clones are the same consumer.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) connection: Connection,
    pub(super) stream: Stream,
    /// The consumer's number in its stream when it was opened.
    pub(super) id: u64,
    pub(super) name: Arc<str>,
    /// Whether the consumer belongs to this instance alone and ends with its subscription.
    pub(super) broadcast: bool,
}

impl Handle {
    pub(super) fn gone(&self) -> BusError {
        BusError::Gone(self.name.to_string())
    }

    /// The consumer, unless it is gone. A durable consumer is found by its name, as on the real
    /// server: one that was deleted and created again is the same to its subscribers.
    pub(super) fn find<'a>(&self, log: &'a mut Log) -> Option<&'a mut Queue> {
        let id = if self.broadcast { Some(self.id) } else { log.durable(&self.name) };
        log.consumer(id?)
    }

    /// Records accesses to the consumer of this number in this stream.
    pub(super) fn note(&self, accesses: impl FnOnce(Stream, u64) -> Vec<Access>) {
        self.connection.note(|| accesses(self.stream, self.id));
    }

    /// Waits until the scheduler picks this call, and applies its effect to the consumer.
    pub(super) async fn act<T>(
        &self,
        operation: Operation,
        effect: impl FnOnce(&mut Queue, Timestamp) -> T,
    ) -> Result<T, BusError> {
        self.connection.step(operation, &self.name).await;
        let now = self.connection.kernel.now();
        let mut state = self.connection.state();
        self.connection.kernel.access(accesses::consumers_read);
        let queue = self.find(state.log(self.stream, now)).ok_or_else(|| self.gone())?;
        self.note_if_serving(queue);
        Ok(effect(queue, now))
    }

    /// A call that may serve a request that nobody waits for depends on all others.
    pub(super) fn note_if_serving(&self, queue: &Queue) {
        if queue.serves_by_itself() {
            self.connection.kernel.access(accesses::consumers_changed);
        }
    }
}
