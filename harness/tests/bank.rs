//! The example `bank` under `cargo test`: its scenarios in both worlds, its workload and its
//! planted bug.

use std::process::ExitCode;

#[path = "../examples/bank/main.rs"]
#[allow(dead_code, reason = "the `main` of the example stays unused")]
mod bank;

fn main() -> ExitCode {
    harness::test_target::main(bank::Bank, None)
}
