//! The same ticket, wanted by many at once over HTTP, on a real database and a real broker;
//! next to it the bare insert that decides, which no reservation can beat.
//!
//! Both take place in one run, so that their ratio does not depend on the machine's mood.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use adapters::mongo::Mongo;
use adapters::system::SystemEntropy;
use bson::{Document, doc};
use criterion::{BenchmarkId, Criterion, SamplingMode};
use futures::future::join_all;
use harness::real::Real;
use harness::world::{Drive, World};
use http::Method;
use platform::run::Policy;
use ports::Timestamp;
use ports::entropy::Entropy;
use ports::store::{Index, Store};
use scenarios::client::Person;
use scenarios::provider::Provider;
use scenarios::system::system;
use serde_json::{Value, json};
use ticketing::Settings;
use tokio::runtime::Runtime;

/// How many want the ticket at once.
const BUYERS: [usize; 3] = [1, 8, 64];

/// How long an order holds its ticket: longer than the bench takes.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// How long all repetitions took, and how many there were.
type Taken = RefCell<BTreeMap<(&'static str, usize), (Duration, u32)>>;

pub(crate) fn bench(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("the system has threads");
    // Nothing starts unless a bench really runs: not for a list, nor for a filter.
    let opened = OnceCell::new();
    let house = || opened.get_or_init(|| RefCell::new(runtime.block_on(House::open())));
    let taken = Taken::default();
    let mut group = criterion.benchmark_group("real");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    for buyers in BUYERS {
        // The insert first: what opens the house takes longer than one round, and spoils the
        // guess of how many rounds fit.
        group.bench_function(BenchmarkId::new("insert", buyers), |bench| {
            bench.iter_custom(|times| {
                let house = house().borrow();
                let all = runtime.block_on(house.insert(buyers, times));
                note(&taken, "insert", buyers, all, times)
            });
        });
        group.bench_function(BenchmarkId::new("reserve", buyers), |bench| {
            bench.iter_custom(|times| {
                let mut house = house().borrow_mut();
                let all = runtime.block_on(house.reserve(buyers, times));
                note(&taken, "reserve", buyers, all, times)
            });
        });
    }
    group.finish();
    print_ratios(&taken.borrow());
    if let Some(house) = opened.get() {
        runtime.block_on(house.borrow_mut().close());
    }
}

fn note(taken: &Taken, what: &'static str, buyers: usize, all: Duration, times: u64) -> Duration {
    let mut taken = taken.borrow_mut();
    let (sum, count) = taken.entry((what, buyers)).or_default();
    *sum += all;
    *count += u32::try_from(times).expect("a bench of seconds repeats less often than that");
    all
}

fn print_ratios(taken: &BTreeMap<(&'static str, usize), (Duration, u32)>) {
    for buyers in BUYERS {
        let each = |what| taken.get(&(what, buyers)).map(|(all, times)| *all / *times);
        if let (Some(reserve), Some(insert)) = (each("reserve"), each("insert")) {
            let ratio = reserve.as_secs_f64() / insert.as_secs_f64();
            println!(
                "{buyers} at once: decided over HTTP in {reserve:.1?}, by the bare insert in \
                 {insert:.1?}: {ratio:.1} times the limit"
            );
        }
    }
}

/// A system on real servers, with people in it.
struct House {
    world: Real,
    raw: Mongo,
    seller: Person,
    buyers: Vec<Person>,
}

impl House {
    async fn open() -> Self {
        let servers = servers::shared().await.expect("real servers; or set REHEARSAL_REAL=skip");
        eprintln!("{}", servers.source);
        let provider = Provider::new(&Settings::rehearsal().provider.key);
        let system = system(&provider, WINDOW, Policy::default());
        let mut world = Real::start(system, servers).await.expect("the system starts");
        let most = BUYERS.into_iter().max().unwrap_or_default();
        let mut people: Vec<_> =
            (0..=most).map(|who| Person::new(format!("guest{who}@example.org"))).collect();
        let sign_up = |person: &Person| {
            let body = json!({ "email": person.email, "password": "password" });
            person.request(Method::POST, "/api/users/signup", &body)
        };
        let replies = world.send(people.iter().map(sign_up).collect()).await;
        people.iter_mut().zip(&replies).for_each(|(person, reply)| person.absorb(reply));
        let seller = people.pop().expect("there is one more than buyers");
        let database = format!("rehearsal-{}-bench", std::process::id());
        let raw = Mongo::connect(&servers.mongo_url, &database).await.expect("a URL of ours");
        let holding = Some(doc! { "holding": true });
        let one_holder =
            Index { name: "one-holder", keys: &["ticketId"], unique: true, partial: holding };
        raw.ensure("orders", &[one_holder]).await.expect("the database answers");
        Self { world, raw, seller, buyers: people }
    }

    /// Has this many buyers reserve a fresh ticket at once, so many times.
    async fn reserve(&mut self, buyers: usize, times: u64) -> Duration {
        let tickets = self.list(times).await;
        let mut all = Duration::ZERO;
        for ticket in &tickets {
            let body = json!({ "ticketId": ticket });
            let reserve = |buyer: &Person| buyer.request(Method::POST, "/api/orders", &body);
            let requests = self.buyers[..buyers].iter().map(reserve).collect();
            let began = Instant::now();
            let replies = self.world.send(requests).await;
            all += began.elapsed();
            let got = replies.iter().filter(|reply| reply.status() == Some(201)).count();
            assert_eq!(got, 1, "one of {buyers} gets the ticket");
        }
        self.world.quiesce().await.expect("the system comes to rest");
        all
    }

    /// Lists tickets that everybody knows of.
    async fn list(&mut self, tickets: u64) -> Vec<Value> {
        let listing = json!({ "title": "Opera", "price": 20 });
        let list = || self.seller.request(Method::POST, "/api/tickets", &listing);
        let replies = self.world.send((0..tickets).map(|_| list()).collect()).await;
        self.world.quiesce().await.expect("the system comes to rest");
        replies.iter().map(|reply| reply.json()["id"].clone()).collect()
    }

    /// The same decision, as the one write that makes it.
    async fn insert(&self, buyers: usize, times: u64) -> Duration {
        let mut all = Duration::ZERO;
        for _ in 0..times {
            let ticket = id();
            let orders: Vec<Document> = (0..buyers).map(|_| order(&ticket)).collect();
            let inserts = orders.into_iter().map(|order| self.raw.insert("orders", order));
            let began = Instant::now();
            let inserted = join_all(inserts).await;
            all += began.elapsed();
            let got = inserted.iter().filter(|inserted| inserted.is_ok()).count();
            assert_eq!(got, 1, "one of {buyers} gets the ticket");
        }
        all
    }

    async fn close(&mut self) {
        self.world.end().await;
        // What is left goes with the servers.
        drop(self.raw.drop_database().await);
    }
}

/// An order as large as the real ones.
fn order(ticket: &str) -> Document {
    doc! {
        "_id": id(),
        "userId": id(),
        "ticketId": ticket,
        "title": "Opera",
        "price": 2000_i64,
        "status": "created",
        "holding": true,
        "fence": 2_i64,
        "version": 0_i64,
        "outbox": [{ "id": id(), "payload": "x".repeat(400) }],
    }
}

fn id() -> String {
    let entropy: &dyn Entropy = &SystemEntropy;
    entropy.id(Timestamp::UNIX_EPOCH)
}
