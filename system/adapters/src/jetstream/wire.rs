//! Messages as NATS carries them: the namespace before the subject, the id in a header.
//!
//! What would not come back as it went out is refused here, never changed.

use std::str::FromStr;

use async_nats::header::{HeaderName, HeaderValue};
use async_nats::{HeaderMap, StatusCode};

use ports::bus::{BusError, Message, PublishError};

/// The header that deduplicates.
const ID: &str = "Nats-Msg-Id";

/// Whether this is one exact subject: tokens between dots, none empty, no wildcard.
pub(super) fn is_exact(subject: &str) -> bool {
    let sound = |token: &str| {
        !token.is_empty()
            && token != "*"
            && token != ">"
            && !token.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    subject.split('.').all(sound)
}

/// The subject and headers of a message.
pub(super) fn outgoing(
    stream: &str,
    message: &Message,
) -> Result<(String, Option<HeaderMap>), PublishError> {
    let rejected = |what: &str| PublishError::Rejected(format!("{what}: {}", message.subject));
    if !is_exact(&message.subject) {
        return Err(rejected("not a subject"));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        // The server acts on these, and the id among them is the message's.
        if name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("Nats-")) {
            return Err(rejected("a header of the server's own"));
        }
        headers.insert(header_name(name).ok_or_else(|| rejected("not a header name"))?, {
            header_value(value).ok_or_else(|| rejected("not a header value"))?
        });
    }
    if !message.id.is_empty() {
        headers.insert(ID, header_value(&message.id).ok_or_else(|| rejected("not an id"))?);
    }
    let headers = Some(headers).filter(|headers| !headers.is_empty());
    Ok((format!("{stream}.{}", message.subject), headers))
}

/// A message of the stream as it was published.
pub(super) fn incoming(stream: &str, message: &async_nats::Message) -> Result<Message, BusError> {
    let subject = message.subject.strip_prefix(stream).and_then(|rest| rest.strip_prefix('.'));
    let subject = subject
        .ok_or_else(|| BusError::Rejected(format!("{} is not of {stream}", message.subject)))?;
    let mut id = String::new();
    let mut headers = std::collections::BTreeMap::new();
    for (name, values) in message.headers.iter().flat_map(HeaderMap::iter) {
        let Some(value) = values.last() else { continue };
        if AsRef::<str>::as_ref(name) == ID {
            value.as_str().clone_into(&mut id);
        } else {
            headers.insert(name.to_string(), value.as_str().to_owned());
        }
    }
    Ok(Message { subject: subject.to_owned(), id, headers, payload: message.payload.clone() })
}

/// Whether the server tells something about the pull instead of delivering.
pub(super) fn status(message: &async_nats::Message) -> Option<StatusCode> {
    message.status.filter(|&status| status != StatusCode::OK)
}

fn header_name(name: &str) -> Option<HeaderName> {
    let sound = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    sound.then(|| HeaderName::from_str(name).ok()).flatten()
}

fn header_value(value: &str) -> Option<HeaderValue> {
    let sound = value.trim() == value && !value.contains(char::is_control);
    sound.then(|| HeaderValue::from_str(value).ok()).flatten()
}
