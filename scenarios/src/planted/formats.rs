//! Bugs in reading payloads: formats of other releases, which are mixed during a rolling upgrade.

use std::sync::Arc;

use async_trait::async_trait;
use harness::bugs::planting::with_service;
use harness::system::System;
use platform::listen::{HandleError, Handler};
use ports::bus::Message;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ORDER_EVENTS;

/// Denies unknown fields in the orders that payments reads.
pub(super) fn field_unknown(system: System) -> System {
    with_reader::<Closed>(system)
}

/// Requires every field of the orders that payments reads.
pub(super) fn field_missing(system: System) -> System {
    with_reader::<Complete>(system)
}

/// The fields of an order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "the payload is only parsed")]
struct Closed {
    id: String,
    user_id: String,
    status: String,
    expires_at: String,
    ticket: Value,
    reason: Option<String>,
    version: i64,
}

/// The one optional field of an order, which a deserializer of its own makes required.
#[derive(Deserialize)]
#[expect(dead_code, reason = "the payload is only parsed")]
struct Complete {
    #[serde(deserialize_with = "Option::deserialize")]
    reason: Option<String>,
}

/// The system in which payments rejects events of orders that do not parse as this type.
fn with_reader<T: DeserializeOwned + 'static>(system: System) -> System {
    with_service(system, Some(payments::NAME), |service| {
        let of_orders = service.listeners.iter_mut().filter(|l| ORDER_EVENTS.contains(&l.event));
        for listener in of_orders {
            let inner = Arc::clone(&listener.handler);
            listener.handler = Arc::new(Strict { inner, parse: parse::<T> });
        }
    })
}

fn parse<T: DeserializeOwned>(payload: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<T>(payload).map(drop)
}

struct Strict {
    inner: Arc<dyn Handler>,
    parse: fn(&[u8]) -> Result<(), serde_json::Error>,
}

#[async_trait]
impl Handler for Strict {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        (self.parse)(&message.payload).map_err(HandleError::permanent)?;
        self.inner.handle(message).await
    }
}
