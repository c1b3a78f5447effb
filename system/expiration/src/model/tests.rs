use contracts::{Cents, OrderStatus, OrderTicket};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn order(status: OrderStatus, version: i64) -> OrderState {
    OrderState {
        id: "o1".to_owned(),
        user_id: "buyer".to_owned(),
        status,
        expires_at: at(900),
        ticket: OrderTicket { id: "t1".to_owned(), price: Cents(2000), fence: 2 },
        reason: None,
        version,
    }
}

fn after(timer: Option<Timer>, decision: Decision<Timer>) -> Option<Timer> {
    match decision {
        Decision::Keep => timer,
        Decision::Write(next, _) => Some(next),
    }
}

fn heard(arrival: &[OrderState]) -> Timer {
    let end = arrival.iter().fold(None, |timer: Option<Timer>, order| {
        let decision = follow(timer.as_ref(), order);
        after(timer, decision)
    });
    end.unwrap()
}

#[test]
fn an_open_order_is_due_when_its_time_is_up() {
    let timer = heard(&[order(OrderStatus::Created, 0)]);
    assert_eq!(timer.due, Some(at(900)));
    assert!(!timer.is_due(at(899)));
    assert!(timer.is_due(at(900)));
}

#[test]
fn an_order_that_has_ended_is_not_armed_in_whatever_order_the_news_arrive() {
    for last in [OrderStatus::Complete, OrderStatus::Cancelled] {
        let events = [
            order(OrderStatus::Created, 0),
            order(OrderStatus::AwaitingPayment, 1),
            order(last, 2),
        ];
        let arrivals =
            [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [2, 2, 0]];
        for arrival in arrivals {
            let timer = heard(&arrival.map(|at| events[at].clone()));
            assert_eq!((timer.due, timer.version), (None, 2), "{arrival:?}");
        }
    }
}

#[test]
fn a_timer_fires_once_and_not_before_it_is_due() {
    let timer = heard(&[order(OrderStatus::Created, 0)]);
    assert_eq!(fire(Some(&timer), at(899)), Decision::Keep);
    let Decision::Write(fired, events) = fire(Some(&timer), at(900)) else { panic!("it is due") };
    assert_eq!(events, [Emit::new(&OrderExpired { id: "o1".to_owned() })]);
    assert_eq!(fire(Some(&fired), at(901)), Decision::Keep);
}

#[test]
fn a_timer_that_has_fired_is_not_armed_again_by_late_news() {
    let timer = heard(&[order(OrderStatus::Created, 0)]);
    let fired = after(None, fire(Some(&timer), at(900))).unwrap();
    let late = after(None, follow(Some(&fired), &order(OrderStatus::AwaitingPayment, 1)));
    assert_eq!(late.unwrap().due, None);
}

#[test]
fn an_order_without_a_timer_fires_nothing() {
    assert_eq!(fire(None, at(900)), Decision::Keep);
}
