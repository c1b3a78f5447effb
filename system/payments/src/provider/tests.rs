//! Requests to the provider, and the reading of its responses.

use std::collections::VecDeque;

use async_trait::async_trait;
use contracts::{Cents, ChargeStatus};
use futures::executor::block_on;
use parking_lot::Mutex;
use ports::Timestamp;

use super::*;
use crate::model::inquiry::Attempt;

/// Responds with fixed responses, the last one again and again, and records the requests.
struct Scripted {
    requests: Mutex<Vec<Request<Bytes>>>,
    responses: Mutex<VecDeque<Result<(u16, &'static str), HttpError>>>,
    replayed: bool,
    hangs: bool,
}

#[async_trait]
impl Http for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.requests.lock().push(request);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let mut responses = self.responses.lock();
        let last = responses.front().cloned().unwrap();
        let (status, body) =
            if responses.len() > 1 { responses.pop_front().unwrap()? } else { last? };
        let mut response = Response::builder().status(status);
        if self.replayed {
            response = response.header("Idempotent-Replayed", "true");
        }
        Ok(response.body(Bytes::from_static(body.as_bytes())).unwrap())
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
    let responses = Mutex::new(VecDeque::from([response]));
    Arc::new(Scripted { requests: Mutex::default(), responses, replayed: false, hangs })
}

/// Responds with these bodies, one after the other.
fn bodies(bodies: &[&'static str]) -> Arc<Scripted> {
    let responses = Mutex::new(bodies.iter().map(|body| Ok((200, *body))).collect());
    Arc::new(Scripted { requests: Mutex::default(), responses, replayed: false, hangs: false })
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
        created: Timestamp::from_second(10_000).unwrap(),
        attempt: Attempt::first(Timestamp::from_second(10_000).unwrap()),
        failure: None,
        version: 0,
    }
}

fn inquiry(transfer: Transfer, how: How) -> Inquiry {
    Inquiry { transfer, attempt: 1, how }
}

fn request(transfer: Transfer) -> Inquiry {
    inquiry(transfer, How::Request { key: "key".to_owned() })
}

fn ask(http: &Arc<Scripted>, inquiry: &Inquiry) -> Result<Outcome, ProviderError> {
    block_on(client(http).ask("o1", &charge(), inquiry))
}

fn charged(status: u16, body: &'static str) -> Result<Outcome, ProviderError> {
    ask(&scripted(Ok((status, body)), false), &request(Transfer::Charge))
}

fn succeeded(id: &str) -> Outcome {
    Outcome::Succeeded { id: Some(id.to_owned()) }
}

fn failed(code: &str) -> Outcome {
    Outcome::Failed { code: code.to_owned() }
}

#[test]
fn a_charge_request_has_the_documented_form() {
    let http = scripted(Ok((200, r#"{"id":"ch_1"}"#)), false);
    let outcome = ask(&http, &request(Transfer::Charge));
    assert_eq!(outcome.unwrap(), succeeded("ch_1"));
    let requests = http.requests.lock();
    assert_eq!(requests[0].method(), Method::POST);
    assert_eq!(requests[0].uri(), "http://provider:1234/v1/charges");
    assert_eq!(requests[0].headers()["authorization"], "Bearer sk_test");
    assert_eq!(requests[0].headers()["idempotency-key"], "key");
    assert_eq!(requests[0].headers()["content-type"], "application/x-www-form-urlencoded");
    let form = "amount=1999&currency=usd&source=tok_visa&metadata%5BorderId%5D=o1";
    assert_eq!(requests[0].body(), form);
}

#[test]
fn a_refund_request_has_the_documented_form() {
    let http = scripted(Ok((200, r#"{"id":"re_1","status":"succeeded"}"#)), false);
    assert_eq!(ask(&http, &request(Transfer::Refund)).unwrap(), succeeded("re_1"));
    let requests = http.requests.lock();
    assert_eq!(requests[0].uri(), "http://provider:1234/v1/refunds");
    assert_eq!(requests[0].headers()["idempotency-key"], "key");
    assert_eq!(requests[0].body(), "charge=ch_1");
}

#[test]
fn the_status_of_an_object_is_its_outcome() {
    for (body, outcome) in [
        (r#"{"id":"x"}"#, succeeded("x")),
        (r#"{"id":"x","status":null}"#, succeeded("x")),
        (r#"{"id":"x","status":"succeeded"}"#, succeeded("x")),
        (r#"{"id":"x","status":"pending"}"#, Outcome::Pending { id: "x".to_owned() }),
        (r#"{"id":"x","status":"requires_action"}"#, Outcome::Pending { id: "x".to_owned() }),
        (r#"{"id":"x","status":"failed","failure_code":"card_declined"}"#, failed("card_declined")),
        (r#"{"id":"x","status":"failed","failure_reason":"unknown"}"#, failed("unknown")),
        (r#"{"id":"x","status":"canceled"}"#, failed("canceled")),
    ] {
        for transfer in [Transfer::Charge, Transfer::Refund] {
            for how in [How::Request { key: "key".to_owned() }, How::Read { id: "x".to_owned() }] {
                let http = scripted(Ok((200, body)), false);
                let answer = ask(&http, &inquiry(transfer, how)).unwrap();
                assert_eq!(answer, outcome, "{body}");
            }
        }
    }
    assert!(charged(200, r#"{"id":"x","status":"unheard-of"}"#).is_err());
}

#[test]
fn a_pending_object_is_read_by_its_id() {
    for (transfer, path) in [(Transfer::Charge, "charges"), (Transfer::Refund, "refunds")] {
        let http = scripted(Ok((200, r#"{"id":"x","status":"pending"}"#)), false);
        ask(&http, &inquiry(transfer, How::Read { id: "x".to_owned() })).unwrap();
        let requests = http.requests.lock();
        assert_eq!(requests[0].method(), Method::GET);
        assert_eq!(requests[0].uri(), format!("http://provider:1234/v1/{path}/x").as_str());
        assert_eq!(requests[0].headers()["authorization"], "Bearer sk_test");
    }
}

#[test]
fn a_search_reads_all_charges_since_the_first_and_picks_those_of_the_order() {
    let http = bodies(&[
        r#"{"has_more":true,"data":[{"id":"ch_9","status":"succeeded","metadata":{"orderId":"o2"}}]}"#,
        r#"{"has_more":true,"data":[{"id":"ch_8","status":"failed","metadata":{"orderId":"o1"}}]}"#,
        r#"{"has_more":false,"data":[{"id":"ch_7","status":"succeeded","metadata":{"orderId":"o1"}}]}"#,
    ]);
    let found = ask(&http, &inquiry(Transfer::Charge, How::Search)).unwrap();
    assert_eq!(found, succeeded("ch_7"));
    let uris: Vec<_> = http.requests.lock().iter().map(|r| r.uri().to_string()).collect();
    let first = "http://provider:1234/v1/charges?created%5Bgte%5D=6400&limit=100";
    let after = |id: &str| format!("{first}&starting_after={id}");
    assert_eq!(uris, [first.to_owned(), after("ch_9"), after("ch_8")]);
    let none = bodies(&[r#"{"data":[{"id":"ch_9","metadata":{"orderId":"o2"}}]}"#]);
    let absent = ask(&none, &inquiry(Transfer::Charge, How::Search)).unwrap();
    assert_eq!(absent, Outcome::Absent);
}

#[test]
fn a_search_for_a_refund_asks_for_those_of_the_charge() {
    let http =
        bodies(&[r#"{"data":[{"id":"re_2","status":"pending"},{"id":"re_1","status":"failed"}]}"#]);
    let found = ask(&http, &inquiry(Transfer::Refund, How::Search)).unwrap();
    assert_eq!(found, Outcome::Pending { id: "re_2".to_owned() });
    let uri = http.requests.lock()[0].uri().to_string();
    assert_eq!(uri, "http://provider:1234/v1/refunds?charge=ch_1&limit=100");
}

#[test]
fn a_search_that_fails_finds_nothing_out() {
    for status in [401, 404, 429, 500] {
        for transfer in [Transfer::Charge, Transfer::Refund] {
            let http = scripted(Ok((status, "{}")), false);
            let found = ask(&http, &inquiry(transfer, How::Search));
            assert!(matches!(found, Err(ProviderError::Indefinite { .. })), "{status}");
        }
    }
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
        assert_eq!(charged(status, body).unwrap(), failed(code), "{body}");
    }
}

#[test]
fn an_indefinite_response_is_an_error() {
    let error = r#"{"error":{"type":"api_error","code":"x"}}"#;
    for status in [401, 403, 404, 409, 429, 502, 503, 504, 302] {
        assert!(charged(status, error).is_err(), "{status}");
    }
    for (status, body) in [(200, "<html>"), (200, "{}"), (400, "<html>")] {
        assert!(charged(status, body).is_err(), "{status} {body}");
    }
}

#[test]
fn an_error_that_the_key_keeps_spends_it() {
    let taken = r#"{"error":{"type":"idempotency_error"}}"#;
    for (status, body) in [(400, taken), (500, "{}"), (500, "<html>")] {
        assert_eq!(charged(status, body).unwrap(), Outcome::KeySpent, "{status} {body}");
    }
    let responses = Mutex::new(VecDeque::from([Ok((503, "{}"))]));
    let http = Scripted { requests: Mutex::default(), responses, replayed: true, hangs: false };
    let replayed = ask(&Arc::new(http), &request(Transfer::Charge)).unwrap();
    assert_eq!(replayed, Outcome::KeySpent);
}

#[test]
fn a_key_that_retires_is_not_used() {
    let http = scripted(Ok((200, r#"{"id":"ch_1"}"#)), false);
    let wait = inquiry(Transfer::Charge, How::Wait { until: Timestamp::UNIX_EPOCH });
    assert!(matches!(ask(&http, &wait), Err(ProviderError::KeyRetires)));
    assert!(http.requests.lock().is_empty());
}

#[test]
fn a_missing_or_late_response_is_an_error() {
    for failure in
        [HttpError::Unreachable("down".to_owned()), HttpError::Unknown("reset".to_owned())]
    {
        let http = scripted(Err(failure.clone()), false);
        let outcome = ask(&http, &request(Transfer::Charge));
        assert!(matches!(outcome, Err(ProviderError::Http(error)) if error == failure));
    }
    let http = scripted(Ok((200, r#"{"id":"ch_1"}"#)), true);
    let outcome = ask(&http, &request(Transfer::Charge));
    assert!(matches!(outcome, Err(ProviderError::Timeout(_))));
}

#[test]
fn a_charge_that_was_refunded_before_has_the_outcome_of_that_refund() {
    let before = r#"{"error":{"type":"invalid_request_error","code":"charge_already_refunded"}}"#;
    for (found, outcome) in [
        (r#"{"data":[{"id":"re_1","status":"succeeded"}]}"#, succeeded("re_1")),
        (r#"{"data":[{"id":"re_1","status":"pending"}]}"#, Outcome::Pending { id: "re_1".into() }),
        (r#"{"data":[]}"#, Outcome::Succeeded { id: None }),
    ] {
        let http = bodies(&[found, found]);
        http.responses.lock()[0] = Ok((400, before));
        assert_eq!(ask(&http, &request(Transfer::Refund)).unwrap(), outcome, "{found}");
    }
    let refused = r#"{"error":{"type":"invalid_request_error","code":"charge_disputed"}}"#;
    let http = scripted(Ok((400, refused)), false);
    assert_eq!(ask(&http, &request(Transfer::Refund)).unwrap(), failed("charge_disputed"));
}
