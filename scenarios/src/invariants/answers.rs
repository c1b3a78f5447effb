//! Every reply has a status, a message and a shape that the contract allows. A 503 or a missing
//! reply occurs only in runs with faults.

use contracts::Cents;
use contracts::messages::ALREADY_RESERVED;
use serde_json::Value;

use super::Evidence;
use crate::operation::{Card, Operation};

/// A status and the messages allowed with it; none where any message is allowed.
type Answer = (u16, &'static [&'static str]);

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let disturbed = evidence.disturbances() > 0 || evidence.clients.provider.misbehaviors() > 0;
    let mut broken = Vec::new();
    for call in evidence.history() {
        let (operation, body) = (call.operation, call.body());
        // Virtual time passes during a request only if a service was slow, so it may have timed out.
        let disturbed = disturbed || call.returned().0 > call.invoked().0;
        let Some(status) = call.status() else {
            if !disturbed {
                broken.push(format!("{operation}: no reply although no fault was injected"));
            }
            continue;
        };
        if status == 503 && !disturbed {
            broken.push(format!("{operation}: 503 although no fault was injected"));
        }
        if !is_known(operation, status, body) {
            broken.push(format!("{operation}: {status} {body}, which the contract does not allow"));
        }
    }
    broken
}

fn is_known(operation: &Operation, status: u16, body: &Value) -> bool {
    if matches!(operation, Operation::Send { .. }) {
        // A raw request may be anything, so only the shape of an error is known.
        return status < 400 || is_error(body);
    }
    let answers = expected(operation).iter().chain(&[(401, NONE), (503, NONE)]);
    let mut known = answers.filter(|(known, _)| *known == status);
    let shaped = match status {
        200..=299 => is_shown(body) && !is_unpayable(operation),
        _ => is_error(body),
    };
    let message = message(body);
    let is_refusal_of_input = status == 400 && names_fields(body) && is_typed(operation);
    let is_allowed =
        |(_, messages): &(u16, &[&str])| messages.is_empty() || messages.contains(&message);
    shaped && (is_refusal_of_input || known.any(is_allowed))
}

const NONE: &[&str] = &[];

/// The replies that the contract allows, in addition to 401 and 503.
fn expected(operation: &Operation) -> &'static [Answer] {
    match operation {
        Operation::List { .. } => &[(201, NONE)],
        Operation::Change { .. } => {
            &[(200, NONE), (400, &["Cannot edit a reserved ticket"]), (404, NONE)]
        }
        Operation::Reserve { .. } => &[(201, NONE), (400, &[ALREADY_RESERVED]), (404, NONE)],
        Operation::Cancel { .. } => {
            &[(204, NONE), (400, &["Cannot cancel a completed order"]), (404, NONE)]
        }
        Operation::Pay { .. } => &[
            (201, NONE),
            (400, &["Cannot pay for a cancelled order", "Order is already paid"]),
            (402, NONE),
            (404, NONE),
        ],
        Operation::Ban { .. } | Operation::Unban { .. } => &[(204, NONE), (403, NONE), (404, NONE)],
        Operation::LookAtOrders { .. } | Operation::Browse { .. } => &[(200, NONE)],
        Operation::LookAtOrder { .. } => &[(200, NONE), (404, NONE)],
        Operation::SignIn { email: None, .. } => &[(200, NONE), (403, NONE)],
        Operation::SignIn { .. } => {
            &[(200, NONE), (400, &["Invalid credentials"]), (403, NONE), (429, NONE)]
        }
        Operation::SignUp { .. } => &[(201, NONE), (400, &["Email in use"])],
        Operation::ChangeAccount { .. } => {
            &[(200, NONE), (400, &["Email in use", "Invalid credentials"])]
        }
        Operation::SignOut { .. } | Operation::Send { .. } => &[(200, NONE)],
        // It is no request.
        Operation::Misbehave { .. } => &[],
    }
}

/// Whether the input may be invalid, as scenarios send it on purpose.
fn is_typed(operation: &Operation) -> bool {
    match operation {
        Operation::SignUp { email, .. } | Operation::SignIn { email, .. } => email.is_some(),
        Operation::List { title, price, .. } | Operation::Change { to: title, price, .. } => {
            is_unpayable(operation)
                || title.trim() != title
                || title.is_empty()
                || title.len() > 200
                || !title.chars().all(|letter| letter.is_alphanumeric() || letter.is_ascii())
                || title.chars().any(char::is_control)
                || !price.0.is_number()
        }
        Operation::Pay { card, .. } => *card == Card::Missing,
        Operation::ChangeAccount { .. } | Operation::Browse { .. } => true,
        _ => false,
    }
}

/// Whether the operation asks for a price that the provider does not take.
fn is_unpayable(operation: &Operation) -> bool {
    match operation {
        Operation::List { price, .. } | Operation::Change { price, .. } => {
            !price.cents().is_some_and(Cents::is_price)
        }
        _ => false,
    }
}

/// Whether every error names an input field.
fn names_fields(body: &Value) -> bool {
    let errors = body["errors"].as_array();
    errors.is_some_and(|errors| errors.iter().all(|error| error["field"].is_string()))
}

/// The first message of an error.
fn message(body: &Value) -> &str {
    body["errors"][0]["message"].as_str().unwrap_or_default()
}

fn is_error(body: &Value) -> bool {
    let problems = body["errors"].as_array();
    let has_message =
        |problem: &Value| problem["message"].as_str().is_some_and(|text| !text.is_empty());
    problems.is_some_and(|problems| !problems.is_empty() && problems.iter().all(has_message))
}

/// Whether the body is a resource with an id and without internal fields, a list of them, or
/// empty.
fn is_shown(body: &Value) -> bool {
    match body {
        Value::Null => true,
        Value::Array(all) => all.iter().all(is_shown),
        Value::Object(fields) => {
            let id = fields.get("id").and_then(Value::as_str);
            let hidden = ["_id", "__v", "outbox", "revision", "password"];
            (fields.is_empty() || id.is_some_and(ports::entropy::is_id))
                && !hidden.iter().any(|field| fields.contains_key(*field))
        }
        _ => false,
    }
}
