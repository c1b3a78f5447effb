//! The standard tests of a subject, for ticketing: scenarios in both worlds, workloads, planted bugs
//! and regressions.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let regressions = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    harness::test_target::main(scenarios::Ticketing, Some(&regressions))
}
