//! Two of three buyers compete for each of a seller's tickets, and the one that gets it pays.
//! Some edit, cancel or have their card declined instead.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::{Round, Script, client, clients, price, title};
use harness::script::Then;

use crate::operation::{Card, Operation};

/// The seller; the buyers have the numbers after it.
const SELLER: u8 = 0;
const BUYERS: [u8; 3] = [1, 2, 3];
const TICKETS: u8 = 8;

/// The end of a hold, by its holder or by time.
#[derive(Debug, Clone, Copy)]
enum End {
    Pays,
    IsDeclined,
    Cancels,
    /// The hold expires.
    Leaves,
}

/// Scripts of a sale. An operation that needs an order is sent for those buyers that have one.
pub(super) fn scripts() -> impl Strategy<Value = Script> {
    let end = prop_oneof![
        20 => Just(End::Pays),
        1 => Just(End::IsDeclined),
        1 => Just(End::Cancels),
        1 => Just(End::Leaves),
    ];
    let pair = subsequence(BUYERS.to_vec(), 2);
    let edit = (0..TICKETS, price(), prop::bool::weighted(0.25))
        .prop_map(|(ticket, price, edits)| edits.then_some((ticket, price)));
    let sales = vec((price(), pair, end), usize::from(TICKETS));
    (sales, edit).prop_map(|(sales, edit)| {
        let (mut listed, mut reserved, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for (number, (price, buyers, end)) in (0..).zip(sales) {
            let title = title(number);
            listed.push(Operation::list(&client(SELLER), &title, price));
            for buyer in buyers.into_iter().map(client) {
                reserved.push(Operation::reserve(&buyer, &title));
                ended.extend(match end {
                    End::Pays => Some(Operation::pay(&buyer, &title, Card::Good)),
                    End::IsDeclined => Some(Operation::pay(&buyer, &title, Card::Declined)),
                    End::Cancels => Some(Operation::cancel(&buyer, &title)),
                    End::Leaves => None,
                });
            }
        }
        let edits =
            edit.map(|(ticket, price)| Operation::reprice(&client(SELLER), &title(ticket), price));
        reserved.extend(edits);
        let rounds = vec![
            Round::of(listed, Then::Quiesce),
            Round::of(reserved, Then::Quiesce),
            Round::of(ended, Then::Go),
        ];
        Script::new(clients(1 + BUYERS.len() as u8), rounds)
    })
}
