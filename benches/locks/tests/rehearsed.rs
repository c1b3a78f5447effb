//! Each way to lock, under every fault.

use harness::run::{self, Run};
use harness::search::explore::{Plan, SettingsChoice};
use harness::settings::Value;
use harness::subject::AnySubject;
use locks::STRATEGIES;
use locks::subject::{Locks, STRATEGY};

/// The runs of these seeds of a workload, all with the same way to lock.
fn runs(workload: &str, way: u32, bug: Option<&str>, seeds: u64) -> impl Iterator<Item = Run> {
    let subject = AnySubject::new(Locks);
    let scripts = subject.scripts(workload).expect("there is such a workload");
    let fixed = vec![(STRATEGY.clone(), Value::Count(way))];
    let plan = Plan {
        settings: SettingsChoice { fixed, ..SettingsChoice::default() },
        bug: bug.map(str::to_owned),
        ..Plan::all(workload, 0..seeds)
    };
    (0..seeds).map(move |seed| {
        run::judge(&subject, &plan.case(&subject, &scripts, seed)).expect("the harness works")
    })
}

#[test]
fn each_way_has_one_holder_at_a_time() {
    for (way, strategy) in (0..).zip(STRATEGIES) {
        for workload in ["race", "lapse"] {
            for run in runs(workload, way, None, 150) {
                assert_eq!(run.violations, [], "{} in {workload}", strategy.name);
            }
        }
    }
}

#[test]
fn a_look_before_the_insert_is_no_lock() {
    let found = runs("race", 0, Some("look-then-insert"), 150).find(Run::is_finding);
    assert!(found.is_some_and(|run| run.violates("one-holder")));
}
