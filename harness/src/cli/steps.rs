//! `steps`: the Gherkin steps, of the subject and of the harness.

use anstream::println;

use super::{CommandError, Verdict};
use crate::gherkin::steps;
use crate::report::terminal::DIM;
use crate::subject::AnySubject;

/// Lists the steps by origin and keyword, and then the fault sentences.
pub(super) fn run(subject: &AnySubject) -> Result<Verdict, CommandError> {
    let all = steps::known();
    for (generic, origin) in [(false, subject.name()), (true, "every subject")] {
        let of_origin: Vec<_> = all.iter().filter(|step| step.generic == generic).collect();
        if of_origin.is_empty() {
            continue;
        }
        println!("Steps of {origin}");
        for steps in of_origin.chunk_by(|one, next| one.keyword == next.keyword) {
            println!();
            let texts = steps.iter().map(|step| step.text.as_str());
            texts.for_each(|text| println!("  {DIM}{:<5}{DIM:#} {text}", steps[0].keyword));
        }
        println!();
    }
    println!("Faults at one call, for example at the `next` or the `3rd`\n");
    subject.sentences().forms().for_each(|form| println!("  {DIM}Given{DIM:#} {form}"));
    println!("\n  Each may end in `, {{int}} times in a row`.");
    Ok(Verdict::Held)
}
