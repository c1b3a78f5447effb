//! The charges' task with a provider that refuses some of the refunds for good, and is never
//! reached for others.

use std::sync::Arc;

use bson::{Document, doc};
use bytes::Bytes;
use contracts::{Cents, OrderStatus};
use futures::executor::block_on;
use identity::session::SessionConfig;
use parking_lot::Mutex;
use platform::collection::encode;
use ports::Ports;
use ports::Timestamp;
use ports::bus::{
    Bus, BusError, Consumer, Message, Pending, PublishError, Published, Stream, StreamState,
    Subscription,
};
use ports::clock::Clock;
use ports::entropy::Entropy;
use ports::http::{Http, HttpError};
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

use super::*;
use crate::app::Config;
use crate::model::Charge;
use crate::model::inquiry::Attempt;
use crate::provider::ProviderConfig;

/// A store of orders, sorted by due time, whose queries return those that are unsettled.
struct DueOrders(Mutex<Vec<Document>>);

#[async_trait]
impl Store for DueOrders {
    async fn ensure(&self, _: &str, _: &[Index]) -> Result<(), WriteError> {
        Ok(())
    }

    async fn insert(&self, _: &str, _: Document) -> Result<(), WriteError> {
        Err(WriteError::Rejected("inserts are not expected".to_owned()))
    }

    async fn get(&self, _: &str, id: &str) -> Result<Option<Document>, ReadError> {
        let found = self.0.lock();
        Ok(found
            .iter()
            .find(|document| document.get_str("_id").is_ok_and(|found| found == id))
            .cloned())
    }

    async fn find(&self, _: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        let all = self.0.lock();
        let due = |document: &Document| document.get_datetime("due").copied().ok();
        let mut found: Vec<_> = all.iter().filter(|found| due(found).is_some()).cloned().collect();
        found.sort_by_key(due);
        found.truncate(find.limit as usize);
        Ok(found)
    }

    async fn update(&self, _: &str, update: Update) -> Result<Option<Document>, WriteError> {
        let mut all = self.0.lock();
        let id = update.filter.get("_id");
        let found = all.iter_mut().find(|document| document.get("_id") == id);
        Ok(found.map(|document| {
            document.extend(update.change.get_document("$set").unwrap().clone());
            document.clone()
        }))
    }

    async fn update_many(&self, _: &str, _: &[String], _: Document) -> Result<u64, WriteError> {
        Err(WriteError::Rejected("no relay runs".to_owned()))
    }

    async fn ping(&self) -> Result<(), ReadError> {
        Ok(())
    }
}

/// Refuses the refund of every charge whose provider id begins with `disputed`, and is not reached
/// for those that begin with `lost`.
struct Disputing;

#[async_trait]
impl Http for Disputing {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let (status, body) = if request.body().starts_with(b"charge=disputed") {
            (400, r#"{"error":{"type":"invalid_request_error","code":"charge_disputed"}}"#)
        } else if request.body().starts_with(b"charge=lost") {
            return Err(HttpError::Unknown("lost".to_owned()));
        } else {
            (200, r#"{"id":"re_1","status":"succeeded"}"#)
        };
        Ok(http::Response::builder()
            .status(status)
            .body(Bytes::from_static(body.as_bytes()))
            .unwrap())
    }
}

/// A clock that stands still: no wait ever ends.
struct Frozen;

#[async_trait]
impl Clock for Frozen {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_000).unwrap()
    }

    async fn sleep_until(&self, _: Timestamp) {
        std::future::pending::<()>().await;
    }
}

struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// A bus that is never reached: events stay in their documents.
struct NoBus;

#[async_trait]
impl Bus for NoBus {
    async fn ensure(&self) -> Result<(), BusError> {
        Ok(())
    }

    async fn publish(&self, _: Stream, _: Message) -> Result<Published, PublishError> {
        Err(PublishError::Unavailable("no bus".to_owned()))
    }

    async fn subscribe(&self, _: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError::Unavailable("no bus".to_owned()))
    }

    async fn remove(&self, _: Stream, _: u64) -> Result<bool, BusError> {
        unreachable!("a charge removes no message")
    }

    async fn state(&self, _: Stream) -> Result<StreamState, BusError> {
        unreachable!("a charge reads no stream")
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        Ok(Vec::new())
    }

    async fn ping(&self) -> Result<(), BusError> {
        Ok(())
    }
}

/// A cancelled order with a completed charge.
fn to_refund(id: &str, stripe_id: &str) -> Document {
    let charge = Charge {
        id: format!("charge-{id}"),
        status: ChargeStatus::Completed,
        amount: Cents(1999),
        source: "tok_visa".to_owned(),
        stripe_id: Some(stripe_id.to_owned()),
        stripe_refund_id: None,
        created: Timestamp::from_second(800).unwrap(),
        attempt: Attempt::first(Timestamp::from_second(900).unwrap()),
        failure: None,
        version: 1,
    };
    let order = Order {
        id: id.to_owned(),
        user_id: "buyer".to_owned(),
        price: Cents(1999),
        status: OrderStatus::Cancelled,
        version: 1,
        charge: Some(charge),
        due: Some(Timestamp::from_second(900).unwrap()),
    };
    let mut document = encode(&order);
    document.extend(doc! { "revision": 0_i64, "outbox": [] });
    document
}

fn app(store: &Arc<DueOrders>) -> App {
    let ports = Ports {
        store: Arc::clone(store) as Arc<dyn Store>,
        bus: Arc::new(NoBus),
        http: Arc::new(Disputing),
        clock: Arc::new(Frozen),
        entropy: Arc::new(Zeros),
    };
    let session = SessionConfig {
        key: "key".to_owned(),
        previous_key: None,
        lifetime: std::time::Duration::from_secs(60),
        secure: false,
    };
    let provider = ProviderConfig {
        url: "http://provider".to_owned(),
        key: "sk_test".to_owned(),
        currency: "usd".to_owned(),
    };
    App::new(&ports, &Config { session, provider })
}

#[test]
fn refunds_that_fail_do_not_block_the_others_and_those_refused_end() {
    let refunds = |letter: char, count, id: &'static str| {
        (0..count).map(move |n| to_refund(&format!("{letter}{n}"), &format!("{id}{n}")))
    };
    let disputed = refunds('a', BATCH, "disputed");
    let lost = refunds('b', BATCH, "lost");
    let others = refunds('c', 5, "ch_");
    let store = Arc::new(DueOrders(Mutex::new(disputed.chain(lost).chain(others).collect())));
    let app = app(&store);
    let task = Charges(app.clone());
    // Later than any charge is due.
    let sweep = std::time::Duration::from_secs(1_000);
    task.configure(&Policy { sweep, ..Policy::default() });
    let last = loop {
        match block_on(task.step()).unwrap() {
            Step::Worked => {}
            idle => break idle,
        }
    };
    let orders = store.0.lock();
    for order in &*orders {
        let charge = order.get_document("charge").unwrap();
        let (status, failure) = (charge.get_str("status").unwrap(), charge.get_str("failure").ok());
        let is_due = order.get_datetime("due").is_ok();
        let expected = match order.get_str("_id").unwrap().as_bytes()[0] {
            b'a' => ("completed", Some("charge_disputed"), false),
            b'b' => ("completed", None, true),
            _ => ("refunded", None, false),
        };
        assert_eq!((status, failure, is_due), expected, "{order}");
    }
    // The age of the attempts is 100 seconds.
    assert_eq!(last, Step::Idle { next: Some(Timestamp::from_second(1_100).unwrap()) });
    assert_eq!(app.unrefundable.get(), u64::from(BATCH));
}
