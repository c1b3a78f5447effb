//! An open consumer as one instance sees it.

use std::sync::Arc;

use ports::Timestamp;
use ports::bus::{BusError, Stream};

use super::accesses;
use super::connection::Connection;
use super::consumer::Queue;
use crate::access::Access;
use crate::call::Operation;

/// An open consumer. Clones are the same consumer.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) connection: Connection,
    pub(super) stream: Stream,
    /// The consumer's number in its stream.
    pub(super) id: u64,
    pub(super) name: Arc<str>,
    /// Whether the consumer belongs to this instance alone and ends with its subscription.
    pub(super) broadcast: bool,
}

impl Handle {
    pub(super) fn gone(&self) -> BusError {
        BusError::Gone(self.name.to_string())
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
        let mut state = self.connection.broker.state();
        self.connection.kernel.access(accesses::consumers_read);
        let queue = state.log(self.stream).consumer(self.id).ok_or_else(|| self.gone())?;
        Ok(effect(queue, now))
    }
}
