//! Fault injection: decided in one place, by the same rules in both worlds, and carried out
//! by decorators around the ports, so that a service cannot tell an injected failure from a
//! real one.
//!
//! A fault is injected into a call because a [`FaultRule`] names the call, because a [`Mix`]
//! drew it, or because the call has a given number ([`Faults::inject_at_call`]). Injected
//! faults are kept as rules that name the exact calls ([`Faults::injected`]), so a run can be
//! replayed without randomness.
//!
//! ```
//! use harness::faults::{Effect, FaultRule, Faults, Operation};
//!
//! // The second write of loans to its collection is stored and reported as failed.
//! let faults = Faults::default();
//! faults.add(FaultRule {
//!     service: Some("loans".to_owned()),
//!     operation: Operation::Write,
//!     target: Some("loans".to_owned()),
//!     skip: 1,
//!     times: 1,
//!     effect: Effect::FailAfter,
//! });
//! // A world runs here. Rules that never matched a call are reported.
//! assert_eq!(faults.not_injected().len(), 1);
//! assert!(faults.injected().is_empty());
//! ```
//!
//! Next: [`rule`] (one fault as data), [`mix`] (random selection), `plan` (the decision for
//! each call), and `store`, `bus`, `http` (the effects on each port); `format` for payloads as
//! another release publishes them.

mod bus;
mod format;
mod http;
mod injector;
pub mod mix;
mod plan;
pub mod rule;
mod store;

use std::sync::Arc;

use platform::catalogue::Entry;
use ports::Ports;

use crate::trace::recorder::Recorder;
use injector::Injector;

pub use mix::{FaultKind, Mix, UnknownKind};
pub use plan::{Faults, GlobalFault};
pub use rule::{Effect, FaultRule, Operation, Port};

impl Faults {
    /// Decorates the ports of the instance that `recorder` belongs to, so that this plan's
    /// faults are injected into its calls. Clock and entropy stay as they are. Faults of the
    /// format need the schemas of the events.
    pub fn decorate(&self, ports: Ports, recorder: &Recorder, events: Arc<[Entry]>) -> Ports {
        let injector = Injector::new(self.clone(), recorder.clone(), Arc::clone(&ports.clock));
        Ports {
            store: Arc::new(store::FaultyStore::new(injector.clone(), ports.store)),
            bus: Arc::new(bus::FaultyBus::new(injector.clone(), ports.bus, events)),
            http: Arc::new(http::FaultyHttp::new(injector, ports.http)),
            ..ports
        }
    }
}

#[cfg(test)]
mod tests;
