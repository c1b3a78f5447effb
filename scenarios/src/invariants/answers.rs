//! Every answer is one that the contract knows, in its shape; one that says that something is
//! out of order comes only where something was.

use harness::trace::RecordKind;
use serde_json::Value;

use super::Evidence;
use super::evidence::Told;
use crate::script::Act;

/// A status, and the messages that may come with it; none for a status that says it all.
type Answer = (u16, &'static [&'static str]);

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let trouble = |what: &RecordKind| matches!(what, RecordKind::Fault { .. } | RecordKind::Crash);
    let troubled = evidence.trace.iter().any(|record| trouble(&record.kind));
    let mut broken = Vec::new();
    for told in &evidence.told {
        let Told { act, status, body, .. } = told;
        // Where time has passed, somebody was slow, and was not waited for.
        let troubled = troubled || told.until > told.at;
        let Some(status) = *status else {
            if !troubled {
                broken.push(format!("there was no answer although nothing went wrong: {act}"));
            }
            continue;
        };
        if status == 503 && !troubled {
            broken.push(format!("503 although nothing went wrong: {act}"));
        }
        if !is_known(act, status, body) {
            broken.push(format!("{status} {body} is no answer to this: {act}"));
        }
    }
    broken
}

fn is_known(act: &Act, status: u16, body: &Value) -> bool {
    let answers = expected(act).iter().chain(&[(401, NONE), (503, NONE)]);
    let mut known = answers.filter(|(known, _)| *known == status);
    let shaped = match status {
        200..=299 => is_shown(body),
        _ => is_error(body),
    };
    shaped && known.any(|(_, messages)| messages.is_empty() || messages.contains(&message(body)))
}

const NONE: &[&str] = &[];

/// What may be answered, besides that nobody is signed in or that something is out of order.
fn expected(act: &Act) -> &'static [Answer] {
    match act {
        Act::List { .. } => &[(201, NONE)],
        Act::Edit { .. } => &[(200, NONE), (400, &["Cannot edit a reserved ticket"])],
        Act::Reserve { .. } => &[(201, NONE), (400, &["Ticket is already reserved"]), (404, NONE)],
        Act::Cancel { .. } => &[(204, NONE), (400, &["Cannot cancel a completed order"])],
        Act::Pay { .. } => &[
            (201, NONE),
            (400, &["Cannot pay for a cancelled order", "Order is already paid"]),
            (402, NONE),
            (404, NONE),
        ],
        Act::Ban { .. } | Act::Unban { .. } => &[(204, NONE)],
        Act::Look { .. } => &[(200, NONE)],
        Act::SignIn { .. } => &[(200, NONE), (403, NONE)],
        Act::Join { .. } => &[(201, NONE), (400, &["Email in use"])],
        Act::Restart { .. } | Act::Scale { .. } => &[],
    }
}

/// The first message of an error.
fn message(body: &Value) -> &str {
    body["errors"][0]["message"].as_str().unwrap_or_default()
}

fn is_error(body: &Value) -> bool {
    let problems = body["errors"].as_array();
    let told = |problem: &Value| problem["message"].as_str().is_some_and(|text| !text.is_empty());
    problems.is_some_and(|problems| !problems.is_empty() && problems.iter().all(told))
}

/// A resource by its id, without what is nobody's business; or a list of them, or nothing.
fn is_shown(body: &Value) -> bool {
    match body {
        Value::Null => true,
        Value::Array(all) => all.iter().all(is_shown),
        Value::Object(fields) => {
            let id = fields.get("id").and_then(Value::as_str);
            let hidden = ["_id", "__v", "outbox", "revision", "password"];
            id.is_some_and(ports::entropy::is_id)
                && !hidden.iter().any(|field| fields.contains_key(*field))
        }
        _ => false,
    }
}
