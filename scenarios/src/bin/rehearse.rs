//! The program `rehearse`: the ticketing system under the harness.

use std::process::ExitCode;

/// A simulation allocates and frees many small documents.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    harness::cli::main(scenarios::Ticketing)
}
