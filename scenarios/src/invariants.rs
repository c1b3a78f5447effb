//! The invariants of ticketing, checked after every run in both worlds, besides those that the
//! harness checks for every subject.
//!
//! A check only reads its [`Evidence`]. Adding an invariant is adding a file and a line in
//! [`all`].

pub mod evidence;

mod accepted;
mod acks;
mod addresses;
mod answers;
mod bans;
mod charges_published;
mod expiry;
mod for_sale;
mod frozen;
mod holders;
mod justified;
mod linearizable;
mod money;
mod one_holder;
mod sessions;
mod timers;

use harness::subject::Invariant;

use crate::system::Ticketing;

pub use evidence::Evidence;

/// All invariants, the one that hurts users most first.
pub fn all() -> Vec<Invariant<Ticketing>> {
    let invariant = |name, statement, check| Invariant { name, statement, check };
    vec![
        invariant(
            "one-holder",
            "A ticket is held by at most one live order at any time",
            one_holder::check,
        ),
        invariant(
            "linearizable",
            "The replies to buyers of a ticket, its holds and its releases are linearizable",
            linearizable::check,
        ),
        invariant(
            "paid-once",
            "A completed order has exactly one charge that is not refunded, at the price that the buyer was shown",
            money::paid_once,
        ),
        invariant(
            "no-money-kept",
            "A cancelled order has no charge that is not refunded",
            money::none_kept,
        ),
        invariant(
            "ledgers-agree",
            "The provider's ledger agrees with the charges, cent for cent",
            money::ledgers_agree,
        ),
        invariant(
            "refunds",
            "Money moves back only where its order is cancelled",
            money::refunded_for_a_reason,
        ),
        invariant(
            "frozen-while-held",
            "No edit is accepted while the ticket is held",
            frozen::check,
        ),
        invariant("hold-ends", "No unpaid hold outlives its deadline", expiry::check),
        invariant(
            "expires-once",
            "The expiry of an order is published exactly once",
            expiry::published_once,
        ),
        invariant(
            "accepted-writes",
            "An accepted operation is in the store as its client was told",
            accepted::check,
        ),
        invariant(
            "justified-refusals",
            "A reservation is refused only while another order holds the ticket",
            justified::check,
        ),
        invariant(
            "for-sale",
            "The listed tickets are those that can be reserved, once the system is quiescent",
            for_sale::check,
        ),
        invariant(
            "bans",
            "A banned user is refused by every instance that the ban has reached",
            bans::check,
        ),
        invariant("sessions", "A session ends at its expiry", sessions::check),
        invariant("one-address", "An address belongs to one user", addresses::check),
        invariant(
            "contract-replies",
            "Every reply is one that the contract allows, and 503 comes only with a fault",
            answers::check,
        ),
        invariant(
            "holders-agree",
            "A ticket names the order that holds it, once the system is quiescent",
            holders::check,
        ),
        invariant(
            "timers-armed",
            "A timer is armed for an open order at its deadline, and for no other",
            timers::armed_correctly,
        ),
        invariant(
            "no-timer-overdue",
            "No timer is overdue once the system is quiescent",
            timers::none_overdue,
        ),
        invariant(
            "charges-published",
            "Every version of a charge is published once",
            charges_published::check,
        ),
        invariant(
            "ack-last",
            "A message that changes an order or a hold is acknowledged after that change",
            acks::check,
        ),
    ]
}

#[cfg(test)]
mod tests;
