//! The program `rehearse`: see [`scenarios::command`].

use std::process::ExitCode;

/// A simulation is made of small documents that come and go.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    scenarios::command::main()
}
