//! The planted bugs of ticketing: mistakes that a team could make, put in on purpose, to show
//! that the rehearsal finds them.
//!
//! Each is a mistake that somebody could make, put in around the ports or around what a
//! service is assembled of. The services themselves stay as they are. A mistake that does no
//! harm by design, such as a message that is published twice, is none and is not here.
//!
//! Adding one is writing a function from a system to a system and a line in [`ALL`].

mod listening;
mod locks;
mod money;
mod outcomes;
mod settings;
mod telling;

use harness::bugs::PlantedBug;
use harness::faults::FaultKind;

/// All planted bugs.
pub const ALL: &[PlantedBug] = &[
    PlantedBug {
        name: "look-then-insert",
        story: "Orders looks whether a ticket is held before it inserts, instead of leaving it to an index",
        plant: locks::look_then_insert,
        faults: &[],
    },
    PlantedBug {
        name: "look-then-sign-up",
        story: "Auth looks whether an address is taken before it inserts, instead of leaving it to an index",
        plant: locks::look_then_sign_up,
        faults: &[],
    },
    PlantedBug {
        name: "lost-update",
        story: "Writes replace whatever is there, without a look at the revision",
        plant: locks::lost_update,
        faults: &[],
    },
    PlantedBug {
        name: "edit-while-held",
        story: "Tickets does not look whether a ticket is held before it is edited",
        plant: locks::edit_while_held,
        faults: &[],
    },
    PlantedBug {
        name: "lists-reserved",
        story: "Tickets lists what is reserved as if it were for sale",
        plant: locks::lists_reserved,
        faults: &[],
    },
    PlantedBug {
        name: "price-read-late",
        story: "Orders reads the price once more when it writes the order, after the buyer was shown one",
        plant: locks::price_read_late,
        faults: &[],
    },
    PlantedBug {
        name: "hold-kept-on-expiry",
        story: "An order whose time is up is cancelled without letting go of its ticket",
        plant: locks::hold_kept_on_expiry,
        faults: &[],
    },
    PlantedBug {
        name: "expiry-cancels-paid",
        story: "Orders cancels an order whose time is up although it is paid",
        plant: locks::expiry_cancels_paid,
        faults: &[],
    },
    PlantedBug {
        name: "completes-released",
        story: "Orders completes an order that was cancelled while the money was under way",
        plant: locks::completes_released,
        faults: &[],
    },
    PlantedBug {
        name: "order-of-arrival",
        story: "Tickets believes the last event that arrives, whatever its fencing number",
        plant: listening::order_of_arrival,
        faults: &[],
    },
    PlantedBug {
        name: "hold-applied-again",
        story: "Tickets applies an event of the fencing number that it knows already",
        plant: locks::hold_applied_again,
        faults: &[],
    },
    PlantedBug {
        name: "stale-ticket",
        story: "Orders takes over whatever it hears of a ticket, without a look at the version",
        plant: listening::stale_ticket,
        faults: &[],
    },
    PlantedBug {
        name: "stale-order",
        story: "Payments takes over whatever it hears of an order, without a look at the version",
        plant: listening::stale_order,
        faults: &[],
    },
    PlantedBug {
        name: "cancelled-before-created",
        story: "Expiration arms the timer of an order whose end it heard of before its beginning",
        plant: listening::cancelled_before_created,
        faults: &[],
    },
    PlantedBug {
        name: "not-idempotent",
        story: "Orders counts the versions of its copy by the events that it hears",
        plant: listening::not_idempotent,
        faults: &[],
    },
    PlantedBug {
        name: "applied-is-poison",
        story: "Payments takes an event that it has applied already for one of an unknown order",
        plant: listening::applied_is_poison,
        faults: &[],
    },
    PlantedBug {
        name: "dead-letter-loop",
        story: "Payments publishes what it could not handle once more, to itself",
        plant: listening::dead_letter_loop,
        faults: &[],
    },
    PlantedBug {
        name: "decline-leaves-hold",
        story: "Orders does not let go of a ticket when the card is declined",
        plant: listening::decline_leaves_hold,
        faults: &[],
    },
    PlantedBug {
        name: "timer-from-arrival",
        story: "Expiration counts the time of an order from when it hears of it",
        plant: listening::timer_from_arrival,
        faults: &[],
    },
    PlantedBug {
        name: "timer-armed-again",
        story: "Expiration forgets that a timer has fired when it hears of its order again",
        plant: listening::timer_armed_again,
        faults: &[],
    },
    PlantedBug {
        name: "swallowed-error",
        story: "Messages are acknowledged whether or not they could be handled",
        plant: listening::swallowed_error,
        faults: &[],
    },
    PlantedBug {
        name: "ack-before-write",
        story: "Tickets acknowledges a message when it is in memory, before its write",
        plant: listening::ack_before_write,
        faults: &[],
    },
    PlantedBug {
        name: "ban-heard-by-one",
        story: "Of the instances of a service, one hears of a ban",
        plant: listening::ban_heard_by_one,
        faults: &[],
    },
    PlantedBug {
        name: "ban-forgotten",
        story: "An instance that starts does not read back who was banned before",
        plant: listening::ban_forgotten,
        faults: &[],
    },
    PlantedBug {
        name: "lost-publish",
        story: "Every third publish is lost, and reported as done",
        plant: telling::lost_publish,
        faults: &[],
    },
    PlantedBug {
        name: "message-id-reused",
        story: "A message goes by the id of its request, as do all others that this request causes",
        plant: telling::message_id_reused,
        faults: &[],
    },
    PlantedBug {
        name: "publish-before-commit",
        story: "Events are published before the write that they tell of",
        plant: telling::publish_before_commit,
        faults: &[],
    },
    PlantedBug {
        name: "no-outbox",
        story: "Events are published after the write that they tell of, and wait nowhere in between",
        plant: telling::no_outbox,
        faults: &[],
    },
    PlantedBug {
        name: "outbox-cleared",
        story: "The relay clears an outbox, and with it what came in since it looked",
        plant: telling::outbox_cleared,
        faults: &[],
    },
    PlantedBug {
        name: "outbox-backwards",
        story: "The relay publishes what waits in a document from the newest to the oldest",
        plant: telling::outbox_backwards,
        faults: &[],
    },
    PlantedBug {
        name: "outbox-in-memory",
        story: "The relay knows only what its own instance has written since it started",
        plant: telling::outbox_in_memory,
        faults: &[],
    },
    PlantedBug {
        name: "timer-in-memory",
        story: "Expiration knows only the timers that were armed since it started",
        plant: telling::timer_in_memory,
        faults: &[],
    },
    PlantedBug {
        name: "short-ack-wait",
        story: "The bus waits for an acknowledgement for less long than a handler takes, and the services think that it waits for longer",
        plant: telling::short_ack_wait,
        faults: &[],
    },
    PlantedBug {
        name: "no-retry",
        story: "A message is put aside at the first failure",
        plant: telling::no_retry,
        faults: &[],
    },
    PlantedBug {
        name: "unknown-is-success",
        story: "A write of which nobody knows whether it happened counts as one that did",
        plant: outcomes::unknown_is_success,
        faults: &[],
    },
    PlantedBug {
        name: "unknown-is-failure",
        story: "An insert of which nobody knows whether it happened is made once more, and meets itself",
        plant: outcomes::unknown_is_failure,
        faults: &[],
    },
    PlantedBug {
        name: "timeout-is-decline",
        story: "A payment provider that does not answer counts as one that declines",
        plant: outcomes::timeout_is_decline,
        faults: &[],
    },
    PlantedBug {
        name: "no-idempotency-key",
        story: "The provider is asked for a charge without an idempotency key",
        plant: money::no_idempotency_key,
        faults: &[],
    },
    PlantedBug {
        name: "refund-forgotten",
        story: "A refund is written down and never asked for",
        plant: money::refund_forgotten,
        faults: &[],
    },
    PlantedBug {
        name: "refund-under-charge-key",
        story: "A refund is asked for under the idempotency key of its charge",
        plant: money::refund_under_charge_key,
        faults: &[],
    },
    PlantedBug {
        name: "late-cancel-keeps-money",
        story: "A cancellation that comes after the money has moved is noted, and no more",
        plant: money::late_cancel_keeps_money,
        faults: &[],
    },
    PlantedBug {
        name: "charges-not-swept",
        story: "Nobody carries on a charge whose request did not live to hear the answer",
        plant: money::charges_not_swept,
        faults: &[],
    },
    PlantedBug {
        name: "whole-units",
        story: "The cents of a price are dropped on the way to the provider",
        plant: money::whole_units,
        faults: &[],
    },
    PlantedBug {
        name: "float-cents",
        story: "The amount of a charge goes through floating point",
        plant: money::float_cents,
        faults: &[],
    },
    PlantedBug {
        name: "token-never-expires",
        story: "The lifetime of a token is ignored",
        plant: settings::token_never_expires,
        faults: &[],
    },
    PlantedBug {
        name: "window-in-seconds",
        story: "A reservation lasts fifteen seconds where minutes were meant",
        plant: settings::window_in_seconds,
        faults: &[],
    },
    PlantedBug {
        name: "default-sync",
        story: "The broker is left at its default sync interval, and loses what it has accepted",
        plant: |system| system,
        faults: &[FaultKind::Tail; 4],
    },
];

/// The events of an order.
const ORDER_EVENTS: &[&str] = &["OrderCreated", "OrderUpdated", "OrderCancelled", "OrderCompleted"];
