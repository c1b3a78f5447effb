//! Decisions on timers.

use contracts::{Cents, Expiry, OrderStatus, OrderTicket};

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
        Decision::Keep | Decision::Superseded => timer,
        Decision::Write(next, _) => Some(next),
    }
}

fn received(arrival: &[OrderState]) -> Timer {
    let end = arrival.iter().fold(None, |timer: Option<Timer>, order| {
        let decision = follow(timer.as_ref(), order);
        after(timer, decision)
    });
    end.unwrap()
}

#[test]
fn the_timer_of_an_open_order_is_due_at_the_end_of_the_window() {
    let timer = received(&[order(OrderStatus::Created, 0)]);
    assert_eq!(timer.due, Some(at(900)));
    assert!(!timer.is_due(at(899)));
    assert!(timer.is_due(at(900)));
}

#[test]
fn the_timer_of_an_ended_order_stays_disarmed_in_any_order_of_arrival() {
    for last in [OrderStatus::Complete, OrderStatus::Cancelled] {
        let events = [
            order(OrderStatus::Created, 0),
            order(OrderStatus::AwaitingPayment, 1),
            order(last, 2),
        ];
        let arrivals =
            [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [2, 2, 0]];
        for arrival in arrivals {
            let timer = received(&arrival.map(|at| events[at].clone()));
            assert_eq!((timer.due, timer.version), (None, 2), "{arrival:?}");
        }
    }
}

#[test]
fn a_timer_fires_once_and_not_before_it_is_due() {
    let timer = received(&[order(OrderStatus::Created, 0)]);
    assert_eq!(fire(Some(&timer), at(899)), Decision::Keep);
    let Decision::Write(fired, events) = fire(Some(&timer), at(900)) else { panic!("it is due") };
    assert_eq!(events, [Emit::new(&OrderExpired(Expiry { id: "o1".to_owned() }))]);
    assert_eq!(fire(Some(&fired), at(901)), Decision::Keep);
}

#[test]
fn a_late_event_does_not_arm_a_fired_timer_again() {
    let timer = received(&[order(OrderStatus::Created, 0)]);
    let fired = after(None, fire(Some(&timer), at(900))).unwrap();
    let late = after(None, follow(Some(&fired), &order(OrderStatus::AwaitingPayment, 1)));
    assert_eq!(late.unwrap().due, None);
}

#[test]
fn an_order_without_a_timer_fires_nothing() {
    assert_eq!(fire(None, at(900)), Decision::Keep);
}

#[test]
fn an_expiry_is_renewed_until_the_order_has_ended() {
    let armed = after(None, follow(None, &order(OrderStatus::Created, 0))).unwrap();
    assert_eq!(armed.newest(), []);
    let fired = after(None, fire(Some(&armed), at(900))).unwrap();
    assert_eq!(fired.newest(), [Emit::new(&OrderExpired(Expiry { id: fired.id.clone() }))]);
    let ended = after(None, follow(Some(&fired), &order(OrderStatus::Cancelled, 1))).unwrap();
    assert_eq!((ended.newest(), ended.has_ended()), (Vec::new(), true));
}
