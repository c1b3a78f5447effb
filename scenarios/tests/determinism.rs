//! A seed determines the same run on every machine and in every profile.

use harness::report::trace;
use harness::run;
use harness::search::explore::Plan;
use harness::subject::AnySubject;
use scenarios::Ticketing;
use sha2::{Digest, Sha256};

const SEED: u64 = 42;

/// The SHA-256 of the trace of [`SEED`].
const TRACE: &str = "7c3fd3a9c8202249e8b221b2311ea5518cf381d6fdf58a76f13e11570e1316c7";

#[test]
fn the_trace_of_a_seed_is_the_same_everywhere() {
    let subject = AnySubject::new(Ticketing);
    let scripts = subject.scripts("race").expect("there is a race");
    let case = Plan::all("race", 0..u64::MAX).case(&scripts, SEED);
    let run = run::run(&subject, &case).expect("the harness works");
    assert!(!run.injected().is_empty(), "no fault is injected in the run of seed {SEED}");
    let text = trace::text(&run.trace);
    let digest: String =
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        digest,
        TRACE,
        "the trace of seed {SEED} ({} records) has changed.\n\
         If only this profile, machine or run differs, a decision is made outside the kernel: by \
         a clock, by chance, by an address or by a hash order. Find it.\n\
         If the system, a workload or the trace has changed on purpose, every seed now determines \
         another run: set TRACE to the new digest in the same commit.",
        run.trace.len()
    );
}
