//! A broken mechanism of ticketing is told as the harm that it does, although no explored run
//! needs to show the harm.

use harness::faults::FaultKind;
use harness::search::causes::causes;
use harness::search::explore::{Plan, explore};
use harness::subject::AnySubject;
use scenarios::Ticketing;

#[test]
fn an_early_acknowledgement_is_told_as_the_hold_that_it_loses() {
    let subject = AnySubject::new(Ticketing);
    let bug = Some("ack-before-write".to_owned());
    let plan = Plan { bug, jobs: 1, first_only: true, ..Plan::all("payment", 1..40) };
    let explored = explore(&subject, &plan, |_| ()).expect("the harness works");
    let failures = || explored.failures.values();
    assert!(failures().all(|failure| failure.invariant == "ack-last"), "{:#?}", explored.failures);

    // Without faults there is no harm to find.
    let plain = causes(&subject, failures(), &[], || ()).expect("the harness works");
    assert_eq!(plain.causes[0].shrunk.invariant, "ack-last");

    let felt = causes(&subject, failures(), FaultKind::ALL, || ()).expect("the harness works");
    let [cause] = &felt.causes[..] else { panic!("{:#?}", felt.causes) };
    assert!(subject.is_harm(&cause.shrunk.invariant), "{}", cause.shrunk.invariant);
    assert!(cause.also.iter().any(|other| other.name == "ack-last"), "{:?}", cause.also);
}
