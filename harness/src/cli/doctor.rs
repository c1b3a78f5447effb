//! `doctor`: the sources of real servers, and whether each works on this machine.

use super::{CommandError, Verdict, runtime};

/// Lists the sources. Starts and fetches nothing.
pub(super) fn run() -> Result<Verdict, CommandError> {
    let diagnosis = runtime()?.block_on(servers::doctor()).map_err(CommandError::input)?;
    anstream::println!("{diagnosis}");
    Ok(Verdict::of(diagnosis.chosen.is_some()))
}
