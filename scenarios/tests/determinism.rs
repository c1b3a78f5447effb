//! A seed means the same run on every machine and in every profile.

use harness::trace::json;
use harness::world::World;
use scenarios::races::{draw, simulate_in};
use scenarios::workloads::{race, trouble};
use sha2::{Digest, Sha256};

/// The seed.
const SEED: u64 = 42;

/// The SHA-256 of its trace.
const TRACE: &str = "9e4666709cd972512f0a5bc6d0193eae7afc940e541961cbe1c3ff07936fff73";

#[test]
fn the_trace_of_a_seed_is_the_same_everywhere() {
    let (script, trouble) = (draw(&race::script(10), SEED), draw(&trouble::passing(), SEED));
    let (evidence, world) = simulate_in(&script, SEED, std::convert::identity, &trouble);
    assert!(evidence.is_ok(), "the run of seed {SEED} does not come to rest");
    let text = json::text(&world.trace().records());
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
        world.trace().len()
    );
}
