//! Planted bugs: the system with one part replaced by a wrong one, to show that a rehearsal
//! finds it.
//!
//! Each is a mistake that somebody could make, put in around the ports or around what a
//! service is assembled of. The services themselves stay as they are.
//!
//! Adding one is writing a function from a system to a system and a line in [`ALL`].

mod locks;
mod messages;
mod money;
mod twist;

use std::sync::Arc;

use harness::system::{Part, System};
use platform::Ports;
use platform::service::Service;

/// A planted bug.
#[derive(Debug, Clone, Copy)]
pub struct Planted {
    /// Its name.
    pub name: &'static str,
    /// The mistake, in a sentence.
    pub story: &'static str,
    /// The system with the mistake.
    pub system: fn(System) -> System,
}

/// All planted bugs.
pub const ALL: &[Planted] = &[
    Planted {
        name: "look-then-insert",
        story: "Orders looks whether a ticket is held before it inserts, instead of leaving it to an index",
        system: locks::look_then_insert,
    },
    Planted {
        name: "lost-update",
        story: "Writes replace whatever is there, without a look at the revision",
        system: locks::lost_update,
    },
    Planted {
        name: "edit-while-held",
        story: "Tickets does not look whether a ticket is held before it is edited",
        system: locks::edit_while_held,
    },
    Planted {
        name: "lost-publish",
        story: "Every third publish is lost, and reported as done",
        system: messages::lost_publish,
    },
    Planted {
        name: "published-twice",
        story: "Every event is published once more, under another message id",
        system: messages::published_twice,
    },
    Planted {
        name: "early-ack",
        story: "Messages are acknowledged whether or not they could be handled",
        system: messages::early_ack,
    },
    Planted {
        name: "order-of-arrival",
        story: "Tickets believes the last event that arrives, whatever its fencing number",
        system: messages::order_of_arrival,
    },
    Planted {
        name: "no-idempotency-key",
        story: "The provider is asked for a charge without an idempotency key",
        system: money::no_idempotency_key,
    },
    Planted {
        name: "refund-forgotten",
        story: "A refund is written down and never asked for",
        system: money::refund_forgotten,
    },
    Planted {
        name: "whole-units",
        story: "The cents of a price are dropped on the way to the provider",
        system: money::whole_units,
    },
];

/// The planted bug of this name.
pub fn named(name: &str) -> Option<&'static Planted> {
    ALL.iter().find(|planted| planted.name == name)
}

/// The system with the ports of one service, or of all, as `around` makes them.
fn with_ports(
    mut system: System,
    service: Option<&'static str>,
    around: fn(Ports) -> Ports,
) -> System {
    for part in parts(&mut system, service) {
        let build = Arc::clone(&part.build);
        part.build = Arc::new(move |ports, outside| build(&around(ports.clone()), outside));
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

fn parts<'a>(
    system: &'a mut System,
    service: Option<&'static str>,
) -> impl Iterator<Item = &'a mut Part> {
    system.parts.iter_mut().filter(move |part| service.is_none_or(|name| name == part.name))
}
