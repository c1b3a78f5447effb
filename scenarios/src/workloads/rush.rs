//! One sale: buyers compete for tickets at the same moment, and those that get one pay.

use contracts::Cents;
use harness::script::Then;
use harness::subject::names;

use super::{Round, Script};
use crate::operation::{Card, Operation, title};

const PRICE: Cents = Cents(2_000);

/// The script of a sale. An operation that needs an order is sent for those buyers that have one.
pub(super) fn script(buyers: usize, tickets: usize) -> Script {
    let seller = names::client(0);
    let of = |buyer: usize| (names::client(buyer + 1), title(buyer % tickets));
    let list = |ticket| Operation::list(&seller, &title(ticket), PRICE);
    let reserve = |buyer| {
        let (name, title) = of(buyer);
        Operation::reserve(&name, &title)
    };
    let pay = |buyer| {
        let (name, title) = of(buyer);
        Operation::pay(&name, &title, Card::Good)
    };
    let rounds = vec![
        Round::of((0..tickets).map(list).collect::<Vec<_>>(), Then::Quiesce),
        Round::of((0..buyers).map(reserve).collect::<Vec<_>>(), Then::Go),
        Round::of((0..buyers).map(pay).collect::<Vec<_>>(), Then::Go),
    ];
    Script::new((0..=buyers).map(names::client), rounds)
}
