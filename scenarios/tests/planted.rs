//! Every planted bug is found, and the system as it is withstands the same effort.

use scenarios::planted;
use scenarios::scoreboard::{Effort, score, withstand};

/// How many schedules a bug has to hide from.
const LIMIT: u64 = 2_000;

#[test]
fn every_planted_bug_is_found_and_nothing_without_one() {
    let bugs: Vec<_> = planted::ALL.iter().collect();
    let effort = Effort { hunts: 1, limit: LIMIT, shrinks: false, ..Effort::default() };
    let scores = score(&bugs, &effort, |_| {}).expect("the harness works");
    let hidden = scores.iter().filter(|score| score.found == 0);
    let hidden: Vec<_> = hidden.filter_map(|score| score.bug).collect();
    assert!(hidden.is_empty(), "not found in {LIMIT} schedules: {}", hidden.join(", "));

    let schedules = scores.iter().map(|score| score.schedules).sum();
    let sound = withstand(schedules, &effort, || {}).expect("the harness works");
    let found = sound.quickest.map(|find| format!("{}: {}", find.promise, find.how));
    assert!(found.is_none(), "without a bug, after {schedules}: {}", found.unwrap_or_default());
}

#[test]
fn planted_bugs_have_names_of_their_own() {
    let mut names: Vec<_> = planted::ALL.iter().map(|planted| planted.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), planted::ALL.len());
}
