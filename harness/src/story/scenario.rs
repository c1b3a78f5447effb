//! A case as a Gherkin scenario that repeats the same run, in the scripted steps of
//! [`crate::gherkin`].

use super::fault::Sentences;
use super::seconds;
use crate::case::{Case, Decision, FaultPlan, Schedule};
use crate::script::{Action, Round, Then};
use crate::subject::AnySubject;

/// A feature with one scenario that repeats this exact case. `reorderings` are the decisions
/// that deviate from FIFO, in words, and `end` is the outcome.
pub(super) fn feature(
    subject: &AnySubject,
    case: &Case,
    invariant: Option<&str>,
    reorderings: &[(u32, String)],
    end: &str,
) -> String {
    let mut text = "@simulated-only\nFeature: Found by Rehearsal\n\n".to_owned();
    let title = invariant.map_or("Every invariant holds".to_owned(), |i| subject.statement(i));
    text += &format!("  # {}\n", end.lines().next().unwrap_or_default());
    text += &format!("  Scenario: {title}, in {} {}\n", case.workload, case.seed);
    let mut given = vec![format!("the seed {}", case.seed)];
    given.extend(case.bug.as_ref().map(|bug| format!("the planted bug {bug}")));
    given
        .extend(case.settings.iter().map(|(name, value)| format!("the setting {name} is {value}")));
    given.push(format!("the clients {}", clients(&case.script.clients)));
    if let FaultPlan::Exact(rules) = &case.faults {
        let sentences: &Sentences = subject.sentences();
        given.extend(rules.iter().map(|rule| sentences.of(rule)));
    }
    if let Schedule::Exact(deviations) = &case.schedule
        && !deviations.is_empty()
    {
        given.push(format!("calls run in the order {} from here on", order(deviations)));
    }
    lines(&mut text, "Given", &given);
    for (number, sentence) in reorderings {
        text += &format!("    # {number}: {sentence}\n");
    }
    lines(&mut text, "When", &steps(&case.script.rounds));
    let end = match invariant {
        Some(invariant) => format!("the invariant {invariant} holds"),
        None => "every invariant holds".to_owned(),
    };
    lines(&mut text, "Then", &[end]);
    text
}

/// Steps under their keyword; all but the first one begin with `And`.
fn lines(text: &mut String, keyword: &str, steps: &[String]) {
    for (at, step) in steps.iter().enumerate() {
        let keyword = if at == 0 { keyword } else { "And" };
        *text += &format!("    {keyword} {step}\n");
    }
}

/// `12:2, 31:time`: the numbers of decisions, and each decision.
fn order(deviations: &[(u32, Decision)]) -> String {
    let deviations = deviations.iter().map(|(number, decision)| format!("{number}:{decision}"));
    deviations.collect::<Vec<_>>().join(", ")
}

/// The rounds as steps.
fn steps(rounds: &[Round]) -> Vec<String> {
    let mut steps = Vec::new();
    let mut meeting = None;
    for Round { actions, then } in rounds {
        let together = !actions.is_empty();
        let table = if together { table(actions) } else { String::new() };
        match (meeting.take(), together) {
            (Some(pause), true) => {
                steps.push(format!("at the same moment {} later{table}", seconds(pause)));
            }
            (Some(pause), false) => steps.push(to_the_moment(pause)),
            (None, true) => steps.push(format!("at the same moment{table}")),
            (None, false) => {}
        }
        match *then {
            Then::Go => {}
            Then::Quiesce => steps.push("the system reaches quiescence".to_owned()),
            Then::Pass(pause @ (1 | 60 | 3_600)) => {
                steps.push(format!("{} passes", seconds(pause)));
            }
            Then::Pass(pause) => steps.push(format!("{} pass", seconds(pause))),
            Then::Meet(pause) => meeting = Some(pause),
        }
    }
    steps.extend(meeting.map(to_the_moment));
    steps
}

fn to_the_moment(pause: u32) -> String {
    format!("the clock advances by {}, before the timers due then fire", seconds(pause))
}

/// Actions as the rows of a table, with as many cells each.
fn table(actions: &[Action]) -> String {
    let rows: Vec<Vec<String>> = actions.iter().map(cells).collect();
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

/// An action as the cells of a row.
pub(crate) fn cells(action: &Action) -> Vec<String> {
    match action {
        Action::Do(operation) => operation.cells(),
        Action::Restart(service) => vec![service.clone(), "crashes".into(), "and starts".into()],
        Action::Scale(service) => {
            vec![service.clone(), "gets".into(), "one more instance".into()]
        }
    }
}

/// The action in the cells of a row; `None` where there is none.
pub(crate) fn action(subject: &AnySubject, cells: &[&str]) -> Option<Action> {
    match *cells {
        [service, "crashes", "and starts"] if subject.topology().has(service) => {
            Some(Action::Restart(service.to_owned()))
        }
        [service, "gets", "one more instance"] if subject.topology().has(service) => {
            Some(Action::Scale(service.to_owned()))
        }
        _ => subject.operation_from_cells(cells).map(Action::Do),
    }
}

/// The names of clients as a list: `Anna, Ben and Cleo`.
pub(crate) fn clients(names: &[String]) -> String {
    match names.split_last() {
        None => "nobody".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// The names in a list written by [`clients`].
pub(crate) fn read_clients(list: &str) -> Vec<String> {
    if list == "nobody" {
        return Vec::new();
    }
    let names = list.split(", ").flat_map(|part| part.split(" and "));
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_read_as_they_are_written() {
        for count in 0..5 {
            let names = ["Anna", "Ben", "Cleo", "the administrator"].map(str::to_owned);
            let names = &names[..count.min(4)];
            assert_eq!(read_clients(&clients(names)), names);
        }
    }
}
