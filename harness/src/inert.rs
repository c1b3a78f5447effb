//! Ports at which nothing answers: a service built on them declares its parts and never runs.

use std::sync::Arc;
use std::time::Duration;

use ports::{Ports, Timestamp};
use sim::bus::{SimBroker, SimBus};
use sim::clock::SimClock;
use sim::entropy::SimEntropy;
use sim::external::{ExternalService, SimHttp};
use sim::kernel::Kernel;
use sim::scheduler::Fifo;
use sim::store::{SimDatabase, SimStore};

/// The ports for one instance of a service of this name.
pub(crate) fn ports(service: &'static str, external: Arc<dyn ExternalService>) -> Ports {
    let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Fifo));
    let broker = SimBroker::new(Duration::from_secs(1));
    let store = SimStore::new(kernel.clone(), 0, service, SimDatabase::default());
    Ports {
        store: Arc::new(store),
        bus: Arc::new(SimBus::new(kernel.clone(), 0, broker)),
        http: Arc::new(SimHttp { kernel: kernel.clone(), instance: 0, service: external }),
        clock: Arc::new(SimClock(kernel.clone())),
        entropy: Arc::new(SimEntropy::new(kernel, 0)),
    }
}
