//! The stand-in of the provider: its ledger, its keys, its refusals and its misbehavior.

use serde_json::json;

use super::*;

const CHARGE: &str = "amount=1999&currency=usd&source=tok_visa&metadata%5BorderId%5D=o1";
const DECLINED: &str = "amount=1999&currency=usd&source=tok_chargeDeclined";
const HOUR: i64 = 60 * 60;

/// A provider and the time of its next request.
struct Bench {
    provider: Provider,
    second: i64,
}

impl Bench {
    fn new() -> Self {
        Self { provider: Provider::new("sk_test", &TimeScale::simulated()), second: 1_000 }
    }

    fn misbehaving(how: Misbehavior) -> Self {
        let bench = Self::new();
        bench.provider.misbehave(how, bench.now());
        bench
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.second).unwrap()
    }

    fn answer(&self, request: &Request<Bytes>) -> Answer {
        self.provider.answer(request, self.now())
    }

    fn sent(&self, request: &Request<Bytes>) -> (u16, Value) {
        match self.answer(request) {
            Answer::Response(response, _) => {
                (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
            }
            other => panic!("no answer: {other:?}"),
        }
    }

    fn charge(&self, key: &str, body: &str) -> (u16, Value) {
        self.sent(&request("/v1/charges", key, body))
    }

    fn refund(&self, key: &str, charge: &Value) -> (u16, Value) {
        let body = format!("charge={}", charge["id"].as_str().unwrap());
        self.sent(&request("/v1/refunds", key, &body))
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let request = Request::get(format!("http://provider{path}"));
        let request = request.header("authorization", "Bearer sk_test").body(Bytes::new());
        self.sent(&request.unwrap())
    }
}

fn request(path: &str, key: &str, body: &str) -> Request<Bytes> {
    Request::post(format!("http://provider{path}"))
        .header("authorization", "Bearer sk_test")
        .header("idempotency-key", key)
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

#[test]
fn a_charge_is_in_the_ledger() {
    let bench = Bench::new();
    let (status, body) = bench.charge("k1", CHARGE);
    assert_eq!((status, &body["status"]), (200, &json!("succeeded")));
    assert_eq!(body["metadata"], json!({ "orderId": "o1" }));
    let charges = bench.provider.charges();
    assert_eq!(charges.len(), 1);
    assert_eq!(charges[0].id, body["id"].as_str().unwrap());
    assert_eq!((charges[0].order_id.as_str(), charges[0].amount), ("o1", 1999));
    assert_eq!(charges[0].idempotency_key, "k1");
    assert!(charges[0].id.starts_with("ch_") && charges[0].is_kept());
    assert_eq!(bench.get(&format!("/v1/charges/{}", charges[0].id)), (200, body));
}

#[test]
fn the_same_key_moves_money_once_and_has_the_same_answer() {
    let bench = Bench::new();
    let first = bench.charge("k1", CHARGE);
    assert_eq!(bench.charge("k1", CHARGE), first);
    let Answer::Response(replayed, _) = bench.answer(&request("/v1/charges", "k1", CHARGE)) else {
        panic!("no response")
    };
    assert_eq!(replayed.headers()["idempotent-replayed"], "true");
    assert_eq!(bench.provider.charges().len(), 1);
    bench.charge("k2", CHARGE);
    assert_eq!(bench.provider.charges().len(), 2);
}

#[test]
fn a_key_belongs_to_the_parameters_that_it_was_first_used_with() {
    let bench = Bench::new();
    bench.charge("k1", CHARGE);
    let (status, body) = bench.charge("k1", DECLINED);
    assert_eq!((status, &body["error"]["type"]), (400, &json!("idempotency_error")));
    assert_eq!(bench.provider.charges().len(), 1);
}

#[test]
fn a_key_is_forgotten_after_a_day_and_not_before() {
    let mut bench = Bench::new();
    let first = bench.charge("k1", CHARGE);
    bench.second += 24 * HOUR - 1;
    assert_eq!(bench.charge("k1", CHARGE), first);
    bench.second += 1;
    assert_ne!(bench.charge("k1", CHARGE), first);
    assert_eq!(bench.provider.charges().len(), 2);
}

#[test]
fn a_declined_card_moves_nothing_however_often_it_is_asked() {
    let bench = Bench::new();
    let first = bench.charge("k1", DECLINED);
    assert_eq!(code(&first), (402, "card_declined"));
    assert_eq!(bench.charge("k1", DECLINED), first);
    assert_eq!(bench.provider.charges().len(), 1);
    assert!(!bench.provider.charges()[0].has_moved());
}

#[test]
fn what_is_not_valid_is_refused_and_not_kept() {
    let bench = Bench::new();
    for (body, expected) in [
        ("amount=0&currency=usd&source=tok_visa", "parameter_invalid_integer"),
        ("amount=19.99&currency=usd&source=tok_visa", "parameter_invalid_integer"),
        ("amount=49&currency=usd&source=tok_visa", "amount_too_small"),
        ("amount=100000000&currency=usd&source=tok_visa", "amount_too_large"),
        ("currency=usd&source=tok_visa", "parameter_missing"),
        ("amount=50&currency=usd", "parameter_missing"),
        ("amount=50&currency=usd&source=tok_none", "resource_missing"),
        ("amount=50&currency=usd&source=tok_visa&colour=red", "parameter_unknown"),
    ] {
        assert_eq!(code(&bench.charge("k1", body)), (400, expected), "{body}");
    }
    assert_eq!(bench.charge("k1", "amount=50&currency=dollar&source=tok_visa").0, 400);
    assert_eq!(bench.charge("k1", "amount=50&currency=usd&source=tok_visa").0, 200);
    assert_eq!(bench.charge("k2", "amount=99999999&currency=usd&source=tok_visa").0, 200);
}

#[test]
fn only_the_secret_key_and_known_routes_get_in() {
    let bench = Bench::new();
    let mut stranger = request("/v1/charges", "k1", CHARGE);
    stranger.headers_mut().insert("authorization", "Bearer sk_other".parse().unwrap());
    assert_eq!(bench.sent(&stranger).0, 401);
    stranger.headers_mut().remove("authorization");
    assert_eq!(bench.sent(&stranger).0, 401);
    assert_eq!(bench.sent(&request("/v1/payouts", "k1", "")).0, 404);
    for path in ["/v1/payouts", "/v1/charges/search?query=x", "/v1/refunds/re_none", "/"] {
        assert_eq!(bench.get(path).0, 404, "{path}");
    }
    assert_eq!(bench.provider.charges(), []);
}

#[test]
fn a_charge_is_refunded_once() {
    let bench = Bench::new();
    let charge = bench.charge("k1", CHARGE).1;
    let first = bench.refund("r1", &charge);
    assert_eq!((first.0, &first.1["amount"]), (200, &json!(1999)));
    assert!(first.1["id"].as_str().unwrap().starts_with("re_"));
    assert!(bench.provider.charges()[0].is_refunded());
    assert_eq!(bench.refund("r1", &charge), first);
    assert_eq!(code(&bench.refund("r2", &charge)), (400, "charge_already_refunded"));
    let none = bench.refund("r3", &json!({ "id": "ch_none" }));
    assert_eq!(code(&none), (400, "resource_missing"));
}

#[test]
fn lists_show_the_newest_first_page_by_page() {
    let mut bench = Bench::new();
    for key in 0..5 {
        bench.charge(&format!("k{key}"), CHARGE);
        bench.second += 1;
    }
    let ids = |page: &Value| {
        let data = page["data"].as_array().unwrap().iter();
        let number = |charge: &Value| charge["id"].as_str().unwrap()[3..].parse().unwrap();
        data.map(number).collect::<Vec<u32>>()
    };
    let page = bench.get("/v1/charges?limit=2").1;
    assert_eq!((ids(&page), &page["has_more"]), (vec![5, 4], &json!(true)));
    let last = page["data"][1]["id"].as_str().unwrap();
    let page = bench.get(&format!("/v1/charges?limit=10&starting_after={last}")).1;
    assert_eq!((ids(&page), &page["has_more"]), (vec![3, 2, 1], &json!(false)));
    assert_eq!(ids(&bench.get("/v1/charges?created%5Bgte%5D=1003").1), [5, 4]);
    assert_eq!(ids(&bench.get("/v1/charges?created%5Blte%5D=1000").1), [1]);
    for bad in ["limit=0", "limit=101", "created%5Bgte%5D=now", "metadata%5Ba%5D=b", "colour=red"] {
        assert_eq!(bench.get(&format!("/v1/charges?{bad}")).0, 400, "{bad}");
    }
    let charge = bench.provider.charges()[2].json();
    bench.refund("r1", &charge);
    let path = format!("/v1/refunds?charge={}", charge["id"].as_str().unwrap());
    assert_eq!(bench.get(&path).1["data"].as_array().unwrap().len(), 1);
    assert_eq!(bench.get("/v1/refunds?charge=ch_none").1["data"], json!([]));
}

#[test]
fn an_error_of_the_endpoint_is_kept_with_and_without_an_effect() {
    for (how, charges) in [(Misbehavior::KeepsError, 0), (Misbehavior::KeepsErrorOfSuccess, 1)] {
        let bench = Bench::misbehaving(how);
        for _ in 0..3 {
            assert_eq!(bench.charge("k1", CHARGE).0, 500);
            assert_eq!(bench.provider.charges().len(), charges);
        }
        assert_eq!(bench.charge("k2", CHARGE).0, 200);
    }
}

#[test]
fn errors_in_front_of_the_endpoint_are_not_kept() {
    for (how, status) in [(Misbehavior::Unavailable, 503), (Misbehavior::RateLimited, 429)] {
        let bench = Bench::misbehaving(how);
        assert_eq!(bench.charge("k1", CHARGE).0, status);
        assert_eq!(bench.provider.charges(), []);
        assert_eq!(bench.charge("k1", CHARGE).0, 200);
    }
}

#[test]
fn a_lost_response_is_kept() {
    let bench = Bench::misbehaving(Misbehavior::LosesResponse);
    assert!(matches!(bench.answer(&request("/v1/charges", "k1", CHARGE)), Answer::Lost));
    assert_eq!(bench.charge("k1", CHARGE).0, 200);
    assert_eq!(bench.provider.charges().len(), 1);
}

#[test]
fn a_request_in_progress_conflicts_with_its_repetition() {
    let mut bench = Bench::misbehaving(Misbehavior::Slow(30));
    let Answer::Response(response, time) = bench.answer(&request("/v1/charges", "k1", CHARGE))
    else {
        panic!("no response")
    };
    assert_eq!((response.status().as_u16(), time.as_secs()), (200, 30));
    bench.second += 29;
    assert_eq!(code(&bench.charge("k1", CHARGE)), (409, "idempotency_key_in_use"));
    bench.second += 1;
    assert_eq!(bench.charge("k1", CHARGE).0, 200);
    assert_eq!(bench.provider.charges().len(), 1);
}

#[test]
fn a_pending_charge_ends_at_its_time() {
    for (how, end) in [
        (Misbehavior::ChargeSucceedsLater(60), "succeeded"),
        (Misbehavior::ChargeFailsLater(60), "failed"),
    ] {
        let mut bench = Bench::misbehaving(how);
        let charge = bench.charge("k1", CHARGE).1;
        assert_eq!((&charge["status"], &charge["paid"]), (&json!("pending"), &json!(false)));
        assert_eq!(bench.refund("r0", &charge).0, 400);
        let path = format!("/v1/charges/{}", charge["id"].as_str().unwrap());
        bench.second += 59;
        assert_eq!(bench.get(&path).1["status"], "pending");
        bench.second += 1;
        assert_eq!(bench.get(&path).1["status"], end);
        // The key keeps the first response.
        assert_eq!(bench.charge("k1", CHARGE).1["status"], "pending");
        assert_eq!(bench.provider.charges()[0].has_moved(), end == "succeeded");
    }
}

#[test]
fn a_pending_refund_ends_at_its_time() {
    for (how, end) in [
        (Misbehavior::RefundSucceedsLater(60), "succeeded"),
        (Misbehavior::RefundFailsLater(60), "failed"),
    ] {
        let mut bench = Bench::misbehaving(how);
        let charge = bench.charge("k1", CHARGE).1;
        let refund = bench.refund("r1", &charge).1;
        assert_eq!(refund["status"], "pending");
        assert_eq!(code(&bench.refund("r2", &charge)), (400, "charge_already_refunded"));
        bench.second += 60;
        let path = format!("/v1/refunds/{}", refund["id"].as_str().unwrap());
        assert_eq!(bench.get(&path).1["status"], end);
        let charge = &bench.provider.charges()[0];
        assert_eq!(charge.is_refunded(), end == "succeeded");
        let refusal = (end == "failed").then_some("expired_or_canceled_card");
        assert_eq!(charge.refusal(), refusal);
    }
}

#[test]
fn a_disputed_charge_is_never_refunded() {
    let bench = Bench::misbehaving(Misbehavior::Disputed);
    let charge = bench.charge("k1", CHARGE).1;
    for key in ["r1", "r1", "r2"] {
        assert_eq!(code(&bench.refund(key, &charge)), (400, "charge_disputed"));
    }
    assert_eq!(bench.provider.charges()[0].refusal(), Some("charge_disputed"));
}

#[test]
fn a_charge_refunded_by_hand_cannot_be_refunded_again() {
    let bench = Bench::misbehaving(Misbehavior::RefundedByHand);
    let charge = bench.charge("k1", CHARGE).1;
    assert_eq!(code(&bench.refund("r1", &charge)), (400, "charge_already_refunded"));
    assert!(bench.provider.charges()[0].is_refunded());
}

#[test]
fn down_it_sees_nothing_until_it_is_up_or_heals() {
    let mut bench = Bench::misbehaving(Misbehavior::Down(3_600));
    let refused = |bench: &Bench| {
        matches!(bench.answer(&request("/v1/charges", "k1", CHARGE)), Answer::Refused)
    };
    bench.second += HOUR - 1;
    assert!(refused(&bench));
    bench.second += 1;
    assert!(!refused(&bench));
    bench.provider.misbehave(Misbehavior::Down(3_600), bench.now());
    assert!(refused(&bench));
    bench.provider.heal();
    assert!(!refused(&bench));
}
