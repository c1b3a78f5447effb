//! Values, faults and times, in the few words that a diagram has room for.

use std::time::Duration;

use bson::{Bson, Document};

use crate::faults::{Effect, Operation};

/// How many changes a note shows.
const CHANGES: usize = 5;

/// How long a value is at most.
const LONGEST: usize = 24;

/// What the collections keep for themselves.
const OWN: [&str; 3] = ["_id", "outbox", "revision"];

/// The fields that are other than before, with their values, in the order of the document.
pub(super) fn changed(
    before: Option<&Document>,
    now: &Document,
    name: &impl Fn(&str) -> String,
) -> Vec<String> {
    let is_other = |field: &str, value: &Bson| {
        !OWN.contains(&field) && before.and_then(|before| before.get(field)) != Some(value)
    };
    let others = now.iter().filter(|(field, value)| is_other(field, value));
    let others = others.filter(|(_, value)| before.is_some() || **value != Bson::Null);
    let mut lines: Vec<String> =
        others.map(|(field, value)| format!("{field}: {}", said(value, name))).collect();
    if lines.len() > CHANGES {
        let left_out = lines.len() - CHANGES;
        lines.truncate(CHANGES);
        lines.push(format!("and {left_out} more"));
    }
    lines
}

fn said(value: &Bson, name: &impl Fn(&str) -> String) -> String {
    let text = match value {
        Bson::String(text) => name(text),
        Bson::DateTime(time) => time.try_to_rfc3339_string().unwrap_or_else(|_| time.to_string()),
        Bson::Document(document) => {
            let fields = document.iter().map(|(field, value)| {
                let value = said(value, name);
                format!("{field} {value}")
            });
            fields.collect::<Vec<_>>().join(", ")
        }
        Bson::Null => "none".to_owned(),
        other => other.to_string(),
    };
    let mut letters = text.chars();
    let short: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() { short + "…" } else { short }
}

/// An id, short; other words stay as they are.
pub(super) fn shortened(word: &str) -> String {
    let is_id = word.len() >= 16 && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if is_id { format!("…{}", &word[word.len() - 6..]) } else { word.to_owned() }
}

/// An operation, as what somebody does.
pub(super) fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Open => "open",
        Operation::Read => "read",
        Operation::Write => "write",
        Operation::Publish => "publish",
        Operation::Deliver => "deliver",
        Operation::Ack => "ack",
        Operation::Nak => "nak",
        Operation::Send => "send",
    }
}

/// What goes wrong.
pub(super) fn effect(effect: Effect) -> String {
    match effect {
        Effect::Fail => "fails".to_owned(),
        Effect::FailAfter => "done, and reported as failed".to_owned(),
        Effect::Vanish => "lost on the way".to_owned(),
        Effect::Delay(by) => format!("{} late", span(by)),
        Effect::LoseAck => "lost".to_owned(),
        Effect::Redeliver => "delivered once more".to_owned(),
        Effect::CrashBefore => "crash before it".to_owned(),
        Effect::CrashAfter => "crash after it".to_owned(),
        Effect::Partition(lasts) => format!("cut off for {}", span(lasts)),
        Effect::Outage(lasts) => format!("out of reach for all for {}", span(lasts)),
        Effect::Jump(by) => format!("the clock jumps by {}", span(by)),
        Effect::LoseTail(messages) => format!("the newest {messages} messages are lost"),
    }
}

/// A time, rounded for reading: 15 min, 1.5 s, 20 ms.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        120.. => format!("{} min", round(seconds / 60.0)),
        1.. => format!("{} s", round(seconds)),
        0 => format!("{} ms", time.as_millis()),
    }
}

/// To one digit after the point, where there is any.
fn round(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
