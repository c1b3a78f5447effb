//! The tests of ticketing that every subject has: its scenarios in both worlds, its workloads,
//! its planted bugs and its regressions.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let regressions = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    harness::test_target::main(scenarios::Ticketing, Some(&regressions))
}
