//! Which request or event caused what is happening now.
//!
//! A correlation id is born with the first HTTP request and is carried through every event
//! that follows from it, as the trace id of a W3C `traceparent`. The cause is the id of the
//! request or event that is being handled at this moment. Both live in a task local, so no
//! signature carries them.

use std::sync::Arc;

use crate::bus::Message;
use crate::entropy::Entropy;

tokio::task_local! {
    static CURRENT: Arc<Causality>;
}

/// The origin of what is happening now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Causality {
    /// 32 hex digits, the same for all that follows from one request.
    pub correlation: String,
    /// The id of the request or event that is being handled.
    pub cause: String,
}

impl Causality {
    /// A new origin.
    pub fn begin(entropy: &dyn Entropy) -> Self {
        let correlation = entropy.hex(16);
        let cause = correlation[..16].to_owned();
        Self { correlation, cause }
    }

    /// What a `traceparent` header says, with this cause; `None` where it is malformed.
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

    /// The origin that a message names. One without a `traceparent` begins its own, under its
    /// id.
    pub fn of(message: &Message) -> Self {
        let header = message.headers.get("traceparent");
        header.and_then(|header| Self::parse(header, &message.id)).unwrap_or_else(|| Self {
            correlation: format!("{:0>32.32}", message.id),
            cause: message.id.clone(),
        })
    }

    /// The header for what follows; `span` is 16 hex digits of its own.
    pub fn traceparent(&self, span: &str) -> String {
        format!("00-{}-{span}-01", self.correlation)
    }

    /// Runs `work` as a consequence of this origin.
    pub async fn scope<T>(self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(Arc::new(self), work).await
    }

    /// Looks at the origin of what is happening now without copying it.
    pub fn peek<T>(look: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(|current| look(current)).ok()
    }

    /// The origin of what is happening now; `None` in background work.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }
}
