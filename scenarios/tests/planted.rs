//! Every planted bug is found, and the system as it is withstands the same effort.

use scenarios::explore::{Plan, explore};
use scenarios::planted::{self, Planted};
use scenarios::workloads;

/// How many seeds of each workload a bug has to hide from.
const SEEDS: u64 = 200;

/// The first failure of the system with this bug, if there is any, over all workloads.
fn hunt(bug: Option<&'static str>) -> Option<String> {
    workloads::ALL.iter().find_map(|workload| {
        let plan = Plan { bug, first_only: true, ..Plan::all(workload, 0..SEEDS) };
        let found = explore(&plan, |_| {}).expect("the harness works");
        let failure = found.failures.into_values().next()?;
        Some(format!("{}: {}: {}", workload.name, failure.invariant, failure.how))
    })
}

#[test]
fn the_system_as_it_is_withstands_every_workload() {
    let found = hunt(None);
    assert!(found.is_none(), "{}", found.unwrap_or_default());
}

#[test]
fn every_planted_bug_is_found() {
    let mut hidden = Vec::new();
    for Planted { name, story, .. } in planted::ALL {
        match hunt(Some(name)) {
            Some(found) => println!("{name}: {found}"),
            None => hidden.push(format!("{name}: {story}")),
        }
    }
    assert!(hidden.is_empty(), "not found in {SEEDS} runs:\n{}", hidden.join("\n"));
}

#[test]
fn planted_bugs_have_names_of_their_own() {
    let mut names: Vec<_> = planted::ALL.iter().map(|planted| planted.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), planted::ALL.len());
}
