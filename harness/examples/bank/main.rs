//! A bank as a subject of the harness: two services, their clients, and a program with every
//! command. `docs/guide.md` builds it line by line.

mod accounts;
mod clients;
mod events;
mod transfers;

use harness::invariants::Copy;
use harness::prelude::*;
use proptest::collection::vec;
use proptest::prelude::*;

use clients::{Customers, Operation};
use events::*;

pub(crate) struct Bank;

impl Subject for Bank {
    type Operation = Operation;
    type Clients = Customers;

    fn name(&self) -> &'static str {
        "the bank"
    }

    fn open(&self, time: &TimeScale) -> (System, Customers) {
        let services = [accounts::service, transfers::service].map(ServiceSpec::new);
        (System::new(services.into(), time), Customers::default())
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
            Invariant::harm("money-conserved", "No transfer makes or loses money", money_conserved),
            Invariant::harm("not-overdrawn", "No account is overdrawn", not_overdrawn),
        ]
    }

    fn events(&self) -> Vec<Entry> {
        [OPENED.entries(), CHANGED.entries(), TRANSFER_EVENTS.entries()].concat()
    }

    fn copies(&self) -> &'static [Copy] {
        &[Copy { of: ("accounts", "accounts"), at: ("transfers", "accounts"), fields: &["owner"] }]
    }

    fn planted_bugs(&self) -> Vec<PlantedBug> {
        vec![PlantedBug {
            name: "debit-applied-twice",
            story: "Accounts forgets which transfers it has applied, so a redelivery debits again",
            plant: |system| with_listeners(system, "accounts", &["TransferRequested"], forgetful),
            faults: &[],
        }]
    }

    fn features(&self) -> &'static [(&'static str, &'static str)] {
        &[("bank.feature", include_str!("bank.feature"))]
    }

    fn learn_names(&self, written: &Written<'_>, names: &mut Names) -> Option<String> {
        let owner = written.document.get_str("owner").ok()?;
        names.insert_of(written.document.get_str("_id").ok()?, "account", owner);
        Some(owner.to_owned())
    }
}

fn payday() -> impl Strategy<Value = Script<Operation>> {
    let who = || (0..3_usize).prop_map(names::client);
    let send = (who(), 1..=60_i64, who());
    let send = send.prop_map(|(who, amount, to)| Operation::Send { who, amount, to });
    let then = prop_oneof![Just(Then::Go), Just(Then::Quiesce)];
    let sends = (vec(send, 1..4), then).prop_map(|(sends, then)| Round::of(sends, then));
    (vec(0..=100_i64, 3), vec(sends, 1..4)).prop_map(|(balances, mut rounds)| {
        let open = |(n, balance)| Operation::Open { who: names::client(n), balance };
        rounds.insert(0, Round::of(balances.into_iter().enumerate().map(open), Then::Quiesce));
        Script::new((0..3).map(names::client), rounds)
    })
}

fn money_conserved(evidence: &Evidence<'_, Bank>) -> Vec<String> {
    let accounts = evidence.documents.all_of::<accounts::Account>("accounts");
    let made: i64 = accounts.iter().map(|a| a.state.balance - a.opened_with).sum();
    // A transfer that ended as a dead letter may be debited and not credited.
    let broken = made != 0 && evidence.letters.is_empty();
    broken.then(|| format!("the balances changed by {made} in all")).into_iter().collect()
}

fn not_overdrawn(evidence: &Evidence<'_, Bank>) -> Vec<String> {
    let accounts = evidence.documents.all_of::<accounts::Account>("accounts").into_iter();
    let overdrawn = accounts.map(|account| account.state).filter(|state| state.balance < 0);
    overdrawn.map(|state| format!("account {} has {}", state.id, state.balance)).collect()
}

fn forgetful(ports: Ports) -> Ports {
    lying(ports, |account| {
        account.insert("applied", bson::Document::new());
    })
}

fn main() -> std::process::ExitCode {
    harness::cli::main(Bank)
}
