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

fn heard(order: Option<Order>, status: OrderStatus, version: i64) -> Order {
    let decision = follow(order.as_ref(), &state(status, version), at(1));
    after(order, decision).unwrap()
}

fn open() -> Order {
    heard(None, OrderStatus::Created, 0)
}

fn cancelled(order: &Order) -> Order {
    heard(Some(order.clone()), OrderStatus::Cancelled, order.version + 1)
}

fn pay(order: &Order) -> Result<Order, Refused> {
    let decision = intend(Some(order), "buyer", "c1", "tok_visa", at(10))?;
    Ok(after(Some(order.clone()), decision).unwrap())
}

fn concluded(order: &Order, outcome: &Outcome) -> (Order, bool) {
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

fn charged() -> Outcome {
    Outcome::Charged { id: "ch_1".to_owned() }
}

fn declined() -> Outcome {
    Outcome::Declined { code: "card_declined".to_owned() }
}

#[test]
fn the_copy_ends_on_the_newest_version_in_whatever_order_and_keeps_the_charge() {
    let events = [OrderStatus::Created, OrderStatus::AwaitingPayment, OrderStatus::Cancelled];
    for arrival in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let end = arrival.iter().fold(None, |order, &at| {
            let order = heard(order, events[at], i64::try_from(at).unwrap());
            Some(pay(&order).unwrap_or(order))
        });
        let end = end.unwrap();
        assert_eq!((end.status, end.version), (OrderStatus::Cancelled, 2), "{arrival:?}");
        assert_eq!(end.charge.is_some(), arrival[0] != 2, "{arrival:?}");
    }
}

#[test]
fn the_charge_is_there_before_the_provider_is_asked_at_the_price_of_the_order() {
    let order = open();
    let intent = intend(Some(&order), "buyer", "c1", "tok_visa", at(10)).unwrap();
    let Decision::Write(next, events) = intent else { panic!("it is new") };
    let charge = next.charge.unwrap();
    assert_eq!((charge.status, charge.amount), (ChargeStatus::Created, Cents(1999)));
    assert_eq!(events, [Emit::new(&ChargeCreated(charge.state("o1")))]);
    assert_eq!(next.due, Some(at(10) + GRACE));
}

#[test]
fn only_the_buyer_pays_and_only_for_an_order_that_is_open() {
    assert_eq!(intend(None, "buyer", "c1", "t", at(1)), Err(Refused::NotFound));
    assert_eq!(intend(Some(&open()), "other", "c1", "t", at(1)), Err(Refused::NotBuyer));
    assert_eq!(pay(&cancelled(&open())), Err(Refused::Cancelled));
    assert_eq!(pay(&heard(None, OrderStatus::Complete, 2)), Err(Refused::Paid));
}

#[test]
fn a_repeat_without_an_answer_keeps_the_charge_its_card_and_its_key() {
    let paying = pay(&open()).unwrap();
    let again = intend(Some(&paying), "buyer", "c2", "tok_other", at(20));
    assert_eq!(again, Ok(Decision::Keep));
    let (unanswered, written) = concluded(&paying, &Outcome::Unknown("lost".to_owned()));
    assert_eq!((&unanswered, written), (&paying, false));
    assert_eq!(answer(&unanswered, written), Err(Refused::Unanswered));
}

#[test]
fn of_many_payments_at_once_one_is_told_that_it_paid() {
    let mut order = pay(&open()).unwrap();
    let mut answers = Vec::new();
    for _ in 0..12 {
        let (next, written) = concluded(&order, &charged());
        answers.push(answer(&next, written));
        order = next;
    }
    assert_eq!(answers[0], Ok("c1".to_owned()));
    assert!(answers[1..].iter().all(|answer| *answer == Err(Refused::Paid)));
    assert_eq!(order.charge.as_ref().unwrap().version, 1);
    assert_eq!(order.due, None);
    assert_eq!(pay(&order), Err(Refused::Paid));
}

#[test]
fn who_lost_the_answer_hears_what_another_was_told() {
    let (paid, _) = concluded(&pay(&open()).unwrap(), &charged());
    let (same, written) = concluded(&paid, &Outcome::Unknown("busy".to_owned()));
    assert_eq!(answer(&same, written), Err(Refused::Paid));
}

#[test]
fn a_declined_card_ends_the_charge_for_all_who_asked() {
    let (failed, written) = concluded(&pay(&open()).unwrap(), &declined());
    assert_eq!((status(&failed), written), (ChargeStatus::Failed, true));
    assert_eq!(answer(&failed, true), Err(Refused::Declined));
    let (same, written) = concluded(&failed, &declined());
    assert_eq!(answer(&same, written), Err(Refused::Declined));
    assert_eq!(pay(&failed), Err(Refused::Cancelled));
    assert_eq!(cancelled(&failed).due, None);
}

#[test]
fn money_that_moved_before_or_after_the_cancellation_moves_back() {
    let paying = pay(&open()).unwrap();
    let paid_then_cancelled = cancelled(&concluded(&paying, &charged()).0);
    let (cancelled_then_paid, written) = concluded(&cancelled(&paying), &charged());
    assert_eq!(answer(&cancelled_then_paid, written), Err(Refused::Cancelled));
    for order in [paid_then_cancelled, cancelled_then_paid] {
        assert_eq!(status(&order), ChargeStatus::Completed);
        assert!(order.is_due(at(11)), "{order:?}");
        let back = refunded(&order);
        assert_eq!((status(&back), back.due), (ChargeStatus::Refunded, None));
        assert_eq!(refund(Some(&back), Some("re_2"), at(13)), Ok(Decision::Keep));
        let repeated = conclude(Some(&back), &charged(), at(13));
        assert_eq!(repeated, Ok(Decision::Keep));
    }
}

#[test]
fn a_cancelled_order_with_no_answer_yet_is_still_asked_for() {
    let order = cancelled(&pay(&open()).unwrap());
    assert_eq!((status(&order), order.due), (ChargeStatus::Created, Some(at(10) + GRACE)));
    assert_eq!(concluded(&order, &declined()).0.due, None);
}

#[test]
fn a_completed_order_keeps_its_charge_and_has_nothing_due() {
    let (paid, _) = concluded(&pay(&open()).unwrap(), &charged());
    let complete = heard(Some(paid), OrderStatus::Complete, 2);
    assert_eq!((status(&complete), complete.due), (ChargeStatus::Completed, None));
}
