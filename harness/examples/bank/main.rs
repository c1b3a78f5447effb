//! A bank as a subject of the harness: two services, their clients, and a program with every
//! command. `docs/guide.md` builds it line by line.
//!
//! A transfer is a saga. `transfers` publishes `transfer.requested`; `accounts` debits the
//! source and credits the target, or refuses; `transfers` settles or refuses the transfer.

mod accounts;
mod clients;
mod events;
mod steps;
mod subject;
mod transfers;

use std::process::ExitCode;

pub(crate) use subject::Bank;

fn main() -> ExitCode {
    harness::cli::main(Bank)
}
