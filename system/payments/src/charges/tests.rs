use std::sync::{Arc, Mutex};

use bson::{Document, doc};
use bytes::Bytes;
use contracts::{Cents, OrderStatus};
use futures::executor::block_on;
use identity::session::{SessionConfig, Sessions};
use platform::collection::Collection;
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
use crate::provider::{Provider, ProviderConfig};

/// Holds orders in the order in which they fall due, and finds the first of those with
/// something to settle.
struct Shelf(Mutex<Vec<Document>>);

#[async_trait]
impl Store for Shelf {
    async fn ensure(&self, _: &str, _: &[Index]) -> Result<(), WriteError> {
        Ok(())
    }

    async fn insert(&self, _: &str, _: Document) -> Result<(), WriteError> {
        Err(WriteError::Rejected("nothing is inserted here".to_owned()))
    }

    async fn get(&self, _: &str, id: &str) -> Result<Option<Document>, ReadError> {
        let found = self.0.lock().unwrap();
        Ok(found
            .iter()
            .find(|document| document.get_str("_id").is_ok_and(|found| found == id))
            .cloned())
    }

    async fn find(&self, _: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        let all = self.0.lock().unwrap();
        let due = all.iter().filter(|document| document.get_datetime("due").is_ok());
        Ok(due.take(find.limit as usize).cloned().collect())
    }

    async fn update(&self, _: &str, update: Update) -> Result<Option<Document>, WriteError> {
        let mut all = self.0.lock().unwrap();
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

/// Refuses the refund of a charge whose name begins with `disputed`.
struct Partial;

#[async_trait]
impl Http for Partial {
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

/// It is always the same second, and no wait is ever over.
struct Still;

#[async_trait]
impl Clock for Still {
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

/// Nothing goes out here: events wait in their documents.
struct Silent;

#[async_trait]
impl Bus for Silent {
    async fn ensure(&self) -> Result<(), BusError> {
        Ok(())
    }

    async fn publish(&self, _: Stream, _: Message) -> Result<Published, PublishError> {
        Err(PublishError::Unavailable("silent".to_owned()))
    }

    async fn subscribe(&self, _: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError::Unavailable("silent".to_owned()))
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        Ok(Vec::new())
    }

    async fn ping(&self) -> Result<(), BusError> {
        Ok(())
    }
}

/// A cancelled order whose money has moved.
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
    let mut document = bson::serialize_to_document(&order).unwrap();
    document.extend(doc! { "revision": 0_i64, "outbox": [] });
    document
}

fn app(store: &Arc<Shelf>) -> App {
    let ports = Ports {
        store: Arc::clone(store) as Arc<dyn Store>,
        bus: Arc::new(Silent),
        http: Arc::new(Partial),
        clock: Arc::new(Still),
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
    App {
        sessions: Sessions::new(&session, &ports),
        clock: Arc::clone(&ports.clock),
        entropy: Arc::clone(&ports.entropy),
        orders: Collection::new(&ports),
        provider: Provider::new(&provider, &ports),
        unsettled: Wake::default(),
    }
}

#[test]
fn what_the_provider_goes_on_refusing_holds_up_nobody_else() {
    let many = 2 * BATCH;
    let disputed = (0..many).map(|n| to_refund(&format!("a{n}"), &format!("disputed{n}")));
    let others = (0..5).map(|n| to_refund(&format!("b{n}"), &format!("ch_{n}")));
    let store = Arc::new(Shelf(Mutex::new(disputed.chain(others).collect())));
    let step = block_on(Charges(app(&store)).step());
    let why = step.expect_err("a refund that is refused is not forgotten").0;
    assert!(why.contains("charge_disputed"), "{why}");
    let refunded = |document: &&Document| {
        let charge = document.get_document("charge").unwrap();
        charge.get_str("status").is_ok_and(|status| status == "refunded")
    };
    let orders = store.0.lock().unwrap();
    let ids: Vec<_> =
        orders.iter().filter(refunded).map(|order| order.get_str("_id").unwrap()).collect();
    assert_eq!(ids, ["b0", "b1", "b2", "b3", "b4"]);
}
