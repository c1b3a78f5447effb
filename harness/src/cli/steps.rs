//! `steps`: the Gherkin steps.

use super::{CommandError, Verdict};
use crate::gherkin::steps;
use crate::subject::AnySubject;

/// Lists the steps, one a line.
pub(super) fn run(subject: &AnySubject) -> Result<Verdict, CommandError> {
    steps::patterns(subject).iter().for_each(|pattern| anstream::println!("{pattern}"));
    Ok(Verdict::Held)
}
