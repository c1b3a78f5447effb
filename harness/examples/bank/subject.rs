//! The bank as a subject: its services, events, workload, invariants and planted bug.

use harness::Subject;
use harness::bugs::PlantedBug;
use harness::bugs::planting::with_listeners;
use harness::bugs::ports::lying;
use harness::evidence::field::{id, integer};
use harness::invariants::Copy;
use harness::script::{Round, Script, Then};
use harness::subject::{Evidence, Invariant, Names, Workload, Written, names};
use harness::system::{ServiceSpec, System};
use harness::time_scale::TimeScale;
use platform::catalogue::Entry;
use proptest::collection::vec;
use proptest::prelude::*;

use super::clients::{Customers, Operation};
use super::events::*;
use super::{accounts, transfers};

/// The bank.
pub(crate) struct Bank;

impl Subject for Bank {
    type Operation = Operation;
    type Clients = Customers;

    fn name(&self) -> &'static str {
        "the bank"
    }

    fn open(&self, time: &TimeScale) -> (System, Customers) {
        let services = vec![
            ServiceSpec::new("accounts", &["/api/accounts"], accounts::service),
            ServiceSpec::new("transfers", &["/api/transfers"], transfers::service),
        ];
        (System::new(services, time), Customers::default())
    }

    fn workloads(&self) -> Vec<Workload<Operation>> {
        vec![Workload {
            name: "payday",
            about: "Three customers send money to one another at the same moment",
            scripts: || payday().boxed(),
        }]
    }

    fn invariants(&self) -> Vec<Invariant<Self>> {
        vec![
            Invariant {
                name: "money-conserved",
                statement: "The balances add up to what the accounts were opened with",
                check: money_conserved,
            },
            Invariant {
                name: "not-overdrawn",
                statement: "No account is overdrawn",
                check: not_overdrawn,
            },
        ]
    }

    fn events(&self) -> Vec<Entry> {
        vec![
            Entry::of::<AccountOpened>("accounts", &["transfers"]),
            Entry::of::<AccountDebited>("accounts", &["accounts"]),
            Entry::of::<AccountCredited>("accounts", &["transfers"]),
            Entry::of::<AccountRefused>("accounts", &["transfers"]),
            Entry::of::<TransferRequested>("transfers", &["accounts"]),
            Entry::of::<TransferSettled>("transfers", &[]),
            Entry::of::<TransferRefused>("transfers", &[]),
        ]
    }

    fn copies(&self) -> &'static [Copy] {
        &[Copy { of: ("accounts", "accounts"), at: ("transfers", "accounts"), fields: &["owner"] }]
    }

    fn planted_bugs(&self) -> Vec<PlantedBug> {
        vec![PlantedBug {
            name: "debit-applied-twice",
            story: "Accounts forgets which transfers it has debited, so a redelivery debits again",
            plant: debit_applied_twice,
            faults: &[],
        }]
    }

    fn features(&self) -> &'static [(&'static str, &'static str)] {
        &[("bank.feature", include_str!("bank.feature"))]
    }

    fn learn_names(&self, written: &Written<'_>, names: &mut Names) -> Option<String> {
        let owner = written.document.get_str("owner").ok()?;
        names.insert_of(id(written.document), "account", owner);
        Some(owner.to_owned())
    }
}

fn payday() -> impl Strategy<Value = Script<Operation>> {
    let customers: Vec<String> = (0..3).map(names::client).collect();
    let open = vec(0..=100_i64, customers.len());
    let send = (0..3_usize, 1..=60_i64, 1..3_usize);
    let then = prop_oneof![Just(Then::Go), Just(Then::Quiesce)];
    let rounds = vec((vec(send, 1..4), then), 1..4);
    (open, rounds).prop_map(move |(balances, rounds)| {
        let opened = customers.iter().zip(balances);
        let opened = opened.map(|(who, balance)| Operation::open(who, balance));
        let mut script = vec![Round::of(opened, Then::Quiesce)];
        for (sends, then) in rounds {
            let send = |(from, amount, further): (usize, i64, usize)| {
                Operation::send(&customers[from], amount, &customers[(from + further) % 3])
            };
            script.push(Round::of(sends.into_iter().map(send), then));
        }
        Script::new(customers.clone(), script)
    })
}

fn money_conserved(evidence: &Evidence<'_, Bank>) -> Vec<String> {
    // A transfer that ended as a dead letter may be debited and not credited.
    if !evidence.letters.is_empty() {
        return Vec::new();
    }
    let accounts = evidence.documents.of("accounts", "accounts");
    let sum = |field| accounts.iter().map(|account| integer(account, field)).sum::<i64>();
    let (opened, now) = (sum("opened_with"), sum("balance"));
    let broken = (opened != now).then(|| format!("{opened} was paid in, and {now} is left"));
    broken.into_iter().collect()
}

fn not_overdrawn(evidence: &Evidence<'_, Bank>) -> Vec<String> {
    let accounts = evidence.documents.of("accounts", "accounts").iter();
    let overdrawn = accounts.filter(|account| integer(account, "balance") < 0);
    overdrawn
        .map(|account| format!("account {} has {}", id(account), integer(account, "balance")))
        .collect()
}

fn debit_applied_twice(system: System) -> System {
    with_listeners(system, "accounts", &["TransferRequested"], |ports| {
        lying(ports, |_, mut account| {
            account.insert("applied", bson::Bson::Array(Vec::new()));
            account
        })
    })
}
