//! The limits of a stream: the age at which messages leave it, and the bytes that it holds.
//!
//! The semantics are those of `nats-server` 2.15. A message leaves once it is as old as `max_age`,
//! whether consumers have passed it or not; the server may be some hundred milliseconds late. A
//! full stream refuses a publish instead of dropping old messages (discard policy `new`), as
//! [`PublishError::Unknown`](super::PublishError::Unknown): the server has one code for this and
//! for a message that could not be stored. A repetition of an id that is in the deduplication
//! window is still confirmed. A limit that is lowered later removes what is too old, and no
//! message for its bytes.

use std::time::Duration;

use super::{BusError, MAX_WAIT, Message};

/// The shortest age that the server accepts.
pub const MIN_AGE: Duration = Duration::from_millis(100);

/// The bytes that the file store of the server adds to a message: the head of the record, its
/// checksum, and the length of the headers.
const RECORD: usize = 22 + 8;
const HEADERS_LENGTH: usize = 4;

/// The limits of one stream. Without limits by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamLimits {
    /// The age at which a message leaves; `None` for no limit. At least [`MIN_AGE`] and the
    /// deduplication window of the stream, at most [`MAX_WAIT`].
    pub max_age: Option<Duration>,
    /// The bytes of all messages as [`Message::stored_size`] counts them; `None` for no limit.
    /// More than zero.
    pub max_bytes: Option<u64>,
}

impl StreamLimits {
    /// Holds the limits on these limits, for a stream with this deduplication window.
    ///
    /// # Errors
    /// [`BusError::Rejected`] with the limit that is exceeded.
    pub fn check(&self, window: Duration) -> Result<(), BusError> {
        let rejected = |why: String| Err(BusError::Rejected(why));
        if let Some(age) = self.max_age
            && !(MIN_AGE.max(window)..=MAX_WAIT).contains(&age)
        {
            return rejected(format!(
                "a maximum age of {age:?}: below 100 ms or the deduplication window of {window:?}, \
                 or above 100 years"
            ));
        }
        if self.max_bytes.is_some_and(|bytes| bytes == 0 || i64::try_from(bytes).is_err()) {
            return rejected("a stream holds 1 to 2^63 - 1 bytes".to_owned());
        }
        Ok(())
    }
}

impl Message {
    /// The bytes that a stream counts for this message, whose subject has a prefix of this length.
    #[must_use]
    pub fn stored_size(&self, prefix: usize) -> u64 {
        let headers = match self.headers_size() {
            0 => 0,
            size => HEADERS_LENGTH + size,
        };
        let size = RECORD + prefix + self.subject.len() + headers + self.payload.len();
        size as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn message(id: &str, size: usize) -> Message {
        Message {
            subject: "a".to_owned(),
            id: id.to_owned(),
            headers: BTreeMap::new(),
            payload: vec![0; size].into(),
        }
    }

    /// Read off `nats-server` 2.15.1: `STREAM.INFO` after one publish to `E.a`.
    #[test]
    fn the_size_is_the_one_that_the_server_counts() {
        assert_eq!(message("", 100).stored_size("E.".len()), 133);
        assert_eq!(message("one", 1).stored_size("E.".len()), 68);
    }

    #[test]
    fn limits_that_the_server_refuses_are_rejected() {
        let window = Duration::from_secs(2);
        let age = |age| StreamLimits { max_age: Some(age), max_bytes: None }.check(window);
        let bytes = |bytes| StreamLimits { max_age: None, max_bytes: Some(bytes) }.check(window);
        for sound in [age(window), age(MAX_WAIT), bytes(1), StreamLimits::default().check(window)] {
            assert_eq!(sound, Ok(()));
        }
        let nanosecond = Duration::from_nanos(1);
        let short = StreamLimits { max_age: Some(MIN_AGE - nanosecond), max_bytes: None };
        let wrong = [
            age(window - nanosecond),
            age(MAX_WAIT + nanosecond),
            bytes(0),
            bytes(u64::MAX),
            short.check(Duration::ZERO),
        ];
        for refused in wrong {
            assert!(matches!(refused, Err(BusError::Rejected(_))), "{refused:?}");
        }
    }
}
