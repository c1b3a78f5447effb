//! One race in simulation, from an empty system to the verdict; and the kernel's share of it.

use contracts::Cents;
use criterion::{Criterion, Throughput};
use futures::future::join_all;
use harness::case::Case;
use harness::run::{self, Run};
use harness::script::{Round, Script, Then};
use harness::search::explore::Plan;
use harness::subject::{AnySubject, names};
use http::StatusCode;
use ports::Timestamp;
use scenarios::operation::Operation;
use scenarios::system::Ticketing;
use sim::call::{Call, Operation as CallOperation, Port};
use sim::kernel::{Kernel, drive};
use sim::scheduler::Random;

/// The number of buyers of the ticket.
const BUYERS: usize = 10;

pub(crate) fn bench(criterion: &mut Criterion) {
    let subject = AnySubject::new(Ticketing);
    let mut group = criterion.benchmark_group("simulated");
    let script = race().erased();
    let mut seed = 0;
    group.throughput(Throughput::Elements(1));
    group.bench_function("race of ten", |bench| {
        bench.iter(|| {
            seed += 1;
            let run = run::judge(&subject, &Case::of(script.clone(), seed));
            let run = run.expect("the harness works");
            assert_eq!(reservations(&run), 1, "one buyer gets the ticket");
        });
    });
    let scripts = subject.scripts("race").expect("there is a race");
    let plan = Plan::all("race", 0..u64::MAX);
    group.bench_function("race of ten with faults", |bench| {
        bench.iter(|| {
            seed += 1;
            let case = Case { script: script.clone(), ..plan.case(&subject, &scripts, seed) };
            let run = run::judge(&subject, &case);
            assert!(run.is_ok_and(|run| !run.is_finding()), "everything holds");
        });
    });
    group.bench_function("workload race with faults", |bench| {
        bench.iter(|| {
            seed += 1;
            let run = run::judge(&subject, &plan.case(&subject, &scripts, seed));
            assert!(run.is_ok_and(|run| !run.is_finding()), "everything holds");
        });
    });
    let decisions = run::run(&subject, &Case::of(script, 1)).expect("the harness works").decisions;
    group.throughput(Throughput::Elements(decisions as u64));
    group.bench_function("its decisions alone", |bench| bench.iter(|| decide(decisions)));
    group.finish();
}

/// All buyers reserve one ticket at the same moment.
fn race() -> Script<Operation> {
    let reserve = (1..=BUYERS).map(|buyer| Operation::reserve(&names::client(buyer), "Opera"));
    let list = Operation::list(&names::client(0), "Opera", Cents(2000));
    let rounds = vec![Round::one(list, Then::Quiesce), Round::of(reserve, Then::Quiesce)];
    Script::new((0..=BUYERS).map(names::client), rounds)
}

/// The number of accepted reservations.
fn reservations(run: &Run) -> usize {
    let calls = run.history.calls().iter();
    let accepted = calls.filter(|call| {
        let operation = call.operation().and_then(|operation| operation.downcast::<Operation>());
        matches!(operation, Some(Operation::Reserve { .. }))
            && call.reply().and_then(harness::world::Reply::status)
                == Some(StatusCode::CREATED.as_u16())
    });
    accepted.count()
}

/// This many decisions among ten callers that only make calls.
fn decide(decisions: usize) {
    let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Random::new(1)));
    let callers = (0..BUYERS).map(|caller| {
        let kernel = kernel.clone();
        let caller = u32::try_from(caller).expect("callers are few");
        async move {
            for _ in 0..decisions / BUYERS {
                let target = "orders/orders".to_owned();
                kernel.step(Call::new(caller, Port::Store, CallOperation::Insert, target)).await;
            }
        }
    });
    drive(&kernel, join_all(callers.collect::<Vec<_>>()));
}
