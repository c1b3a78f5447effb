//! Which points a run reached, from its record: what struck, and what was going on there.

use std::collections::BTreeSet;
use std::time::Duration;

use ports::clock::after;

use super::{Mark, Point};
use crate::faults::{Effect, FaultKind, Operation};
use crate::trace::{InstanceId, Record, RecordKind};

/// Who hears which event: subject and service.
pub type Hears = [(&'static str, &'static str)];

/// The points that this record shows reached, each once. An acknowledgement that comes later
/// than `ack_wait` is late.
pub fn read(trace: &[Record], hears: &Hears, ack_wait: Duration) -> BTreeSet<Point> {
    let mut reached = BTreeSet::new();
    for (at, record) in trace.iter().enumerate() {
        let (RecordKind::Fault { operation, target, effect }, Some(who)) =
            (&record.what, record.who)
        else {
            continue;
        };
        let inject = Strike { trace, at, who, operation: *operation, target, effect: *effect };
        if let Some(fault) = FaultKind::of(*operation, *effect) {
            let (service, target) = (who.service.to_owned(), target.clone());
            reached.insert(Point::Call { service, operation: *operation, target, fault });
        }
        let mut mark = |event: &str, consumer: &str, mark| {
            let (event, consumer) = (event.to_owned(), consumer.to_owned());
            reached.insert(Point::Event { event, consumer, mark });
        };
        if *operation == Operation::Publish {
            if matches!(effect, Effect::FailAfter | Effect::Vanish) {
                let hear = hears.iter().filter(|(event, _)| event == target);
                hear.for_each(|(event, consumer)| mark(event, consumer, Mark::Ambiguous));
            }
        } else if let Some((event, what)) = inject.at_event(ack_wait) {
            mark(event, who.service, what);
        }
    }
    reached
}

/// A fault where it struck.
struct Strike<'a> {
    trace: &'a [Record],
    at: usize,
    who: InstanceId,
    operation: Operation,
    target: &'a str,
    effect: Effect,
}

impl<'a> Strike<'a> {
    /// The event that it struck where it is heard, and what that means for the event.
    fn at_event(&self, ack_wait: Duration) -> Option<(&'a str, Mark)> {
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

    /// Whether a message that arrived after the one that is held back was acknowledged before
    /// that one goes on.
    fn is_overtaken(&self, by: Duration) -> bool {
        let before = self.trace[..self.at].iter().rev();
        let held = before.filter(|record| record.who == Some(self.who)).find_map(|record| {
            match &record.what {
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
            match &record.what {
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

    /// The subject of the message that was being handled, if one was.
    fn handled(&self) -> Option<&'a str> {
        let cause = &self.trace[self.at].origin.as_ref()?.cause;
        self.trace[..self.at].iter().rev().find_map(|record| match &record.what {
            RecordKind::Deliver { id, subject, .. }
                if id == cause && record.who == Some(self.who) =>
            {
                Some(subject.as_str())
            }
            _ => None,
        })
    }
}
