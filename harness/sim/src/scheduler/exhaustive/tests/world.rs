//! Runs a program under one schedule, and observes its outcome.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bson::{Document, doc};
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use ports::Timestamp;
use ports::bus::{Bus, Consumer, Group, Message, Start, Stream, Subscription};
use ports::causality::Causality;
use ports::store::{Find, Index, Store, Update, WriteError};

use super::program::{Answer, Op, Program};
use crate::bus::{SimBroker, SimBus};
use crate::kernel::{Advance, Kernel, drive};
use crate::scheduler::{Fifo, Scheduler};
use crate::store::{SimDatabase, SimStore};

/// Two collections; the first has a unique index from the start.
const COLLECTIONS: [&str; 2] = ["indexed", "plain"];

/// A unique index on the seats of the documents that are not released.
fn index() -> Index {
    let partial = Some(doc! { "holding": true });
    Index { name: "seat", keys: &["seat"], unique: true, partial, expires: false }
}

/// An index through which a document may pass a search.
const PLACE: Index =
    Index { name: "place", keys: &["seat"], unique: false, partial: None, expires: false };

/// Everything that a run leaves behind and that its tasks observed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Outcome {
    /// By collection, in order of insertion.
    pub(super) documents: Vec<Vec<String>>,
    /// By task.
    pub(super) replies: Vec<Vec<String>>,
    /// By relay.
    relayed: Vec<Vec<String>>,
    /// The ids of the messages; their order is observed by consumers only.
    messages: BTreeSet<String>,
    /// The unacknowledged deliveries: consumer, message id, attempts.
    unacknowledged: Vec<(String, String, u32)>,
}

/// The ports of one instance, and its relay's signal.
#[derive(Clone)]
struct Instance {
    store: SimStore,
    bus: SimBus,
    wake: Rc<Wake>,
}

/// Wakes the relay of an instance. Waking twice is waking once.
#[derive(Default)]
struct Wake {
    woken: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Wake {
    fn wake(&self) {
        self.woken.set(true);
        self.waker.borrow_mut().take().into_iter().for_each(Waker::wake);
    }

    async fn wait(&self) {
        std::future::poll_fn(|cx| {
            *self.waker.borrow_mut() = Some(cx.waker().clone());
            if self.woken.take() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Runs the program once, with its tasks spread over `instances` instances.
pub(super) fn run(
    program: &Program,
    instances: u32,
    scheduler: Box<dyn Scheduler>,
) -> (Kernel, Outcome) {
    let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Fifo));
    let (database, broker) = (SimDatabase::new(), SimBroker::default());
    let instances: Vec<Instance> = (1..=instances)
        .map(|number| Instance {
            store: SimStore::new(kernel.clone(), number, "db", database.clone()),
            bus: SimBus::new(kernel.clone(), number, broker.clone()),
            wake: Rc::default(),
        })
        .collect();
    let setup = (instances[0].clone(), program.clone());
    let subscriptions = drive(&kernel, async move { prepare(&setup.0, &setup.1).await });
    kernel.set_scheduler(scheduler);
    let mut pool = LocalPool::new();
    let mut relayed = Vec::new();
    for instance in instances.iter().filter(|_| program.relays) {
        let list = Rc::new(RefCell::new(Vec::new()));
        relayed.push(Rc::clone(&list));
        let relay = relay(instance.clone(), list);
        pool.spawner().spawn_local(relay).expect("the pool accepts tasks");
    }
    let mut replies = Vec::new();
    for (number, (ops, mut subscriptions)) in
        program.tasks.iter().cloned().zip(subscriptions).enumerate()
    {
        let list = Rc::new(RefCell::new(Vec::new()));
        replies.push(Rc::clone(&list));
        let instance = instances[number % instances.len()].clone();
        let correlation = format!("{:016x}", number + 1);
        let origin = Causality { correlation, cause: number.to_string() };
        let task = origin.scope(async move {
            for op in ops {
                let reply = perform(&instance, &mut subscriptions, op).await;
                list.borrow_mut().push(reply);
            }
            // Subscriptions end with the run, not with the task.
            std::future::pending::<()>().await;
        });
        pool.spawner().spawn_local(task).expect("the pool accepts tasks");
    }
    loop {
        pool.run_until_stalled();
        if kernel.advance(Timestamp::MAX) == Advance::Nothing {
            break;
        }
    }
    let outcome = Outcome {
        documents: COLLECTIONS.map(|name| texts(&database.documents(name))).to_vec(),
        replies: replies.iter().map(|list| list.borrow().clone()).collect(),
        relayed: relayed.iter().map(|list| list.borrow().clone()).collect(),
        messages: messages(&broker),
        unacknowledged: unacknowledged(&broker, kernel.now()),
    };
    (kernel, outcome)
}

/// The subscriptions of one task, by consumer.
type Subscriptions = BTreeMap<u8, Box<dyn Subscription>>;

/// Creates the initial state, and the subscriptions of each task.
async fn prepare(instance: &Instance, program: &Program) -> Vec<Subscriptions> {
    let Instance { store, bus, .. } = instance;
    store.ensure(COLLECTIONS[0], &[index(), PLACE]).await.expect("supported indexes");
    for &(collection, id, seat) in &program.documents {
        let inserted = store.insert(COLLECTIONS[collection], document(id, seat)).await;
        inserted.expect("initial documents do not conflict");
    }
    if program.ensured {
        bus.ensure().await.expect("the bus responds");
    }
    let mut all = Vec::new();
    for ops in &program.tasks {
        let mut own = Subscriptions::new();
        for op in ops {
            if let &Op::Take { consumer: number, .. } = op
                && !own.contains_key(&number)
                && let Ok(open) = bus.subscribe(consumer(number, program.max_in_flight)).await
            {
                own.insert(number, open);
            }
        }
        all.push(own);
    }
    for id in 0..program.backlog {
        let message = message(id % 2, id + 10);
        drop(bus.publish(Stream::Events, message).await);
    }
    all
}

/// Relays changed documents for ever, as the relay of an outbox does.
async fn relay(instance: Instance, relayed: Rc<RefCell<Vec<String>>>) {
    let collection = COLLECTIONS[0];
    loop {
        instance.wake.wait().await;
        let find = Find { filter: doc! { "waiting": true }, ..Find::default() };
        for document in instance.store.find(collection, find).await.expect("a supported filter") {
            relayed.borrow_mut().push(document.to_string());
            let filter = doc! { "_id": document.get("_id") };
            let change = doc! { "$set": { "waiting": false } };
            let update = Update { filter, change, upsert: false };
            drop(instance.store.update(collection, update).await.expect("a supported update"));
        }
    }
}

/// Performs one action and describes its reply.
async fn perform(instance: &Instance, subscriptions: &mut Subscriptions, op: Op) -> String {
    let Instance { store, bus, .. } = instance;
    let set = |seat: u8| doc! { "$set": { "seat": i32::from(seat), "waiting": true } };
    match op {
        Op::Insert { collection, id, seat } => insert(instance, collection, id, seat).await,
        Op::Move { collection, id, seat } => {
            update(instance, collection, doc! { "_id": id.to_string() }, set(seat), false).await
        }
        Op::MoveFrom { collection, id, from, to } => {
            let filter = doc! { "_id": id.to_string(), "seat": i32::from(from) };
            update(instance, collection, filter, set(to), false).await
        }
        Op::MoveAny { collection, from, to } => {
            update(instance, collection, doc! { "seat": i32::from(from) }, set(to), false).await
        }
        Op::Count { collection, id } => {
            let change = doc! { "$inc": { "count": 1 }, "$set": { "waiting": true } };
            update(instance, collection, doc! { "_id": id.to_string() }, change, false).await
        }
        Op::Release { collection, id } => {
            let change = doc! { "$set": { "holding": false, "waiting": true } };
            update(instance, collection, doc! { "_id": id.to_string() }, change, false).await
        }
        Op::Upsert { collection, id, seat } => {
            let mut change = set(seat);
            change.insert("$setOnInsert", doc! { "holding": true });
            update(instance, collection, doc! { "_id": id.to_string() }, change, true).await
        }
        Op::UpsertAt { collection, id, seat } => {
            let filter = doc! { "_id": id.to_string(), "seat": i32::from(seat) };
            let change = doc! { "$inc": { "count": 1 }, "$setOnInsert": { "holding": true } };
            update(instance, collection, filter, change, true).await
        }
        Op::Get { collection, id } => {
            let found = store.get(COLLECTIONS[collection], &id.to_string()).await;
            texts(found.expect("a read succeeds").as_slice()).concat()
        }
        Op::Find { collection, seat, first } => {
            let filter = doc! { "seat": i32::from(seat) };
            find(store, collection, filter, u32::from(first)).await.concat()
        }
        Op::FindCount { collection, count } => {
            find(store, collection, doc! { "count": i32::from(count) }, 0).await.concat()
        }
        Op::FindFrom { collection, seat } => {
            let filter = doc! { "seat": { "$gte": i32::from(seat) } };
            find(store, collection, filter, 0).await.concat()
        }
        Op::UpsertAny { collection, id, seat } => {
            let new = doc! { "_id": id.to_string(), "holding": true };
            let change = doc! { "$inc": { "count": 1 }, "$setOnInsert": new };
            update(instance, collection, doc! { "seat": i32::from(seat) }, change, true).await
        }
        Op::List { collection } => find(store, collection, doc! {}, 0).await.concat(),
        Op::FindThenInsert { collection, id, seat } => {
            let filter = doc! { "seat": i32::from(seat) };
            match find(store, collection, filter, 0).await.is_empty() {
                true => insert(instance, collection, id, seat).await,
                false => "occupied".to_owned(),
            }
        }
        Op::Ensure { collection } => {
            reply(store.ensure(COLLECTIONS[collection], &[index()]).await.map(|()| Vec::new()))
        }
        Op::EnsureStreams => {
            bus.ensure().await.expect("the bus responds");
            "ensured".to_owned()
        }
        Op::Publish { subject, id } => {
            let published = bus.publish(Stream::Events, message(subject, id)).await;
            // The position is a name only.
            published.map_or("refused".to_owned(), |accepted| accepted.duplicate.to_string())
        }
        Op::Take { consumer, answer } => match subscriptions.get_mut(&consumer) {
            Some(subscription) => take(subscription.as_mut(), answer).await,
            None => "not subscribed".to_owned(),
        },
        Op::Subscribe { consumer: number } => {
            let Ok(mut opened) = bus.subscribe(consumer(number, 2)).await else {
                return "refused".to_owned();
            };
            let mut taken = opened.backlog().to_string();
            for _ in 0..opened.backlog() {
                taken.push_str(&take(opened.as_mut(), Answer::Ack).await);
            }
            taken
        }
    }
}

async fn insert(instance: &Instance, collection: usize, id: u8, seat: u8) -> String {
    let inserted = instance.store.insert(COLLECTIONS[collection], document(id, seat)).await;
    if inserted.is_ok() {
        instance.wake.wake();
    }
    reply(inserted.map(|()| Vec::new()))
}

async fn update(
    instance: &Instance,
    collection: usize,
    filter: Document,
    mut change: Document,
    upsert: bool,
) -> String {
    match change.get_document_mut("$inc") {
        Ok(increments) => drop(increments.insert("revision", 1)),
        Err(_) => drop(change.insert("$inc", doc! { "revision": 1 })),
    }
    let update = Update { filter, change, upsert };
    let updated = instance.store.update(COLLECTIONS[collection], update).await;
    if updated.is_ok() {
        instance.wake.wake();
    }
    reply(updated.map(|updated| updated.into_iter().collect()))
}

async fn find(store: &SimStore, collection: usize, filter: Document, limit: u32) -> Vec<String> {
    let found = store.find(COLLECTIONS[collection], Find { filter, limit, ..Find::default() });
    texts(&found.await.expect("a supported filter"))
}

async fn take(subscription: &mut dyn Subscription, answer: Answer) -> String {
    let Ok(delivery) = subscription.next().await else { return "gone".to_owned() };
    let answered = match answer {
        Answer::Ack => delivery.reply.ack().await,
        Answer::Nak => delivery.reply.nak(Duration::ZERO).await,
        Answer::Nothing => Ok(()),
    };
    let answered = if answered.is_ok() { "answered" } else { "gone" };
    format!("{} attempt {} {answered}", delivery.message.id, delivery.attempt)
}

fn reply(result: Result<Vec<Document>, WriteError>) -> String {
    match result {
        Ok(documents) => format!("ok {}", texts(&documents).concat()),
        Err(WriteError::Duplicate { index }) => format!("duplicate {index}"),
        Err(_) => "rejected".to_owned(),
    }
}

fn texts(documents: &[Document]) -> Vec<String> {
    documents.iter().map(Document::to_string).collect()
}

fn document(id: u8, seat: u8) -> Document {
    let (id, seat) = (id.to_string(), i32::from(seat));
    doc! { "_id": id, "seat": seat, "holding": true, "waiting": true, "revision": 0 }
}

fn message(subject: u8, id: u8) -> Message {
    Message {
        subject: format!("s{subject}"),
        id: id.to_string(),
        headers: BTreeMap::new(),
        payload: bytes::Bytes::new(),
    }
}

/// Consumer 0 receives one subject, consumer 1 all; consumer 2 is a broadcast.
fn consumer(number: u8, max_in_flight: u32) -> Consumer {
    Consumer {
        name: format!("c{number}"),
        stream: Stream::Events,
        subjects: if number == 0 { vec!["s0".to_owned()] } else { Vec::new() },
        group: if number == 2 { Group::Broadcast } else { Group::Durable },
        start: Start::All,
        ack_wait: Duration::from_secs(30),
        max_deliver: Some(2),
        max_in_flight,
    }
}

fn messages(broker: &SimBroker) -> BTreeSet<String> {
    let stored = broker.messages(Stream::Events, Timestamp::UNIX_EPOCH);
    stored.iter().map(|stored| stored.message.id.clone()).collect()
}

fn unacknowledged(broker: &SimBroker, now: Timestamp) -> Vec<(String, String, u32)> {
    let stored = broker.messages(Stream::Events, Timestamp::UNIX_EPOCH);
    let id = |sequence: u64| stored[sequence as usize - 1].message.id.clone();
    let open = broker.unacknowledged(Stream::Events, now).into_iter();
    let mut open: Vec<_> = open.map(|u| (u.consumer, id(u.sequence), u.attempts)).collect();
    open.sort();
    open
}
