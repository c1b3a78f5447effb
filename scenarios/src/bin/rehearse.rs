//! The program `rehearse`: see [`scenarios::command`].

use std::process::ExitCode;

fn main() -> ExitCode {
    scenarios::command::main()
}
