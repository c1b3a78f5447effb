//! Decisions on orders.

use contracts::{TicketState, TicketUpdated};

use super::*;

fn ticket() -> Ticket {
    Ticket {
        id: "t1".to_owned(),
        title: "Opera".to_owned(),
        price: Cents(1999),
        order_id: None,
        fence: 3,
        version: 3,
    }
}

fn ordered() -> Order {
    let reservation = Reservation {
        id: "o1".to_owned(),
        user_id: "buyer".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::from_second(900).unwrap(),
    };
    order(&ticket(), &reservation, 4, 0).0
}

fn after(order: &Order, decision: Decision<Order>) -> Order {
    match decision {
        Decision::Keep | Decision::Superseded => order.clone(),
        Decision::Write(next, _) => next,
    }
}

/// An input that an order can receive, in any sequence and more than once.
#[derive(Debug, Clone, Copy)]
enum Input {
    Cancel,
    Expiry,
    Charge(ChargeStatus),
}

fn apply(order: &Order, input: Input) -> Order {
    let decision = match input {
        Input::Cancel => cancel(Some(order), "buyer").unwrap_or(Decision::Keep),
        Input::Expiry => expire(order),
        Input::Charge(status) => follow(order, status),
    };
    after(order, decision)
}

fn end(arrival: &[Input]) -> Order {
    arrival.iter().fold(ordered(), |order, &input| apply(&order, input))
}

const PENDING: Input = Input::Charge(ChargeStatus::Created);
const PAID: Input = Input::Charge(ChargeStatus::Completed);
const DECLINED: Input = Input::Charge(ChargeStatus::Failed);
const REFUNDED: Input = Input::Charge(ChargeStatus::Refunded);

#[test]
fn a_buyer_gets_the_next_free_slot_below_the_limit() {
    let with = |slots: &[i64]| {
        let orders = slots.iter().map(|&slot| Order { slot, ..ordered() });
        orders.collect::<Vec<_>>()
    };
    assert_eq!(free_slot(&[], "", 2), Some(0));
    assert_eq!(free_slot(&with(&[1]), "", 2), Some(0));
    assert_eq!(free_slot(&with(&[0, 2]), "", 4), Some(1));
    assert_eq!(free_slot(&with(&[1, 0]), "", 2), None);
    // The limit was lowered.
    // Slots from before the limit was lowered do not count.
    assert_eq!(free_slot(&with(&[7, 8]), "", 2), Some(0));
    assert_eq!(free_slot(&with(&[8]), "", 2), Some(0));
    // "a" begins at 97 modulo 4, and goes round.
    assert_eq!(free_slot(&[], "a", 4), Some(1));
    assert_eq!(free_slot(&with(&[1, 2, 3]), "a", 4), Some(0));
}

#[test]
fn an_order_occupies_its_slot_until_it_ends() {
    for input in [Input::Cancel, Input::Expiry, PAID, DECLINED] {
        assert!(ordered().open);
        assert!(!end(&[input]).open, "{input:?}");
    }
    assert!(end(&[PENDING]).open);
}

#[test]
fn the_event_of_a_ticket_is_read_as_its_copy() {
    let state = TicketState {
        id: "t1".to_owned(),
        title: "Opera".to_owned(),
        price: Cents(1999),
        user_id: "seller".to_owned(),
        order_id: None,
        fence: 3,
        version: 3,
    };
    let payload = serde_json::to_string(&TicketUpdated(state)).unwrap();
    assert_eq!(serde_json::from_str::<Ticket>(&payload).unwrap(), ticket());
}

#[test]
fn holds_and_releases_of_a_ticket_never_share_a_fencing_number() {
    let fresh = Ticket { fence: 0, version: 0, ..ticket() };
    assert_eq!(next_fence(&fresh, None), 2);
    let first = ordered();
    let released = apply(&first, Input::Cancel);
    assert_eq!((first.state().ticket.fence, released.state().ticket.fence), (4, 5));
    assert_eq!(next_fence(&fresh, Some(&released)), 6);
}

#[test]
fn the_ticket_knows_the_number_of_an_order_that_has_been_removed() {
    let first = ordered();
    let followed = |fence| Ticket { fence, ..ticket() };
    for (fence, next) in [(3, 4), (4, 6), (5, 6)] {
        assert_eq!(next_fence(&followed(fence), None), next, "{fence}");
    }
    assert_eq!(next_fence(&followed(5), Some(&first)), 6);
    // The ticket is behind.
    assert_eq!(next_fence(&followed(2), Some(&first)), 6);
}

#[test]
fn a_ticket_is_held_by_its_last_order_or_by_one_that_has_been_removed() {
    let first = ordered();
    let released = apply(&first, Input::Cancel);
    let names = |fence| Ticket { order_id: Some("o1".to_owned()), fence, ..ticket() };
    let free = |fence| Ticket { fence, ..ticket() };
    assert!(is_held(&free(3), Some(&first)));
    assert!(is_held(&names(4), Some(&first)));
    // It was sold, and its order has been removed since; or the order before it is still there.
    assert!(is_held(&names(4), None));
    assert!(is_held(&names(6), Some(&released)));
    // The ticket has not followed the release yet.
    assert!(!is_held(&names(4), Some(&released)));
    assert!(!is_held(&free(5), Some(&released)));
    assert!(!is_held(&free(5), None));
}

#[test]
fn the_write_that_cancels_also_releases_and_carries_its_event() {
    let Decision::Write(next, events) = expire(&ordered()) else { panic!("it is open") };
    assert_eq!((next.status, next.holding, next.version), (OrderStatus::Cancelled, false, 1));
    assert_eq!(next.reason, Some(OrderReason::Expired));
    assert_eq!(events, [Emit::new(&OrderCancelled(next.state()))]);
}

#[test]
fn only_the_buyer_can_see_and_cancel_an_order() {
    assert_eq!(cancel(Some(&ordered()), "other"), Err(OrderError::NotOwner));
    assert_eq!(cancel(None, "buyer"), Err(OrderError::NotFound));
    assert_eq!(owned(Some(&ordered()), "other"), Err(OrderError::NotOwner));
}

#[test]
fn cancelling_is_idempotent_and_refused_for_a_paid_order() {
    let cancelled = apply(&ordered(), Input::Cancel);
    assert_eq!(cancel(Some(&cancelled), "buyer"), Ok(Decision::Keep));
    assert_eq!(cancel(Some(&end(&[PAID])), "buyer"), Err(OrderError::Complete));
}

#[test]
fn a_paid_order_completes_and_holds_in_any_order_of_arrival() {
    for arrival in [
        [PENDING, PAID, Input::Expiry],
        [PAID, PENDING, Input::Expiry],
        [PAID, Input::Expiry, PENDING],
        [PAID, PAID, PENDING],
        [PENDING, PENDING, PAID],
    ] {
        let end = end(&arrival);
        assert_eq!((end.status, end.holding), (OrderStatus::Complete, true), "{arrival:?}");
        assert_eq!(end.state().ticket.fence, 4, "{arrival:?}");
    }
}

#[test]
fn a_declined_order_is_cancelled_in_any_order_of_arrival() {
    for arrival in [[PENDING, DECLINED], [DECLINED, PENDING], [DECLINED, DECLINED]] {
        let end = end(&arrival);
        assert_eq!((end.status, end.holding), (OrderStatus::Cancelled, false), "{arrival:?}");
        assert_eq!(end.reason, Some(OrderReason::PaymentFailed), "{arrival:?}");
    }
}

#[test]
fn a_complete_or_cancelled_order_never_changes_again() {
    let all = [Input::Cancel, Input::Expiry, PENDING, PAID, DECLINED, REFUNDED];
    for last in [Input::Cancel, Input::Expiry, PAID, DECLINED] {
        for before in [&[][..], &[PENDING]] {
            let ended = apply(&end(before), last);
            assert!(!ended.status.is_open());
            for late in all {
                assert_eq!(apply(&ended, late), ended, "{late:?} after {last:?}");
            }
        }
    }
}

#[test]
fn a_cancellation_or_expiry_releases_the_ticket_while_a_charge_is_pending() {
    for ending in [Input::Cancel, Input::Expiry] {
        assert!(!end(&[PENDING, ending, PAID, REFUNDED]).holding, "{ending:?}");
    }
}

#[test]
fn an_order_keeps_the_price_at_which_it_was_created() {
    let listed = ticket();
    let order = ordered();
    assert_eq!((order.price, order.ticket_version), (listed.price, listed.version));
    assert_eq!(order.state().ticket.price, listed.price);
}
