//! Concurrent reservations of one ticket over HTTP on a real database and broker, compared with the
//! bare insert that decides them, which is the upper bound.
//!
//! Both run in one benchmark, so that the load of the machine affects both alike.

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

/// The number of concurrent buyers.
const BUYERS: [usize; 3] = [1, 8, 64];

/// The reservation window, longer than the benchmark takes.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// The total time of all repetitions, and their number.
type Taken = RefCell<BTreeMap<(&'static str, usize), (Duration, u32)>>;

pub(crate) fn bench(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("the system has threads");
    // Servers start only when a benchmark runs, not when benchmarks are listed or filtered out.
    let opened = OnceCell::new();
    let house = || opened.get_or_init(|| RefCell::new(runtime.block_on(House::open())));
    let taken = Taken::default();
    let mut group = criterion.benchmark_group("real");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    for buyers in BUYERS {
        // The insert first: starting the system takes longer than one round and would distort the
        // estimate of how many rounds fit.
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

/// A system on real servers with signed-up buyers.
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

    /// Lets this many buyers reserve a new ticket concurrently, repeatedly.
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

    /// Lists tickets and waits until orders has a copy of each.
    async fn list(&mut self, tickets: u64) -> Vec<Value> {
        let listing = json!({ "title": "Opera", "price": 20 });
        let list = || self.seller.request(Method::POST, "/api/tickets", &listing);
        let replies = self.world.send((0..tickets).map(|_| list()).collect()).await;
        self.world.quiesce().await.expect("the system comes to rest");
        replies.iter().map(|reply| reply.json()["id"].clone()).collect()
    }

    /// The same decision as a bare insert.
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
        // Remaining documents are removed with the servers.
        drop(self.raw.drop_database().await);
    }
}

/// An order document of realistic size.
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
