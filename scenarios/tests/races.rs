//! Purchase races, generated: whatever ten buyers do at the same moment, under whatever
//! schedule, every promise holds.

use harness::trace::json;
use harness::world::World;
use proptest::prelude::*;
use scenarios::races::simulate;
use scenarios::workloads::race;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_race_of_ten_buyers_breaks_a_promise(script in race::script(10), seed in any::<u64>()) {
        let (performance, _) = simulate(&script, seed);
        let performance = performance.map_err(|stuck| TestCaseError::fail(stuck.to_string()))?;
        prop_assert!(performance.violations.is_empty(), "{:#?}", performance.violations);
        prop_assert!(performance.orders > 0, "nobody got the ticket");
    }

    #[test]
    fn the_same_seed_twice_gives_the_same_trace(script in race::script(4), seed in any::<u64>()) {
        let run = || json::text(&simulate(&script, seed).1.trace().records());
        prop_assert_eq!(run(), run());
    }
}
