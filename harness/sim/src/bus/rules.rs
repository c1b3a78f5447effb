//! Validation of messages and consumers, by the rules of the real server: a caller's bug that
//! the server would reject is rejected in simulation too.

use ports::bus::{BusError, Consumer, Message, PublishError};

/// The limit on headers and payload together, in bytes: the real server's default.
const MAX_PAYLOAD: usize = 1024 * 1024;

/// Checks a message to publish.
pub(super) fn publishable(message: &Message) -> Result<(), PublishError> {
    let rejected = |why: &str| Err(PublishError::Rejected(format!("{why}: {}", message.subject)));
    if !is_exact(&message.subject) {
        return rejected("invalid subject");
    }
    if !message.headers.iter().all(|(name, value)| is_header(name) && is_value(value)) {
        return rejected("invalid header");
    }
    if !is_value(&message.id) {
        return rejected("invalid id");
    }
    if size(message) > MAX_PAYLOAD {
        return rejected("too large");
    }
    Ok(())
}

/// Checks a consumer to open.
pub(super) fn openable(consumer: &Consumer) -> Result<(), BusError> {
    let rejected = |why: &str| Err(BusError::Rejected(format!("{}: {why}", consumer.name)));
    let unsound = |c: char| ".*>/\\".contains(c) || c.is_whitespace() || c.is_control();
    if consumer.name.is_empty() || consumer.name.contains(unsound) {
        return rejected("invalid consumer name");
    }
    let subjects = &consumer.subjects;
    if !subjects.iter().all(|subject| is_exact(subject)) {
        return rejected("a filter must be an exact subject");
    }
    if subjects.iter().enumerate().any(|(i, subject)| subjects[..i].contains(subject)) {
        return rejected("filters overlap");
    }
    if consumer.ack_wait.is_zero() || consumer.max_in_flight == 0 || consumer.max_deliver == Some(0)
    {
        return rejected("ack wait, bound in flight and max deliver must be positive");
    }
    Ok(())
}

fn is_exact(subject: &str) -> bool {
    let sound = |token: &str| {
        !token.is_empty()
            && token != "*"
            && token != ">"
            && !token.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    subject.split('.').all(sound)
}

/// Whether this is a valid name for a header. Names that the server reserves are not.
fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_graphic() && b != b':')
        && !name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("Nats-"))
}

fn is_value(value: &str) -> bool {
    // A fast path for plain ASCII: this runs for every header of every message.
    let plain = value.bytes().all(|b| b.is_ascii_graphic());
    plain || (value.trim() == value && !value.contains(char::is_control))
}

/// The size of headers and payload on the wire, in bytes. The id is a header.
fn size(message: &Message) -> usize {
    let line = |name: &str, value: &str| name.len() + value.len() + ": \r\n".len();
    let mut headers: usize = message.headers.iter().map(|(name, value)| line(name, value)).sum();
    if !message.id.is_empty() {
        headers += line("Nats-Msg-Id", &message.id);
    }
    if headers > 0 {
        headers += "NATS/1.0\r\n\r\n".len();
    }
    headers + message.payload.len()
}
