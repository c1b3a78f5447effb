//! The fault points that a subject has, read off its topology and its declared events, and
//! those that a run reached.

use super::{Coverage, Point, read};
use crate::faults::{FaultKind, Operation};
use crate::run::Run;
use crate::subject::AnySubject;

/// All points at which a fault can be injected while clients act: those of every event at each
/// service that receives it, and those of every call.
///
/// Events that no service receives and dead letters are left out. So are naks of broadcast
/// consumers: their handlers make no call that could fail.
pub fn points(subject: &AnySubject) -> Vec<Point> {
    let receives = subject.topology().receives();
    let events = receives.iter().flat_map(|(event, consumer)| Point::of_event(event, consumer));
    let calls = calls(subject);
    let calls = calls.iter().flat_map(|(service, operation, target)| {
        Point::of_call(service, *operation, target, FaultKind::ALL)
    });
    events.chain(calls).collect()
}

/// The calls that services make: service, operation, target.
pub fn calls(subject: &AnySubject) -> Vec<(&'static str, Operation, String)> {
    use Operation as O;
    let mut calls = Vec::new();
    let topology = subject.topology();
    for service in &topology.services {
        for collection in &service.collections {
            let to = |operation| (service.name, operation, (*collection).to_owned());
            calls.extend([O::Open, O::Read, O::Write].map(to));
        }
        for consumer in &service.consumers {
            calls.push((service.name, O::Open, consumer.name.clone()));
            for subject in &consumer.subjects {
                let at = |operation| (service.name, operation, (*subject).to_owned());
                calls.extend([O::Deliver, O::Ack].map(at));
                calls.extend((!consumer.broadcast).then(|| at(O::Nak)));
            }
        }
    }
    let receives = topology.receives();
    for entry in subject.events() {
        if receives.iter().any(|(event, _)| *event == entry.subject) {
            calls.push((entry.from, O::Publish, entry.subject.to_owned()));
        }
    }
    let (_, requests) = subject.external();
    calls.extend(requests.iter().map(|(service, path)| (*service, O::Send, (*path).to_owned())));
    calls
}

/// The points that this run reached. It does not know which are possible: merge it into the
/// coverage of [`points`].
pub fn of_run(subject: &AnySubject, run: &Run) -> Coverage {
    let mut coverage = Coverage::default();
    if !run.injected().is_empty() {
        let ack_wait = run.facts.as_ref().map_or(std::time::Duration::MAX, |facts| facts.ack_wait);
        coverage.add(read(&run.trace, &subject.topology().receives(), ack_wait));
    }
    coverage
}
