//! The provider that stands in: its ledger, its keys and its refusals.

use super::*;

const CHARGE: &str = "amount=1999&currency=usd&source=tok_visa&metadata%5BorderId%5D=o1";
const DECLINED: &str = "amount=1999&currency=usd&source=tok_chargeDeclined";

fn request(path: &str, key: &str, body: &str) -> Request<Bytes> {
    Request::post(format!("http://provider{path}"))
        .header("authorization", "Bearer sk_test")
        .header("idempotency-key", key)
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

fn provider() -> Provider {
    Provider::new("sk_test")
}

fn sent(provider: &Provider, request: &Request<Bytes>) -> (u16, Value) {
    match provider.answer(request) {
        Answer::Response(response) => {
            (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
        }
        other => panic!("no answer: {other:?}"),
    }
}

fn charge(provider: &Provider, key: &str, body: &str) -> (u16, Value) {
    sent(provider, &request("/v1/charges", key, body))
}

#[test]
fn a_charge_is_in_the_ledger() {
    let provider = provider();
    let (status, body) = charge(&provider, "k1", CHARGE);
    assert_eq!((status, &body["status"]), (200, &json!("succeeded")));
    assert_eq!(body["metadata"], json!({ "orderId": "o1" }));
    let expected = LedgerCharge {
        id: body["id"].as_str().unwrap().to_owned(),
        order_id: "o1".to_owned(),
        amount: 1999,
        refunded: false,
        idempotency_key: "k1".to_owned(),
    };
    assert!(expected.id.starts_with("ch_"));
    assert_eq!(provider.charges(), [expected]);
}

#[test]
fn the_same_key_moves_money_once_and_has_the_same_answer() {
    let provider = provider();
    let first = charge(&provider, "k1", CHARGE);
    assert_eq!(charge(&provider, "k1", CHARGE), first);
    assert_eq!(provider.charges().len(), 1);
    charge(&provider, "k2", CHARGE);
    assert_eq!(provider.charges().len(), 2);
}

#[test]
fn a_key_belongs_to_the_parameters_that_it_was_first_used_with() {
    let provider = provider();
    charge(&provider, "k1", CHARGE);
    let (status, body) = charge(&provider, "k1", DECLINED);
    assert_eq!((status, &body["error"]["type"]), (400, &json!("idempotency_error")));
    assert_eq!(provider.charges().len(), 1);
}

#[test]
fn a_declined_card_moves_nothing_however_often_it_is_asked() {
    let provider = provider();
    let first = charge(&provider, "k1", DECLINED);
    assert_eq!(first.0, 402);
    assert_eq!(first.1["error"]["code"], "card_declined");
    assert_eq!(charge(&provider, "k1", DECLINED), first);
    assert_eq!(provider.charges(), []);
}

#[test]
fn what_is_not_valid_is_refused_and_not_remembered() {
    let provider = provider();
    for (body, code) in [
        ("amount=0&currency=usd&source=tok_visa", "parameter_invalid_integer"),
        ("amount=19.99&currency=usd&source=tok_visa", "parameter_invalid_integer"),
        ("currency=usd&source=tok_visa", "parameter_missing"),
        ("amount=1&currency=usd", "parameter_missing"),
        ("amount=1&currency=usd&source=tok_none", "resource_missing"),
        ("amount=1&currency=usd&source=tok_visa&colour=red", "parameter_unknown"),
    ] {
        let (status, answer) = charge(&provider, "k1", body);
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(code)), "{body}");
    }
    assert_eq!(charge(&provider, "k1", "amount=1&currency=dollar&source=tok_visa").0, 400);
    assert_eq!(charge(&provider, "k1", CHARGE).0, 200);
}

#[test]
fn only_the_secret_key_and_known_routes_get_in() {
    let provider = provider();
    let mut stranger = request("/v1/charges", "k1", CHARGE);
    stranger.headers_mut().insert("authorization", "Bearer sk_other".parse().unwrap());
    assert_eq!(sent(&provider, &stranger).0, 401);
    stranger.headers_mut().remove("authorization");
    assert_eq!(sent(&provider, &stranger).0, 401);
    assert_eq!(sent(&provider, &request("/v1/payouts", "k1", "")).0, 404);
    assert_eq!(provider.charges(), []);
}

#[test]
fn a_charge_is_refunded_once() {
    let provider = provider();
    let id = charge(&provider, "k1", CHARGE).1["id"].clone();
    let body = format!("charge={}", id.as_str().unwrap());
    let first = sent(&provider, &request("/v1/refunds", "r1", &body));
    assert_eq!((first.0, &first.1["amount"]), (200, &json!(1999)));
    assert!(first.1["id"].as_str().unwrap().starts_with("re_"));
    assert!(provider.charges()[0].refunded);
    assert_eq!(sent(&provider, &request("/v1/refunds", "r1", &body)), first);
    let (status, again) = sent(&provider, &request("/v1/refunds", "r2", &body));
    assert_eq!((status, &again["error"]["code"]), (400, &json!("charge_already_refunded")));
    let (status, none) = sent(&provider, &request("/v1/refunds", "r3", "charge=ch_none"));
    assert_eq!((status, &none["error"]["code"]), (400, &json!("resource_missing")));
}

#[test]
fn a_failure_has_no_effect_and_a_lost_response_has() {
    let provider = provider();
    provider.fail_next(1);
    provider.lose_next_responses(1);
    assert_eq!(charge(&provider, "k1", CHARGE).0, 503);
    assert_eq!(provider.charges(), []);
    let lost = provider.answer(&request("/v1/charges", "k1", CHARGE));
    assert!(matches!(lost, Answer::Lost));
    assert_eq!(provider.charges().len(), 1);
    assert_eq!(charge(&provider, "k1", CHARGE).0, 200);
    assert_eq!(provider.charges().len(), 1);
}

#[test]
fn out_of_reach_it_sees_nothing_until_it_heals() {
    let provider = provider();
    provider.refuse_connections(true);
    provider.fail_next(3);
    let refused = provider.answer(&request("/v1/charges", "k1", CHARGE));
    assert!(matches!(refused, Answer::Refused));
    provider.heal();
    assert_eq!(charge(&provider, "k1", CHARGE).0, 200);
}
