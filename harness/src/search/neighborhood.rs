//! The neighborhood of a case: similar runs, in which the failure would recur if its cause still
//! existed.
//!
//! Half of them have the same script and faults under other ids and schedules. In the other half,
//! one action or fault is removed or moved. It runs nothing.

use super::explore::SchedulerChoice;
use crate::case::{Case, FaultPlan, Schedule};

/// The neighbor of this number: the same number, the same neighbor.
pub fn neighbor(case: &Case, number: u64) -> Case {
    let seed = case.seed.wrapping_add(number + 1);
    let mut next = Case { seed, schedule: schedule(case, number), ..case.clone() };
    let turn = usize::try_from(number / 4).unwrap_or(usize::MAX);
    match number % 4 {
        2 => leave_out(&mut next, turn),
        3 => shift(&mut next, turn),
        _ => {}
    }
    next
}

/// A random schedule, or now and then that of the case.
fn schedule(case: &Case, number: u64) -> Schedule {
    match (&case.schedule, number % 5) {
        (Schedule::Exact(turns), 0) => Schedule::Exact(turns.clone()),
        (Schedule::Exact(turns), 1) if !turns.is_empty() => {
            let at = usize::try_from(number / 5).unwrap_or(usize::MAX) % turns.len();
            let but_one = turns.iter().enumerate().filter(|(nth, _)| *nth != at);
            Schedule::Exact(but_one.map(|(_, turn)| *turn).collect())
        }
        _ => SchedulerChoice::Mixed.schedule(number),
    }
}

/// Without one action or fault.
fn leave_out(case: &mut Case, turn: usize) {
    let actions: usize = case.script.rounds.iter().map(|round| round.actions.len()).sum();
    let faults = faults(case);
    if actions + faults == 0 {
        return;
    }
    let at = turn % (actions + faults);
    if let Some(fault) = at.checked_sub(actions) {
        if let FaultPlan::Exact(rules) = &mut case.faults {
            rules.remove(fault);
        }
        return;
    }
    let mut left = at;
    for round in &mut case.script.rounds {
        if left < round.actions.len() {
            round.actions.remove(left);
            return;
        }
        left -= round.actions.len();
    }
}

/// With one action a round later, or one fault a call later.
fn shift(case: &mut Case, turn: usize) {
    let (rounds, faults) = (case.script.rounds.len(), faults(case));
    if rounds + faults < 2 {
        return;
    }
    let at = turn % (rounds + faults);
    if let Some(fault) = at.checked_sub(rounds) {
        if let FaultPlan::Exact(rules) = &mut case.faults {
            rules[fault].skip += 1;
        }
        return;
    }
    let action = case.script.rounds[at].actions.pop();
    let after = (at + 1) % rounds;
    case.script.rounds[after].actions.extend(action);
}

fn faults(case: &Case) -> usize {
    match &case.faults {
        FaultPlan::Exact(rules) => rules.len(),
        FaultPlan::Chance(_) => 0,
    }
}
