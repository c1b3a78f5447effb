//! A seed and a token determine the same run on every machine and in every profile.

use harness::case::{Case, Token};
use harness::console;
use harness::report::trace;
use harness::run::{self, Run};
use harness::search::explore::Plan;
use harness::subject::AnySubject;
use scenarios::Ticketing;
use sha2::{Digest, Sha256};

/// The seed.
const SEED: u64 = 42;

/// The SHA-256 of its trace.
const TRACE_OF_SEED: &str = "e4fa8ee6ed74c82b4e154071ce5cc2211bb4dc5f7bfda5bd21dac46ea1dda650";

/// A case without chance: a ban is delivered twice to an instance that starts, and its
/// connection breaks.
const TOKEN: &str = "r2.pVHLTsMwEPwVtGcX0apccoPfQDm49oZYceywdlqkyP_OOIWKQ1ErcbJ3d3Ye9kKnKIOP2lJDBx0SKUrMqLZPz7s9CiNuytQsZLzjkBM1b5R7ftB2dMGlLDpHwdZLCBrHKwdqFUmcg63YhbTJLobz3cbKBJ16nHpUV7kwGTFaKUsp4AMKO_QxO06Gqaj_8FaPd9EKp6wF6SmKZUl0txUf47DRefO9d3H1t3RbFHV69nlF8yc4V77EcnQAXDwoihMjERTR1GZABy7fufqcAX_EOwR8IT5vcBM1O8zdyODdKuKu48qMbJa9O7KsCW6o_EBvKO2vKnXa-XO-ZHq2s-ffCdtSvgA";

/// The SHA-256 of its trace.
const TRACE_OF_TOKEN: &str = "ea3185ff424692c32308be7cddf0720ebcacbfbb61afacb2877fc831d4cbd36a";

#[test]
fn the_trace_of_a_seed_is_the_same_everywhere() {
    let subject = AnySubject::new(Ticketing);
    let scripts = subject.scripts("race").expect("there is a race");
    let run = run(&subject, &Plan::all("race", 0..u64::MAX).case(&subject, &scripts, SEED));
    assert!(!run.injected().is_empty(), "no fault is injected in the run of seed {SEED}");
    assert_trace(&run, TRACE_OF_SEED, "TRACE_OF_SEED");
}

#[test]
fn the_trace_of_a_token_is_the_same_everywhere() {
    let subject = AnySubject::new(Ticketing);
    let token: Token = TOKEN.parse().expect("a token");
    let case = token.case().expect("a case").read(&subject).expect("a case of ticketing");
    let run = run(&subject, &case);
    assert_eq!(run.injected().len(), 2, "the case has two faults");
    assert_trace(&run, TRACE_OF_TOKEN, "TRACE_OF_TOKEN");
}

#[test]
fn a_run_that_is_watched_for_its_page_is_the_same_run() {
    let subject = AnySubject::new(Ticketing);
    let token: Token = TOKEN.parse().expect("a token");
    let case = token.case().expect("a case").read(&subject).expect("a case of ticketing");
    let watched = run::run_watched(&subject, &case).expect("the harness works");
    assert!(watched.choices.iter().any(|choice| choice.pending.len() > 1), "calls compete");
    assert_eq!(trace::text(&watched.trace), trace::text(&run(&subject, &case).trace));
    let page = |run| console::page(&subject, run, "rehearse replay");
    let again = run::run_watched(&subject, &case).expect("the harness works");
    assert_eq!(page(&watched), page(&again));
    let loaded = ["src=", "href=\"http", "url(", "@import"];
    let own = page(&watched);
    assert!(!loaded.iter().any(|way| own.contains(way)), "the page loads nothing");
}

fn run(subject: &AnySubject, case: &Case) -> Run {
    run::run(subject, case).expect("the harness works")
}

fn assert_trace(run: &Run, expected: &str, name: &str) {
    let text = trace::text(&run.trace);
    let digest: String =
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        digest,
        expected,
        "the trace ({} records) has changed.\n\
         If only this profile, machine or run differs, a decision is made outside the kernel: by \
         a clock, by chance, by an address or by a hash order. Find it.\n\
         If the system, a workload or the trace has changed on purpose, every seed now determines \
         another run: set {name} to the new digest in the same commit.",
        run.trace.len()
    );
}
