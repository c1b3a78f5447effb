//! Every reply is one that the contract allows, in its shape. A 503, or no reply, comes only
//! where a fault was injected.

use serde_json::Value;

use super::Evidence;
use crate::operation::Operation;

/// A status, and the messages that may come with it; none for a status that says it all.
type Answer = (u16, &'static [&'static str]);

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let disturbed = evidence.disturbances() > 0;
    let mut broken = Vec::new();
    for call in evidence.history() {
        let (operation, body) = (call.operation, call.body());
        // Where time has passed, a service was slow, and its client did not wait.
        let disturbed = disturbed || call.returned().0 > call.invoked().0;
        let Some(status) = call.status() else {
            if !disturbed {
                broken.push(format!("{operation}: no reply, and no fault was injected"));
            }
            continue;
        };
        if status == 503 && !disturbed {
            broken.push(format!("{operation}: 503, and no fault was injected"));
        }
        if !is_known(operation, status, body) {
            broken.push(format!("{operation}: {status} {body}, which the contract does not allow"));
        }
    }
    broken
}

fn is_known(operation: &Operation, status: u16, body: &Value) -> bool {
    let answers = expected(operation).iter().chain(&[(401, NONE), (503, NONE)]);
    let mut known = answers.filter(|(known, _)| *known == status);
    let shaped = match status {
        200..=299 => is_shown(body),
        _ => is_error(body),
    };
    shaped && known.any(|(_, messages)| messages.is_empty() || messages.contains(&message(body)))
}

const NONE: &[&str] = &[];

/// The replies that the contract allows, besides 401 and 503.
fn expected(operation: &Operation) -> &'static [Answer] {
    match operation {
        Operation::List { .. } => &[(201, NONE)],
        Operation::Change { .. } => &[(200, NONE), (400, &["Cannot edit a reserved ticket"])],
        Operation::Reserve { .. } => {
            &[(201, NONE), (400, &["Ticket is already reserved"]), (404, NONE)]
        }
        Operation::Cancel { .. } => &[(204, NONE), (400, &["Cannot cancel a completed order"])],
        Operation::Pay { .. } => &[
            (201, NONE),
            (400, &["Cannot pay for a cancelled order", "Order is already paid"]),
            (402, NONE),
            (404, NONE),
        ],
        Operation::Ban { .. } | Operation::Unban { .. } => &[(204, NONE)],
        Operation::LookAtOrders { .. } | Operation::LookAtOrder { .. } => &[(200, NONE)],
        Operation::SignIn { .. } => &[(200, NONE), (403, NONE)],
        Operation::SignUp { .. } => &[(201, NONE), (400, &["Email in use"])],
        // Scenarios assert these replies themselves.
        Operation::SignOut { .. }
        | Operation::ChangeAccount { .. }
        | Operation::Browse { .. }
        | Operation::Send { .. } => &[],
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

/// A resource by its id, without internal fields; or a list of them, or nothing.
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
