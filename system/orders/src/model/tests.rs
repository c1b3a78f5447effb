use super::*;

fn ticket() -> Ticket {
    Ticket { id: "t1".to_owned(), title: "Opera".to_owned(), price: Cents(1999), version: 3 }
}

fn ordered() -> Order {
    let reservation = Reservation {
        id: "o1".to_owned(),
        user_id: "buyer".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::from_second(900).unwrap(),
    };
    order(&ticket(), &reservation, 4).0
}

fn after(order: &Order, decision: Decision<Order>) -> Order {
    match decision {
        Decision::Keep => order.clone(),
        Decision::Write(next, _) => next,
    }
}

/// What an order can meet, in any order and more than once.
#[derive(Debug, Clone, Copy)]
enum Met {
    Cancel,
    Expiry,
    Charge(ChargeStatus),
}

fn meet(order: &Order, met: Met) -> Order {
    let decision = match met {
        Met::Cancel => cancel(Some(order), "buyer").unwrap_or(Decision::Keep),
        Met::Expiry => expire(order),
        Met::Charge(status) => follow(order, status),
    };
    after(order, decision)
}

fn end(arrival: &[Met]) -> Order {
    arrival.iter().fold(ordered(), |order, &met| meet(&order, met))
}

const UNDER_WAY: Met = Met::Charge(ChargeStatus::Created);
const PAID: Met = Met::Charge(ChargeStatus::Completed);
const DECLINED: Met = Met::Charge(ChargeStatus::Failed);
const PAID_BACK: Met = Met::Charge(ChargeStatus::Refunded);

#[test]
fn the_copy_of_a_ticket_ends_on_the_newest_version_in_whatever_order() {
    let state = |version: i64| TicketState {
        id: "t1".to_owned(),
        title: "Opera".to_owned(),
        price: Cents(1000 + version),
        user_id: "seller".to_owned(),
        order_id: None,
        version,
    };
    for arrival in [[0, 1, 2, 2], [2, 1, 0, 2], [1, 2, 0, 1], [0, 2, 2, 1]] {
        let end = arrival.iter().fold(None, |known, &version| {
            match copy(known.as_ref(), &state(version)) {
                Decision::Keep => known,
                Decision::Write(next, _) => Some(next),
            }
        });
        assert_eq!(end.unwrap().price, Cents(1002), "{arrival:?}");
    }
}

#[test]
fn holds_and_releases_of_a_ticket_never_share_a_number() {
    assert_eq!(next_fence(None), 2);
    let first = ordered();
    let released = meet(&first, Met::Cancel);
    assert_eq!((first.state().ticket.fence, released.state().ticket.fence), (4, 5));
    assert_eq!(next_fence(Some(&released)), 6);
}

#[test]
fn a_release_is_the_write_that_cancels_and_it_carries_its_event() {
    let Decision::Write(next, events) = expire(&ordered()) else { panic!("it is open") };
    assert_eq!((next.status, next.holding, next.version), (OrderStatus::Cancelled, false, 1));
    assert_eq!(next.reason, Some(OrderReason::Expired));
    assert_eq!(events, [Emit::new(&OrderCancelled(next.state()))]);
}

#[test]
fn only_the_buyer_sees_and_cancels() {
    assert_eq!(cancel(Some(&ordered()), "other"), Err(Refused::NotOwner));
    assert_eq!(cancel(None, "buyer"), Err(Refused::NotFound));
    assert_eq!(owned(Some(&ordered()), "other"), Err(Refused::NotOwner));
}

#[test]
fn a_second_cancel_changes_nothing_and_a_paid_order_stays() {
    let cancelled = meet(&ordered(), Met::Cancel);
    assert_eq!(cancel(Some(&cancelled), "buyer"), Ok(Decision::Keep));
    assert_eq!(cancel(Some(&end(&[PAID])), "buyer"), Err(Refused::Complete));
}

#[test]
fn a_paid_order_is_complete_and_holds_in_whatever_order_the_news_arrive() {
    for arrival in [
        [UNDER_WAY, PAID, Met::Expiry],
        [PAID, UNDER_WAY, Met::Expiry],
        [PAID, Met::Expiry, UNDER_WAY],
        [PAID, PAID, UNDER_WAY],
        [UNDER_WAY, UNDER_WAY, PAID],
    ] {
        let end = end(&arrival);
        assert_eq!((end.status, end.holding), (OrderStatus::Complete, true), "{arrival:?}");
        assert_eq!(end.state().ticket.fence, 4, "{arrival:?}");
    }
}

#[test]
fn a_declined_order_is_cancelled_in_whatever_order_the_news_arrive() {
    for arrival in [[UNDER_WAY, DECLINED], [DECLINED, UNDER_WAY], [DECLINED, DECLINED]] {
        let end = end(&arrival);
        assert_eq!((end.status, end.holding), (OrderStatus::Cancelled, false), "{arrival:?}");
        assert_eq!(end.reason, Some(OrderReason::PaymentFailed), "{arrival:?}");
    }
}

#[test]
fn what_is_final_never_changes_again() {
    let all = [Met::Cancel, Met::Expiry, UNDER_WAY, PAID, DECLINED, PAID_BACK];
    for last in [Met::Cancel, Met::Expiry, PAID, DECLINED] {
        for before in [&[][..], &[UNDER_WAY]] {
            let ended = meet(&end(before), last);
            assert!(!ended.status.is_open());
            for late in all {
                assert_eq!(meet(&ended, late), ended, "{late:?} after {last:?}");
            }
        }
    }
}

#[test]
fn a_cancel_or_an_expiry_while_money_is_under_way_lets_the_ticket_go() {
    for ending in [Met::Cancel, Met::Expiry] {
        assert!(!end(&[UNDER_WAY, ending, PAID, PAID_BACK]).holding, "{ending:?}");
    }
}

#[test]
fn a_buyer_pays_the_price_that_the_order_was_made_at() {
    let listed = ticket();
    let order = ordered();
    assert_eq!((order.price, order.ticket_version), (listed.price, listed.version));
    assert_eq!(order.state().ticket.price, listed.price);
}
