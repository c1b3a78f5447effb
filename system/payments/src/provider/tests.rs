use std::sync::Mutex;

use async_trait::async_trait;
use contracts::{Cents, ChargeStatus};
use futures::executor::block_on;
use ports::Timestamp;
use ports::http::HttpError;

use super::*;

/// Answers once, and remembers what it was asked.
struct Scripted {
    asked: Mutex<Vec<Request<Bytes>>>,
    answer: Result<(u16, &'static str), HttpError>,
    hangs: bool,
}

#[async_trait]
impl Http for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.asked.lock().unwrap().push(request);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let (status, body) = self.answer.clone()?;
        Ok(Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap())
    }
}

/// A clock whose every wait is over at once.
struct Impatient;

#[async_trait]
impl Clock for Impatient {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

fn scripted(answer: Result<(u16, &'static str), HttpError>, hangs: bool) -> Arc<Scripted> {
    Arc::new(Scripted { asked: Mutex::default(), answer, hangs })
}

fn client(http: &Arc<Scripted>) -> Provider {
    let config = ProviderConfig {
        url: "http://provider:1234/".to_owned(),
        key: "sk_test".to_owned(),
        currency: "usd".to_owned(),
    };
    Provider {
        http: Arc::clone(http) as Arc<dyn Http>,
        clock: Arc::new(Impatient),
        config: Arc::new(config),
    }
}

fn charge() -> Charge {
    Charge {
        id: "c1".to_owned(),
        status: ChargeStatus::Created,
        amount: Cents(1999),
        source: "tok_visa".to_owned(),
        stripe_id: Some("ch_1".to_owned()),
        stripe_refund_id: None,
        version: 0,
    }
}

fn asked(status: u16, body: &'static str) -> Outcome {
    block_on(client(&scripted(Ok((status, body)), false)).charge("o1", &charge()))
}

fn refund(status: u16, body: &'static str) -> Refund {
    block_on(client(&scripted(Ok((status, body)), false)).refund(&charge()))
}

#[test]
fn a_charge_is_asked_for_as_the_provider_documents_it() {
    let http = scripted(Ok((200, r#"{"id":"ch_1"}"#)), false);
    let outcome = block_on(client(&http).charge("o1", &charge()));
    assert_eq!(outcome, Outcome::Charged { id: "ch_1".to_owned() });
    let asked = http.asked.lock().unwrap();
    assert_eq!(asked[0].method(), Method::POST);
    assert_eq!(asked[0].uri(), "http://provider:1234/v1/charges");
    assert_eq!(asked[0].headers()["authorization"], "Bearer sk_test");
    assert_eq!(asked[0].headers()["idempotency-key"], "c1");
    assert_eq!(asked[0].headers()["content-type"], "application/x-www-form-urlencoded");
    let form = "amount=1999&currency=usd&source=tok_visa&metadata%5BorderId%5D=o1";
    assert_eq!(asked[0].body(), form);
}

#[test]
fn a_refund_is_asked_for_under_a_key_of_its_own() {
    let http = scripted(Ok((200, r#"{"id":"re_1"}"#)), false);
    let refund = block_on(client(&http).refund(&charge()));
    assert_eq!(refund, Refund::Refunded { id: Some("re_1".to_owned()) });
    let asked = http.asked.lock().unwrap();
    assert_eq!(asked[0].uri(), "http://provider:1234/v1/refunds");
    assert_eq!(asked[0].headers()["idempotency-key"], "c1-refund");
    assert_eq!(asked[0].body(), "charge=ch_1");
}

#[test]
fn a_definite_refusal_is_declined_with_its_code() {
    for (status, body, code) in [
        (402, r#"{"error":{"type":"card_error","code":"card_declined"}}"#, "card_declined"),
        (402, "", "card_declined"),
        (
            400,
            r#"{"error":{"type":"invalid_request_error","code":"resource_missing"}}"#,
            "resource_missing",
        ),
        (400, r#"{"error":{"type":"invalid_request_error"}}"#, "invalid_request_error"),
    ] {
        assert_eq!(asked(status, body), Outcome::Declined { code: code.to_owned() }, "{body}");
    }
}

#[test]
fn whatever_is_not_definite_is_unknown() {
    let error = r#"{"error":{"type":"api_error","code":"x"}}"#;
    for status in [401, 403, 404, 409, 429, 500, 502, 503, 504, 302] {
        assert!(matches!(asked(status, error), Outcome::Unknown(_)), "{status}");
    }
    let taken = r#"{"error":{"type":"idempotency_error"}}"#;
    for (status, body) in [(200, "<html>"), (200, "{}"), (400, "<html>"), (400, taken)] {
        assert!(matches!(asked(status, body), Outcome::Unknown(_)), "{status} {body}");
    }
}

#[test]
fn no_answer_and_no_answer_in_time_are_unknown() {
    for answer in
        [HttpError::Unreachable("down".to_owned()), HttpError::Unknown("reset".to_owned())]
    {
        let http = scripted(Err(answer), false);
        assert!(matches!(block_on(client(&http).charge("o1", &charge())), Outcome::Unknown(_)));
    }
    let http = scripted(Ok((200, r#"{"id":"ch_1"}"#)), true);
    assert!(matches!(block_on(client(&http).charge("o1", &charge())), Outcome::Unknown(_)));
}

#[test]
fn a_charge_that_was_refunded_already_is_refunded() {
    let refunded = r#"{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}"#;
    assert_eq!(refund(400, refunded), Refund::Refunded { id: None });
    let missing = r#"{"error":{"type":"invalid_request_error","code":"resource_missing"}}"#;
    assert!(matches!(refund(400, missing), Refund::Unknown(_)));
    assert!(matches!(refund(402, missing), Refund::Unknown(_)));
}
