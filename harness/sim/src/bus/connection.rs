//! The connection of one instance to the broker.

use parking_lot::MutexGuard;
use ports::bus::{BusError, StreamLimits};

use super::accesses;
use super::broker::{SimBroker, State};
use crate::access::Access;
use crate::call::{Call, Operation, Port};
use crate::kernel::Kernel;

/// The broker as one instance reaches it.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) kernel: Kernel,
    pub(super) instance: u32,
    pub(super) broker: SimBroker,
    /// The limits that this instance gives to the events, and to the dead letters.
    pub(super) limits: (StreamLimits, StreamLimits),
}

impl Connection {
    /// Waits until the scheduler picks this call.
    pub(super) async fn step(&self, operation: Operation, target: &str) {
        let target = target.to_owned();
        self.kernel.step(Call::new(self.instance, Port::Bus, operation, target)).await;
    }

    /// The state of the broker. Where a message has left a stream since the last call, all calls
    /// depend on this one, which is the first to notice.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let state = self.broker.state();
        if state.expires(self.kernel.now()) {
            self.kernel.access(accesses::consumers_changed);
        }
        state
    }

    /// The state of a broker that has the streams.
    pub(super) fn streams(&self) -> Result<MutexGuard<'_, State>, BusError> {
        let state = self.state();
        if !state.ensured {
            return Err(BusError::Rejected("stream not found".to_owned()));
        }
        Ok(state)
    }

    /// Records accesses, where the scheduler wants them.
    pub(super) fn note(&self, accesses: impl FnOnce() -> Vec<Access>) {
        if self.kernel.records_accesses() {
            accesses().into_iter().for_each(|access| self.kernel.access(|| access));
        }
    }
}
