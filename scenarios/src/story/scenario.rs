//! A case as a scenario in Gherkin: the same run, line by line, with the same steps that the
//! scenario's reader finds in [`crate::steps`].
//!
//! Whatever it writes, those steps read: people, faults, the order of calls, rounds, waits.

use sim::scheduler::Decision;

use super::{fault, promise, rows, time};
use crate::case::{Case, Schedule, Trouble};
use crate::script::{Act, Round, Then};

/// A feature with one scenario that does what this exact case does. `turned` says the
/// decisions that are not the polite one in words, `end` what came of it.
pub(super) fn feature(
    case: &Case,
    invariant: Option<&str>,
    turned: &[(u32, String)],
    end: &str,
) -> String {
    let mut text = "@simulated-only\nFeature: Found in rehearsal\n\n".to_owned();
    let title = invariant.map_or_else(|| "Every promise is kept".to_owned(), promise);
    text += &format!("  # {}\n", end.lines().next().unwrap_or_default());
    text += &format!("  Scenario: {title}, in {} {}\n", case.workload, case.seed);
    let administrated = case.script.is_administrated();
    let mut given = vec![format!("the seed {}", case.seed)];
    given.extend(case.bug.as_ref().map(|bug| format!("the planted bug {bug}")));
    given.push(format!("the company of {}", rows::company(case.script.people, administrated)));
    if let Trouble::Exact(rules) = &case.trouble {
        given.extend(rules.iter().map(fault::sentence));
    }
    if let Schedule::Exact(turns) = &case.schedule
        && !turns.is_empty()
    {
        given.push(format!("calls go on in the order {} from here on", order(turns)));
    }
    lines(&mut text, "Given", &given);
    for (number, sentence) in turned {
        text += &format!("    # {number}: {sentence}\n");
    }
    lines(&mut text, "When", &played(&case.script.rounds));
    let end = match invariant {
        Some(invariant) => format!("the promise {invariant} is kept"),
        None => "every promise is kept".to_owned(),
    };
    lines(&mut text, "Then", &[end]);
    text
}

/// Steps under their keyword, the first with it and the others after «And».
fn lines(text: &mut String, keyword: &str, steps: &[String]) {
    for (at, step) in steps.iter().enumerate() {
        let keyword = if at == 0 { keyword } else { "And" };
        *text += &format!("    {keyword} {step}\n");
    }
}

/// `12:2, 31:1`: the numbers of decisions, and the positions chosen.
fn order(turns: &[(u32, Decision)]) -> String {
    let turns = turns.iter().map(|(number, position)| format!("{number}:{position}"));
    turns.collect::<Vec<_>>().join(", ")
}

/// The rounds as steps.
fn played(rounds: &[Round]) -> Vec<String> {
    let mut steps = Vec::new();
    let mut meeting = None;
    for Round { acts, then } in rounds {
        let together = !acts.is_empty();
        let table = if together { table(acts) } else { String::new() };
        match (meeting.take(), together) {
            (Some(seconds), true) => {
                steps.push(format!("at the same moment {} later{table}", time(seconds)));
            }
            (Some(seconds), false) => steps.push(to_the_moment(seconds)),
            (None, true) => steps.push(format!("at the same moment{table}")),
            (None, false) => {}
        }
        match *then {
            Then::Go => {}
            Then::Settle => steps.push("everything plays out".to_owned()),
            Then::Pass(1) => steps.push("1 second passes".to_owned()),
            Then::Pass(60) => steps.push("1 minute passes".to_owned()),
            Then::Pass(seconds) => steps.push(format!("{} pass", time(seconds))),
            Then::Meet(seconds) => meeting = Some(seconds),
        }
    }
    steps.extend(meeting.map(to_the_moment));
    steps
}

fn to_the_moment(seconds: u32) -> String {
    format!("the moment comes that is {} later", time(seconds))
}

/// Acts as the rows of a table, with as many cells each.
fn table(acts: &[Act]) -> String {
    let rows: Vec<Vec<String>> = acts.iter().map(rows::row).collect();
    let cells = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, at: usize| row.get(at).cloned().unwrap_or_default();
    let widths: Vec<usize> = (0..cells)
        .map(|at| rows.iter().map(|row| cell(row, at).chars().count()).max().unwrap_or(0))
        .collect();
    let mut table = String::new();
    for row in &rows {
        let padded = widths.iter().enumerate();
        let padded = padded.map(|(at, &width)| format!(" {:<width$} |", cell(row, at)));
        table += &format!("\n      |{}", padded.collect::<String>());
    }
    table
}
