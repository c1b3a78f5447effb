//! Answers to a delivery, each confirmed by the server.
//!
//! An answer that only left this process could be lost with the server: every one waits for
//! its confirmation, so that what it says holds from then on.

use std::time::Duration;

use async_nats::Subject;
use async_trait::async_trait;
use bytes::Bytes;

use super::link::{Failure, Link};
use ports::bus::{BusError, Reply};

/// Answers one delivery.
pub(super) struct Answer {
    pub(super) link: Link,
    pub(super) stream: String,
    pub(super) consumer: String,
    pub(super) to: Subject,
}

impl Answer {
    async fn say(&self, what: Bytes) -> Result<(), BusError> {
        match self.link.request(self.to.to_string(), None, what).await {
            Ok(_) => Ok(()),
            Err(Failure::Absent) => Err(self.link.missing(&self.stream, &self.consumer).await),
            Err(why) => Err(why.into()),
        }
    }
}

#[async_trait]
impl Reply for Answer {
    async fn ack(&self) -> Result<(), BusError> {
        self.say(Bytes::from_static(b"+ACK")).await
    }

    async fn nak(&self, delay: Duration) -> Result<(), BusError> {
        if delay.is_zero() {
            return self.say(Bytes::from_static(b"-NAK")).await;
        }
        self.say(format!("-NAK {{\"delay\":{}}}", delay.as_nanos()).into()).await
    }

    async fn in_progress(&self) -> Result<(), BusError> {
        self.say(Bytes::from_static(b"+WPI")).await
    }
}
