//! Shrinks a case that fails: fewer acts, fewer people, fewer faults, fewer decisions that are
//! not the polite one, until nothing can be removed and the same promise still breaks.
//!
//! Acts, faults and decisions go together: without an act, the calls are others, and so are
//! the decisions that are needed. So a smaller case may look for a schedule of its own.

use std::collections::BTreeMap;

use contracts::Cents;
use harness::faults::{Effect, FaultRule};
use harness::shrink::minimize;
use harness::world::WorldError;

use crate::case::{Case, Schedule, Trouble};
use crate::script::{Act, Round, Script, Then};
use crate::simulate::{self, Run};

/// A case from which nothing can be removed.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// Its run, watched; [`Run::exact`] is the case.
    pub run: Run,
    /// The promise that it breaks.
    pub invariant: String,
    /// The faults that had struck and were not needed.
    pub needless: Vec<FaultRule>,
    /// How many runs it took.
    pub runs: u64,
}

/// How many schedules a smaller case may try.
const SCHEDULES: u64 = 24;

/// How many decisions the runs of a shrink may have, all together, before it makes do with what
/// it has: tens of thousands of runs, or a few dozen that go round in circles to their limit.
const DECISIONS: u64 = 8_000_000;

/// Shrinks a case that breaks this promise, telling `audience` of each run. `None` where it
/// does not break it.
///
/// # Errors
///
/// When the harness fails.
pub fn shrink(
    case: &Case,
    invariant: &str,
    audience: impl FnMut(),
) -> Result<Option<Shrunk>, WorldError> {
    shrink_within(case, invariant, DECISIONS, audience)
}

/// The same with about so many decisions at most.
///
/// # Errors
///
/// As [`shrink`].
pub fn shrink_within(
    case: &Case,
    invariant: &str,
    limit: u64,
    audience: impl FnMut(),
) -> Result<Option<Shrunk>, WorldError> {
    let audience = Box::new(audience);
    let mut shrinker =
        Shrinker { invariant, audience, limit, runs: 0, decisions: 0, best: case.clone() };
    let Some(first) = shrinker.fails(case)? else { return Ok(None) };
    let injected = first.injected().to_vec();
    shrinker.best = first.exact;
    loop {
        let before = shrinker.best.clone();
        shrinker.fewer_faults()?;
        shrinker.fewer_acts()?;
        shrinker.plainer_pauses()?;
        shrinker.fewer_names()?;
        shrinker.plainer_values()?;
        shrinker.fewer_turns()?;
        if shrinker.best == before || shrinker.decisions > limit {
            break;
        }
    }
    let run = simulate::run_watched(&shrinker.best)?;
    let kept = run.injected();
    let same = |one: &FaultRule, other: &FaultRule| {
        (&one.service, one.operation, &one.target)
            == (&other.service, other.operation, &other.target)
            && std::mem::discriminant(&one.effect) == std::mem::discriminant(&other.effect)
    };
    let needless = injected.into_iter().filter(|one| !kept.iter().any(|other| same(one, other)));
    Ok(Some(Shrunk {
        needless: needless.collect(),
        invariant: invariant.to_owned(),
        runs: shrinker.runs,
        run,
    }))
}

struct Shrinker<'a> {
    invariant: &'a str,
    /// Told of each run.
    audience: Box<dyn FnMut() + 'a>,
    /// How many decisions its runs may have.
    limit: u64,
    runs: u64,
    decisions: u64,
    /// The smallest so far; exact.
    best: Case,
}

impl Shrinker<'_> {
    /// The run, if it breaks the promise.
    fn fails(&mut self, case: &Case) -> Result<Option<Run>, WorldError> {
        self.runs += 1;
        (self.audience)();
        let run = simulate::judge(case)?;
        self.decisions += run.decisions as u64;
        let broken = run.violations.iter().any(|violation| violation.invariant == self.invariant);
        Ok(broken.then_some(run))
    }

    /// Takes over a smaller case if it breaks the promise, under the schedule that there is,
    /// under the polite one, or under one that it finds.
    fn take(&mut self, smaller: Case) -> Result<bool, WorldError> {
        if smaller == self.best || self.decisions > self.limit {
            return Ok(false);
        }
        if let Some(run) = self.fails(&smaller)? {
            self.best = run.exact;
            return Ok(true);
        }
        let Schedule::Exact(turns) = &smaller.schedule else { return Ok(false) };
        if turns.is_empty() {
            return Ok(false);
        }
        let polite = Case { schedule: Schedule::Exact(Vec::new()), ..smaller.clone() };
        if let Some(run) = self.fails(&polite)? {
            self.best = run.exact;
            return Ok(true);
        }
        for seed in 0..SCHEDULES {
            let schedule = match seed % 3 {
                0 => Schedule::Random { hurry: 0 },
                1 => Schedule::Pct { depth: 2 },
                _ => Schedule::Random { hurry: 10 },
            };
            let other = Case { seed, schedule, ..smaller.clone() };
            if let Some(run) = self.fails(&other)? {
                self.best = run.exact;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn with_script(&self, script: Script) -> Case {
        Case { script, ..self.best.clone() }
    }

    fn fewer_faults(&mut self) -> Result<(), WorldError> {
        let Trouble::Exact(rules) = self.best.trouble.clone() else { return Ok(()) };
        minimize(rules, |part| {
            self.take(Case { trouble: Trouble::Exact(part.to_vec()), ..self.best.clone() })
        })?;
        Ok(())
    }

    fn fewer_acts(&mut self) -> Result<(), WorldError> {
        let Script { people, rounds } = self.best.script.clone();
        let numbered = rounds.iter().enumerate();
        let acts: Vec<(usize, Act)> = numbered
            .flat_map(|(round, Round { acts, .. })| acts.iter().map(move |&act| (round, act)))
            .collect();
        let script = |part: &[(usize, Act)]| {
            let keep = |(at, round): (usize, &Round)| {
                let acts = part.iter().filter(|(round, _)| *round == at).map(|(_, act)| *act);
                Round { acts: acts.collect(), then: round.then }
            };
            Script { people, rounds: rounds.iter().enumerate().map(keep).collect() }
        };
        minimize(acts, |part| self.take(self.with_script(script(part))))?;
        let rounds = self.best.script.rounds.clone();
        minimize(rounds, |part| {
            self.take(self.with_script(Script { people, rounds: part.to_vec() }))
        })?;
        Ok(())
    }

    /// Lets everything play out after each round, where that makes no difference, and joins
    /// rounds that need not be apart.
    fn plainer_pauses(&mut self) -> Result<(), WorldError> {
        for at in 0..self.best.script.rounds.len() {
            for then in [Then::Settle, Then::Pass(15 * 60)] {
                let mut script = self.best.script.clone();
                let Some(round) = script.rounds.get_mut(at) else { break };
                if round.then == then || (round.then == Then::Settle) {
                    break;
                }
                round.then = then;
                if self.take(self.with_script(script))? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Numbers people and tickets anew, without gaps.
    fn fewer_names(&mut self) -> Result<(), WorldError> {
        let mut script = self.best.script.clone();
        let (mut people, mut tickets) = (BTreeMap::new(), BTreeMap::new());
        let number = |known: &mut BTreeMap<u8, u8>, name: u8| {
            let next = u8::try_from(known.len()).expect("names are few");
            *known.entry(name).or_insert(next)
        };
        for act in script.rounds.iter_mut().flat_map(|round| &mut round.acts) {
            if let Some(who) = act.who_mut() {
                *who = number(&mut people, *who);
            }
            if let Some(ticket) = act.ticket_mut() {
                *ticket = number(&mut tickets, *ticket);
            }
        }
        script.people = u8::try_from(people.len()).expect("people are few");
        self.take(self.with_script(script))?;
        Ok(())
    }

    /// Round prices, and short waits.
    fn plainer_values(&mut self) -> Result<(), WorldError> {
        for at in 0..self.best.script.rounds.len() {
            for nth in 0..self.best.script.rounds[at].acts.len() {
                let mut script = self.best.script.clone();
                let plain = match &mut script.rounds[at].acts[nth] {
                    Act::List { price, .. } => price,
                    Act::Edit { price, .. } => price,
                    _ => continue,
                };
                *plain = if at == 0 { Cents(2000) } else { Cents(2500) };
                self.take(self.with_script(script))?;
            }
        }
        let Trouble::Exact(rules) = self.best.trouble.clone() else { return Ok(()) };
        for at in 0..rules.len() {
            let Trouble::Exact(mut rules) = self.best.trouble.clone() else { return Ok(()) };
            let Some(rule) = rules.get_mut(at) else { break };
            let whole = |d: std::time::Duration| std::time::Duration::from_secs(d.as_secs().max(1));
            rule.effect = match rule.effect {
                Effect::Delay(d) => Effect::Delay(whole(d)),
                Effect::Partition(d) => Effect::Partition(whole(d)),
                Effect::Outage(d) => Effect::Outage(whole(d)),
                Effect::Jump(d) => Effect::Jump(whole(d)),
                Effect::CrashBefore
                | Effect::CrashAfter
                | Effect::Fail
                | Effect::FailAfter
                | Effect::Vanish
                | Effect::LoseAck
                | Effect::Redeliver
                | Effect::LoseTail(_) => continue,
            };
            self.take(Case { trouble: Trouble::Exact(rules), ..self.best.clone() })?;
        }
        Ok(())
    }

    /// Fewer decisions that are not the polite one.
    fn fewer_turns(&mut self) -> Result<(), WorldError> {
        let Schedule::Exact(turns) = self.best.schedule.clone() else { return Ok(()) };
        let mut best = self.best.clone();
        minimize(turns, |part| {
            if self.decisions > self.limit {
                return Ok(false);
            }
            let case = Case { schedule: Schedule::Exact(part.to_vec()), ..best.clone() };
            let failed = self.fails(&case)?.is_some();
            if failed {
                best = case;
            }
            Ok::<_, WorldError>(failed)
        })?;
        self.best = best;
        Ok(())
    }
}
