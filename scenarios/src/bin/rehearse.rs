//! The program `rehearse`: the command line of the harness for the ticketing system.

use std::process::ExitCode;

/// A simulation allocates and frees many small documents.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    harness::cli::main(scenarios::Ticketing)
}
