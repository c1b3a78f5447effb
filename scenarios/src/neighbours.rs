//! The neighbourhood of a case: runs that are like it, where what broke it would show again
//! if it were still there.
//!
//! Half of them are the same script with the same faults under other ids and schedules; the
//! others have one act or one fault less, or moved. It runs nothing.

use crate::case::{Case, Schedule, Trouble};
use crate::explore::Choosing;

/// The neighbour of this number; the same number, the same neighbour.
///
/// ```
/// use scenarios::case::Case;
/// use scenarios::neighbours::neighbour;
/// use scenarios::script::Script;
///
/// let case = Case::of(Script { people: 1, rounds: Vec::new() }, 7);
/// assert_eq!(neighbour(&case, 3), neighbour(&case, 3));
/// assert_ne!(neighbour(&case, 3).seed, case.seed);
/// ```
pub fn neighbour(case: &Case, number: u64) -> Case {
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

/// Its own schedule now and then, else one by chance.
fn schedule(case: &Case, number: u64) -> Schedule {
    match (&case.schedule, number % 5) {
        (Schedule::Exact(turns), 0) => Schedule::Exact(turns.clone()),
        (Schedule::Exact(turns), 1) if !turns.is_empty() => {
            let at = usize::try_from(number / 5).unwrap_or(usize::MAX) % turns.len();
            let but_one = turns.iter().enumerate().filter(|(nth, _)| *nth != at);
            Schedule::Exact(but_one.map(|(_, turn)| *turn).collect())
        }
        _ => Choosing::Mixed.schedule(number),
    }
}

/// One act or one fault less.
fn leave_out(case: &mut Case, turn: usize) {
    let acts: usize = case.script.rounds.iter().map(|round| round.acts.len()).sum();
    let faults = faults(case);
    if acts + faults == 0 {
        return;
    }
    let at = turn % (acts + faults);
    if let Some(fault) = at.checked_sub(acts) {
        if let Trouble::Exact(rules) = &mut case.trouble {
            rules.remove(fault);
        }
        return;
    }
    let mut left = at;
    for round in &mut case.script.rounds {
        if left < round.acts.len() {
            round.acts.remove(left);
            return;
        }
        left -= round.acts.len();
    }
}

/// One act in the next round, or one fault a call later.
fn shift(case: &mut Case, turn: usize) {
    let (rounds, faults) = (case.script.rounds.len(), faults(case));
    if rounds + faults < 2 {
        return;
    }
    let at = turn % (rounds + faults);
    if let Some(fault) = at.checked_sub(rounds) {
        if let Trouble::Exact(rules) = &mut case.trouble {
            rules[fault].skip += 1;
        }
        return;
    }
    let act = case.script.rounds[at].acts.pop();
    let after = (at + 1) % rounds;
    case.script.rounds[after].acts.extend(act);
}

fn faults(case: &Case) -> usize {
    match &case.trouble {
        Trouble::Exact(rules) => rules.len(),
        Trouble::Chance(_) => 0,
    }
}
