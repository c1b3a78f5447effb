//! Every command of the harness on the locks: `cargo run -p locks -- explore race`.

use std::process::ExitCode;

use locks::subject::Locks;

/// The allocator of `rehearse`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    harness::cli::main(Locks)
}
