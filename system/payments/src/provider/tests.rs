//! Requests to the provider, and the reading of its responses.

use async_trait::async_trait;
use contracts::{Cents, ChargeStatus};
use futures::executor::block_on;
use parking_lot::Mutex;
use ports::Timestamp;

use super::*;

/// Responds with a fixed response, and records the requests.
struct Scripted {
    requests: Mutex<Vec<Request<Bytes>>>,
    response: Result<(u16, &'static str), HttpError>,
    hangs: bool,
}

#[async_trait]
impl Http for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.requests.lock().push(request);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let (status, body) = self.response.clone()?;
        Ok(Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap())
    }
}

/// A clock on which every wait ends at once.
struct NoWait;

#[async_trait]
impl Clock for NoWait {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn sleep_until(&self, _: Timestamp) {}
}

fn scripted(response: Result<(u16, &'static str), HttpError>, hangs: bool) -> Arc<Scripted> {
    Arc::new(Scripted { requests: Mutex::default(), response, hangs })
}

fn client(http: &Arc<Scripted>) -> Provider {
    let config = ProviderConfig {
        url: "http://provider:1234/".to_owned(),
        key: "sk_test".to_owned(),
        currency: "usd".to_owned(),
    };
    Provider {
        http: Arc::clone(http) as Arc<dyn Http>,
        clock: Arc::new(NoWait),
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

fn charged(status: u16, body: &'static str) -> Result<ChargeOutcome, ProviderError> {
    block_on(client(&scripted(Ok((status, body)), false)).charge("o1", &charge()))
}

fn refunded(status: u16, body: &'static str) -> Result<Option<String>, ProviderError> {
    block_on(client(&scripted(Ok((status, body)), false)).refund(&charge()))
}

#[test]
fn a_charge_request_has_the_documented_form() {
    let http = scripted(Ok((200, r#"{"id":"ch_1"}"#)), false);
    let outcome = block_on(client(&http).charge("o1", &charge()));
    assert_eq!(outcome.unwrap(), ChargeOutcome::Charged { id: "ch_1".to_owned() });
    let requests = http.requests.lock();
    assert_eq!(requests[0].method(), Method::POST);
    assert_eq!(requests[0].uri(), "http://provider:1234/v1/charges");
    assert_eq!(requests[0].headers()["authorization"], "Bearer sk_test");
    assert_eq!(requests[0].headers()["idempotency-key"], "c1");
    assert_eq!(requests[0].headers()["content-type"], "application/x-www-form-urlencoded");
    let form = "amount=1999&currency=usd&source=tok_visa&metadata%5BorderId%5D=o1";
    assert_eq!(requests[0].body(), form);
}

#[test]
fn a_refund_request_has_an_idempotency_key_of_its_own() {
    let http = scripted(Ok((200, r#"{"id":"re_1"}"#)), false);
    let refund = block_on(client(&http).refund(&charge()));
    assert_eq!(refund.unwrap().as_deref(), Some("re_1"));
    let requests = http.requests.lock();
    assert_eq!(requests[0].uri(), "http://provider:1234/v1/refunds");
    assert_eq!(requests[0].headers()["idempotency-key"], "c1-refund");
    assert_eq!(requests[0].body(), "charge=ch_1");
}

#[test]
fn a_definite_refusal_declines_with_its_code() {
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
        let declined = ChargeOutcome::Declined { code: code.to_owned() };
        assert_eq!(charged(status, body).unwrap(), declined, "{body}");
    }
}

#[test]
fn an_indefinite_response_is_an_error() {
    let error = r#"{"error":{"type":"api_error","code":"x"}}"#;
    for status in [401, 403, 404, 409, 429, 500, 502, 503, 504, 302] {
        assert!(charged(status, error).is_err(), "{status}");
    }
    let taken = r#"{"error":{"type":"idempotency_error"}}"#;
    for (status, body) in [(200, "<html>"), (200, "{}"), (400, "<html>"), (400, taken)] {
        assert!(charged(status, body).is_err(), "{status} {body}");
    }
}

#[test]
fn a_missing_or_late_response_is_an_error() {
    for failure in
        [HttpError::Unreachable("down".to_owned()), HttpError::Unknown("reset".to_owned())]
    {
        let http = scripted(Err(failure.clone()), false);
        let outcome = block_on(client(&http).charge("o1", &charge()));
        assert!(matches!(outcome, Err(ProviderError::Http(error)) if error == failure));
    }
    let http = scripted(Ok((200, r#"{"id":"ch_1"}"#)), true);
    let outcome = block_on(client(&http).charge("o1", &charge()));
    assert!(matches!(outcome, Err(ProviderError::Timeout(_))));
}

#[test]
fn a_charge_that_was_refunded_before_counts_as_refunded() {
    let before = r#"{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}"#;
    assert_eq!(refunded(400, before).unwrap(), None);
    let missing = r#"{"error":{"type":"invalid_request_error","code":"resource_missing"}}"#;
    assert!(refunded(400, missing).is_err());
    assert!(refunded(402, missing).is_err());
}
