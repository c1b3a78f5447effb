//! Every planted bug is found by races with passing trouble, and the system as it is withstands
//! the same races.

use std::convert::identity;

use harness::system::System;
use scenarios::perform::PerformError;
use scenarios::planted::{self, Planted};
use scenarios::races::{draw, simulate_in};
use scenarios::workloads::{race, trouble};

/// How many seeds a bug has to hide from.
const SEEDS: u64 = 200;

/// How the race of this seed ends: what was found, if anything.
fn race(seed: u64, alter: fn(System) -> System) -> Option<String> {
    let script = draw(&race::script(5), seed);
    let trouble = draw(&trouble::passing(), seed);
    match simulate_in(&script, seed, alter, &trouble).0 {
        Ok(evidence) => {
            let violations = scenarios::invariants::violations(&evidence);
            violations.first().map(ToString::to_string)
        }
        Err(PerformError::Stuck(stuck)) => Some(stuck.to_string()),
        Err(PerformError::World(why)) => panic!("seed {seed}: the harness failed: {why}"),
    }
}

#[test]
fn the_system_as_it_is_withstands_every_race() {
    for seed in 0..SEEDS {
        let found = race(seed, identity);
        assert!(found.is_none(), "seed {seed}: {}", found.unwrap_or_default());
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut hidden = Vec::new();
    for Planted { name, story, system } in planted::ALL {
        match (0..SEEDS).find_map(|seed| race(seed, *system).map(|found| (seed, found))) {
            Some((seed, found)) => println!("{name}: after {} races, {found}", seed + 1),
            None => hidden.push(format!("{name}: {story}")),
        }
    }
    assert!(hidden.is_empty(), "not found in {SEEDS} races:\n{}", hidden.join("\n"));
}

#[test]
fn planted_bugs_have_names_of_their_own() {
    let mut names: Vec<_> = planted::ALL.iter().map(|planted| planted.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), planted::ALL.len());
}
