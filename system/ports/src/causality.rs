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
            correlation: format!("{:0>32.32}", message.id),
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
