//! The format of messages and replies in NATS: the namespace is a prefix of the subject, and
//! the id is a header.
//!
//! A value that would arrive changed is rejected here, never adapted.

use std::str::FromStr;
use std::time::Duration;

use async_nats::header::{HeaderName, HeaderValue};
use async_nats::{HeaderMap, StatusCode};
use bytes::Bytes;

use ports::bus::{BusError, Message, PublishError, check_delay};

/// The header that JetStream deduplicates by.
const ID: &str = "Nats-Msg-Id";

/// The subject and the headers of a message to publish.
pub(super) fn outgoing(
    stream: &str,
    message: &Message,
) -> Result<(String, Option<HeaderMap>), PublishError> {
    message.check()?;
    let rejected = |why: &str| PublishError::Rejected(format!("{}: {why}", message.subject));
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        headers.insert(
            HeaderName::from_str(name).map_err(|_| rejected("invalid header name"))?,
            HeaderValue::from_str(value).map_err(|_| rejected("invalid header value"))?,
        );
    }
    if !message.id.is_empty() {
        headers.insert(ID, HeaderValue::from_str(&message.id).map_err(|_| rejected("invalid id"))?);
    }
    let headers = Some(headers).filter(|headers| !headers.is_empty());
    Ok((format!("{stream}.{}", message.subject), headers))
}

/// A message of the stream as it was published.
pub(super) fn incoming(stream: &str, message: &async_nats::Message) -> Result<Message, BusError> {
    let subject = message.subject.strip_prefix(stream).and_then(|rest| rest.strip_prefix('.'));
    let subject = subject.ok_or_else(|| {
        BusError::Rejected(format!("{} is not a subject of {stream}", message.subject))
    })?;
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

/// A negative acknowledgement that delays the redelivery.
pub(super) fn nak(delay: Duration) -> Result<Bytes, BusError> {
    check_delay(delay)?;
    if delay.is_zero() {
        return Ok(Bytes::from_static(b"-NAK"));
    }
    Ok(format!("-NAK {{\"delay\":{}}}", nanoseconds("the delay", delay)?).into())
}

/// A duration as the server represents it. A longer one would wrap around to a negative one.
pub(super) fn nanoseconds(name: &str, duration: Duration) -> Result<i64, BusError> {
    i64::try_from(duration.as_nanos())
        .map_err(|_| BusError::Rejected(format!("{name} of {duration:?} is longer than 292 years")))
}

/// The status of a message that reports on a pull request instead of delivering.
pub(super) fn status(message: &async_nats::Message) -> Option<StatusCode> {
    message.status.filter(|&status| status != StatusCode::OK)
}

#[cfg(test)]
mod tests {
    use ports::bus::MAX_WAIT;

    use super::*;

    #[test]
    fn a_delay_that_the_server_cannot_represent_is_rejected() {
        assert_eq!(nak(Duration::ZERO), Ok(Bytes::from_static(b"-NAK")));
        let second = Ok(Bytes::from_static(b"-NAK {\"delay\":1000000000}"));
        assert_eq!(nak(Duration::from_secs(1)), second);
        for delay in [MAX_WAIT + Duration::from_nanos(1), Duration::MAX] {
            assert!(matches!(nak(delay), Err(BusError::Rejected(_))), "{delay:?}");
        }
    }
}
