//! The page of one run, in one file that opens from disk: its records, its decisions, and the
//! documents and queues at each of them.

use serde_json::{Value, json};

use super::view::Viewer;
use super::{Style, html, map};
use crate::case::{Case, Decision, PREFIX};
use crate::run::Run;
use crate::story::reorderings::Wording;
use crate::subject::AnySubject;

/// The page of a watched run; `replay` is the command that replays a token.
pub fn page(subject: &AnySubject, run: &Run, replay: &str) -> String {
    let data = data(subject, run, replay).to_string();
    // A text must not end the element that holds it.
    let data = data.replace('<', "\\u003c");
    html(&Style::Whole { data: &data })
}

fn data(subject: &AnySubject, run: &Run, replay: &str) -> Value {
    let mut viewer = Viewer::new(subject);
    let records = run.trace.iter().enumerate();
    let records: Vec<Value> =
        records.map(|(number, record)| viewer.view(number, record).1).collect();
    let violation = run.violation();
    json!({
        "map": map::of(subject, &map::World::Simulated),
        "records": records,
        "choices": choices(subject, run),
        "prefix": PREFIX,
        "unscheduled": unscheduled(&run.exact),
        "replay": replay,
        "state": {
            "now": run.trace.last().map(|record| record.at.to_string()),
            "violation": violation.map(|violation| json!({
                "invariant": subject.statement(&violation.invariant),
                "how": viewer.named(&violation.how),
            })),
        },
    })
}

fn choices(subject: &AnySubject, run: &Run) -> Vec<Value> {
    let names = subject.names(&run.trace);
    let wording = Wording::new(subject, run, &names);
    let choices = run.choices.iter().map(|choice| {
        let calls = choice.pending.iter().map(|call| wording.call(call, choice.mark));
        json!({
            "number": choice.number,
            "mark": choice.mark,
            "calls": calls.collect::<Vec<_>>(),
            "time": choice.timer.is_some(),
            "decision": match choice.decision {
                Decision::Run(position) => json!(position),
                other => json!(other.to_string()),
            },
        })
    });
    choices.collect()
}

/// A case as JSON up to its schedule, which the page adds. Numbers of a script in the page would
/// lose the last digits of a seed.
fn unscheduled(case: &Case) -> String {
    let mut fields = serde_json::to_value(case).expect("a case is plain data");
    fields.as_object_mut().expect("a case has fields").remove("schedule");
    let text = fields.to_string();
    let open = text.strip_suffix('}').expect("an object ends with a brace");
    format!("{open},")
}
