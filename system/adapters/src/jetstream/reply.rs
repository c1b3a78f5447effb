//! Replies to a delivery: acknowledgements, each confirmed by the server.
//!
//! A reply that has only left this process could be lost together with the server. So each one
//! waits for its confirmation, and its effect holds from then on.

use std::time::Duration;

use async_nats::Subject;
use async_trait::async_trait;
use bytes::Bytes;

use super::connection::{Connection, RequestError};
use super::wire;
use ports::bus::{BusError, Reply};

/// Replies to one delivery.
pub(super) struct DeliveryReply {
    pub(super) connection: Connection,
    pub(super) stream: String,
    pub(super) consumer: String,
    pub(super) subject: Subject,
}

impl DeliveryReply {
    async fn send(&self, verb: Bytes) -> Result<(), BusError> {
        match self.connection.request(self.subject.to_string(), None, verb).await {
            Ok(_) => Ok(()),
            Err(RequestError::NoResponders) => {
                Err(self.connection.why_unresponsive(&self.stream, &self.consumer).await)
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[async_trait]
impl Reply for DeliveryReply {
    async fn ack(&self) -> Result<(), BusError> {
        self.send(Bytes::from_static(b"+ACK")).await
    }

    async fn nak(&self, delay: Duration) -> Result<(), BusError> {
        self.send(wire::nak(delay)?).await
    }

    async fn in_progress(&self) -> Result<(), BusError> {
        self.send(Bytes::from_static(b"+WPI")).await
    }
}
