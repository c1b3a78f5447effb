//! The locks as a subject of the harness: buyers that hold and release a few tickets. The setting
//! `strategy` chooses the way to lock.

use std::collections::BTreeMap;

use derive_more::Display;
use harness::prelude::*;
use harness::settings::{Setting, Settings, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use crate::desk::{self, Hold, Listing, Wish};
use crate::strategies::look_then_insert;
use crate::{LEASE, STRATEGIES, Strategy as Way, linearizable};

/// The setting that chooses the way to lock, by its place in [`STRATEGIES`].
pub static STRATEGY: Setting = Setting::new(
    "strategy",
    "the number of the way to lock",
    Value::Count(0),
    &[Value::Count(1), Value::Count(2), Value::Count(3), Value::Count(4)],
);

/// An operation of a client. A ticket goes by its title.
#[derive(Debug, Display, Clone, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// The client lists a ticket.
    #[display("{who} lists {ticket} at {price}")]
    List {
        /// The client.
        who: String,
        /// The ticket.
        ticket: String,
        /// The price in cents.
        price: i64,
    },
    /// The client wants to hold a ticket.
    #[display("{who} holds {ticket}")]
    Hold {
        /// The client.
        who: String,
        /// The ticket.
        ticket: String,
    },
    /// The client releases the hold it got last.
    #[display("{who} releases {ticket}")]
    Release {
        /// The client.
        who: String,
        /// The ticket.
        ticket: String,
    },
}

impl harness::subject::Operation for Operation {}

/// The clients of one run: they keep the holds they got.
#[derive(Default)]
pub struct Buyers {
    /// True if the lock ends holds by itself.
    pub(crate) is_lease: bool,
    holds: BTreeMap<(String, String), Hold>,
}

impl Clients for Buyers {
    type Operation = Operation;
    /// The hold that a release is about.
    type Context = Option<String>;

    fn context(&self, operation: &Operation, _: Timestamp) -> Option<String> {
        let Operation::Release { who, ticket } = operation else { return None };
        self.holds.get(&(who.clone(), ticket.clone())).map(|hold| hold.hold.clone())
    }

    fn request(&self, operation: &Operation) -> Option<Request<Bytes>> {
        let (path, body) = match operation {
            Operation::List { ticket, price, .. } => {
                let listing = Listing { ticket: ticket.clone(), price: *price };
                ("/api/tickets", serde_json::to_value(listing))
            }
            Operation::Hold { who, ticket } => {
                let wish = Wish { ticket: ticket.clone(), buyer: who.clone() };
                ("/api/holds", serde_json::to_value(wish))
            }
            Operation::Release { who, ticket } => {
                let hold = self.holds.get(&(who.clone(), ticket.clone()))?;
                ("/api/releases", serde_json::to_value(hold))
            }
        };
        Some(post(path, &body.expect("a body is plain data")))
    }

    fn learn(&mut self, operation: &Operation, reply: &Reply, _: Timestamp) {
        let Operation::Hold { who, ticket } = operation else { return };
        if let Ok(hold) = serde_json::from_value(reply.json().clone()) {
            self.holds.insert((who.clone(), ticket.clone()), hold);
        }
    }
}

/// The system of one service, `desk`.
pub struct Locks;

/// The system with this way to lock.
fn system(way: &'static Way, time: &TimeScale) -> System {
    System::new(vec![ServiceSpec::new(move |ports| desk::service(ports, way))], time)
}

impl Subject for Locks {
    type Operation = Operation;
    type Clients = Buyers;

    fn name(&self) -> &'static str {
        "the locks"
    }

    fn open(&self, time: &TimeScale) -> (System, Buyers) {
        (system(STRATEGIES[0], time), Buyers::default())
    }

    fn settings(&self) -> &'static [Setting] {
        std::slice::from_ref(&STRATEGY)
    }

    fn open_with(&self, time: &TimeScale, settings: &Settings) -> (System, Buyers) {
        let number = settings.count(&STRATEGY) as usize;
        let way = STRATEGIES[number % STRATEGIES.len()];
        (system(way, time), Buyers { is_lease: way.is_lease, ..Buyers::default() })
    }

    fn workloads(&self) -> Vec<Workload<Operation>> {
        vec![
            Workload {
                name: "race",
                about: "Buyers hold and release two tickets at the same moment",
                scripts: || scripts(prop_oneof![Just(Then::Go), Just(Then::Quiesce)]).boxed(),
            },
            Workload {
                name: "lapse",
                about: "The same, while holds reach the end of a lease",
                scripts: || {
                    let lease = u32::try_from(LEASE.as_secs()).expect("a lease is short");
                    let lapse = prop_oneof![Just(Then::Go), Just(Then::Pass(lease))];
                    scripts(lapse).boxed()
                },
            },
        ]
    }

    fn invariants(&self) -> Vec<Invariant<Self>> {
        vec![Invariant::harm(
            "one-holder",
            "A ticket has one holder at a time, and no buyer is refused while it is free",
            linearizable::check,
        )]
    }

    fn planted_bugs(&self) -> Vec<PlantedBug> {
        vec![PlantedBug {
            name: "look-then-insert",
            story: "The desk looks whether a hold exists, and then inserts one",
            plant: |system| {
                let desk = |ports: &Ports| desk::service(ports, &look_then_insert::STRATEGY);
                System { services: vec![ServiceSpec::new(desk)], ..system }
            },
            faults: &[],
        }]
    }
}

fn scripts(then: impl Strategy<Value = Then> + Clone) -> impl Strategy<Value = Script<Operation>> {
    let who = || (0..4_usize).prop_map(names::client);
    let ticket = || prop_oneof![3 => Just("Opera".to_owned()), 1 => Just("Ballet".to_owned())];
    let hold = (who(), ticket()).prop_map(|(who, ticket)| Operation::Hold { who, ticket });
    let release = (who(), ticket()).prop_map(|(who, ticket)| Operation::Release { who, ticket });
    let act = prop_oneof![2 => hold, 1 => release];
    let round = (vec(act, 1..5), then).prop_map(|(acts, then)| Round::of(acts, then));
    vec(round, 1..6).prop_map(|mut rounds| {
        let list = |(ticket, price): (&str, i64)| Operation::List {
            who: names::client(0),
            ticket: ticket.to_owned(),
            price,
        };
        let listed = [("Opera", 2000), ("Ballet", 3000)].map(list);
        rounds.insert(0, Round::of(listed, Then::Quiesce));
        Script::new((0..4).map(names::client), rounds)
    })
}
