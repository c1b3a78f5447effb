//! Decisions on payments.

use contracts::OrderTicket;

use super::inquiry::{How, KEY_RETIREMENT, KEY_USE};
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
        Decision::Keep | Decision::Superseded => order,
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

fn answered(order: &Order, outcome: Option<Outcome>, now: i64) -> (Order, bool) {
    let asked = order.inquiry(at(now)).unwrap_or_else(|| asked(order));
    match conclude(Some(order), &asked, outcome.as_ref(), at(now)).unwrap() {
        Decision::Keep | Decision::Superseded => (order.clone(), false),
        Decision::Write(next, _) => (next, true),
    }
}

/// A request for the charge, as one that was sent before had it.
fn asked(order: &Order) -> Inquiry {
    let key = order.charge.as_ref().unwrap().id.clone();
    Inquiry { transfer: Transfer::Charge, attempt: 1, how: How::Request { key } }
}

fn concluded(order: &Order, outcome: Option<Outcome>) -> (Order, bool) {
    let decision = conclude(Some(order), &asked(order), outcome.as_ref(), at(11)).unwrap();
    match decision {
        Decision::Keep | Decision::Superseded => (order.clone(), false),
        Decision::Write(next, _) => (next, true),
    }
}

fn refunded(order: &Order) -> Order {
    answered(order, Some(Outcome::Succeeded { id: Some("re_1".to_owned()) }), 12).0
}

fn status(order: &Order) -> ChargeStatus {
    order.charge.as_ref().unwrap().status
}

fn charged() -> Option<Outcome> {
    Some(Outcome::Succeeded { id: Some("ch_1".to_owned()) })
}

fn declined() -> Option<Outcome> {
    Some(Outcome::Failed { code: "card_declined".to_owned() })
}

fn pending(id: &str) -> Option<Outcome> {
    Some(Outcome::Pending { id: id.to_owned() })
}

fn how(order: &Order, now: i64) -> How {
    order.inquiry(at(now)).unwrap().how
}

fn request(key: &str) -> How {
    How::Request { key: key.to_owned() }
}

const HOUR: i64 = 60 * 60;

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
    assert_eq!(unknown.charge, paying.charge);
    assert_eq!(respond(&unknown, written), Err(PaymentError::Unanswered));
    assert_eq!(how(&unknown, 20), request("c1"));
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
        assert_eq!(back.charge.as_ref().unwrap().stripe_refund_id.as_deref(), Some("re_1"));
        assert_eq!(back.inquiry(at(13)), None);
        assert!(!concluded(&back, charged()).1);
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

#[test]
fn a_key_is_used_for_less_than_a_day_and_replaced_only_after_a_search() {
    let order = pay(&open()).unwrap();
    let [last, retired] = [KEY_USE, KEY_RETIREMENT].map(|age| 10 + age.as_secs().cast_signed());
    assert!(retired + HOUR <= 10 + 24 * HOUR, "the key is not forgotten before the search");
    assert_eq!(how(&order, last - 1), request("c1"));
    let wait = How::Wait { until: at(retired) };
    assert_eq!(how(&order, last), wait);
    let (waiting, _) = answered(&order, None, last);
    assert_eq!(waiting.due, Some(at(retired)));
    assert_eq!(how(&order, retired), How::Search);
    let (next, _) = answered(&order, Some(Outcome::Absent), retired);
    assert_eq!((status(&next), how(&next, retired)), (ChargeStatus::Created, request("c1-2")));
    assert_eq!(how(&next, retired + 22 * HOUR - 1), request("c1-2"));
    assert_eq!(next.due, Some(at(retired) + REQUEST_GRACE));
}

#[test]
fn what_a_search_finds_concludes_the_charge() {
    let order = pay(&open()).unwrap();
    let search = |outcome| answered(&order, outcome, 10 + 23 * HOUR).0;
    assert_eq!(status(&search(charged())), ChargeStatus::Completed);
    assert_eq!(status(&search(declined())), ChargeStatus::Failed);
    assert_eq!(how(&search(pending("ch_1")), 10 + 23 * HOUR), How::Read { id: "ch_1".to_owned() });
}

#[test]
fn a_charge_that_was_never_made_is_not_made_after_the_cancellation() {
    let order = cancelled(&pay(&open()).unwrap());
    let (end, written) = concluded(&order, Some(Outcome::Absent));
    assert_eq!((status(&end), end.due, written), (ChargeStatus::Failed, None, true));
    assert_eq!(end.charge.unwrap().failure.as_deref(), Some(NEVER_CHARGED));
}

#[test]
fn the_outcome_of_another_attempt_changes_nothing() {
    let (next, _) = concluded(&pay(&open()).unwrap(), Some(Outcome::Absent));
    for outcome in [charged(), declined(), pending("ch_1"), Some(Outcome::Absent), None] {
        assert_eq!(concluded(&next, outcome.clone()), (next.clone(), false), "{outcome:?}");
    }
}

#[test]
fn a_pending_charge_is_neither_paid_nor_declined_until_it_ends() {
    let (waiting, written) = concluded(&pay(&open()).unwrap(), pending("ch_1"));
    assert_eq!(respond(&waiting, written), Err(PaymentError::Unanswered));
    assert_eq!(
        (status(&waiting), waiting.charge.as_ref().unwrap().version),
        (ChargeStatus::Created, 0)
    );
    assert_eq!(waiting.due, Some(at(11) + REQUEST_GRACE));
    let read = How::Read { id: "ch_1".to_owned() };
    assert_eq!(how(&waiting, 11), read);
    assert_eq!(how(&waiting, 11 + 100 * HOUR), read, "an object has no key that ages");
    let (still, _) = answered(&waiting, pending("ch_1"), 10 + 60);
    assert_eq!(still.due, Some(at(10 + 60 + 60)), "inquiries become rarer");
    let (still, _) = answered(&waiting, pending("ch_1"), 10 + 100 * HOUR);
    assert_eq!(still.due, Some(at(10 + 100 * HOUR) + MAX_PAUSE));
    assert_eq!(status(&answered(&waiting, charged(), 50).0), ChargeStatus::Completed);
    assert_eq!(status(&answered(&waiting, declined(), 50).0), ChargeStatus::Failed);
}

#[test]
fn a_pending_refund_is_no_refund_until_it_ends() {
    let order = cancelled(&concluded(&pay(&open()).unwrap(), charged()).0);
    assert_eq!(how(&order, 1), request("c1-refund"));
    let (waiting, _) = answered(&order, pending("re_1"), 2);
    assert_eq!(status(&waiting), ChargeStatus::Completed);
    assert_eq!(how(&waiting, 3), How::Read { id: "re_1".to_owned() });
    assert_eq!(status(&refunded(&waiting)), ChargeStatus::Refunded);
}

#[test]
fn a_refund_that_is_refused_for_good_ends_and_shows_its_reason() {
    let order = cancelled(&concluded(&pay(&open()).unwrap(), charged()).0);
    let refused = Some(Outcome::Failed { code: "charge_disputed".to_owned() });
    let (end, written) = answered(&order, refused, 2);
    assert_eq!((status(&end), end.due, written), (ChargeStatus::Completed, None, true));
    assert_eq!(end.inquiry(at(3)), None);
    assert_eq!(end.charge.unwrap().failure.as_deref(), Some("charge_disputed"));
}

#[test]
fn an_order_may_leave_once_no_money_can_move_and_none_is_owed() {
    let paid = concluded(&pay(&open()).unwrap(), charged()).0;
    let complete = received(Some(paid.clone()), OrderStatus::Complete, 5);
    let refunding = cancelled(&paid);
    let refused = answered(&refunding, declined(), 2).0;
    assert_eq!(refused.transfer(), None);
    let orders = [
        (open(), false),
        (cancelled(&open()), true),
        (pay(&open()).unwrap(), false),
        (cancelled(&pay(&open()).unwrap()), false),
        (paid, false),
        (complete, true),
        (refunded(&refunding), true),
        (refunding, false),
        (refused, false),
    ];
    for (order, may_leave) in orders {
        assert_eq!(order.may_leave(), may_leave, "{order:?}");
    }
}

#[test]
fn a_refund_has_keys_of_its_own() {
    let order = cancelled(&concluded(&pay(&open()).unwrap(), charged()).0);
    let (next, _) = answered(&order, Some(Outcome::Absent), 2);
    assert_eq!(how(&next, 2), request("c1-refund-2"));
}

#[test]
fn a_provider_that_spends_every_key_is_asked_ever_more_rarely() {
    let order = cancelled(&concluded(&pay(&open()).unwrap(), charged()).0);
    let mut next = order;
    let pauses = (0..40).map(|_| {
        next = answered(&next, Some(Outcome::Absent), 2).0;
        next.due.unwrap().duration_since(at(2)).as_secs()
    });
    let pauses: Vec<_> = pauses.collect();
    assert_eq!(pauses[..4], [12, 24, 48, 96]);
    assert_eq!(pauses.last(), Some(&MAX_PAUSE.as_secs().cast_signed()));
}
