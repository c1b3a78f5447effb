//! Labels of a sequence diagram: values, faults and durations in a few words.

use std::time::Duration;

use bson::{Bson, Document};

use crate::evidence::field::is_bookkeeping;

use crate::faults::Effect;

/// Maximum number of changed fields in a note.
const MAX_CHANGES: usize = 5;

/// Maximum length of a value, in characters.
const MAX_VALUE: usize = 24;

/// The fields that differ from `before`, with their values, in the order of the document.
pub(super) fn changes(
    before: Option<&Document>,
    after: &Document,
    name: &impl Fn(&str) -> String,
) -> Vec<String> {
    let is_changed = |field: &str, value: &Bson| {
        let is_own = field == "_id" || is_bookkeeping(field);
        !is_own && before.and_then(|before| before.get(field)) != Some(value)
    };
    let changed = after.iter().filter(|(field, value)| is_changed(field, value));
    let changed = changed.filter(|(_, value)| before.is_some() || **value != Bson::Null);
    let mut lines: Vec<String> =
        changed.map(|(field, value)| format!("{field}: {}", short(&plain(value, name)))).collect();
    if lines.len() > MAX_CHANGES {
        let omitted = lines.len() - MAX_CHANGES;
        lines.truncate(MAX_CHANGES);
        lines.push(format!("and {omitted} more"));
    }
    lines
}

/// A value in plain text, without the types and quotes of BSON.
fn plain(value: &Bson, name: &impl Fn(&str) -> String) -> String {
    match value {
        Bson::String(text) => name(text),
        Bson::ObjectId(id) => name(&id.to_hex()),
        Bson::DateTime(time) => time.try_to_rfc3339_string().unwrap_or_else(|_| time.to_string()),
        Bson::Document(document) => {
            let fields =
                document.iter().map(|(field, value)| format!("{field} {}", plain(value, name)));
            fields.collect::<Vec<_>>().join(", ")
        }
        Bson::Array(values) if values.is_empty() => "empty".to_owned(),
        Bson::Array(values) => {
            values.iter().map(|value| plain(value, name)).collect::<Vec<_>>().join(", ")
        }
        Bson::Binary(binary) => format!("{} bytes", binary.bytes.len()),
        Bson::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The last digits of an id; other words stay as they are.
pub(super) fn shortened(word: &str) -> String {
    let is_id = word.len() >= 16 && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if is_id { format!("…{}", &word[word.len() - 6..]) } else { word.to_owned() }
}

/// The effect of an injected fault.
pub(super) fn effect(effect: Effect) -> String {
    match effect {
        Effect::Fail => "fails".to_owned(),
        Effect::FailAfter => "succeeds, reported as failed".to_owned(),
        Effect::Vanish => "lost, outcome unknown".to_owned(),
        Effect::Delay(by) => format!("{} late", span(by)),
        Effect::LoseAck => "lost".to_owned(),
        Effect::Redeliver => "redelivered".to_owned(),
        Effect::CrashBefore => "crash before it".to_owned(),
        Effect::CrashAfter => "crash after it".to_owned(),
        Effect::Partition(lasts) => format!("cut off for {}", span(lasts)),
        Effect::Outage(lasts) => format!("unreachable for all for {}", span(lasts)),
        Effect::Jump(by) => format!("clock jumps by {}", span(by)),
        Effect::NewerFormat => "format of a newer release".to_owned(),
        Effect::OlderFormat => "format of an older release".to_owned(),
        Effect::LoseTail(1) => "broker loses its newest message".to_owned(),
        Effect::LoseTail(messages) => format!("broker loses its {messages} newest messages"),
    }
}

/// The lines that are left out.
pub(super) fn gap(lines: usize) -> String {
    match lines {
        1 => "… 1 line omitted …".to_owned(),
        lines => format!("… {lines} lines omitted …"),
    }
}

/// A duration, rounded: 15 min, 1.5 s, 20 ms.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        120.. => format!("{} min", rounded(seconds / 60.0)),
        1.. => format!("{} s", rounded(seconds)),
        0 => format!("{} ms", time.as_millis()),
    }
}

/// A number with one decimal, or none where it is zero.
fn rounded(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
