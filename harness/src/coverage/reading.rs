//! The points that a run reached, read from the faults in its trace and the records around
//! them.

use std::collections::BTreeSet;
use std::time::Duration;

use ports::clock::after;

use super::point::{Mark, Point};
use crate::faults::{Effect, FaultKind, Operation};
use crate::trace::{InstanceId, Record, RecordKind};

/// The consumers of events: pairs of a subject and a consuming service.
pub type Hears = [(&'static str, &'static str)];

/// The points that this trace reached, each once. `ack_wait` is the time after which an
/// acknowledgement counts as late.
pub fn read(trace: &[Record], hears: &Hears, ack_wait: Duration) -> BTreeSet<Point> {
    let mut reached = BTreeSet::new();
    for (at, record) in trace.iter().enumerate() {
        let (RecordKind::Fault { operation, target, effect }, Some(instance)) =
            (&record.kind, record.instance)
        else {
            continue;
        };
        let fault =
            InjectedFault { trace, at, instance, operation: *operation, target, effect: *effect };
        if let Some(kind) = FaultKind::of(*operation, *effect) {
            let (service, target) = (instance.service.to_owned(), target.clone());
            let operation = *operation;
            reached.insert(Point::Call { service, operation, target, fault: kind });
        }
        let mut mark = |event: &str, consumer: &str, mark| {
            let (event, consumer) = (event.to_owned(), consumer.to_owned());
            reached.insert(Point::Event { event, consumer, mark });
        };
        if *operation == Operation::Publish {
            if matches!(effect, Effect::FailAfter | Effect::Vanish) {
                let consumers = hears.iter().filter(|(event, _)| event == target);
                consumers.for_each(|(event, consumer)| mark(event, consumer, Mark::Ambiguous));
            }
        } else if let Some((event, effect)) = fault.on_event(ack_wait) {
            mark(event, instance.service, effect);
        }
    }
    reached
}

/// A fault record in its trace.
struct InjectedFault<'a> {
    trace: &'a [Record],
    at: usize,
    instance: InstanceId,
    operation: Operation,
    target: &'a str,
    effect: Effect,
}

impl<'a> InjectedFault<'a> {
    /// The event that was being consumed, and the effect of the fault on it.
    fn on_event(&self, ack_wait: Duration) -> Option<(&'a str, Mark)> {
        use Effect as E;
        use Operation as O;
        let mark = match (self.operation, self.effect) {
            (O::Ack, E::Redeliver) => Mark::Duplicate,
            (O::Ack, E::LoseAck) => Mark::LostAck,
            (O::Ack, E::Delay(by)) if by > ack_wait => Mark::LateAck,
            (O::Ack, E::FailAfter | E::Vanish) => Mark::Ambiguous,
            (O::Ack, E::CrashBefore | E::CrashAfter) => Mark::CrashAfter,
            (O::Deliver, E::CrashBefore | E::CrashAfter) => Mark::CrashBefore,
            (O::Deliver, E::Delay(by)) if self.is_overtaken(by) => Mark::Reorder,
            (O::Read, E::CrashBefore | E::CrashAfter) | (O::Write, E::CrashBefore) => {
                return Some((self.handled()?, Mark::CrashBefore));
            }
            (O::Write, E::CrashAfter) => return Some((self.handled()?, Mark::CrashAfter)),
            _ => return None,
        };
        Some((self.target, mark))
    }

    /// Whether a message that arrived during the delay was acknowledged before the delay was
    /// over.
    fn is_overtaken(&self, by: Duration) -> bool {
        let before = self.trace[..self.at].iter().rev();
        let held =
            before.filter(|record| record.instance == Some(self.instance)).find_map(|record| {
                match &record.kind {
                    RecordKind::Deliver { consumer, id, subject, .. } if subject == self.target => {
                        Some((consumer, id))
                    }
                    _ => None,
                }
            });
        let Some((consumer, held)) = held else { return false };
        let until = after(self.trace[self.at].at, by);
        let mut arrived: Vec<&String> = Vec::new();
        let meanwhile = self.trace[self.at..].iter().take_while(|record| record.at <= until);
        for record in meanwhile {
            match &record.kind {
                RecordKind::Deliver { consumer: to, id, .. } if to == consumer && id != held => {
                    arrived.push(id);
                }
                RecordKind::Reply { operation: "ack", consumer: from, id, .. }
                    if from == consumer && arrived.contains(&id) =>
                {
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    /// Subject of the message that was being handled; `None` for a request or a task.
    fn handled(&self) -> Option<&'a str> {
        let cause = &self.trace[self.at].origin.as_ref()?.cause;
        self.trace[..self.at].iter().rev().find_map(|record| match &record.kind {
            RecordKind::Deliver { id, subject, .. }
                if id == cause && record.instance == Some(self.instance) =>
            {
                Some(subject.as_str())
            }
            _ => None,
        })
    }
}
