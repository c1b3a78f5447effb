//! Concurrent reservations of one ticket over HTTP, on a real database and a real broker; and
//! the bare insert that decides them, which bounds them from below.
//!
//! Both are measured in one run, so that their ratio does not depend on the machine's load.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use adapters::mongo::Mongo;
use adapters::system::SystemEntropy;
use bson::{Document, doc};
use criterion::{BenchmarkId, Criterion, SamplingMode};
use futures::future::join_all;
use harness::Subject;
use harness::real::Real;
use harness::system::System;
use harness::time_scale::TimeScale;
use harness::world::{Drive, World};
use http::Method;
use platform::run::Policy;
use ports::Timestamp;
use ports::entropy::Entropy;
use ports::store::{Index, Store};
use scenarios::person::Person;
use scenarios::system::{Ticketing, WINDOW};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The number of buyers that reserve at once.
const BUYERS: [usize; 3] = [1, 8, 64];

/// The total time of all repetitions, and their count.
type Taken = RefCell<BTreeMap<(&'static str, usize), (Duration, u32)>>;

pub(crate) fn bench(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("the system has threads");
    // The servers start only when a bench runs, not when benches are listed or filtered out.
    let opened = OnceCell::new();
    let setup = || opened.get_or_init(|| RefCell::new(runtime.block_on(Setup::open())));
    let taken = Taken::default();
    let mut group = criterion.benchmark_group("real");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    for buyers in BUYERS {
        // The insert comes first: the start of the servers takes longer than one round, and
        // would spoil the estimate of how many rounds fit.
        group.bench_function(BenchmarkId::new("insert", buyers), |bench| {
            bench.iter_custom(|times| {
                let setup = setup().borrow();
                let all = runtime.block_on(setup.insert(buyers, times));
                note(&taken, "insert", buyers, all, times)
            });
        });
        group.bench_function(BenchmarkId::new("reserve", buyers), |bench| {
            bench.iter_custom(|times| {
                let mut setup = setup().borrow_mut();
                let all = runtime.block_on(setup.reserve(buyers, times));
                note(&taken, "reserve", buyers, all, times)
            });
        });
    }
    group.finish();
    print_ratios(&taken.borrow());
    if let Some(setup) = opened.get() {
        runtime.block_on(setup.borrow_mut().close());
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

/// The system on real servers, with clients that have signed up.
struct Setup {
    world: Real,
    raw: Mongo,
    seller: Person,
    buyers: Vec<Person>,
}

impl Setup {
    async fn open() -> Self {
        let servers = servers::shared().await.expect("real servers; or set REHEARSAL_REAL=skip");
        eprintln!("{}", servers.source);
        // No time passes, so no deadline runs out while the bench measures.
        let (system, _) = Ticketing.open(&TimeScale::real(Duration::ZERO, WINDOW, false));
        let system = System { policy: Policy::default(), ..system };
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
        let one_holder = Index {
            name: "one-holder",
            keys: &["ticketId"],
            unique: true,
            partial: holding,
            expires: false,
        };
        raw.ensure("orders", &[one_holder]).await.expect("the database answers");
        Self { world, raw, seller, buyers: people }
    }

    /// The time in which this many buyers reserve a new ticket at once, this often.
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

    /// Lists tickets, and waits until orders has copied them.
    async fn list(&mut self, tickets: u64) -> Vec<Value> {
        let listing = json!({ "title": "Opera", "price": 20 });
        let list = || self.seller.request(Method::POST, "/api/tickets", &listing);
        let replies = self.world.send((0..tickets).map(|_| list()).collect()).await;
        self.world.quiesce().await.expect("the system comes to rest");
        replies.iter().map(|reply| reply.json()["id"].clone()).collect()
    }

    /// The time of the bare inserts that decide the same.
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
        // What remains is deleted with the servers.
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
