//! Which fault points the ticketing system has, and which a run reached.
//!
//! It lists and reads; counting is the harness's, and rendering is [`crate::report`]'s.

use std::sync::LazyLock;

use contracts::catalogue;
use harness::coverage::{Coverage, Point, read};
use harness::faults::{FaultKind, Operation};
use platform::run::Policy;

use crate::simulate::Run;

/// The collections of each service.
const COLLECTIONS: [(&str, &str); 6] = [
    ("auth", "users"),
    ("tickets", "tickets"),
    ("orders", "tickets"),
    ("orders", "orders"),
    ("expiration", "timers"),
    ("payments", "orders"),
];

/// What payments asks the provider for.
const PROVIDER: [&str; 2] = ["/v1/charges", "/v1/refunds"];

/// The nouns of the events that every instance hears for itself, and its consumer of them.
const BROADCAST: (&str, &str) = ("user.", "UserBans");

/// Which service hears which event: subject and service.
pub fn hears() -> &'static [(&'static str, &'static str)] {
    static HEARS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
        let entries = catalogue::all().into_iter();
        entries.flat_map(|entry| entry.to.iter().map(move |&to| (entry.subject, to))).collect()
    });
    &HEARS
}

/// All points at which something can go wrong while people act: those of every event where
/// it is heard, and those of every call.
///
/// Left out are events that nobody hears, dead letters, and asking for a ban once more: to
/// hear of a ban takes no call that could fail.
pub fn possible_points() -> Vec<Point> {
    let events = hears().iter().flat_map(|(event, consumer)| Point::of_event(event, consumer));
    let calls = calls();
    let calls = calls.iter().flat_map(|(service, operation, target)| {
        Point::of_call(service, *operation, target, FaultKind::ALL)
    });
    events.chain(calls).collect()
}

/// The calls that services make.
fn calls() -> Vec<(&'static str, Operation, String)> {
    use Operation as O;
    let mut calls = Vec::new();
    for (service, collection) in COLLECTIONS {
        let to = |operation| (service, operation, collection.to_owned());
        calls.extend([O::Open, O::Read, O::Write].map(to));
    }
    for entry in catalogue::all() {
        if !entry.to.is_empty() {
            calls.push((entry.from, O::Publish, entry.subject.to_owned()));
        }
        for &service in entry.to {
            let broadcast = entry.subject.starts_with(BROADCAST.0);
            let consumer = if broadcast { BROADCAST.1 } else { entry.name };
            calls.push((service, O::Open, format!("{service}-{consumer}")));
            let here = |operation| (service, operation, entry.subject.to_owned());
            calls.extend([O::Deliver, O::Ack].map(here));
            calls.extend((!broadcast).then(|| here(O::Nak)));
        }
    }
    calls.extend(PROVIDER.map(|path| ("payments", O::Send, path.to_owned())));
    calls
}

/// What this run reached. It says nothing of what is possible: merge it into the coverage of
/// [`possible_points`].
pub fn of_run(run: &Run) -> Coverage {
    let mut coverage = Coverage::default();
    if !run.injected().is_empty() {
        coverage.add(read(&run.trace, hears(), Policy::default().ack_wait));
    }
    coverage
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::explore::Plan;
    use crate::{simulate, workloads};

    #[test]
    fn every_call_of_a_run_is_foreseen_and_faults_reach_points() {
        let foreseen: BTreeSet<_> = calls().into_iter().collect();
        let mut coverage = Coverage::of(possible_points());
        let mut unforeseen = BTreeSet::new();
        for workload in workloads::ALL {
            let (plan, scripts) = (Plan::all(workload, 0..10), workload.open());
            for seed in plan.seeds.clone() {
                let run = simulate::run(&plan.case(&scripts, seed)).expect("the harness works");
                let calls = run
                    .places
                    .iter()
                    .map(|(service, operation, target, _)| (*service, *operation, target.clone()));
                unforeseen.extend(calls.filter(|call| !foreseen.contains(call)));
                coverage.merge(of_run(&run));
            }
        }
        // Dead letters keep the subject of an event, and some events nobody hears.
        unforeseen.retain(|(_, operation, _)| *operation != Operation::Publish);
        assert!(unforeseen.is_empty(), "add to `calls`: {unforeseen:?}");
        assert!(coverage.reached() > 50, "{} points were reached", coverage.reached());
        assert!(coverage.missing().count() > 0, "a few runs cannot reach everything");
    }
}
