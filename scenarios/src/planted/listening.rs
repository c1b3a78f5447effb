//! Mistakes of those who hear of something: with the order in which they hear it, with hearing
//! it twice, and with what they say to the bus.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use harness::system::System;
use platform::listen::{HandleError, Handler};
use platform::task::{Step, StepError, Task, Wake};
use ports::Ports;
use ports::bus::{Group, Message, Stream};
use serde_json::Value;

use super::ORDER_EVENTS;
use harness::bugs::planting::{with_listeners, with_ports, with_service, with_service_and_ports};
use harness::bugs::ports::lying;

/// A failure to handle a message is nobody's concern.
pub(super) fn swallowed_error(system: System) -> System {
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

/// Messages are acknowledged when they are in memory; a task works them off.
pub(super) fn ack_before_write(system: System) -> System {
    with_service(system, Some(tickets::NAME), |service| {
        for listener in service.listeners.iter_mut().filter(|l| l.group == Group::Durable) {
            let queue = Arc::new(Queue {
                event: listener.event,
                inner: Arc::clone(&listener.handler),
                waiting: Mutex::default(),
                wake: Wake::default(),
            });
            listener.handler = Arc::new(Enqueue(Arc::clone(&queue)));
            service.tasks.push(queue);
        }
    })
}

struct Queue {
    event: &'static str,
    inner: Arc<dyn Handler>,
    waiting: Mutex<VecDeque<Message>>,
    wake: Wake,
}

struct Enqueue(Arc<Queue>);

#[async_trait]
impl Handler for Enqueue {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        self.0.waiting.lock().expect("no panic holds this lock").push_back(message.clone());
        self.0.wake.wake();
        Ok(())
    }
}

#[async_trait]
impl Task for Queue {
    fn name(&self) -> String {
        format!("queue of {}", self.event)
    }

    fn wake(&self) -> Wake {
        self.wake.clone()
    }

    async fn step(&self) -> Result<Step, StepError> {
        let next = self.waiting.lock().expect("no panic holds this lock").front().cloned();
        let Some(message) = next else { return Ok(Step::Idle { next: None }) };
        self.inner.handle(&message).await.map_err(StepError::new)?;
        self.waiting.lock().expect("no panic holds this lock").pop_front();
        Ok(Step::Worked)
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
        let arrived = 1000 + self.arrived.fetch_add(1, Ordering::Relaxed);
        let altered = altered(message, |event| {
            if let Some(fence) = event.pointer_mut("/ticket/fence") {
                *fence = arrived.into();
            }
        });
        self.inner.handle(&altered).await
    }
}

/// The copy of a ticket in orders takes over whatever arrives.
pub(super) fn stale_ticket(system: System) -> System {
    let events = &["TicketCreated", "TicketUpdated"];
    with_listeners(system, orders::NAME, events, of_no_version)
}

/// The copy of an order in payments takes over whatever arrives.
pub(super) fn stale_order(system: System) -> System {
    with_listeners(system, payments::NAME, ORDER_EVENTS, of_no_version)
}

/// The beginning of an order arms its timer, although its end was heard of before.
pub(super) fn cancelled_before_created(system: System) -> System {
    with_listeners(system, expiration::NAME, &["OrderCreated"], of_no_version)
}

fn of_no_version(ports: Ports) -> Ports {
    lying(ports, |_, mut document| {
        document.insert("version", -1_i64);
        document
    })
}

/// Time runs from when a timer is set, and not from when the order was made.
pub(super) fn timer_from_arrival(system: System) -> System {
    with_service_and_ports(system, expiration::NAME, |mut service, ports| {
        for listener in &mut service.listeners {
            let (inner, clock) = (Arc::clone(&listener.handler), Arc::clone(&ports.clock));
            let now = move || ports::clock::after(clock.now(), crate::system::WINDOW);
            listener.handler = Arc::new(FromNow { inner, now: Box::new(now) });
        }
        service
    })
}

struct FromNow {
    inner: Arc<dyn Handler>,
    now: Box<dyn Fn() -> ports::Timestamp + Send + Sync>,
}

#[async_trait]
impl Handler for FromNow {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        let due = (self.now)().to_string();
        self.inner.handle(&altered(message, |event| event["expiresAt"] = due.into())).await
    }
}

/// A timer that has fired is armed once more by the next event of its open order.
pub(super) fn timer_armed_again(system: System) -> System {
    with_ports(system, Some(expiration::NAME), |ports| {
        lying(ports, |_, mut timer| {
            timer.insert("fired", false);
            timer
        })
    })
}

/// The copy of a ticket counts its versions itself: each event heard is one more.
pub(super) fn not_idempotent(system: System) -> System {
    with_service_and_ports(system, orders::NAME, |mut service, ports| {
        for listener in service.listeners.iter_mut().filter(|l| l.event == "TicketUpdated") {
            let inner = Arc::clone(&listener.handler);
            listener.handler = Arc::new(Counting { inner, ports: ports.clone() });
        }
        service
    })
}

struct Counting {
    inner: Arc<dyn Handler>,
    ports: Ports,
}

#[async_trait]
impl Handler for Counting {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        let known = known_version(&self.ports, "tickets", message).await?;
        let altered = altered(message, |event| {
            if let Some(version) = known {
                event["version"] = (version + 1).into();
            }
        });
        self.inner.handle(&altered).await
    }
}

/// The copy of an order takes only the very next version: what was heard before, or comes too
/// early, counts as not found.
pub(super) fn applied_is_poison(system: System) -> System {
    next_only(system, None)
}

/// The same, and what fails is published once more, to those who hear events.
pub(super) fn dead_letter_loop(system: System) -> System {
    next_only(system, Some(Duration::from_secs(10)))
}

fn next_only(system: System, again: Option<Duration>) -> System {
    with_service_and_ports(system, payments::NAME, move |mut service, ports| {
        for listener in service.listeners.iter_mut().filter(|l| ORDER_EVENTS.contains(&l.event)) {
            let (inner, ports) = (Arc::clone(&listener.handler), ports.clone());
            listener.handler = Arc::new(NextOnly { inner, ports, again, count: AtomicU64::new(0) });
        }
        service
    })
}

struct NextOnly {
    inner: Arc<dyn Handler>,
    ports: Ports,
    /// After how long what fails is published again.
    again: Option<Duration>,
    count: AtomicU64,
}

#[async_trait]
impl Handler for NextOnly {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        let known = known_version(&self.ports, "orders", message).await?.unwrap_or(-1);
        if payload(message)["version"].as_i64() == Some(known + 1) {
            return self.inner.handle(message).await;
        }
        let Some(pause) = self.again else {
            return Err(HandleError::transient("order not found"));
        };
        self.ports.clock.sleep(pause).await;
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let mut again = message.clone();
        again.id = format!("{:.24}-{number}", message.id);
        again.headers.insert("ce-id".to_owned(), again.id.clone());
        let published = self.ports.bus.publish(Stream::Events, again).await;
        published.map(|_| ()).map_err(HandleError::transient)
    }
}

/// Nobody releases the ticket of an order whose card was declined.
pub(super) fn decline_leaves_hold(system: System) -> System {
    with_service(system, Some(orders::NAME), |service| {
        for listener in service.listeners.iter_mut().filter(|l| l.event == "ChargeUpdated") {
            listener.handler = Arc::new(NoBadNews(Arc::clone(&listener.handler)));
        }
    })
}

struct NoBadNews(Arc<dyn Handler>);

#[async_trait]
impl Handler for NoBadNews {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        if payload(message)["status"] == "failed" {
            return Ok(());
        }
        self.0.handle(message).await
    }
}

/// A ban is a message like any other: one instance of each service hears it.
pub(super) fn ban_heard_by_one(system: System) -> System {
    with_service(system, None, |service| {
        for listener in &mut service.listeners {
            listener.group = Group::Durable;
        }
    })
}

/// An instance that starts does not read back who was banned before.
pub(super) fn ban_forgotten(system: System) -> System {
    with_service(system, None, |service| {
        for listener in service.listeners.iter_mut().filter(|l| l.group == Group::Broadcast) {
            listener.replay = Some(Duration::ZERO);
        }
    })
}

/// The version of the document that an event is about, where it is known.
async fn known_version(
    ports: &Ports,
    collection: &str,
    message: &Message,
) -> Result<Option<i64>, HandleError> {
    let event = payload(message);
    let known = ports.store.get(collection, event["id"].as_str().unwrap_or_default()).await?;
    Ok(known.and_then(|known| known.get_i64("version").ok()))
}

fn payload(message: &Message) -> Value {
    serde_json::from_slice(&message.payload).unwrap_or_default()
}

/// The message with another payload, where it has one that can be read.
fn altered(message: &Message, alter: impl FnOnce(&mut Value)) -> Message {
    let mut altered = message.clone();
    if let Ok(mut event) = serde_json::from_slice::<Value>(&message.payload)
        && event.is_object()
    {
        alter(&mut event);
        altered.payload = event.to_string().into();
    }
    altered
}
