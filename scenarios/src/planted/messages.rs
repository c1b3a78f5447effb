//! Mistakes on the way from a write to those who hear of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use async_trait::async_trait;
use harness::system::System;
use platform::Ports;
use platform::listen::{HandleError, Handler};
use platform::ports::bus::{Bus, Message, PublishError, Published, Stream};
use serde_json::Value;

use super::twist::{BusTwist, TwistedBus};
use super::{with_ports, with_service};

fn twisted(ports: Ports, twist: impl BusTwist + 'static) -> Ports {
    Ports { bus: Arc::new(TwistedBus { inner: Arc::clone(&ports.bus), twist }), ..ports }
}

/// Every third event of each instance is lost.
pub(super) fn lost_publish(system: System) -> System {
    with_ports(system, None, |ports| twisted(ports, LoseThird::default()))
}

#[derive(Default)]
struct LoseThird(AtomicU32);

#[async_trait]
impl BusTwist for LoseThird {
    async fn publish(
        &self,
        bus: &dyn Bus,
        stream: Stream,
        message: Message,
    ) -> Result<Published, PublishError> {
        if (self.0.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(3) {
            return Ok(Published { sequence: 0, duplicate: false });
        }
        bus.publish(stream, message).await
    }
}

/// Every event goes out twice, and the bus cannot know that it is one.
pub(super) fn published_twice(system: System) -> System {
    with_ports(system, None, |ports| twisted(ports, Twice))
}

struct Twice;

#[async_trait]
impl BusTwist for Twice {
    async fn publish(
        &self,
        bus: &dyn Bus,
        stream: Stream,
        message: Message,
    ) -> Result<Published, PublishError> {
        let again = Message { id: format!("{}-again", message.id), ..message.clone() };
        bus.publish(stream, message).await?;
        bus.publish(stream, again).await
    }
}

/// A failure to handle a message is nobody's concern.
pub(super) fn early_ack(system: System) -> System {
    with_service(system, None, |service| {
        for listener in &mut service.listeners {
            listener.handler = Arc::new(Careless(Arc::clone(&listener.handler)));
        }
    })
}

struct Careless(Arc<dyn Handler>);

#[async_trait]
impl Handler for Careless {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        drop(self.0.handle(message).await);
        Ok(())
    }
}

/// To tickets every event of an order looks newer than those before it.
pub(super) fn order_of_arrival(system: System) -> System {
    with_service(system, Some(tickets::NAME), |service| {
        let arrived = Arc::new(AtomicI64::new(0));
        for listener in &mut service.listeners {
            let (inner, arrived) = (Arc::clone(&listener.handler), Arc::clone(&arrived));
            listener.handler = Arc::new(Arrival { inner, arrived });
        }
    })
}

struct Arrival {
    inner: Arc<dyn Handler>,
    arrived: Arc<AtomicI64>,
}

#[async_trait]
impl Handler for Arrival {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        let mut message = message.clone();
        let payload = serde_json::from_slice::<Value>(&message.payload);
        if let Ok(mut event) = payload
            && let Some(fence) = event.pointer_mut("/ticket/fence")
        {
            *fence = (1000 + self.arrived.fetch_add(1, Ordering::Relaxed)).into();
            message.payload = event.to_string().into();
        }
        self.inner.handle(&message).await
    }
}
