//! Planted bugs: the system with one part replaced by a wrong one, to show that a rehearsal
//! finds it.
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
mod twist;

use std::sync::Arc;

use harness::faults::FaultKind;
use harness::system::{ServiceSpec, System};
use platform::service::Service;
use ports::Ports;

/// A planted bug.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// Its name.
    pub name: &'static str,
    /// The mistake, in a sentence.
    pub story: &'static str,
    /// The system with the mistake.
    pub system: fn(System) -> System,
    /// What may go wrong with it that may not without; named several times, more often.
    pub faults: &'static [FaultKind],
}

impl Planted {
    /// All that may go wrong while it is looked for.
    pub fn troubles(&self) -> Vec<FaultKind> {
        FaultKind::ALL.iter().chain(self.faults).copied().collect()
    }
}

/// All planted bugs.
pub const ALL: &[Planted] = &[
    Planted {
        name: "look-then-insert",
        story: "Orders looks whether a ticket is held before it inserts, instead of leaving it to an index",
        system: locks::look_then_insert,
        faults: &[],
    },
    Planted {
        name: "look-then-sign-up",
        story: "Auth looks whether an address is taken before it inserts, instead of leaving it to an index",
        system: locks::look_then_sign_up,
        faults: &[],
    },
    Planted {
        name: "lost-update",
        story: "Writes replace whatever is there, without a look at the revision",
        system: locks::lost_update,
        faults: &[],
    },
    Planted {
        name: "edit-while-held",
        story: "Tickets does not look whether a ticket is held before it is edited",
        system: locks::edit_while_held,
        faults: &[],
    },
    Planted {
        name: "lists-reserved",
        story: "Tickets lists what is reserved as if it were for sale",
        system: locks::lists_reserved,
        faults: &[],
    },
    Planted {
        name: "price-read-late",
        story: "Orders reads the price once more when it writes the order, after the buyer was shown one",
        system: locks::price_read_late,
        faults: &[],
    },
    Planted {
        name: "hold-kept-on-expiry",
        story: "An order whose time is up is cancelled without letting go of its ticket",
        system: locks::hold_kept_on_expiry,
        faults: &[],
    },
    Planted {
        name: "expiry-cancels-paid",
        story: "Orders cancels an order whose time is up although it is paid",
        system: locks::expiry_cancels_paid,
        faults: &[],
    },
    Planted {
        name: "completes-released",
        story: "Orders completes an order that was cancelled while the money was under way",
        system: locks::completes_released,
        faults: &[],
    },
    Planted {
        name: "order-of-arrival",
        story: "Tickets believes the last event that arrives, whatever its fencing number",
        system: listening::order_of_arrival,
        faults: &[],
    },
    Planted {
        name: "hold-applied-again",
        story: "Tickets applies an event of the fencing number that it knows already",
        system: locks::hold_applied_again,
        faults: &[],
    },
    Planted {
        name: "stale-ticket",
        story: "Orders takes over whatever it hears of a ticket, without a look at the version",
        system: listening::stale_ticket,
        faults: &[],
    },
    Planted {
        name: "stale-order",
        story: "Payments takes over whatever it hears of an order, without a look at the version",
        system: listening::stale_order,
        faults: &[],
    },
    Planted {
        name: "cancelled-before-created",
        story: "Expiration arms the timer of an order whose end it heard of before its beginning",
        system: listening::cancelled_before_created,
        faults: &[],
    },
    Planted {
        name: "not-idempotent",
        story: "Orders counts the versions of its copy by the events that it hears",
        system: listening::not_idempotent,
        faults: &[],
    },
    Planted {
        name: "applied-is-poison",
        story: "Payments takes an event that it has applied already for one of an unknown order",
        system: listening::applied_is_poison,
        faults: &[],
    },
    Planted {
        name: "dead-letter-loop",
        story: "Payments publishes what it could not handle once more, to itself",
        system: listening::dead_letter_loop,
        faults: &[],
    },
    Planted {
        name: "decline-leaves-hold",
        story: "Orders does not let go of a ticket when the card is declined",
        system: listening::decline_leaves_hold,
        faults: &[],
    },
    Planted {
        name: "timer-from-arrival",
        story: "Expiration counts the time of an order from when it hears of it",
        system: listening::timer_from_arrival,
        faults: &[],
    },
    Planted {
        name: "timer-armed-again",
        story: "Expiration forgets that a timer has fired when it hears of its order again",
        system: listening::timer_armed_again,
        faults: &[],
    },
    Planted {
        name: "swallowed-error",
        story: "Messages are acknowledged whether or not they could be handled",
        system: listening::swallowed_error,
        faults: &[],
    },
    Planted {
        name: "ack-before-write",
        story: "Tickets acknowledges a message when it is in memory, before its write",
        system: listening::ack_before_write,
        faults: &[],
    },
    Planted {
        name: "ban-heard-by-one",
        story: "Of the instances of a service, one hears of a ban",
        system: listening::ban_heard_by_one,
        faults: &[],
    },
    Planted {
        name: "ban-forgotten",
        story: "An instance that starts does not read back who was banned before",
        system: listening::ban_forgotten,
        faults: &[],
    },
    Planted {
        name: "lost-publish",
        story: "Every third publish is lost, and reported as done",
        system: telling::lost_publish,
        faults: &[],
    },
    Planted {
        name: "message-id-reused",
        story: "A message goes by the id of its request, as do all others that this request causes",
        system: telling::message_id_reused,
        faults: &[],
    },
    Planted {
        name: "publish-before-commit",
        story: "Events are published before the write that they tell of",
        system: telling::publish_before_commit,
        faults: &[],
    },
    Planted {
        name: "no-outbox",
        story: "Events are published after the write that they tell of, and wait nowhere in between",
        system: telling::no_outbox,
        faults: &[],
    },
    Planted {
        name: "outbox-cleared",
        story: "The relay clears an outbox, and with it what came in since it looked",
        system: telling::outbox_cleared,
        faults: &[],
    },
    Planted {
        name: "outbox-backwards",
        story: "The relay publishes what waits in a document from the newest to the oldest",
        system: telling::outbox_backwards,
        faults: &[],
    },
    Planted {
        name: "outbox-in-memory",
        story: "The relay knows only what its own instance has written since it started",
        system: telling::outbox_in_memory,
        faults: &[],
    },
    Planted {
        name: "timer-in-memory",
        story: "Expiration knows only the timers that were armed since it started",
        system: telling::timer_in_memory,
        faults: &[],
    },
    Planted {
        name: "short-ack-wait",
        story: "The bus waits for an acknowledgement for less long than a handler takes, and the services think that it waits for longer",
        system: telling::short_ack_wait,
        faults: &[],
    },
    Planted {
        name: "no-retry",
        story: "A message is put aside at the first failure",
        system: telling::no_retry,
        faults: &[],
    },
    Planted {
        name: "unknown-is-success",
        story: "A write of which nobody knows whether it happened counts as one that did",
        system: outcomes::unknown_is_success,
        faults: &[],
    },
    Planted {
        name: "unknown-is-failure",
        story: "An insert of which nobody knows whether it happened is made once more, and meets itself",
        system: outcomes::unknown_is_failure,
        faults: &[],
    },
    Planted {
        name: "timeout-is-decline",
        story: "A payment provider that does not answer counts as one that declines",
        system: outcomes::timeout_is_decline,
        faults: &[],
    },
    Planted {
        name: "no-idempotency-key",
        story: "The provider is asked for a charge without an idempotency key",
        system: money::no_idempotency_key,
        faults: &[],
    },
    Planted {
        name: "refund-forgotten",
        story: "A refund is written down and never asked for",
        system: money::refund_forgotten,
        faults: &[],
    },
    Planted {
        name: "refund-under-charge-key",
        story: "A refund is asked for under the idempotency key of its charge",
        system: money::refund_under_charge_key,
        faults: &[],
    },
    Planted {
        name: "late-cancel-keeps-money",
        story: "A cancellation that comes after the money has moved is noted, and no more",
        system: money::late_cancel_keeps_money,
        faults: &[],
    },
    Planted {
        name: "charges-not-swept",
        story: "Nobody carries on a charge whose request did not live to hear the answer",
        system: money::charges_not_swept,
        faults: &[],
    },
    Planted {
        name: "whole-units",
        story: "The cents of a price are dropped on the way to the provider",
        system: money::whole_units,
        faults: &[],
    },
    Planted {
        name: "float-cents",
        story: "The amount of a charge goes through floating point",
        system: money::float_cents,
        faults: &[],
    },
    Planted {
        name: "token-never-expires",
        story: "The lifetime of a token is ignored",
        system: settings::token_never_expires,
        faults: &[],
    },
    Planted {
        name: "window-in-seconds",
        story: "A reservation lasts fifteen seconds where minutes were meant",
        system: settings::window_in_seconds,
        faults: &[],
    },
    Planted {
        name: "default-sync",
        story: "The broker is left at its default sync interval, and loses what it has accepted",
        system: |system| system,
        faults: &[FaultKind::Tail; 4],
    },
];

/// The planted bug of this name.
pub fn named(name: &str) -> Option<&'static Planted> {
    ALL.iter().find(|planted| planted.name == name)
}

/// Those that tell of an order.
const ORDER_EVENTS: &[&str] = &["OrderCreated", "OrderUpdated", "OrderCancelled", "OrderCompleted"];

/// The system with the ports of one service, or of all, as `around` makes them.
fn with_ports(
    mut system: System,
    service: Option<&'static str>,
    around: impl Fn(Ports) -> Ports + Send + Sync + 'static,
) -> System {
    let around = Arc::new(around);
    for part in parts(&mut system, service) {
        let (build, around) = (Arc::clone(&part.build), Arc::clone(&around));
        part.build = Arc::new(move |ports, outside| build(&around(ports.clone()), outside));
    }
    system
}

/// The system with the ports of each service as `around` makes them of its name and ports.
fn around_ports(mut system: System, around: fn(&'static str, Ports) -> Ports) -> System {
    for part in parts(&mut system, None) {
        let (build, name) = (Arc::clone(&part.build), part.name);
        part.build = Arc::new(move |ports, outside| build(&around(name, ports.clone()), outside));
    }
    system
}

/// The system with one service, or all, as `change` leaves them.
fn with_service(
    mut system: System,
    service: Option<&'static str>,
    change: fn(&mut Service),
) -> System {
    for part in parts(&mut system, service) {
        let build = Arc::clone(&part.build);
        part.build = Arc::new(move |ports, outside| {
            let mut service = build(ports, outside);
            change(&mut service);
            service
        });
    }
    system
}

/// The system with one service as `around` makes it of the service and its ports.
fn around_service(
    mut system: System,
    service: &'static str,
    around: impl Fn(Service, &Ports) -> Service + Send + Sync + 'static,
) -> System {
    let around = Arc::new(around);
    for part in parts(&mut system, Some(service)) {
        let (build, around) = (Arc::clone(&part.build), Arc::clone(&around));
        part.build = Arc::new(move |ports, outside| around(build(ports, outside), ports));
    }
    system
}

/// The system in which one service hears these events over ports as `around` makes them.
fn with_listeners(
    mut system: System,
    service: &'static str,
    events: &'static [&'static str],
    around: fn(Ports) -> Ports,
) -> System {
    for part in parts(&mut system, Some(service)) {
        let build = Arc::clone(&part.build);
        part.build = Arc::new(move |ports, outside| {
            let mut service = build(ports, outside);
            let wrong = build(&around(ports.clone()), outside);
            let both = service.listeners.iter_mut().zip(wrong.listeners);
            for (right, wrong) in both.filter(|(right, _)| events.contains(&right.event)) {
                *right = wrong;
            }
            service
        });
    }
    system
}

fn parts<'a>(
    system: &'a mut System,
    service: Option<&'static str>,
) -> impl Iterator<Item = &'a mut ServiceSpec> {
    system.services.iter_mut().filter(move |part| service.is_none_or(|name| name == part.name))
}
