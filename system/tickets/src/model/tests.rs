//! Decisions on tickets.

use contracts::{OrderStatus, OrderTicket};
use ports::Timestamp;

use super::*;

fn ticket() -> Ticket {
    let listing = Listing { title: "Opera".to_owned(), price: Cents(2000) };
    list("t1".to_owned(), "seller".to_owned(), listing).0
}

fn order(id: &str, status: OrderStatus, fence: i64) -> OrderState {
    OrderState {
        id: id.to_owned(),
        user_id: "buyer".to_owned(),
        status,
        expires_at: Timestamp::UNIX_EPOCH,
        ticket: OrderTicket { id: "t1".to_owned(), price: Cents(2000), fence },
        reason: None,
        version: 0,
    }
}

fn after(ticket: &Ticket, order: &OrderState) -> Ticket {
    match follow(ticket, order) {
        Decision::Keep | Decision::Superseded => ticket.clone(),
        Decision::Write(next, _) => next,
    }
}

#[test]
fn a_held_ticket_cannot_be_edited_and_a_released_one_can() {
    let listing = Listing { title: "Opera".to_owned(), price: Cents(1) };
    let held = after(&ticket(), &order("o1", OrderStatus::Created, 2));
    assert_eq!(edit(Some(&held), "seller", &listing), Err(EditError::Reserved));
    let released = after(&held, &order("o1", OrderStatus::Cancelled, 3));
    assert!(edit(Some(&released), "seller", &listing).is_ok());
}

#[test]
fn only_the_owner_can_edit() {
    let listing = Listing { title: "Mine".to_owned(), price: Cents(1) };
    assert_eq!(edit(Some(&ticket()), "other", &listing), Err(EditError::NotOwner));
    assert_eq!(edit(None, "other", &listing), Err(EditError::NotFound));
}

#[test]
fn the_final_state_does_not_depend_on_the_order_of_arrival() {
    let events = [
        order("o1", OrderStatus::Created, 2),
        order("o1", OrderStatus::Cancelled, 3),
        order("o2", OrderStatus::Created, 4),
        order("o2", OrderStatus::Complete, 4),
    ];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 1, 3], [3, 0, 2, 1]];
    for arrival in orders {
        let end = arrival.iter().fold(ticket(), |ticket, &at| after(&ticket, &events[at]));
        assert_eq!((end.order_id.as_deref(), end.fence), (Some("o2"), 4), "{arrival:?}");
    }
}

#[test]
fn a_late_release_of_an_old_order_does_not_release_the_next_hold() {
    let held = after(&ticket(), &order("o2", OrderStatus::Created, 4));
    assert_eq!(follow(&held, &order("o1", OrderStatus::Cancelled, 3)), Decision::Superseded);
}
