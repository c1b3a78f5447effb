//! Decisions on payments.

use std::sync::LazyLock;

use contracts::OrderTicket;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn state(status: OrderStatus, version: i64) -> OrderState {
    OrderState {
        id: "o1".to_owned(),
        user_id: "buyer".to_owned(),
        status,
        expires_at: at(900),
        ticket: OrderTicket { id: "t1".to_owned(), price: Cents(1999), fence: 2 },
        reason: None,
        version,
    }
}

fn after(order: Option<Order>, decision: Decision<Order>) -> Option<Order> {
    match decision {
        Decision::Keep => order,
        Decision::Write(next, _) => Some(next),
    }
}

fn received(order: Option<Order>, status: OrderStatus, version: i64) -> Order {
    let decision = follow(order.as_ref(), &state(status, version), at(1));
    after(order, decision).unwrap()
}

fn open() -> Order {
    received(None, OrderStatus::Created, 0)
}

fn cancelled(order: &Order) -> Order {
    received(Some(order.clone()), OrderStatus::Cancelled, order.version + 1)
}

fn pay(order: &Order) -> Result<Order, PaymentError> {
    let decision = intend(Some(order), "buyer", "c1", "tok_visa", at(10))?;
    Ok(after(Some(order.clone()), decision).unwrap())
}

fn concluded(order: &Order, outcome: Option<&ChargeOutcome>) -> (Order, bool) {
    match conclude(Some(order), outcome, at(11)).unwrap() {
        Decision::Keep => (order.clone(), false),
        Decision::Write(next, _) => (next, true),
    }
}

fn refunded(order: &Order) -> Order {
    let decision = refund(Some(order), Some("re_1"), at(12)).unwrap();
    after(Some(order.clone()), decision).unwrap()
}

fn status(order: &Order) -> ChargeStatus {
    order.charge.as_ref().unwrap().status
}

fn charged() -> Option<&'static ChargeOutcome> {
    static CHARGED: LazyLock<ChargeOutcome> =
        LazyLock::new(|| ChargeOutcome::Charged { id: "ch_1".to_owned() });
    Some(&CHARGED)
}

fn declined() -> Option<&'static ChargeOutcome> {
    static DECLINED: LazyLock<ChargeOutcome> =
        LazyLock::new(|| ChargeOutcome::Declined { code: "card_declined".to_owned() });
    Some(&DECLINED)
}

#[test]
fn the_copy_converges_on_the_newest_version_and_keeps_the_charge() {
    let events = [OrderStatus::Created, OrderStatus::AwaitingPayment, OrderStatus::Cancelled];
    for arrival in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let end = arrival.iter().fold(None, |order, &at| {
            let order = received(order, events[at], i64::try_from(at).unwrap());
            Some(pay(&order).unwrap_or(order))
        });
        let end = end.unwrap();
        assert_eq!((end.status, end.version), (OrderStatus::Cancelled, 2), "{arrival:?}");
        assert_eq!(end.charge.is_some(), arrival[0] != 2, "{arrival:?}");
    }
}

#[test]
fn an_intent_creates_the_charge_at_the_price_of_the_order() {
    let order = open();
    let intent = intend(Some(&order), "buyer", "c1", "tok_visa", at(10)).unwrap();
    let Decision::Write(next, events) = intent else { panic!("nothing was written") };
    let charge = next.charge.unwrap();
    assert_eq!((charge.status, charge.amount), (ChargeStatus::Created, Cents(1999)));
    assert_eq!(events, [Emit::new(&ChargeCreated(charge.state("o1")))]);
    assert_eq!(next.due, Some(at(10) + REQUEST_GRACE));
}

#[test]
fn only_the_buyer_can_pay_and_only_for_an_open_order() {
    assert_eq!(intend(None, "buyer", "c1", "t", at(1)), Err(PaymentError::NotFound));
    assert_eq!(intend(Some(&open()), "other", "c1", "t", at(1)), Err(PaymentError::NotBuyer));
    assert_eq!(pay(&cancelled(&open())), Err(PaymentError::Cancelled));
    assert_eq!(pay(&received(None, OrderStatus::Complete, 2)), Err(PaymentError::Paid));
}

#[test]
fn repeating_a_charge_of_unknown_outcome_keeps_its_card_and_its_key() {
    let paying = pay(&open()).unwrap();
    let again = intend(Some(&paying), "buyer", "c2", "tok_other", at(20));
    assert_eq!(again, Ok(Decision::Keep));
    let (unknown, written) = concluded(&paying, None);
    assert_eq!((&unknown, written), (&paying, false));
    assert_eq!(respond(&unknown, written), Err(PaymentError::Unanswered));
}

#[test]
fn of_concurrent_payments_one_succeeds() {
    let mut order = pay(&open()).unwrap();
    let mut responses = Vec::new();
    for _ in 0..12 {
        let (next, written) = concluded(&order, charged());
        responses.push(respond(&next, written));
        order = next;
    }
    assert_eq!(responses[0], Ok("c1".to_owned()));
    assert!(responses[1..].iter().all(|response| *response == Err(PaymentError::Paid)));
    assert_eq!(order.charge.as_ref().unwrap().version, 1);
    assert_eq!(order.due, None);
    assert_eq!(pay(&order), Err(PaymentError::Paid));
}

#[test]
fn a_request_without_an_outcome_responds_by_the_recorded_one() {
    let (paid, _) = concluded(&pay(&open()).unwrap(), charged());
    let (same, written) = concluded(&paid, None);
    assert_eq!(respond(&same, written), Err(PaymentError::Paid));
}

#[test]
fn a_declined_card_ends_the_charge_for_all_requests() {
    let (failed, written) = concluded(&pay(&open()).unwrap(), declined());
    assert_eq!((status(&failed), written), (ChargeStatus::Failed, true));
    assert_eq!(respond(&failed, true), Err(PaymentError::Declined));
    let (same, written) = concluded(&failed, declined());
    assert_eq!(respond(&same, written), Err(PaymentError::Declined));
    assert_eq!(pay(&failed), Err(PaymentError::Cancelled));
    assert_eq!(cancelled(&failed).due, None);
}

#[test]
fn a_charge_is_refunded_whether_it_completes_before_or_after_the_cancellation() {
    let paying = pay(&open()).unwrap();
    let paid_then_cancelled = cancelled(&concluded(&paying, charged()).0);
    let (cancelled_then_paid, written) = concluded(&cancelled(&paying), charged());
    assert_eq!(respond(&cancelled_then_paid, written), Err(PaymentError::Cancelled));
    for order in [paid_then_cancelled, cancelled_then_paid] {
        assert_eq!(status(&order), ChargeStatus::Completed);
        assert!(order.is_due(at(11)), "{order:?}");
        let back = refunded(&order);
        assert_eq!((status(&back), back.due), (ChargeStatus::Refunded, None));
        assert_eq!(refund(Some(&back), Some("re_2"), at(13)), Ok(Decision::Keep));
        let repeated = conclude(Some(&back), charged(), at(13));
        assert_eq!(repeated, Ok(Decision::Keep));
    }
}

#[test]
fn the_charge_of_a_cancelled_order_is_repeated_until_its_outcome_is_known() {
    let order = cancelled(&pay(&open()).unwrap());
    assert_eq!((status(&order), order.due), (ChargeStatus::Created, Some(at(10) + REQUEST_GRACE)));
    assert_eq!(concluded(&order, declined()).0.due, None);
}

#[test]
fn a_complete_order_keeps_its_charge_and_is_settled() {
    let (paid, _) = concluded(&pay(&open()).unwrap(), charged());
    let complete = received(Some(paid), OrderStatus::Complete, 2);
    assert_eq!((status(&complete), complete.due), (ChargeStatus::Completed, None));
}
