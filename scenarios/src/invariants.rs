//! The invariants of ticketing, checked after every run in both worlds. The harness adds those
//! that hold for every subject.
//!
//! A check only reads its [`Evidence`]. To add an invariant, add a file, an entry in [`all`], and
//! a lie against it in the tests.

pub mod evidence;

mod acks;
mod addresses;
mod bans;
mod charges_published;
mod declined;
mod expiry;
mod for_sale;
mod frozen;
mod holders;
mod linearizable;
mod money;
mod one_holder;
mod open_orders;
mod timers;

use harness::subject::Invariant;

use crate::oracle;
use crate::system::Ticketing;

pub use evidence::Evidence;

/// All invariants, the most severe for users first.
pub fn all() -> Vec<Invariant<Ticketing>> {
    vec![
        Invariant::harm(
            "one-holder",
            "A ticket is held by at most one live order at any time",
            one_holder::check,
        )
        .in_part_of_trace(),
        Invariant::harm(
            "open-orders",
            "A user never has more open orders than the limit allows",
            open_orders::check,
        )
        .in_part_of_trace(),
        Invariant::harm(
            "linearizable",
            "The replies to buyers of a ticket, its holds and its releases are linearizable",
            linearizable::check,
        )
        .of_trace(),
        Invariant::harm(
            "paid-once",
            "A completed order has exactly one charge that is not refunded, at the price that the buyer was shown",
            money::paid_once,
        ),
        Invariant::harm(
            "paid-completes",
            "Once the system is quiescent, a paid order is complete",
            money::paid_completes,
        ),
        Invariant::harm(
            "no-money-kept",
            "The money of a cancelled order is returned, or the provider refuses and payments shows why",
            money::none_kept,
        ),
        Invariant::harm(
            "ledgers-agree",
            "The provider's ledger agrees with the charges, cent for cent",
            money::ledgers_agree,
        ),
        Invariant::harm(
            "refunds",
            "A charge is refunded only if its order is cancelled",
            money::refunded_for_a_reason,
        ),
        Invariant::harm(
            "frozen-while-held",
            "No edit is accepted while the ticket is held",
            frozen::check,
        )
        .of_trace(),
        Invariant::harm("hold-ends", "No unpaid hold outlives its deadline", expiry::check),
        Invariant::harm(
            "expires-in-time",
            "A hold ends within a second of its deadline, and never before",
            expiry::in_time,
        )
        .of_trace(),
        Invariant::mechanism(
            "expires-once",
            "The expiry of an order is published exactly once",
            expiry::published_once,
        )
        .of_trace(),
        Invariant::harm(
            "declined-cancels",
            "An order whose card was declined is cancelled",
            declined::check,
        ),
        Invariant::harm(
            "for-sale",
            "Once the system is quiescent, the listed tickets are exactly those that can be reserved",
            for_sale::check,
        ),
        Invariant::harm(
            "bans",
            "Every instance that has received a ban rejects the banned user",
            bans::check,
        )
        .of_trace(),
        Invariant::harm("one-address", "An email address belongs to one user", addresses::check),
        Invariant::harm("one-claim", "A claim belongs to one user", addresses::claimed_once),
        Invariant::harm("contract", "Every answer is one that the contract allows", oracle::check)
            .in_part_of_trace(),
        Invariant::harm(
            "holders-agree",
            "Once the system is quiescent, a ticket names the order that holds it",
            holders::check,
        ),
        Invariant::mechanism(
            "timers-armed",
            "Every open order has a timer armed at its deadline, and no other order has one",
            timers::armed_correctly,
        ),
        Invariant::mechanism(
            "no-timer-overdue",
            "No timer is overdue once the system is quiescent",
            timers::none_overdue,
        ),
        Invariant::mechanism(
            "charges-published",
            "Every version of a charge is published exactly once",
            charges_published::check,
        )
        .of_trace(),
        Invariant::mechanism(
            "ack-last",
            "A message is acknowledged only after the order or hold that it changes is written",
            acks::check,
        )
        .of_trace()
        .of_trace(),
    ]
}

#[cfg(test)]
mod tests;
