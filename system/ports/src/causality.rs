//! Causality: the request or event that caused the work in progress.
//!
//! A correlation id is created by the first HTTP request and travels through every event that
//! follows from it, as the trace id of a W3C `traceparent`. The cause is the id of the request
//! or event being handled now. Both live in a task local, so no signature carries them.

use std::sync::Arc;

use crate::bus::Message;
use crate::entropy::Entropy;

tokio::task_local! {
    static CURRENT: Arc<Causality>;
}

/// The origin of the work in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Causality {
    /// 32 hex digits, shared by everything that follows from one request.
    pub correlation: String,
    /// The id of the request or event being handled.
    pub cause: String,
}

impl Causality {
    /// Creates a new origin.
    pub fn begin(entropy: &dyn Entropy) -> Self {
        let correlation = entropy.hex(16);
        let cause = correlation[..16].to_owned();
        Self { correlation, cause }
    }

    /// Parses a `traceparent` header and attaches this cause; `None` if it is malformed.
    ///
    /// ```
    /// use ports::causality::Causality;
    /// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// let origin = Causality::parse(header, "event-1").unwrap();
    /// assert_eq!(origin.correlation, "4bf92f3577b34da6a3ce929d0e0e4736");
    /// assert!(Causality::parse("nonsense", "event-1").is_none());
    /// ```
    pub fn parse(traceparent: &str, cause: &str) -> Option<Self> {
        let mut parts = traceparent.split('-');
        let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
        let hex = |s: &str, n| s.len() == n && s.bytes().all(|b| b.is_ascii_hexdigit());
        (hex(version, 2) && hex(trace, 32) && hex(span, 16))
            .then(|| Self { correlation: trace.to_ascii_lowercase(), cause: cause.to_owned() })
    }

    /// Returns the origin that a message names. A message without a `traceparent` starts an
    /// origin of its own, derived from its id.
    pub fn of(message: &Message) -> Self {
        let header = message.headers.get("traceparent");
        header.and_then(|header| Self::parse(header, &message.id)).unwrap_or_else(|| Self {
            correlation: correlation_of(&message.id),
            cause: message.id.clone(),
        })
    }

    /// Formats the header for a message caused by this origin; `span` is 16 hex digits, unique
    /// to that message.
    pub fn traceparent(&self, span: &str) -> String {
        format!("00-{}-{span}-01", self.correlation)
    }

    /// Runs `work` as a consequence of this origin.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(Arc::new(self), work).await
    }

    /// Inspects the current origin without cloning the `Arc`; `None` in background work.
    pub fn peek<T>(look: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(|current| look(current)).ok()
    }

    /// Returns the current origin; `None` in background work.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }
}

/// The correlation that begins with a message of this id: the id, or the hex of its bytes where it
/// is no hex, because only hex can travel in a `traceparent`.
fn correlation_of(id: &str) -> String {
    if id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return format!("{:0>32.32}", id.to_ascii_lowercase());
    }
    let hex: String = id.bytes().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{hex:0>32}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_message_with_any_id_begins_an_origin_that_the_next_service_can_read() {
        let long = "ä".repeat(40);
        for id in ["", "outside-OrderCreated", "0123ABCDEF", "0123456789abcdef01234567", &long] {
            let (subject, id) = ("order.created".to_owned(), id.to_owned());
            let payload = Bytes::new();
            let message = Message { subject, id, headers: BTreeMap::new(), payload };
            let origin = Causality::of(&message);
            let sent = origin.traceparent("00f067aa0ba902b7");
            assert_eq!(Causality::parse(&sent, &origin.cause), Some(origin), "{sent}");
        }
    }
}
