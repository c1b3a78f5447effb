//! Workloads under chance: whatever people do, whatever goes wrong, under whatever schedule,
//! every promise holds; and what a run did can be had again without chance.

use harness::report::trace as json;
use proptest::prelude::*;
use scenarios::case::Token;
use scenarios::explore::Plan;
use scenarios::simulate::{self, Run};
use scenarios::workloads;

fn run(workload: usize, seed: u64) -> Run {
    let workload = &workloads::ALL[workload];
    let case = Plan::all(workload, 0..u64::MAX).case(&workload.open(), seed);
    simulate::run(&case).expect("the harness works")
}

fn text(run: &Run) -> String {
    json::text(&run.trace)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_run_breaks_a_promise(workload in 0..workloads::ALL.len(), seed in any::<u64>()) {
        let run = run(workload, seed);
        prop_assert!(!run.is_finding(), "{:#?}\n{}", run.violations, Token::of(&run.exact));
    }

    #[test]
    fn the_same_seed_twice_gives_the_same_trace(
        workload in 0..workloads::ALL.len(),
        seed in any::<u64>(),
    ) {
        prop_assert_eq!(text(&run(workload, seed)), text(&run(workload, seed)));
    }

    #[test]
    fn a_token_gives_the_same_trace_without_chance(
        workload in 0..workloads::ALL.len(),
        seed in any::<u64>(),
    ) {
        let run = run(workload, seed);
        let token: Token = Token::of(&run.exact).to_string().parse().expect("a token of ours");
        let again = simulate::run(&token.case().expect("a case")).expect("the harness works");
        prop_assert_eq!(text(&run), text(&again));
        prop_assert_eq!(&run.exact, &again.exact);
    }
}
