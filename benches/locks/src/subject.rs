//! The locks as a subject of the harness: buyers that hold and release a few tickets. The setting
//! `strategy` chooses the way to lock.

use harness::prelude::*;
use harness::settings::{Setting, Settings, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::clients::{Buyers, Operation};
use crate::desk;
use crate::strategies::look_then_insert;
use crate::{LEASE, STRATEGIES, Strategy as Way, linearizable};

/// The setting that chooses the way to lock, by its place in [`STRATEGIES`].
pub static STRATEGY: Setting = Setting::new(
    "strategy",
    "the number of the way to lock",
    Value::Count(0),
    &[Value::Count(1), Value::Count(2), Value::Count(3), Value::Count(4)],
);

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
        self.open_with(time, &Settings::default())
    }

    fn settings(&self) -> &'static [Setting] {
        std::slice::from_ref(&STRATEGY)
    }

    fn open_with(&self, time: &TimeScale, settings: &Settings) -> (System, Buyers) {
        let number = settings.count(&STRATEGY) as usize;
        let way = STRATEGIES[number % STRATEGIES.len()];
        (system(way, time), Buyers::new(way.is_lease))
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
