//! Documents leave at their time, whatever the settings were before; and what an operator sees of
//! retention agrees with the simulated servers: the gauges of the streams with the broker, and the
//! archive with the store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use bson::{DateTime, Document, doc};
use bytes::Bytes;
use http_body_util::BodyExt;
use platform::archive::Leaving;
use platform::collection::{Aggregate, Collection};
use platform::copy;
use platform::event::Emit;
use platform::health::Health;
use platform::renewal::Renewed;
use platform::run::{self, Policy};
use platform::service::Service;
use platform::task::Step;
use ports::bus::{Message, Stream};
use ports::clock::Clock;
use ports::http::{Http, HttpError};
use ports::store::{Find, Store};
use ports::{Ports, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sim::bus::{SimBroker, SimBus};
use sim::clock::SimClock;
use sim::entropy::SimEntropy;
use sim::kernel::{Kernel, drive};
use sim::scheduler::Fifo;
use sim::store::{SimDatabase, SimStore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// The prefix of a subject for which the simulated broker counts the bytes.
const PREFIX: usize = 32;

/// No party outside.
struct NoHttp;

#[async_trait]
impl Http for NoHttp {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        unreachable!("nothing is sent")
    }
}

fn kernel() -> Kernel {
    Kernel::new(Timestamp::from_second(1_700_000_000).unwrap(), Box::new(Fifo))
}

fn ports(kernel: &Kernel, broker: &SimBroker, policy: &Policy) -> Ports {
    let bus = SimBus::new(kernel.clone(), 1, broker.clone());
    Ports {
        store: Arc::new(SimStore::new(kernel.clone(), 1, "loans", SimDatabase::new())),
        bus: Arc::new(bus.keeping(policy.events, policy.dead_letters)),
        http: Arc::new(NoHttp),
        clock: Arc::new(SimClock(kernel.clone())),
        entropy: Arc::new(SimEntropy::new(kernel.clone(), 1)),
    }
}

fn message(id: &str) -> Message {
    let payload = Bytes::copy_from_slice(id.repeat(50).as_bytes());
    let (subject, headers) = ("book.lent".to_owned(), std::collections::BTreeMap::new());
    Message { subject, id: id.to_owned(), headers, payload }
}

/// The text of `/metrics`.
async fn metrics(health: &Health) -> String {
    let request = http::Request::get("/metrics").body(Body::empty()).unwrap();
    let response = health.routes().oneshot(request).await.unwrap();
    let text = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(text.to_vec()).unwrap()
}

/// Fails unless the gauges are those of what the broker has.
fn agree(text: &str, broker: &SimBroker, now: Timestamp) {
    for (name, stream) in [("events", Stream::Events), ("dead_letters", Stream::DeadLetters)] {
        let messages = broker.messages(stream, now);
        let bytes: u64 = messages.iter().map(|kept| kept.message.stored_size(PREFIX)).sum();
        let oldest = messages.first().map_or(0, |kept| kept.published.as_second());
        for line in [
            format!("stream_messages{{stream=\"{name}\"}} {}", messages.len()),
            format!("stream_bytes{{stream=\"{name}\"}} {bytes}"),
            format!("stream_oldest_seconds{{stream=\"{name}\"}} {oldest}"),
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
    }
}

#[test]
fn the_gauges_of_the_streams_agree_with_the_broker() {
    let (kernel, broker) = (kernel(), SimBroker::default());
    let mut policy = Policy { documents: None, ..Policy::default() };
    policy.events.max_age = Some(HOUR * 3);
    policy.events.max_bytes = Some(1_000_000);
    policy.dead_letters.max_age = None;
    let ports = ports(&kernel, &broker, &policy);
    drive(&kernel.clone(), async move {
        let health = Health::new(["loans"], Arc::clone(&ports.clock));
        assert!(!metrics(&health).await.contains("stream_messages{"), "nothing has started");
        let stop = CancellationToken::new();
        let running = run::start(Service::named("loans"), &ports, &policy, &stop).await.unwrap();
        health.started(&running, &ports);
        let mut counts = Vec::new();
        for hour in 0..7 {
            if hour < 3 {
                ports.bus.publish(Stream::Events, message(&hour.to_string())).await.unwrap();
            }
            if hour == 1 {
                ports.bus.publish(Stream::DeadLetters, message("dead")).await.unwrap();
            }
            let text = metrics(&health).await;
            agree(&text, &broker, kernel.now());
            assert!(text.contains("stream_limit_age_seconds{stream=\"events\"} 10800"), "{text}");
            assert!(text.contains("stream_limit_bytes{stream=\"events\"} 1000000"), "{text}");
            assert!(!text.contains("stream_limit_age_seconds{stream=\"dead_letters\"}"), "{text}");
            counts.push(broker.messages(Stream::Events, kernel.now()).len());
            let clock: &dyn Clock = &*ports.clock;
            clock.sleep(HOUR).await;
        }
        assert_eq!(counts, [1, 2, 3, 2, 1, 0, 0]);
    });
}

/// A loan of a book, which ends once it is returned.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Loan {
    id: String,
    returned: bool,
    damaged: bool,
    version: i64,
}

impl Aggregate for Loan {
    const COLLECTION: &'static str = "loans";
}

impl Renewed for Loan {
    fn newest(&self) -> Vec<Emit> {
        Vec::new()
    }

    fn has_ended(&self) -> bool {
        self.returned
    }

    fn may_leave(&self) -> bool {
        self.returned && !self.damaged
    }
}

/// Which loans are there after these times, under these policies, one after the other.
fn loans_left(phases: &'static [(Option<u32>, u32)]) -> Vec<Vec<String>> {
    let (kernel, broker) = (kernel(), SimBroker::default());
    let ports = ports(&kernel, &broker, &Policy::default());
    drive(&kernel.clone(), async move {
        let loans = Collection::<Loan>::new(&ports);
        let mut left = Vec::new();
        for (phase, (documents, hours)) in phases.iter().enumerate() {
            let mut policy =
                Policy { documents: documents.map(|hours| HOUR * hours), ..Policy::default() };
            policy.events.max_age = Some(HOUR * 10);
            policy.check().expect("the policy is sound");
            let service = Service::named("library").collection(&loans).renewing(&loans);
            for spec in &service.collections {
                ports.store.ensure(spec.name, &spec.indexes).await.unwrap();
            }
            if phase == 0 {
                for (id, returned, damaged) in
                    [("open", false, false), ("damaged", true, true), ("returned", true, false)]
                {
                    let loan = Loan { id: id.to_owned(), returned, damaged, version: 0 };
                    loans.insert(&loan, Vec::new()).await.unwrap();
                }
            }
            let renewal = service.tasks.iter().find(|task| task.name() == "renewal of loans");
            let renewal = renewal.expect("loans are renewed");
            renewal.configure(&policy);
            for _ in 0..*hours {
                while let Step::Worked = renewal.step().await.unwrap() {}
                let clock: &dyn Clock = &*ports.clock;
                clock.sleep(HOUR).await;
            }
            let there = loans.find(Find { sort: doc! { "_id": 1 }, ..Find::default() }).await;
            left.push(there.unwrap().into_iter().map(|loan| loan.id).collect());
        }
        left
    })
}

#[test]
fn a_document_leaves_at_its_time_after_its_end_if_it_may() {
    let left = loans_left(&[(Some(30), 29), (Some(30), 3)]);
    assert_eq!(left, [vec!["damaged", "open", "returned"], vec!["damaged", "open"]]);
}

#[test]
fn documents_that_were_kept_for_ever_leave_once_documents_do() {
    let left = loans_left(&[(None, 200), (Some(30), 20), (Some(30), 5)]);
    let all = vec!["damaged", "open", "returned"];
    assert_eq!(left, [all.clone(), all, vec!["damaged", "open"]]);
}

/// The ids that the archive of this period has, page by page.
async fn archived(store: &SimStore, from: i64, until: i64, page: u32) -> Vec<Vec<String>> {
    let at = |second| Timestamp::from_second(second).unwrap();
    let period = at(from)..at(until);
    let mut leaving = Leaving::new(store, "loans", &period).in_pages_of(page);
    let mut pages = Vec::new();
    loop {
        let page = leaving.next().await.unwrap();
        if page.is_empty() {
            return pages;
        }
        pages.push(page.iter().map(|found| found.get_str("_id").unwrap().to_owned()).collect());
    }
}

#[test]
fn the_archive_of_a_period_is_complete_in_pages_of_any_size() {
    let kernel = kernel();
    let store = SimStore::new(kernel.clone(), 1, "loans", SimDatabase::new());
    drive(&kernel, async move {
        let leaving = |id: &str, second: i64| -> Document {
            let leaves = DateTime::from_millis(second * 1000);
            doc! { "_id": id, "leaves": leaves, "outbox": [] }
        };
        let start = 1_800_000_000;
        // Many leave at the same moment, and they are inserted in no order.
        let places =
            [("f", 9), ("b", 5), ("e", 5), ("a", 7), ("d", 5), ("c", 5), ("g", 10), ("h", 4)];
        for (id, offset) in places {
            store.insert("loans", leaving(id, start + offset)).await.unwrap();
        }
        let filled = doc! {
            "_id": "waits", "leaves": DateTime::from_millis((start + 6) * 1000), "outbox": ["event"],
        };
        store.insert("loans", filled).await.unwrap();
        store.insert("loans", doc! { "_id": "stays", "outbox": [] }).await.unwrap();
        for page in 1..=9 {
            let pages = archived(&store, start + 5, start + 10, page).await;
            assert_eq!(pages.concat(), ["b", "c", "d", "e", "a", "f"], "{page}: {pages:?}");
        }
        let days = [
            archived(&store, start, start + 7, 2).await,
            archived(&store, start + 7, start + 11, 2).await,
        ];
        assert_eq!(days.concat().concat(), ["h", "b", "c", "d", "e", "a", "f", "g"]);
        assert_eq!(archived(&store, start + 11, start + 99, 2).await, Vec::<Vec<String>>::new());
    });
}

/// A book, as its events and the copy have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
struct Book {
    id: String,
    title: String,
    /// A field that an earlier release did not have.
    #[serde(default)]
    shelf: i64,
    version: i64,
}

impl Aggregate for Book {
    const COLLECTION: &'static str = "books";
}

platform::events! {
    SHELVED of Book, from "shelves" to ["readers"]:
    BookShelved = "book.shelved";
}

#[test]
fn an_event_of_the_same_version_completes_the_copy_of_an_earlier_release_and_changes_no_other() {
    let (kernel, broker) = (kernel(), SimBroker::default());
    let ports = ports(&kernel, &broker, &Policy::default());
    let shelf = drive(&kernel.clone(), async move {
        let books = Collection::<Book>::new(&ports);
        let of_earlier_release = doc! { "_id": "emma", "title": "Emma", "version": 3_i64 };
        ports.store.insert("books", of_earlier_release).await.unwrap();
        let listeners = copy::listeners(SHELVED, &books, "version");
        let mut shelves = Vec::new();
        for (version, shelf) in [(2, 20), (3, 30), (3, 31), (2, 21), (4, 40)] {
            let book = json!({ "id": "emma", "title": "Emma", "shelf": shelf, "version": version });
            let message = Message {
                subject: "book.shelved".to_owned(),
                payload: Bytes::from(book.to_string()),
                ..message("renewal")
            };
            listeners[0].handler.handle(&message).await.unwrap();
            shelves.push(books.get("emma").await.unwrap().unwrap().shelf);
        }
        shelves
    });
    assert_eq!(shelf, [0, 30, 30, 30, 40]);
}
