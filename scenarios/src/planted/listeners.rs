//! Bugs in listeners: order of arrival, redelivery, acknowledgements and broadcasts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use contracts::{UserSignedOut, UserUpdated};
use harness::system::System;
use parking_lot::Mutex;
use platform::event::Event;
use platform::listen::{HandleError, Handler};
use platform::task::{Step, StepError, Task, Wake};
use ports::Ports;
use ports::bus::{Group, Message, Stream};
use ports::clock::Clock;
use serde_json::Value;

use super::ORDER_EVENTS;
use crate::system::HOLD_WINDOW;
use harness::bugs::planting::{with_listeners, with_ports, with_service, with_service_and_ports};
use harness::bugs::ports::{Updates, at_store, lying};

/// Discards the errors of all handlers.
pub(super) fn swallowed_error(system: System) -> System {
    with_service(system, None, |service| {
        for listener in &mut service.listeners {
            listener.handler = Arc::new(DiscardErrors(Arc::clone(&listener.handler)));
        }
    })
}

struct DiscardErrors(Arc<dyn Handler>);

#[async_trait]
impl Handler for DiscardErrors {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        drop(self.0.handle(message).await);
        Ok(())
    }
}

/// Acknowledges messages once they are queued in memory; a task handles them a moment later.
pub(super) fn ack_before_write(system: System) -> System {
    with_service_and_ports(system, tickets::NAME, |mut service, ports| {
        for listener in service.listeners.iter_mut().filter(|l| l.group == Group::Durable) {
            let queue = Arc::new(Queue {
                event: listener.event,
                inner: Arc::clone(&listener.handler),
                waiting: Mutex::default(),
                wake: Wake::default(),
                clock: Arc::clone(&ports.clock),
            });
            listener.handler = Arc::new(Enqueue(Arc::clone(&queue)));
            service.tasks.push(queue);
        }
        service
    })
}

struct Queue {
    event: &'static str,
    inner: Arc<dyn Handler>,
    waiting: Mutex<VecDeque<Message>>,
    wake: Wake,
    clock: Arc<dyn Clock>,
}

struct Enqueue(Arc<Queue>);

#[async_trait]
impl Handler for Enqueue {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        self.0.waiting.lock().push_back(message.clone());
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
        let next = self.waiting.lock().front().cloned();
        let Some(message) = next else { return Ok(Step::Idle { next: None }) };
        self.clock.sleep(Duration::from_millis(1)).await;
        self.inner.handle(&message).await.map_err(StepError::new)?;
        self.waiting.lock().pop_front();
        Ok(Step::Worked)
    }
}

/// Hides the fencing number of a ticket from the listeners of tickets.
pub(super) fn order_of_arrival(system: System) -> System {
    with_listeners(system, tickets::NAME, ORDER_EVENTS, |ports| {
        lying(ports, |ticket| {
            ticket.insert("fence", -1_i64);
        })
    })
}

/// Drops the version from the filter by which orders replaces its copy of a ticket.
pub(super) fn stale_ticket(system: System) -> System {
    let events = &["TicketCreated", "TicketUpdated"];
    with_listeners(system, orders::NAME, events, |ports| {
        let any_version = Updates(|mut update| {
            update.filter.remove("version");
            update
        });
        at_store(ports, any_version)
    })
}

/// Hides the version of the order copy in payments.
pub(super) fn stale_order(system: System) -> System {
    with_listeners(system, payments::NAME, ORDER_EVENTS, without_version)
}

/// Hides the version of a timer from the listener of `OrderCreated`.
pub(super) fn cancelled_before_created(system: System) -> System {
    with_listeners(system, expiration::NAME, &["OrderCreated"], without_version)
}

fn without_version(ports: Ports) -> Ports {
    lying(ports, |document| {
        document.insert("version", -1_i64);
    })
}

/// Replaces the deadline in each event by one window after its arrival.
pub(super) fn timer_from_arrival(system: System) -> System {
    let window = system.settings.time(&HOLD_WINDOW);
    with_service_and_ports(system, expiration::NAME, move |mut service, ports| {
        for listener in &mut service.listeners {
            let (inner, clock) = (Arc::clone(&listener.handler), Arc::clone(&ports.clock));
            let now = move || ports::clock::after(clock.now(), window);
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

/// Hides from expiration that a timer has fired.
pub(super) fn timer_armed_again(system: System) -> System {
    with_ports(system, Some(expiration::NAME), |ports| {
        lying(ports, |timer| {
            timer.insert("fired", false);
        })
    })
}

/// Replaces the version in `TicketUpdated` by the version of the copy plus one.
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

/// Accepts only the version that follows that of the copy; older and later ones fail.
pub(super) fn applied_is_poison(system: System) -> System {
    next_only(system, None)
}

/// The same, but publishes a rejected event again instead of failing.
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
    /// The delay before a rejected event is published again; `None` to fail instead.
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

/// Ignores failed charges.
pub(super) fn decline_leaves_hold(system: System) -> System {
    with_service(system, Some(orders::NAME), |service| {
        for listener in service.listeners.iter_mut().filter(|l| l.event == "ChargeUpdated") {
            listener.handler = Arc::new(IgnoreFailedCharges(Arc::clone(&listener.handler)));
        }
    })
}

struct IgnoreFailedCharges(Arc<dyn Handler>);

#[async_trait]
impl Handler for IgnoreFailedCharges {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        if payload(message)["status"] == "failed" {
            return Ok(());
        }
        self.0.handle(message).await
    }
}

/// Turns broadcast listeners into durable ones, which share their messages among instances.
pub(super) fn ban_heard_by_one(system: System) -> System {
    with_service(system, None, |service| {
        for listener in &mut service.listeners {
            listener.group = Group::Durable;
        }
    })
}

/// Sets the replay window of broadcast listeners to zero.
pub(super) fn ban_forgotten(system: System) -> System {
    with_service(system, None, |service| {
        for listener in service.listeners.iter_mut().filter(|l| l.group == Group::Broadcast) {
            listener.replay = Some(Duration::ZERO);
        }
    })
}

/// Ignores the end of sessions.
pub(super) fn session_outlives_sign_out(system: System) -> System {
    with_service(system, Some(orders::NAME), |service| {
        for listener in service.listeners.iter_mut().filter(|l| l.group == Group::Broadcast) {
            listener.handler = Arc::new(IgnoreEnds(Arc::clone(&listener.handler)));
        }
    })
}

struct IgnoreEnds(Arc<dyn Handler>);

#[async_trait]
impl Handler for IgnoreEnds {
    async fn handle(&self, message: &Message) -> Result<(), HandleError> {
        if [UserSignedOut::SUBJECT, UserUpdated::SUBJECT].contains(&&*message.subject) {
            return Ok(());
        }
        self.0.handle(message).await
    }
}

/// The version of the copy that an event is about; `None` where there is none.
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

/// The message with its payload changed; unchanged where it is not a JSON object.
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
