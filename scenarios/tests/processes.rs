//! Ticketing in processes that are killed, frozen and cut off under load: it holds, and a fault
//! that only such a run shows is found.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use harness::Subject;
use harness::processes::{self, Manner, Outcome, Settings};
use harness::subject::{AnySubject, Invariant, Processes, Workload};
use harness::system::{ExternalReply, ExternalService, System};
use harness::time_scale::TimeScale;
use harness::world::Reply;
use libtest_mimic::{Arguments, Failed, Trial};
use parking_lot::Mutex;
use ports::Timestamp;
use scenarios::Ticketing;
use scenarios::clients::Clients;
use scenarios::operation::Operation;

/// The time under load, in which every kind of fault occurs.
const LENGTH: Duration = Duration::from_secs(20);

/// The same on a cluster, where a fault in a leader lasts longer.
const CLUSTER_LENGTH: Duration = Duration::from_secs(30);

const CLIENTS: usize = 32;

/// The invariant that a double charge violates.
const LEDGERS: &str = "ledgers-agree";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Two runs at once would starve each other.
    arguments.test_threads = Some(1);
    let ignored = processes::are_unwanted();
    let trials = vec![
        Trial::test("ticketing holds in processes under faults", holds).with_ignored_flag(ignored),
        Trial::test("ticketing holds on a cluster that loses its leaders", holds_on_a_cluster)
            .with_ignored_flag(ignored),
        Trial::test("every ticket of a load is sold once", sells_under_load)
            .with_ignored_flag(ignored),
        Trial::test("a provider without idempotency is found", double_charges_are_found)
            .with_ignored_flag(ignored),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn holds() -> Result<(), Failed> {
    let outcome = rehearse(AnySubject::new(Ticketing), "holds", false)?;
    let expected = [("killed", "mongod"), ("killed", "nats-server"), ("frozen", "mongod")];
    held(&outcome, &expected)?;
    // An invariant of the trace would hold here whatever happened.
    let is_left_out = |name: &str| outcome.left_out.contains(&name);
    if !is_left_out("linearizable") || is_left_out(LEDGERS) {
        return Err(Failed::from(format!("left out: {:?}", outcome.left_out)));
    }
    Ok(())
}

fn holds_on_a_cluster() -> Result<(), Failed> {
    let outcome = rehearse(AnySubject::new(Ticketing), "cluster", true)?;
    held(&outcome, &[("killed", "primary mongod"), ("killed", "leading nats-server")])
}

/// Five buyers compete for each ticket, and one of them gets it and pays.
fn sells_under_load() -> Result<(), Failed> {
    let manner = Manner::Rush { buyers: 5, things: 1, rate: 4.0 };
    let outcome = play(AnySubject::new(Ticketing), "load", Duration::from_secs(5), manner)?;
    held(&outcome, &[])?;
    let rows = outcome.latencies.rows();
    let count = |route: &str, replies: &str| {
        let row = rows.iter().find(|row| row.route == route && row.replies == replies);
        row.map_or(0, |row| row.count)
    };
    let sales = count("POST /api/tickets", "2xx");
    let sold = (count("POST /api/orders", "2xx"), count("POST /api/payments", "2xx"));
    match (sales, sold) {
        (20, (20, 20)) => Ok(()),
        _ => Err(Failed::from(format!("{sales} tickets, sold {sold:?}: {rows:?}"))),
    }
}

/// Fails where something was violated, nobody bought anything, or one of these faults is missing.
fn held(outcome: &Outcome, expected: &[(&str, &str)]) -> Result<(), Failed> {
    if let Some(violation) = outcome.violations.first() {
        return Err(Failed::from(violation.to_string()));
    }
    if !outcome.counts.milestones.contains_key("purchase") {
        return Err(Failed::from("nobody bought anything, so this run shows nothing"));
    }
    let faults = outcome.faults();
    for (kind, target) in expected {
        if !faults.get(kind).is_some_and(|targets| targets.contains_key(target)) {
            return Err(Failed::from(format!("{target} was not {kind}: {faults:?}")));
        }
    }
    Ok(())
}

/// The faults make payments ask again, so a provider that forgets keys charges twice.
fn double_charges_are_found() -> Result<(), Failed> {
    let outcome = rehearse(AnySubject::new(Forgetful), "forgetful", false)?;
    let found = outcome.violations.iter().any(|violation| violation.invariant == LEDGERS);
    match found {
        true => Ok(()),
        false => Err(Failed::from(format!("found only {:?}", outcome.violations))),
    }
}

fn rehearse(subject: AnySubject, name: &str, cluster: bool) -> Result<Outcome, Failed> {
    let length = if cluster { CLUSTER_LENGTH } else { LENGTH };
    play(subject, name, length, Manner::Harm { cluster, clients: CLIENTS })
}

fn play(
    subject: AnySubject,
    name: &str,
    length: Duration,
    manner: Manner,
) -> Result<Outcome, Failed> {
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("processes").join(name);
    let settings = Settings { seed: 1, length, instances: 2, manner, binary: None, logs };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(processes::rehearse(&subject, &settings, |_| {}))?)
}

/// Ticketing with a provider that forgets every idempotency key.
struct Forgetful;

impl Subject for Forgetful {
    type Operation = Operation;
    type Clients = Clients;

    fn name(&self) -> &'static str {
        "ticketing with a forgetful provider"
    }

    fn open(&self, time: &TimeScale) -> (System, Clients) {
        let (system, clients) = Ticketing.open(time);
        let provider = Arc::clone(&system.external);
        let external = Arc::new(WithoutKeys { provider, had: Mutex::default() });
        (System { external, ..system }, clients)
    }

    fn workloads(&self) -> Vec<Workload<Operation>> {
        Ticketing.workloads()
    }

    fn load(&self) -> Option<Workload<Operation>> {
        Ticketing.load()
    }

    fn invariants(&self) -> Vec<Invariant<Self>> {
        let agree = "The provider's ledger agrees with the charges";
        vec![Invariant::harm(LEDGERS, agree, |evidence| {
            let invariants = Ticketing.invariants();
            let ledgers = invariants.iter().find(|invariant| invariant.name == LEDGERS);
            ledgers.map(|ledgers| (ledgers.check)(&evidence.of())).unwrap_or_default()
        })]
    }

    fn deadlines(&self) -> &'static [Duration] {
        Ticketing.deadlines()
    }

    fn processes(&self) -> Option<Processes> {
        Ticketing.processes()
    }

    fn milestone(&self, operation: &Operation, reply: &Reply) -> Option<&'static str> {
        Ticketing.milestone(operation, reply)
    }
}

struct WithoutKeys {
    provider: Arc<dyn ExternalService>,
    /// The requests that it has had, by their bodies.
    had: Mutex<BTreeSet<Bytes>>,
}

impl ExternalService for WithoutKeys {
    /// The first answer to each request is lost, on top of what the faults do, so that payments
    /// ask again however few payments a busy machine allows.
    fn answer(&self, request: &http::Request<Bytes>, now: Timestamp) -> ExternalReply {
        let mut request = request.clone();
        request.headers_mut().remove("idempotency-key");
        let reply = self.provider.answer(&request, now);
        let is_first = self.had.lock().insert(request.into_body());
        if is_first { ExternalReply::Lost } else { reply }
    }
}
