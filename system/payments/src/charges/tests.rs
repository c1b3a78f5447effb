//! The charges' task with a provider that refuses some of the refunds.

use std::sync::Arc;

use bson::{Document, doc};
use bytes::Bytes;
use contracts::{Cents, OrderStatus};
use futures::executor::block_on;
use identity::session::SessionConfig;
use parking_lot::Mutex;
use platform::chain::Chain;
use platform::collection::encode;
use ports::Ports;
use ports::Timestamp;
use ports::bus::{
    Bus, BusError, Consumer, Message, Pending, PublishError, Published, Stream, Subscription,
};
use ports::clock::Clock;
use ports::entropy::Entropy;
use ports::http::{Http, HttpError};
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

use super::*;
use crate::app::Config;
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
        let due = all.iter().filter(|document| document.get_datetime("due").is_ok());
        Ok(due.take(find.limit as usize).cloned().collect())
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

    async fn ping(&self) -> Result<(), ReadError> {
        Ok(())
    }
}

/// Refuses the refund of every charge whose provider id begins with `disputed`.
struct Disputing;

#[async_trait]
impl Http for Disputing {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let disputed = request.body().starts_with(b"charge=disputed");
        let (status, body) = if disputed {
            (400, r#"{"error":{"type":"invalid_request_error","code":"charge_disputed"}}"#)
        } else {
            (200, r#"{"id":"re_1"}"#)
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
fn refused_refunds_do_not_block_the_others() {
    let many = 2 * BATCH;
    let disputed = (0..many).map(|n| to_refund(&format!("a{n}"), &format!("disputed{n}")));
    let others = (0..5).map(|n| to_refund(&format!("b{n}"), &format!("ch_{n}")));
    let store = Arc::new(DueOrders(Mutex::new(disputed.chain(others).collect())));
    let step = block_on(Charges(app(&store)).step());
    let error = step.expect_err("refused refunds are reported");
    let error = Chain(&error).to_string();
    assert!(error.contains("charge_disputed"), "{error}");
    let refunded = |document: &&Document| {
        let charge = document.get_document("charge").unwrap();
        charge.get_str("status").is_ok_and(|status| status == "refunded")
    };
    let orders = store.0.lock();
    let ids: Vec<_> =
        orders.iter().filter(refunded).map(|order| order.get_str("_id").unwrap()).collect();
    assert_eq!(ids, ["b0", "b1", "b2", "b3", "b4"]);
}
