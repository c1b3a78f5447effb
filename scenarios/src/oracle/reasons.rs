//! The reasons for no answer, and for 503.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::faults::{Effect, Operation};
use harness::trace::{InstanceId, RecordKind};
use ports::Timestamp;
use ports::clock::after;
use serde_json::Value;

use super::exchange::Exchange;
use crate::invariants::evidence::{Evidence, Records as _};

/// The time after which a client gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The shortest time after which a service gives up waiting for the external service.
const EXTERNAL_TIMEOUT: Duration = Duration::from_secs(5);

/// A time during which a service could not reach a port.
struct Cut {
    /// `None` for all services.
    service: Option<&'static str>,
    from: Timestamp,
    to: Timestamp,
}

/// The disturbances of a run.
pub(super) struct Reasons {
    crashes: Vec<(usize, InstanceId)>,
    cuts: Vec<Cut>,
    /// Whether a scenario cut off a service, which the trace does not contain.
    is_cut: bool,
    /// The orders whose charge was pending at the provider.
    pending: BTreeSet<String>,
}

impl Reasons {
    pub(super) fn read(evidence: &Evidence<'_>) -> Self {
        let (mut crashes, mut cuts) = (Vec::new(), Vec::new());
        for (mark, record) in evidence.trace.iter().enumerate() {
            match &record.kind {
                RecordKind::Crash | RecordKind::Panic { .. } => {
                    crashes.extend(record.instance.map(|instance| (mark, instance)));
                }
                RecordKind::Fault { operation, effect, .. } => {
                    let (service, lasts) = match effect {
                        Effect::Partition(lasts) => (record.instance.map(|i| i.service), *lasts),
                        Effect::Outage(lasts) => (None, *lasts),
                        _ => continue,
                    };
                    let of_requests = !matches!(operation, Operation::Publish | Operation::Ack);
                    let cut = Cut { service, from: record.at, to: after(record.at, lasts) };
                    cuts.extend(of_requests.then_some(cut));
                }
                _ => {}
            }
        }
        let pending = evidence.ledger().into_iter().filter(|charge| charge.was_pending);
        let pending = pending.map(|charge| charge.order_id).collect();
        Self { crashes, cuts, is_cut: evidence.cuts > 0, pending }
    }

    /// A request stays without an answer only if its instance is lost or too slow.
    pub(super) fn of_silence(&self, exchange: &Exchange<'_>) -> Result<(), String> {
        let meanwhile = exchange.invoked.mark..=exchange.returned.mark;
        let crashed = |(mark, who): &(usize, InstanceId)| {
            Some(*who) == exchange.to && meanwhile.contains(mark)
        };
        let late = exchange.returned.at >= after(exchange.invoked.at, PATIENCE);
        // A call that a fault slows down may last longer than the client waits.
        let slow = late || exchange.failed;
        let lost = exchange.to.is_none() || slow || self.crashes.iter().any(crashed);
        let why = || format!("{exchange}: no answer although its instance did not crash");
        lost.then_some(()).ok_or_else(why)
    }

    /// Whether this is a payment that nobody knows the end of yet.
    fn is_pending(&self, exchange: &Exchange<'_>) -> bool {
        let order = || serde_json::from_slice::<Value>(exchange.body).ok()?.get("orderId").cloned();
        exchange.path == "/api/payments"
            && !self.pending.is_empty()
            && order().is_some_and(|id| {
                id.as_str().is_some_and(|id| self.pending.contains(&id.to_ascii_lowercase()))
            })
    }

    /// A request is answered with 503 only if a call that it made failed.
    pub(super) fn of_unavailability(&self, exchange: &Exchange<'_>) -> Result<(), String> {
        let service = exchange.to.map(|instance| instance.service);
        let cut = self.cuts.iter().any(|cut| {
            (cut.service.is_none() || cut.service == service)
                && cut.from <= exchange.returned.at
                && exchange.invoked.at < cut.to
        });
        // A call of the external service that timed out has no record.
        let timed_out = exchange.returned.at >= after(exchange.invoked.at, EXTERNAL_TIMEOUT);
        let outside = exchange.unanswered_outside || timed_out;
        let failed = exchange.failed || outside || cut || self.is_cut || self.is_pending(exchange);
        let why = || format!("{exchange}: 503 although no call that it made failed");
        failed.then_some(()).ok_or_else(why)
    }
}
