//! The connection of one instance to the broker.

use super::broker::SimBroker;
use crate::access::Access;
use crate::call::{Call, Operation, Port};
use crate::kernel::Kernel;

/// The broker as one instance reaches it.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) kernel: Kernel,
    pub(super) instance: u32,
    pub(super) broker: SimBroker,
}

impl Connection {
    /// Waits until the scheduler picks this call.
    pub(super) async fn step(&self, operation: Operation, target: &str) {
        let target = target.to_owned();
        self.kernel.step(Call::new(self.instance, Port::Bus, operation, target)).await;
    }

    /// Records accesses, where the scheduler wants them.
    pub(super) fn note(&self, accesses: impl FnOnce() -> Vec<Access>) {
        if self.kernel.records_accesses() {
            accesses().into_iter().for_each(|access| self.kernel.access(|| access));
        }
    }
}
