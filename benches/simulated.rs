//! One race in simulation from start to verdict, and the kernel's share of it.

use contracts::Cents;
use criterion::{Criterion, Throughput};
use futures::future::join_all;
use ports::Timestamp;
use scenarios::case::Case;
use scenarios::explore::Plan;
use scenarios::script::{Act, Round, Script, Then};
use scenarios::simulate;
use scenarios::workloads;
use sim::kernel::{Call, Kernel, Port, drive};
use sim::scheduler::Random;

/// The number of buyers.
const BUYERS: u8 = 10;

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulated");
    let script = race();
    let mut seed = 0;
    group.throughput(Throughput::Elements(1));
    group.bench_function("race of ten", |bench| {
        bench.iter(|| {
            seed += 1;
            let run = simulate::judge(&Case::of(script.clone(), seed));
            assert!(run.is_ok_and(|run| run.orders == 1), "one buyer gets the ticket");
        });
    });
    let scripts = workloads::ALL[0].open();
    let plan = Plan::all(&workloads::ALL[0], 0..u64::MAX);
    group.bench_function("race of ten with faults", |bench| {
        bench.iter(|| {
            seed += 1;
            let case = Case { script: script.clone(), ..plan.case(&scripts, seed) };
            let run = simulate::judge(&case);
            assert!(run.is_ok_and(|run| !run.is_finding()), "everything holds");
        });
    });
    group.bench_function("workload race with faults", |bench| {
        bench.iter(|| {
            seed += 1;
            let run = simulate::judge(&plan.case(&scripts, seed));
            assert!(run.is_ok_and(|run| !run.is_finding()), "everything holds");
        });
    });
    let decisions = simulate::run(&Case::of(script, 1)).expect("a run").decisions;
    group.throughput(Throughput::Elements(decisions as u64));
    group.bench_function("its decisions alone", |bench| bench.iter(|| decide(decisions)));
    group.finish();
}

/// All buyers reserve concurrently.
fn race() -> Script {
    let list = Act::List { who: 0, ticket: 0, price: Cents(2000) };
    let reserve = (1..=BUYERS).map(|who| Act::Reserve { who, ticket: 0 });
    let rounds = vec![
        Round { acts: vec![list], then: Then::Settle },
        Round { acts: reserve.collect(), then: Then::Settle },
    ];
    Script { people: BUYERS + 1, rounds }
}

/// This many decisions among ten callers that only make calls.
fn decide(decisions: usize) {
    let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Random::new(1)));
    let callers = (0..u32::from(BUYERS)).map(|caller| {
        let kernel = kernel.clone();
        async move {
            for _ in 0..decisions / usize::from(BUYERS) {
                let target = "orders/orders".to_owned();
                kernel.turn(Call::new(caller, Port::Store, "insert", target)).await;
            }
        }
    });
    drive(&kernel, join_all(callers.collect::<Vec<_>>()));
}
