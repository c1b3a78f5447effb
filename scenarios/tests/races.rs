//! Purchase races, generated.

use harness::trace::json;
use proptest::prelude::*;
use scenarios::races::simulate;
use scenarios::workloads::race;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_race_of_ten_buyers_breaks_a_promise(script in race::script(10), seed in any::<u64>()) {
        let (performance, _) = simulate(&script, seed).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert!(performance.violations.is_empty(), "{:#?}", performance.violations);
        prop_assert!(performance.orders > 0);
    }

    #[test]
    fn the_same_seed_twice_gives_the_same_trace(script in race::script(4), seed in any::<u64>()) {
        let run = || simulate(&script, seed).map(|(_, world)| {
            use harness::world::World;
            json::text(&world.trace().records())
        });
        prop_assert_eq!(run(), run());
    }
}
