//! Exhaustive search of small scopes: every distinguishable schedule satisfies every invariant, and
//! a planted bug is found.

use harness::run;
use harness::search::exhaust::{Exhausted, Limit, Scope, exhaust};
use harness::subject::AnySubject;
use scenarios::Ticketing;

fn exhausted(name: &str, bug: Option<&str>) -> Exhausted {
    let subject = AnySubject::new(Ticketing);
    let mut scope = Scope::named(&subject, name).expect("it is a scope of ticketing");
    scope.bug = bug.map(str::to_owned);
    exhaust(&subject, &scope, Limit::default(), |_| {}).expect("the harness works")
}

#[test]
fn two_buyers_never_get_the_same_ticket() {
    let found = exhausted("two-buyers", None);
    assert!(found.complete);
    assert!(found.failures.is_empty(), "{:#?}", found.failures);
    assert!(found.counts.visited > 1, "no call raced: {:?}", found.counts);
}

#[test]
fn the_hold_of_one_of_two_buyers_expires_in_every_schedule() {
    let found = exhausted("two-buyers-one-expiry", None);
    assert!(found.complete);
    assert!(found.failures.is_empty(), "{:#?}", found.failures);
    // After quiescence, only the holder of the ticket makes a difference.
    assert!(found.counts.joined > 0, "{:?}", found.counts);
}

#[test]
fn exhausting_two_buyers_finds_the_look_before_the_insert() {
    let found = exhausted("two-buyers", Some("look-then-insert"));
    assert!(found.complete);
    let failure = &found.failures["one-holder"];
    assert!(failure.count < found.counts.visited, "it fails in every schedule");
    let again = run::run(&AnySubject::new(Ticketing), &failure.case).expect("the harness works");
    let violation = again.violation().expect("the case fails again");
    assert_eq!((violation.invariant.as_str(), &violation.how), ("one-holder", &failure.how));
}

#[test]
fn the_same_scope_twice_takes_the_same_schedules() {
    let (one, other) = (exhausted("two-buyers", None), exhausted("two-buyers", None));
    assert_eq!(one.counts, other.counts);
}

#[test]
fn a_limit_leaves_the_scope_incomplete() {
    let subject = AnySubject::new(Ticketing);
    let scope = Scope::named(&subject, "two-buyers").expect("it is a scope of ticketing");
    let limit = Limit { schedules: Some(2), ..Limit::default() };
    let found = exhaust(&subject, &scope, limit, |_| {}).expect("the harness works");
    assert!(!found.complete);
    assert_eq!(found.counts.visited + found.counts.given_up, 2);
}
