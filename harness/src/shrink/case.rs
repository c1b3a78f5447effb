//! Shrinks a failing case: fewer actions, fewer clients, fewer faults and fewer deviations from
//! FIFO, until nothing can be removed and the same invariant is still violated.
//!
//! Actions, faults and decisions shrink together: without an action there are other calls, and
//! other decisions are needed. So a smaller case may look for a schedule of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::minimize;
use super::schedule::{self, Deviation};
use crate::case::{Case, FaultPlan, Schedule};
use crate::faults::{Effect, FaultRule};
use crate::run::{self, Run};
use crate::script::{Action, Round, Script, Then};
use crate::session::RunError;
use crate::subject::AnySubject;

/// A case from which nothing can be removed.
#[derive(Debug)]
pub struct Shrunk {
    /// Its run, watched; [`Run::exact`] is the case.
    pub run: Run,
    /// The invariant that it violates.
    pub invariant: String,
    /// The faults that were injected but are not needed.
    pub unneeded: Vec<FaultRule>,
    /// The number of runs that it took.
    pub runs: u64,
}

/// The number of random schedules that a smaller case may try.
const SCHEDULES: u64 = 24;

/// The number of random schedules of few delays that are tried in place of one of many.
const SPARSE: u64 = 64;

/// The number of names of the subject's list that a script can use.
const CLIENTS: usize = 64;

/// The total number of decisions after which a shrink stops: tens of thousands of runs, or a few
/// dozen that never reach quiescence.
const DECISIONS: u64 = 8_000_000;

/// Shrinks a case that violates this invariant; `on_run` is called after each run. `None`
/// where it does not violate it.
///
/// # Errors
///
/// When the harness fails.
pub fn shrink(
    subject: &AnySubject,
    case: &Case,
    invariant: &str,
    on_run: impl FnMut(),
) -> Result<Option<Shrunk>, RunError> {
    shrink_within(subject, case, invariant, DECISIONS, on_run)
}

/// The same with about this many decisions at most.
///
/// # Errors
///
/// As [`shrink`].
pub fn shrink_within(
    subject: &AnySubject,
    case: &Case,
    invariant: &str,
    limit: u64,
    on_run: impl FnMut(),
) -> Result<Option<Shrunk>, RunError> {
    let on_run = Box::new(on_run);
    let best = case.clone();
    let (runs, decisions, length) = (0, 0, 0);
    let mut shrinker =
        Shrinker { subject, invariant, on_run, limit, runs, decisions, length, best };
    let Some(first) = shrinker.fails(case)? else { return Ok(None) };
    let injected = first.injected().to_vec();
    shrinker.accept(first);
    loop {
        let before = shrinker.best.clone();
        shrinker.fewer_faults()?;
        shrinker.earlier_faults()?;
        shrinker.fewer_actions()?;
        shrinker.plainer_pauses()?;
        shrinker.fewer_names()?;
        shrinker.plainer_values()?;
        shrinker.fewer_reorderings()?;
        if shrinker.best == before {
            shrinker.sparser()?;
        }
        if shrinker.best == before || shrinker.decisions > limit {
            break;
        }
    }
    let run = run::run_watched(subject, &shrinker.best)?;
    let kept = run.injected();
    let same = |one: &FaultRule, other: &FaultRule| {
        (&one.service, one.operation, &one.target)
            == (&other.service, other.operation, &other.target)
            && std::mem::discriminant(&one.effect) == std::mem::discriminant(&other.effect)
    };
    let unneeded = injected.into_iter().filter(|one| !kept.iter().any(|other| same(one, other)));
    Ok(Some(Shrunk {
        unneeded: unneeded.collect(),
        invariant: invariant.to_owned(),
        runs: shrinker.runs,
        run,
    }))
}

struct Shrinker<'a> {
    subject: &'a AnySubject,
    invariant: &'a str,
    on_run: Box<dyn FnMut() + 'a>,
    /// The maximum number of decisions of its runs.
    limit: u64,
    runs: u64,
    decisions: u64,
    /// The smallest case so far; exact.
    best: Case,
    /// The number of decisions of its run.
    length: u32,
}

impl Shrinker<'_> {
    /// The run, if it violates the invariant.
    fn fails(&mut self, case: &Case) -> Result<Option<Run>, RunError> {
        self.runs += 1;
        (self.on_run)();
        let run = run::judge(self.subject, case)?;
        self.decisions += run.decisions as u64;
        Ok(run.violates(self.invariant).then_some(run))
    }

    fn accept(&mut self, run: Run) {
        self.length = u32::try_from(run.decisions).expect("a run has few decisions");
        self.best = run.exact;
    }

    /// Accepts a smaller case if it violates the invariant: under the present schedule, in FIFO
    /// order, or under one of a few random schedules.
    fn take(&mut self, smaller: Case) -> Result<bool, RunError> {
        if smaller == self.best || self.decisions > self.limit {
            return Ok(false);
        }
        if let Some(run) = self.fails(&smaller)? {
            self.accept(run);
            return Ok(true);
        }
        let Schedule::Exact(turns) = &smaller.schedule else { return Ok(false) };
        if turns.is_empty() {
            return Ok(false);
        }
        let fifo = Case { schedule: Schedule::Exact(Vec::new()), ..smaller.clone() };
        if let Some(run) = self.fails(&fifo)? {
            self.accept(run);
            return Ok(true);
        }
        for seed in 0..SCHEDULES {
            let schedule = match seed % 4 {
                0 => Schedule::Exact(schedule::sparse(seed, 2, self.length)),
                1 => Schedule::Random { hurry: 0 },
                2 => Schedule::Pct { depth: 2 },
                _ => Schedule::Random { hurry: 10 },
            };
            let other = Case { seed, schedule, ..smaller.clone() };
            if let Some(run) = self.fails(&other)? {
                self.accept(run);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn with_script(&self, script: Script) -> Case {
        Case { script, ..self.best.clone() }
    }

    fn fewer_faults(&mut self) -> Result<(), RunError> {
        let FaultPlan::Exact(rules) = self.best.faults.clone() else { return Ok(()) };
        minimize(rules, |part| {
            self.take(Case { faults: FaultPlan::Exact(part.to_vec()), ..self.best.clone() })
        })?;
        Ok(())
    }

    /// Moves each fault to an earlier call of its kind: until then, no operation before that
    /// call can be removed.
    fn earlier_faults(&mut self) -> Result<(), RunError> {
        let FaultPlan::Exact(rules) = self.best.faults.clone() else { return Ok(()) };
        for (number, original) in rules.iter().enumerate() {
            for skip in 0..original.skip {
                let FaultPlan::Exact(mut earlier) = self.best.faults.clone() else { break };
                let Some(rule) = earlier.get_mut(number).filter(|rule| skip < rule.skip) else {
                    break;
                };
                rule.skip = skip;
                if self.take(Case { faults: FaultPlan::Exact(earlier), ..self.best.clone() })? {
                    break;
                }
            }
        }
        Ok(())
    }

    fn fewer_actions(&mut self) -> Result<(), RunError> {
        let script = self.best.script.clone();
        let numbered = script.rounds.iter().enumerate();
        let actions: Vec<(usize, Action)> = numbered
            .flat_map(|(round, Round { actions, .. })| {
                actions.iter().map(move |action| (round, action.clone()))
            })
            .collect();
        let with = |part: &[(usize, Action)]| {
            let keep = |(at, round): (usize, &Round)| {
                let actions = part.iter().filter(|(round, _)| *round == at);
                let actions = actions.map(|(_, action)| action.clone());
                Round { actions: actions.collect(), then: round.then }
            };
            let rounds = script.rounds.iter().enumerate().map(keep).collect();
            Script { rounds, ..script.clone() }
        };
        minimize(actions, |part| self.take(self.with_script(with(part))))?;
        let script = self.best.script.clone();
        minimize(script.rounds.clone(), |part| {
            self.take(self.with_script(Script { rounds: part.to_vec(), ..script.clone() }))
        })?;
        Ok(())
    }

    /// Waits for quiescence after each round, or passes a deadline's time, where that makes no
    /// difference.
    fn plainer_pauses(&mut self) -> Result<(), RunError> {
        let deadlines = self.subject.deadlines().iter();
        let seconds = deadlines.map(|deadline| u32::try_from(deadline.as_secs()));
        let deadlines = seconds.filter_map(Result::ok).map(Then::Pass);
        let plain: Vec<Then> = [Then::Quiesce].into_iter().chain(deadlines).collect();
        for at in 0..self.best.script.rounds.len() {
            for &then in &plain {
                let mut script = self.best.script.clone();
                let Some(round) = script.rounds.get_mut(at) else { break };
                if round.then == then || round.then == Then::Quiesce {
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

    /// Renames clients and things to the first names of the subject's list and removes clients that do
    /// not act. A client with a name outside the list keeps it, as it has a role.
    fn fewer_names(&mut self) -> Result<(), RunError> {
        let subject = self.subject;
        let mut script = self.best.script.clone();
        let mut known: BTreeMap<Option<&'static str>, Vec<String>> = BTreeMap::new();
        let rename = |kind: Option<&'static str>, name: &mut String| {
            let known = known.entry(kind).or_default();
            let at = known.iter().position(|other| other == name).unwrap_or_else(|| {
                known.push(name.clone());
                known.len() - 1
            });
            *name = match kind {
                None => subject.client_name(at),
                Some(kind) => subject.thing_name(kind, at),
            };
        };
        let is_role = |name: &String| !(0..CLIENTS).any(|n| subject.client_name(n) == *name);
        let roles: Vec<String> = script.clients.iter().filter(|c| is_role(c)).cloned().collect();
        let mut rename = rename;
        for action in script.rounds.iter_mut().flat_map(|round| &mut round.actions) {
            if let Action::Do(operation) = action {
                *operation = operation.renamed(|kind, name| {
                    if kind.is_some() || !roles.contains(name) {
                        rename(kind, name);
                    }
                });
            }
        }
        let mut clients: Vec<String> = Vec::new();
        for action in script.rounds.iter().flat_map(|round| &round.actions) {
            let Action::Do(operation) = action else { continue };
            operation.renamed(|kind, name| {
                if kind.is_none() && !clients.contains(name) {
                    clients.push(name.clone());
                }
            });
        }
        clients.sort_by_key(|name| roles.contains(name));
        script.clients = clients;
        self.take(self.with_script(script))?;
        Ok(())
    }

    /// Simpler operations, and faults that last whole seconds.
    fn plainer_values(&mut self) -> Result<(), RunError> {
        for at in 0..self.best.script.rounds.len() {
            let actions = self.best.script.rounds.get(at).map_or(0, |round| round.actions.len());
            for nth in 0..actions {
                self.simpler_operation(at, nth)?;
            }
        }
        let FaultPlan::Exact(rules) = self.best.faults.clone() else { return Ok(()) };
        for at in 0..rules.len() {
            let FaultPlan::Exact(mut rules) = self.best.faults.clone() else { return Ok(()) };
            let Some(rule) = rules.get_mut(at) else { break };
            let whole = |d: Duration| Duration::from_secs(d.as_secs().max(1));
            rule.effect = match rule.effect {
                Effect::Delay(d) => Effect::Delay(whole(d)),
                Effect::Partition(d) => Effect::Partition(whole(d)),
                Effect::Outage(d) => Effect::Outage(whole(d)),
                Effect::Jump(d) => Effect::Jump(whole(d)),
                _ => continue,
            };
            self.take(Case { faults: FaultPlan::Exact(rules), ..self.best.clone() })?;
        }
        Ok(())
    }

    /// The first simpler operation in this place with which the invariant is still violated.
    fn simpler_operation(&mut self, at: usize, nth: usize) -> Result<(), RunError> {
        let place = |script: &Script| script.rounds.get(at)?.actions.get(nth).cloned();
        let Some(Action::Do(operation)) = place(&self.best.script) else { return Ok(()) };
        for simpler in operation.simpler() {
            let mut script = self.best.script.clone();
            script.rounds[at].actions[nth] = Action::Do(simpler);
            if self.take(self.with_script(script))? {
                break;
            }
        }
        Ok(())
    }

    /// Fewer delays of calls, and shorter ones.
    fn fewer_reorderings(&mut self) -> Result<(), RunError> {
        self.earlier_end()?;
        minimize(schedule::delays(self.deviations()), |part| self.reschedule(part.concat()))?;
        minimize(self.deviations().to_vec(), |part| self.reschedule(part.to_vec()))?;
        Ok(())
    }

    /// The shortest beginning of the schedule that is needed; the run goes on in FIFO order.
    fn earlier_end(&mut self) -> Result<(), RunError> {
        let all = self.deviations().to_vec();
        let (mut low, mut high) = (0, all.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.reschedule(all[..middle].to_vec())? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(())
    }

    /// A random schedule of fewer delays. Removing decisions one by one cannot find it: each
    /// names a call by its place among those that are pending, which depends on the ones before.
    fn sparser(&mut self) -> Result<(), RunError> {
        for seed in 0..SPARSE {
            let (delays, _) = schedule::size(self.deviations());
            if delays < 2 {
                break;
            }
            let fewer = 1 + usize::try_from(seed).expect("tries are few") % (delays - 1).min(3);
            self.reschedule(schedule::sparse(seed, fewer, self.length))?;
        }
        Ok(())
    }

    /// Accepts a smaller schedule if the invariant is still violated.
    fn reschedule(&mut self, deviations: Vec<Deviation>) -> Result<bool, RunError> {
        if self.decisions > self.limit || deviations == self.deviations() {
            return Ok(false);
        }
        let case = Case { schedule: Schedule::Exact(deviations), ..self.best.clone() };
        let Some(run) = self.fails(&case)? else { return Ok(false) };
        let Schedule::Exact(found) = &run.exact.schedule else { return Ok(false) };
        let smaller = schedule::size(found) < schedule::size(self.deviations());
        if smaller {
            self.accept(run);
        }
        Ok(smaller)
    }

    /// The decisions of the smallest case that deviate from FIFO.
    fn deviations(&self) -> &[Deviation] {
        match &self.best.schedule {
            Schedule::Exact(deviations) => deviations,
            Schedule::Random { .. } | Schedule::Pct { .. } => &[],
        }
    }
}
