//! `rehearse doctor`: which servers the real world would use, and why.

use servers;

use super::{CommandError, Verdict, runtime};

/// Says what each way to servers comes to here. Starts and fetches nothing.
///
/// # Errors
///
/// When the environment asks for a way that does not exist.
pub fn doctor() -> Result<Verdict, CommandError> {
    let diagnosis = runtime()?.block_on(servers::doctor());
    let diagnosis = diagnosis.map_err(|why| CommandError::Use(why.to_string()))?;
    anstream::println!("{diagnosis}");
    Ok(if diagnosis.chosen.is_some() { Verdict::Held } else { Verdict::Finding })
}
