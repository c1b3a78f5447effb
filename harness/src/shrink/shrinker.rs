//! The state of a shrink: the smallest case so far, and how a smaller one takes its place.

use std::collections::BTreeMap;

use super::schedule;
use crate::case::{Case, FaultPlan, Schedule};
use crate::faults::{FaultRule, Operation};
use crate::run::{self, Run};
use crate::script::Script;
use crate::session::RunError;
use crate::subject::AnySubject;

/// The number of random schedules that a smaller case may try.
const SCHEDULES: u64 = 24;

/// The number of calls of each service, operation and target.
type Places = BTreeMap<(&'static str, Operation, String), u32>;

pub(super) struct Shrinker<'a> {
    pub(super) subject: &'a AnySubject,
    /// The invariant that a smaller case must violate.
    pub(super) invariant: String,
    on_run: Box<dyn FnMut() + 'a>,
    /// The maximum number of decisions of its runs.
    limit: u64,
    pub(super) runs: u64,
    decisions: u64,
    /// The smallest case so far; exact.
    pub(super) best: Case,
    /// The number of decisions of its run.
    pub(super) length: u32,
    /// The calls of its run at which a fault can be injected.
    pub(super) places: Places,
}

impl<'a> Shrinker<'a> {
    pub(super) fn new(
        subject: &'a AnySubject,
        case: &Case,
        invariant: &str,
        limit: u64,
        on_run: impl FnMut() + 'a,
    ) -> Self {
        Self {
            subject,
            invariant: invariant.to_owned(),
            on_run: Box::new(on_run),
            limit,
            runs: 0,
            decisions: 0,
            best: case.clone(),
            length: 0,
            places: Places::new(),
        }
    }

    /// Whether the runs have used up their decisions.
    pub(super) fn is_spent(&self) -> bool {
        self.decisions > self.limit
    }

    fn run(&mut self, case: &Case) -> Result<Run, RunError> {
        self.runs += 1;
        (self.on_run)();
        let run = run::judge(self.subject, case)?;
        self.decisions += run.decisions as u64;
        Ok(run)
    }

    /// The run, if it violates the invariant.
    pub(super) fn fails(&mut self, case: &Case) -> Result<Option<Run>, RunError> {
        let run = self.run(case)?;
        Ok(run.violates(&self.invariant).then_some(run))
    }

    /// Takes the case of this run as the smallest one. A harm in it replaces a mechanism as the
    /// invariant that must stay violated: a story tells what users feel.
    pub(super) fn accept(&mut self, run: Run) {
        self.length = u32::try_from(run.decisions).expect("a run has few decisions");
        let places = run.places.into_iter();
        self.places = places.map(|(service, o, target, n)| ((service, o, target), n)).collect();
        self.best = run.exact;
        let is_harm = |name: &str| self.subject.is_harm(name);
        if let Some(worst) = run.violations.first()
            && is_harm(&worst.invariant)
            && !is_harm(&self.invariant)
        {
            self.invariant.clone_from(&worst.invariant);
        }
    }

    /// Accepts a smaller case if it violates the invariant: under the present schedule, with its
    /// faults renumbered, in FIFO order, or under one of a few random schedules.
    pub(super) fn take(&mut self, smaller: Case) -> Result<bool, RunError> {
        if self.take_plainly(&smaller)? {
            return Ok(true);
        }
        let Schedule::Exact(turns) = &smaller.schedule else { return Ok(false) };
        if turns.is_empty() || smaller == self.best || self.is_spent() {
            return Ok(false);
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

    /// The same without random schedules.
    pub(super) fn take_plainly(&mut self, smaller: &Case) -> Result<bool, RunError> {
        if *smaller == self.best || self.is_spent() {
            return Ok(false);
        }
        let run = self.run(smaller)?;
        let renumbered = self.renumbered(smaller, &run);
        if run.violates(&self.invariant) {
            self.accept(run);
            return Ok(true);
        }
        let in_order = |case: &Case| match &case.schedule {
            Schedule::Exact(turns) if turns.is_empty() => None,
            _ => Some(Case { schedule: Schedule::Exact(Vec::new()), ..case.clone() }),
        };
        let others = [in_order(smaller), renumbered.as_ref().and_then(in_order), renumbered];
        for other in others.into_iter().flatten() {
            if let Some(run) = self.fails(&other)? {
                self.accept(run);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same case, with its faults moved forward by the number of calls of their kind that it
    /// no longer makes: where those came first, each fault meets the call that it met before.
    fn renumbered(&self, smaller: &Case, run: &Run) -> Option<Case> {
        let FaultPlan::Exact(mut rules) = smaller.faults.clone() else { return None };
        let calls = |rule: &FaultRule| {
            let is_it = |(service, operation, target): (&str, Operation, &str)| {
                rule.service.as_deref() == Some(service)
                    && rule.operation == operation
                    && rule.target.as_deref() == Some(target)
            };
            let before = self.places.iter().find(|((s, o, t), _)| is_it((s, *o, t)));
            let now = run.places.iter().find(|(s, o, t, _)| is_it((s, *o, t)));
            (before.map_or(0, |(_, calls)| *calls), now.map_or(0, |(.., calls)| *calls))
        };
        let mut moved = false;
        for rule in &mut rules {
            let (before, now) = calls(rule);
            let skip = rule.skip.saturating_sub(before.saturating_sub(now));
            moved |= skip != rule.skip;
            rule.skip = skip;
        }
        let case = Case { faults: FaultPlan::Exact(rules), ..smaller.clone() };
        (moved && case != self.best).then_some(case)
    }

    pub(super) fn with_script(&self, script: Script) -> Case {
        Case { script, ..self.best.clone() }
    }

    pub(super) fn with_faults(&self, rules: Vec<FaultRule>) -> Case {
        Case { faults: FaultPlan::Exact(rules), ..self.best.clone() }
    }

    /// The faults of the smallest case.
    pub(super) fn faults(&self) -> Vec<FaultRule> {
        match &self.best.faults {
            FaultPlan::Exact(rules) => rules.clone(),
            FaultPlan::Chance(_) => Vec::new(),
        }
    }
}
