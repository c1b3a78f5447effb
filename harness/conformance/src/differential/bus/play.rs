//! Plays a script on one broker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::{AbortHandle, Abortable, Aborted, BoxFuture, Either, select};
use futures::stream::FuturesUnordered;
use ports::Timestamp;
use ports::bus::{
    Bus, BusError, Delivery, Group, Message, PublishError, Reply, Stream, Subscription,
};
use ports::clock::{Clock, after};

use super::script::{SLOT, Script, What};

/// A broker to play on.
pub(super) struct World {
    /// The bus as each instance sees it.
    pub(super) buses: Vec<Arc<dyn Bus>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) operator: Arc<dyn Operator>,
    /// Whether a subscription that another replaces is closed after that one is open. A close
    /// travels by itself, so the server may hear of it late.
    pub(super) closes_late: bool,
}

/// Someone who deletes what services use.
#[async_trait]
pub(super) trait Operator: Send + Sync {
    async fn delete_streams(&self) -> Result<(), BusError>;
    async fn delete_consumer(&self, name: &str) -> Result<(), BusError>;
}

/// A played script.
#[derive(Debug)]
pub(super) struct Played {
    /// The outcome of each call, and last the counts at the end.
    pub(super) outcomes: Vec<String>,
    /// The longest time by which a call was late or lasted.
    pub(super) late: Duration,
}

/// Plays a script, each call later by its delay.
pub(super) async fn play(script: Script, world: World, delays: Vec<Duration>) -> Played {
    let mut player = Player::new(world, script.0.len());
    let ensured = player.world.buses[0].ensure().await;
    let mut at = after(player.world.clock.now(), SLOT);
    for (number, call) in script.0.into_iter().enumerate() {
        at = after(at, SLOT * call.slots);
        let planned = after(at, delays.get(number).copied().unwrap_or_default());
        player.until(planned).await;
        player.outcomes[number] = player.perform(number, call.what).await;
        player.note_lateness(planned);
    }
    // Longer than any wait and any delay.
    player.until(after(at, SLOT * 6)).await;
    let counts = player.counts(0).await;
    player.outcomes.push(format!("{ensured:?} {counts}"));
    Played { outcomes: player.outcomes, late: player.late }
}

/// A subscription that waits in vain or receives.
type Waited = (usize, usize, Box<dyn Subscription>, Option<Result<Delivery, BusError>>);

/// A subscription, and the consumer that it belongs to.
struct Place {
    name: String,
    /// `None` while it waits.
    idle: Option<Box<dyn Subscription>>,
    /// Ends its wait together with the subscription.
    waiting: Option<AbortHandle>,
}

/// A received delivery.
struct Received {
    reply: Box<dyn Reply>,
    name: String,
    /// The number of consumers that had its name before.
    generation: u32,
}

struct Player {
    world: World,
    places: BTreeMap<usize, Place>,
    waits: FuturesUnordered<BoxFuture<'static, Result<Waited, Aborted>>>,
    received: Vec<Received>,
    /// By name of a durable consumer: how often it was deleted, and whether it exists.
    generations: BTreeMap<String, (u32, bool)>,
    published: u32,
    outcomes: Vec<String>,
    late: Duration,
}

impl Player {
    fn new(world: World, calls: usize) -> Self {
        Self {
            world,
            places: BTreeMap::new(),
            waits: FuturesUnordered::new(),
            received: Vec::new(),
            generations: BTreeMap::new(),
            published: 0,
            outcomes: vec![String::new(); calls],
            late: Duration::ZERO,
        }
    }

    fn note_lateness(&mut self, planned: Timestamp) {
        let late = self.world.clock.now().duration_since(planned);
        self.late = self.late.max(Duration::try_from(late).unwrap_or_default());
    }

    /// Lets waits go on until this time.
    async fn until(&mut self, at: Timestamp) {
        let clock = Arc::clone(&self.world.clock);
        let mut pause = std::pin::pin!(clock.sleep_until(at));
        while !self.waits.is_empty() {
            match select(self.waits.next(), &mut pause).await {
                Either::Left((Some(Ok(waited)), _)) => self.end_wait(waited),
                Either::Left(_) => {}
                Either::Right(_) => {
                    self.note_lateness(at);
                    return;
                }
            }
        }
        pause.await;
        self.note_lateness(at);
    }

    fn end_wait(&mut self, (number, place, subscription, outcome): Waited) {
        let Some(place) = self.places.get_mut(&place) else { return };
        (place.idle, place.waiting) = (Some(subscription), None);
        self.outcomes[number] = match outcome {
            None => "nothing".to_owned(),
            Some(Err(error)) => failed(&error).to_owned(),
            Some(Ok(Delivery { message, sequence, attempt, reply, .. })) => {
                let name = place.name.clone();
                let generation = self.generations.get(&name).map_or(0, |&(number, _)| number);
                self.received.push(Received { reply, name, generation });
                let text = String::from_utf8_lossy(&message.payload).into_owned();
                format!("message {text} at {sequence}, {}, attempt {attempt}", message.subject)
            }
        };
    }

    async fn perform(&mut self, number: usize, what: What) -> String {
        match what {
            What::Publish { instance, subject, id } => self.publish(instance, subject, id).await,
            What::Open { place, instance, consumer } => {
                if self.places.get(&place).is_some_and(|place| place.waiting.is_some()) {
                    return "not idle".to_owned();
                }
                let replaced = self.places.remove(&place);
                let closing = replaced.filter(|_| self.world.closes_late);
                let (name, durable) = (consumer.name.clone(), consumer.group == Group::Durable);
                let opened = self.world.buses[instance].subscribe(consumer).await;
                drop(closing);
                let subscription = match opened {
                    Ok(subscription) => subscription,
                    Err(error) => return failed(&error).to_owned(),
                };
                if durable {
                    self.generations.entry(name.clone()).or_insert((0, false)).1 = true;
                }
                let backlog = subscription.backlog();
                let opened = Place { name, idle: Some(subscription), waiting: None };
                self.places.insert(place, opened);
                format!("backlog {backlog}")
            }
            What::Close { place } => {
                let closed = self.places.remove(&place);
                closed.and_then(|place| place.waiting).iter().for_each(AbortHandle::abort);
                String::new()
            }
            What::Next { place, limit } => self.begin_wait(number, place, limit),
            What::Ack { delivery } => match self.delivery(delivery) {
                Some(received) => replied(received.reply.ack().await),
                None => "no such delivery".to_owned(),
            },
            What::Nak { delivery, delay } => match self.delivery(delivery) {
                Some(received) => replied(received.reply.nak(delay).await),
                None => "no such delivery".to_owned(),
            },
            What::Progress { delivery } => match self.delivery(delivery) {
                Some(received) => replied(received.reply.in_progress().await),
                None => "no such delivery".to_owned(),
            },
            What::Pending { instance } => self.counts(instance).await,
            What::Remove { instance, sequence } => {
                match self.world.buses[instance].remove(Stream::Events, sequence).await {
                    Ok(true) => "removed".to_owned(),
                    Ok(false) => "nothing to remove".to_owned(),
                    Err(error) => failed(&error).to_owned(),
                }
            }
            What::DeleteConsumer { name } => {
                self.forget(|durable| durable == name);
                replied(self.world.operator.delete_consumer(name).await)
            }
            What::DeleteStreams => {
                self.forget(|_| true);
                replied(self.world.operator.delete_streams().await)
            }
            What::Ensure { instance } => replied(self.world.buses[instance].ensure().await),
        }
    }

    async fn publish(&mut self, instance: usize, subject: &str, id: &str) -> String {
        self.published += 1;
        let message = Message {
            subject: subject.to_owned(),
            id: id.to_owned(),
            headers: BTreeMap::new(),
            payload: Bytes::from(self.published.to_string()),
        };
        match self.world.buses[instance].publish(Stream::Events, message).await {
            Ok(published) if published.duplicate => format!("duplicate of {}", published.sequence),
            Ok(published) => format!("message {} at {}", self.published, published.sequence),
            Err(PublishError::Unavailable(_)) => "unavailable".to_owned(),
            Err(PublishError::Unknown(_)) => "unknown".to_owned(),
            Err(PublishError::Rejected(_)) => "rejected".to_owned(),
        }
    }

    fn begin_wait(&mut self, number: usize, at: usize, limit: Duration) -> String {
        let Some(place) = self.places.get_mut(&at) else { return "not open".to_owned() };
        let Some(mut subscription) = place.idle.take() else { return "waits already".to_owned() };
        let clock = Arc::clone(&self.world.clock);
        let wait = async move {
            let outcome = clock.within(limit, subscription.next()).await;
            (number, at, subscription, outcome)
        };
        let (handle, registration) = AbortHandle::new_pair();
        place.waiting = Some(handle);
        self.waits.push(Box::pin(Abortable::new(wait, registration)));
        "no end".to_owned()
    }

    /// The delivery of this number. Not one of a deleted consumer while another has its name: to
    /// an acknowledgement of what that one has not delivered, the server gives no answer at all.
    fn delivery(&self, number: usize) -> Option<&Received> {
        let count = self.received.len();
        let latest = count.checked_sub(1)?;
        let received = &self.received[if number == usize::MAX { latest } else { number % count }];
        match self.generations.get(&received.name) {
            Some(&(generation, true)) if generation != received.generation => None,
            _ => Some(received),
        }
    }

    fn forget(&mut self, deleted: impl Fn(&str) -> bool) {
        for (name, (generation, exists)) in &mut self.generations {
            if deleted(name) && *exists {
                (*generation, *exists) = (*generation + 1, false);
            }
        }
    }

    async fn counts(&self, instance: usize) -> String {
        match self.world.buses[instance].pending().await {
            Ok(all) => all
                .iter()
                .map(|of| format!("{} {}/{}", of.consumer, of.undelivered, of.unacknowledged))
                .collect::<Vec<_>>()
                .join(", "),
            Err(error) => failed(&error).to_owned(),
        }
    }
}

fn replied(result: Result<(), BusError>) -> String {
    result.map_or_else(|error| failed(&error).to_owned(), |()| "confirmed".to_owned())
}

/// The kind of a failure, without its text.
fn failed(error: &BusError) -> &'static str {
    match error {
        BusError::Unavailable(_) => "unavailable",
        BusError::Gone(_) => "gone",
        BusError::Rejected(_) => "rejected",
    }
}
