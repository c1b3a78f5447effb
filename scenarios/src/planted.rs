//! The planted bugs of ticketing: plausible mistakes, put in on purpose to measure whether the
//! workloads find them.
//!
//! Each bug is a function from a system to a system that decorates ports or replaces parts of a
//! service; the code of the services does not change. Mistakes that the design tolerates, such as
//! publishing a message twice, are not listed.
//!
//! To add one, write such a function and add an entry to [`ALL`].

mod formats;
mod listeners;
mod locks;
mod money;
mod outcomes;
mod provider;
mod publishing;
mod settings;

use harness::bugs::PlantedBug;
use harness::faults::FaultKind;

/// All planted bugs.
pub const ALL: &[PlantedBug] = &[
    PlantedBug {
        name: "look-then-insert",
        story: "Orders queries for an existing hold before it inserts, instead of relying on a unique index",
        plant: locks::look_then_insert,
        faults: &[],
    },
    PlantedBug {
        name: "look-then-count",
        story: "Orders queries for an open order in the same slot before it inserts, instead of relying on a unique index",
        plant: locks::look_then_count,
        faults: &[],
    },
    PlantedBug {
        name: "look-then-sign-up",
        story: "Auth queries for an existing email address before it inserts, instead of relying on a unique index",
        plant: locks::look_then_sign_up,
        faults: &[],
    },
    PlantedBug {
        name: "lost-update",
        story: "Updates do not check the revision, so concurrent updates overwrite each other",
        plant: locks::lost_update,
        faults: &[],
    },
    PlantedBug {
        name: "edit-while-held",
        story: "Tickets accepts an edit while the ticket is held",
        plant: locks::edit_while_held,
        faults: &[],
    },
    PlantedBug {
        name: "lists-reserved",
        story: "Tickets lists reserved tickets as for sale",
        plant: locks::lists_reserved,
        faults: &[],
    },
    PlantedBug {
        name: "price-read-late",
        story: "Orders reads the price again when it writes the order, after the buyer was shown the earlier one",
        plant: locks::price_read_late,
        faults: &[],
    },
    PlantedBug {
        name: "hold-kept-on-expiry",
        story: "Orders cancels an expired order without releasing its ticket",
        plant: locks::hold_kept_on_expiry,
        faults: &[],
    },
    PlantedBug {
        name: "expiry-cancels-paid",
        story: "Orders cancels an expired order even if it is paid",
        plant: locks::expiry_cancels_paid,
        faults: &[],
    },
    PlantedBug {
        name: "completes-released",
        story: "Orders completes an order that was cancelled while its charge was pending",
        plant: locks::completes_released,
        faults: &[],
    },
    PlantedBug {
        name: "order-of-arrival",
        story: "Tickets applies events in order of arrival and ignores their fencing numbers",
        plant: listeners::order_of_arrival,
        faults: &[],
    },
    PlantedBug {
        name: "hold-applied-again",
        story: "Tickets applies an event whose fencing number it has already seen",
        plant: locks::hold_applied_again,
        faults: &[],
    },
    PlantedBug {
        name: "stale-ticket",
        story: "Orders overwrites its copy of a ticket with every event, regardless of the version",
        plant: listeners::stale_ticket,
        faults: &[],
    },
    PlantedBug {
        name: "stale-order",
        story: "Payments overwrites its copy of an order with every event, regardless of the version",
        plant: listeners::stale_order,
        faults: &[],
    },
    PlantedBug {
        name: "cancelled-before-created",
        story: "Expiration arms a timer for an order whose cancellation arrived before its creation",
        plant: listeners::cancelled_before_created,
        faults: &[],
    },
    PlantedBug {
        name: "not-idempotent",
        story: "Orders derives the version of its ticket copy by counting the events that it receives",
        plant: listeners::not_idempotent,
        faults: &[],
    },
    PlantedBug {
        name: "applied-is-poison",
        story: "Payments rejects a redelivered event as one about an unknown order",
        plant: listeners::applied_is_poison,
        faults: &[],
    },
    PlantedBug {
        name: "field-unknown",
        story: "Payments rejects an event with a field that it does not know, as a newer release adds",
        plant: formats::field_unknown,
        faults: &[],
    },
    PlantedBug {
        name: "field-missing",
        story: "Payments rejects an event without an optional field, as an older release publishes",
        plant: formats::field_missing,
        faults: &[],
    },
    PlantedBug {
        name: "dead-letter-loop",
        story: "Payments republishes events that it cannot handle to the stream that it listens to",
        plant: listeners::dead_letter_loop,
        faults: &[],
    },
    PlantedBug {
        name: "decline-leaves-hold",
        story: "Orders does not release the ticket when the card is declined",
        plant: listeners::decline_leaves_hold,
        faults: &[],
    },
    PlantedBug {
        name: "timer-from-arrival",
        story: "Expiration measures the reservation window from the arrival of the event",
        plant: listeners::timer_from_arrival,
        faults: &[],
    },
    PlantedBug {
        name: "timer-armed-again",
        story: "Expiration re-arms a timer that has fired when another event of its order arrives",
        plant: listeners::timer_armed_again,
        faults: &[],
    },
    PlantedBug {
        name: "swallowed-error",
        story: "Messages are acknowledged even if their handler fails",
        plant: listeners::swallowed_error,
        faults: &[],
    },
    PlantedBug {
        name: "ack-before-write",
        story: "Tickets acknowledges a message once it is queued in memory, before the write",
        plant: listeners::ack_before_write,
        faults: &[],
    },
    PlantedBug {
        name: "ban-heard-by-one",
        story: "A ban or the end of a session reaches one instance of each service instead of all",
        plant: listeners::ban_heard_by_one,
        faults: &[],
    },
    PlantedBug {
        name: "ban-forgotten",
        story: "An instance does not read existing bans and ends of sessions when it starts",
        plant: listeners::ban_forgotten,
        faults: &[],
    },
    PlantedBug {
        name: "session-outlives-sign-out",
        story: "Orders accepts a session after its sign-out or a change of the password",
        plant: listeners::session_outlives_sign_out,
        faults: &[],
    },
    PlantedBug {
        name: "lost-publish",
        story: "Every third publish is lost but reported as successful",
        plant: publishing::lost_publish,
        faults: &[],
    },
    PlantedBug {
        name: "message-id-reused",
        story: "All messages caused by one request share its id as their message id",
        plant: publishing::message_id_reused,
        faults: &[],
    },
    PlantedBug {
        name: "publish-before-commit",
        story: "Events are published before the write that they report",
        plant: publishing::publish_before_commit,
        faults: &[],
    },
    PlantedBug {
        name: "no-outbox",
        story: "Events are published after the write that they report, without an outbox",
        plant: publishing::no_outbox,
        faults: &[],
    },
    PlantedBug {
        name: "outbox-cleared",
        story: "The relay clears the whole outbox, including events added since its read",
        plant: publishing::outbox_cleared,
        faults: &[],
    },
    PlantedBug {
        name: "outbox-backwards",
        story: "The relay publishes the events of a document from newest to oldest",
        plant: publishing::outbox_backwards,
        faults: &[],
    },
    PlantedBug {
        name: "outbox-in-memory",
        story: "The relay handles only documents that its own instance has written since its start",
        plant: publishing::outbox_in_memory,
        faults: &[],
    },
    PlantedBug {
        name: "timer-in-memory",
        story: "Expiration fires only timers that were armed since its start",
        plant: publishing::timer_in_memory,
        faults: &[],
    },
    PlantedBug {
        name: "short-ack-wait",
        story: "The ack wait is shorter than a handler takes, and the services assume a longer one",
        plant: publishing::short_ack_wait,
        faults: &[],
    },
    PlantedBug {
        name: "no-retry",
        story: "A message is dead-lettered at the first failure",
        plant: publishing::no_retry,
        faults: &[],
    },
    PlantedBug {
        name: "unknown-is-success",
        story: "A write with an unknown outcome is treated as successful",
        plant: outcomes::unknown_is_success,
        faults: &[],
    },
    PlantedBug {
        name: "unknown-is-failure",
        story: "An insert with an unknown outcome is retried and conflicts with itself",
        plant: outcomes::unknown_is_failure,
        faults: &[],
    },
    PlantedBug {
        name: "timeout-is-decline",
        story: "A payment provider that does not reply is treated as if it declined",
        plant: outcomes::timeout_is_decline,
        faults: &[],
    },
    PlantedBug {
        name: "no-idempotency-key",
        story: "Charges are requested without an idempotency key",
        plant: money::no_idempotency_key,
        faults: &[],
    },
    PlantedBug {
        name: "refund-forgotten",
        story: "A refund is recorded but never requested from the provider",
        plant: money::refund_forgotten,
        faults: &[],
    },
    PlantedBug {
        name: "refund-under-charge-key",
        story: "A refund is requested under the idempotency key of its charge",
        plant: money::refund_under_charge_key,
        faults: &[],
    },
    PlantedBug {
        name: "late-cancel-keeps-money",
        story: "A cancellation that arrives after the charge does not cause a refund",
        plant: money::late_cancel_keeps_money,
        faults: &[],
    },
    PlantedBug {
        name: "charges-not-swept",
        story: "A charge whose request was interrupted is never completed",
        plant: money::charges_not_swept,
        faults: &[],
    },
    PlantedBug {
        name: "blind-new-key",
        story: "A charge whose key keeps an error of the provider is requested under a new key, without a search",
        plant: provider::blind_new_key,
        faults: &[],
    },
    PlantedBug {
        name: "pending-is-success",
        story: "A charge that is pending is treated as successful",
        plant: provider::pending_is_success,
        faults: &[],
    },
    PlantedBug {
        name: "pending-is-failure",
        story: "A charge that is pending is treated as declined",
        plant: provider::pending_is_failure,
        faults: &[],
    },
    PlantedBug {
        name: "pending-refund-is-done",
        story: "A refund that is pending is treated as made",
        plant: provider::pending_refund_is_done,
        faults: &[],
    },
    PlantedBug {
        name: "disputed-refund-retried",
        story: "A refund that is refused because of a dispute is requested again for ever",
        plant: provider::disputed_refund_retried,
        faults: &[],
    },
    PlantedBug {
        name: "forgotten-key",
        story: "A charge is requested again under a key that the provider has forgotten, without a search",
        plant: provider::forgotten_key,
        faults: &[],
    },
    PlantedBug {
        name: "search-of-metadata",
        story: "Charges are looked for in the search by metadata, which does not show the newest ones",
        plant: provider::stale_search,
        faults: &[],
    },
    PlantedBug {
        name: "conflict-is-decline",
        story: "A request that conflicts with one in progress is treated as declined",
        plant: provider::conflict_is_decline,
        faults: &[],
    },
    PlantedBug {
        name: "whole-units",
        story: "The cents of a price are dropped in the charge request",
        plant: money::whole_units,
        faults: &[],
    },
    PlantedBug {
        name: "float-cents",
        story: "The amount of a charge is computed in floating point",
        plant: money::float_cents,
        faults: &[],
    },
    PlantedBug {
        name: "token-never-expires",
        story: "The lifetime of a session token is ignored",
        plant: settings::token_never_expires,
        faults: &[],
    },
    PlantedBug {
        name: "window-in-seconds",
        story: "A reservation lasts fifteen seconds instead of fifteen minutes",
        plant: settings::window_in_seconds,
        faults: &[],
    },
    PlantedBug {
        name: "window-without-hours",
        story: "Orders keeps only the minutes of the reservation window, which is nothing of one hour",
        plant: settings::window_without_hours,
        faults: &[],
    },
    PlantedBug {
        name: "default-sync",
        story: "The broker keeps its default sync interval and loses acknowledged messages in a crash",
        plant: |system| system,
        faults: &[FaultKind::Tail; 4],
    },
];

/// The events of an order.
const ORDER_EVENTS: &[&str] = &["OrderCreated", "OrderUpdated", "OrderCancelled", "OrderCompleted"];
