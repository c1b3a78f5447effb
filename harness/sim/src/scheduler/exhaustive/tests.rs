//! Reduction loses nothing: on random small programs, every final state that all schedules
//! together can reach is reached by those that the search runs.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use bson::{Document, doc};
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use ports::Timestamp;
use ports::bus::{Bus, Consumer, Group, Message, Start, Stream};
use ports::causality::Causality;
use ports::store::{Find, Index, Store, Update};
use proptest::prelude::*;

use super::Search;
use super::independence::Coupling;
use crate::bus::{SimBroker, SimBus};
use crate::kernel::{Advance, Kernel};
use crate::store::{SimDatabase, SimStore};

/// One call of a task; what it is told decides nothing, but it is remembered.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Inserts a document that wants this seat for itself.
    Insert { id: u8, seat: u8 },
    /// Moves a document to a seat.
    Move { id: u8, seat: u8 },
    /// Reads a document.
    Get { id: u8 },
    /// Looks who has a seat, and only where nobody does inserts.
    LookThenInsert { id: u8, seat: u8 },
    /// Lists everything.
    List,
}

fn step() -> impl Strategy<Value = Step> {
    let (id, seat) = (0_u8..3, 0_u8..2);
    prop_oneof![
        (id.clone(), seat.clone()).prop_map(|(id, seat)| Step::Insert { id, seat }),
        (id.clone(), seat.clone()).prop_map(|(id, seat)| Step::Move { id, seat }),
        id.clone().prop_map(|id| Step::Get { id }),
        (id, seat).prop_map(|(id, seat)| Step::LookThenInsert { id, seat }),
        Just(Step::List),
    ]
}

const COLLECTIONS: [&str; 2] = ["seats", "plain"];

async fn take(store: &SimStore, collection: &str, step: Step) -> String {
    let document = |id: u8, seat: u8| doc! { "_id": id.to_string(), "seat": i32::from(seat) };
    match step {
        Step::Insert { id, seat } => {
            format!("{:?}", store.insert(collection, document(id, seat)).await)
        }
        Step::Move { id, seat } => {
            let update = Update {
                filter: doc! { "_id": id.to_string() },
                change: doc! { "$set": { "seat": i32::from(seat) } },
                upsert: false,
            };
            format!("{:?}", store.update(collection, update).await)
        }
        Step::Get { id } => format!("{:?}", store.get(collection, &id.to_string()).await),
        Step::LookThenInsert { id, seat } => {
            let filter = doc! { "seat": i32::from(seat) };
            let found = store.find(collection, Find { filter, ..Find::default() }).await;
            match found.is_ok_and(|found| found.is_empty()) {
                true => format!("{:?}", store.insert(collection, document(id, seat)).await),
                false => "taken".to_owned(),
            }
        }
        Step::List => {
            let found = store.find(collection, Find::default()).await;
            format!("{:?}", found.map(|found| found.len()))
        }
    }
}

/// What a run came to: the documents, and what each task was told.
type Outcome = (Vec<Vec<Document>>, Vec<Vec<String>>);

/// Runs the program once under the search's chooser; `None` where the run was given up.
fn run(program: &[Vec<(u8, Step)>], search: &Search) -> Option<Outcome> {
    let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(crate::scheduler::Fifo));
    let database = SimDatabase::new();
    let store = SimStore::new(kernel.clone(), 1, "db", database.clone());
    let indexes = [Index { name: "seat", keys: &["seat"], unique: true, partial: None }];
    let setup = store.clone();
    crate::kernel::drive(&kernel, async move {
        setup.ensure(COLLECTIONS[0], &indexes).await.expect("the store knows this index");
    });
    kernel.set_scheduler(search.scheduler());
    let mut pool = LocalPool::new();
    let told: Vec<Arc<Mutex<Vec<String>>>> = program.iter().map(|_| Arc::default()).collect();
    for (number, (task, told)) in program.iter().cloned().zip(told.iter().cloned()).enumerate() {
        let store = store.clone();
        let cause = number.to_string();
        let origin = Causality { correlation: format!("{:016x}", number + 1), cause };
        let work = origin.scope(async move {
            for (collection, step) in task {
                let answer = take(&store, COLLECTIONS[usize::from(collection)], step).await;
                told.lock().expect("no panic holds this lock").push(answer);
            }
        });
        pool.spawner().spawn_local(work).expect("the pool is open");
    }
    loop {
        pool.run_until_stalled();
        if kernel.advance(Timestamp::MAX) == Advance::Nothing {
            break;
        }
    }
    let documents = COLLECTIONS.map(|collection| database.documents(collection)).to_vec();
    let told = told.iter().map(|told| told.lock().expect("no panic holds this lock").clone());
    search.end(&kernel).then(|| (documents, told.collect()))
}

/// All that the program can come to, and in how many runs that was seen.
fn outcomes(program: &[Vec<(u8, Step)>], search: &Search) -> (BTreeSet<String>, u64) {
    let mut seen = BTreeSet::new();
    loop {
        seen.extend(run(program, search).map(|outcome| format!("{outcome:?}")));
        if !search.go_back() {
            return (seen, search.counts().visited);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn reduction_loses_no_outcome(
        program in prop::collection::vec(
            prop::collection::vec((0_u8..2, step()), 1..3),
            2..4,
        )
    ) {
        let (all, every) = outcomes(&program, &Search::without_reduction());
        let (reached, visited) = outcomes(&program, &Search::new(Coupling::Free));
        prop_assert_eq!(all, reached);
        prop_assert!(visited <= every);
    }
}

#[test]
fn tasks_that_share_nothing_take_one_run() {
    let insert = |collection, id| (collection, Step::Insert { id, seat: id });
    let program = [vec![insert(0, 1), (0, Step::Get { id: 1 })], vec![insert(1, 1)]];
    let search = Search::new(Coupling::Free);
    let (reached, visited) = outcomes(&program, &search);
    assert_eq!((reached.len(), visited), (1, 1));
    assert_eq!(outcomes(&program, &Search::without_reduction()).1, 3);
}

#[test]
fn looking_before_inserting_is_not_enough() {
    let program = [
        vec![(1, Step::LookThenInsert { id: 1, seat: 0 })],
        vec![(1, Step::LookThenInsert { id: 2, seat: 0 })],
    ];
    let (reached, _) = outcomes(&program, &Search::new(Coupling::Free));
    let both = |outcome: &&String| outcome.matches("seat").count() == 2;
    assert!(reached.iter().any(|outcome| both(&outcome)), "{reached:#?}");
    let coupled = outcomes(&program, &Search::new(Coupling::All)).0;
    assert_eq!(coupled, reached);
}

fn message(subject: &str) -> Message {
    Message {
        subject: subject.to_owned(),
        id: subject.to_owned(),
        headers: std::collections::BTreeMap::new(),
        payload: bytes::Bytes::new(),
    }
}

fn consumer(name: &str, subjects: &[&str]) -> Consumer {
    Consumer {
        name: name.to_owned(),
        stream: Stream::Events,
        subjects: subjects.iter().map(|&subject| subject.to_owned()).collect(),
        group: Group::Durable,
        start: Start::All,
        ack_wait: std::time::Duration::from_secs(30),
        max_deliver: None,
        max_in_flight: 16,
    }
}

/// What each consumer hears, in order, where two publish at once; and in how many runs.
fn heard(consumers: &'static [(&str, &[&str])]) -> (BTreeSet<String>, u64) {
    let search = Search::new(Coupling::Free);
    let mut seen = BTreeSet::new();
    loop {
        let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(crate::scheduler::Fifo));
        let bus = SimBus::new(kernel.clone(), 1, SimBroker::default());
        let setup = bus.clone();
        let open = crate::kernel::drive(&kernel, async move {
            setup.ensure().await.expect("the bus answers");
            let mut open = Vec::new();
            for (name, subjects) in consumers {
                let subscription = setup.subscribe(consumer(name, subjects)).await;
                open.push((subjects.len(), subscription.expect("the bus takes this consumer")));
            }
            open
        });
        kernel.set_scheduler(search.scheduler());
        let mut pool = LocalPool::new();
        for subject in ["a", "b"] {
            let bus = bus.clone();
            let publish = async move {
                bus.publish(Stream::Events, message(subject)).await.expect("the bus answers");
            };
            pool.spawner().spawn_local(publish).expect("the pool is open");
        }
        let told: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
        for (at, (messages, mut subscription)) in open.into_iter().enumerate() {
            told.lock().expect("no panic holds this lock").push(Vec::new());
            let told = Arc::clone(&told);
            let hear = async move {
                for _ in 0..messages {
                    let delivery = subscription.next().await.expect("the bus answers");
                    let subject = delivery.message.subject.clone();
                    told.lock().expect("no panic holds this lock")[at].push(subject);
                    delivery.reply.ack().await.expect("the bus answers");
                }
            };
            pool.spawner().spawn_local(hear).expect("the pool is open");
        }
        loop {
            pool.run_until_stalled();
            if kernel.advance(Timestamp::UNIX_EPOCH) == Advance::Nothing {
                break;
            }
        }
        if search.end(&kernel) {
            seen.insert(format!("{:?}", told.lock().expect("no panic holds this lock")));
        }
        if !search.go_back() {
            return (seen, search.counts().visited);
        }
    }
}

#[test]
fn messages_that_one_consumer_hears_come_in_both_orders() {
    let (seen, runs) = heard(&[("both", &["a", "b"])]);
    assert_eq!((seen.len(), runs), (2, 2), "{seen:?}");
}

#[test]
fn messages_of_different_consumers_come_in_any_order() {
    let (seen, runs) = heard(&[("one", &["a"]), ("other", &["b"])]);
    assert_eq!((seen.len(), runs), (1, 1), "{seen:?}");
}
