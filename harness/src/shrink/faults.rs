//! Fewer faults, simpler ones, and earlier ones.

use std::time::Duration;

use super::minimize;
use super::shrinker::Shrinker;
use crate::faults::{Effect, FaultRule, Operation};
use crate::session::RunError;

/// The number of calls of each kind at which a simpler fault is tried, from the first on.
const TRIED: u32 = 3;

/// How much there is to understand in a fault: the less, the simpler its story.
fn weight(effect: Effect) -> u32 {
    match effect {
        Effect::LoseAck | Effect::Redeliver | Effect::NewerFormat | Effect::OlderFormat => 0,
        Effect::Fail => 1,
        Effect::FailAfter | Effect::Vanish => 2,
        Effect::Delay(_) => 3,
        Effect::CrashBefore | Effect::CrashAfter => 4,
        Effect::Partition(_) => 5,
        Effect::Outage(_) => 6,
        Effect::LoseTail(_) => 7,
        Effect::Jump(_) => 8,
    }
}

/// The effects on a call of this kind that are simpler than any crash, simplest first.
fn plain(operation: Operation) -> &'static [Effect] {
    match operation {
        Operation::Ack => &[Effect::Redeliver, Effect::LoseAck],
        Operation::Read | Operation::Deliver => &[Effect::Fail],
        Operation::Write | Operation::Publish | Operation::Send => {
            &[Effect::Fail, Effect::FailAfter]
        }
        Operation::Open | Operation::Nak => &[],
    }
}

impl Shrinker<'_> {
    pub(super) fn fewer_faults(&mut self) -> Result<(), RunError> {
        minimize(self.faults(), |part| self.take(self.with_faults(part.to_vec())))?;
        Ok(())
    }

    /// Replaces each fault by a simpler one: at the same call, or a lost or repeated
    /// acknowledgement of any consumer, which is all that many a crash comes down to.
    pub(super) fn simpler_faults(&mut self) -> Result<(), RunError> {
        for at in 0..self.faults().len() {
            let rules = self.faults();
            let Some(rule) = rules.get(at) else { break };
            for simpler in self.simpler(rule) {
                let mut rules = rules.clone();
                rules[at] = simpler;
                if self.take_plainly(&self.with_faults(rules))? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The simpler faults that may stand in for one, simplest first.
    fn simpler(&self, rule: &FaultRule) -> Vec<FaultRule> {
        let limit = weight(rule.effect);
        let same = |effect: &Effect| FaultRule { effect: *effect, ..rule.clone() };
        let mut simpler: Vec<FaultRule> = plain(rule.operation).iter().map(same).collect();
        for ((service, operation, target), calls) in &self.places {
            if *operation != Operation::Ack {
                continue;
            }
            for (skip, effect) in (0..TRIED.min(*calls))
                .flat_map(|skip| plain(*operation).iter().map(move |effect| (skip, *effect)))
            {
                simpler.push(FaultRule {
                    service: Some((*service).to_owned()),
                    operation: *operation,
                    target: Some(target.clone()),
                    skip,
                    times: 1,
                    effect,
                });
            }
        }
        simpler.retain(|simpler| weight(simpler.effect) < limit);
        simpler.sort_by_key(|simpler| weight(simpler.effect));
        simpler
    }

    /// Moves faults to earlier calls of their kind: until then, no operation before those calls
    /// can be removed.
    pub(super) fn earlier_faults(&mut self) -> Result<(), RunError> {
        self.first_faults()?;
        for (number, original) in self.faults().iter().enumerate() {
            for skip in 0..original.skip {
                let mut earlier = self.faults();
                let Some(rule) = earlier.get_mut(number).filter(|rule| skip < rule.skip) else {
                    break;
                };
                rule.skip = skip;
                if self.take(self.with_faults(earlier))? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Moves all faults at once, each to the first call of its kind: two that must follow one
    /// another cannot move one by one.
    fn first_faults(&mut self) -> Result<(), RunError> {
        let mut rules = self.faults();
        rules.sort_by_key(|rule| rule.skip);
        for at in 0..rules.len() {
            let place =
                |rule: &FaultRule| (rule.service.clone(), rule.operation, rule.target.clone());
            let here = place(&rules[at]);
            let before = rules[..at].iter().filter(|other| place(other) == here);
            rules[at].skip = before.map(|other| other.times).sum();
        }
        self.take(self.with_faults(rules))?;
        Ok(())
    }

    /// Faults that last whole seconds.
    pub(super) fn whole_seconds(&mut self) -> Result<(), RunError> {
        for at in 0..self.faults().len() {
            let mut rules = self.faults();
            let Some(rule) = rules.get_mut(at) else { break };
            let whole = |d: Duration| Duration::from_secs(d.as_secs().max(1));
            rule.effect = match rule.effect {
                Effect::Delay(d) => Effect::Delay(whole(d)),
                Effect::Partition(d) => Effect::Partition(whole(d)),
                Effect::Outage(d) => Effect::Outage(whole(d)),
                Effect::Jump(d) => Effect::Jump(whole(d)),
                _ => continue,
            };
            self.take(self.with_faults(rules))?;
        }
        Ok(())
    }
}
