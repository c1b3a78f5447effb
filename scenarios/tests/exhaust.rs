//! Small scopes, exhausted: every schedule that can make a difference keeps every promise, and
//! a bug that is there is found, because there is nowhere left to hide.

use scenarios::exhaust::{Exhausted, Limit, exhaust, named};
use scenarios::simulate;

fn exhausted(name: &str, bug: Option<&str>) -> Exhausted {
    let mut scope = named(name).expect("a scope of ours").open();
    scope.bug = bug.map(str::to_owned);
    exhaust(&scope, Limit::default(), |_| {}).expect("the harness works")
}

#[test]
fn two_buyers_never_get_the_same_ticket() {
    let found = exhausted("two-buyers", None);
    assert!(found.complete);
    assert!(found.failures.is_empty(), "{:#?}", found.failures);
    assert!(found.counts.visited > 1, "nothing raced: {:?}", found.counts);
}

#[test]
fn the_hold_of_one_of_two_buyers_expires_in_every_schedule() {
    let found = exhausted("two-buyers-one-expiry", None);
    assert!(found.complete);
    assert!(found.failures.is_empty(), "{:#?}", found.failures);
    // Whoever lost and however: what comes after the rest depends on who has the ticket only.
    assert!(found.counts.joined > 0, "{:?}", found.counts);
}

#[test]
fn exhausting_two_buyers_finds_the_look_before_the_insert() {
    let found = exhausted("two-buyers", Some("look-then-insert"));
    assert!(found.complete);
    let failure = &found.failures["one-holder"];
    assert!(failure.count < found.counts.visited, "it fails in every schedule");
    let again = simulate::run(&failure.case).expect("the harness works");
    let broken = again.broken().expect("the case fails again");
    assert_eq!((broken.invariant, &broken.how), ("one-holder", &failure.how));
}

#[test]
fn the_same_scope_twice_takes_the_same_schedules() {
    let (one, other) = (exhausted("two-buyers", None), exhausted("two-buyers", None));
    assert_eq!(one.counts, other.counts);
}

#[test]
fn a_limit_leaves_the_scope_incomplete() {
    let scope = named("two-buyers").expect("a scope of ours").open();
    let limit = Limit { schedules: Some(2), ..Limit::default() };
    let found = exhaust(&scope, limit, |_| {}).expect("the harness works");
    assert!(!found.complete);
    assert_eq!(found.counts.visited + found.counts.given_up, 2);
}
