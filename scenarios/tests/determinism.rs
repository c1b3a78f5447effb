//! A seed means the same run on every machine and in every profile.

use harness::report::trace as json;
use scenarios::explore::Plan;
use scenarios::{simulate, workloads};
use sha2::{Digest, Sha256};

/// The seed.
const SEED: u64 = 42;

/// The SHA-256 of its trace.
const TRACE: &str = "7c3fd3a9c8202249e8b221b2311ea5518cf381d6fdf58a76f13e11570e1316c7";

#[test]
fn the_trace_of_a_seed_is_the_same_everywhere() {
    let workload = &workloads::ALL[0];
    let case = Plan::all(workload, 0..u64::MAX).case(&workload.open(), SEED);
    let run = simulate::run(&case).expect("the harness works");
    assert!(!run.injected().is_empty(), "nothing goes wrong in the run of seed {SEED}");
    let text = json::text(&run.trace);
    let digest: String =
        Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        digest,
        TRACE,
        "the trace of seed {SEED} ({} records) is another one.\n\
         If only this profile, machine or run has it, something is decided outside the kernel: \
         a clock, chance, an address or a hash order. Find it.\n\
         If you have changed on purpose what the system does, what a workload draws or what a \
         trace records, every seed now means another run: set TRACE to the new digest in the \
         same commit.",
        run.trace.len()
    );
}
