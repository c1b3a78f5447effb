//! The decision for every call: which fault is injected into it, if any.
//!
//! It calls no port; the decorators carry the decisions out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use ports::Timestamp;
use ports::clock::{Clock, after};
use tokio::sync::Notify;

use super::mix::Mix;
use super::rule::{Effect, FaultRule, Operation, Port};
use crate::instance::InstanceId;

/// The fault plan of one run. Clones share the plan.
#[derive(Clone, Default)]
pub struct Faults(Arc<Plan>);

#[derive(Default)]
struct Plan {
    state: Mutex<State>,
    crashed: Notify,
}

#[derive(Default)]
struct State {
    rules: Vec<PendingRule>,
    mix: Option<Mix>,
    /// Number of a call, and the effect to inject into it.
    at_call: Option<(u64, Effect)>,
    cuts: Vec<Cut>,
    /// The number of times that a port was cut off until further notice.
    cuts_begun: usize,
    crashes: Vec<InstanceId>,
    global_faults: Vec<GlobalFault>,
    injected: Vec<FaultRule>,
    injected_at_call: Option<FaultRule>,
    calls: u64,
    /// Number of calls so far, by service, operation and target.
    places: BTreeMap<(&'static str, Operation), BTreeMap<String, u32>>,
}

/// A rule that still applies, and the number of calls that matched it so far.
struct PendingRule {
    rule: FaultRule,
    matched: u32,
}

/// A port that a service (`None` for all) cannot reach; without `until`, until
/// [`Faults::heal`].
struct Cut {
    service: Option<String>,
    port: Port,
    until: Option<Timestamp>,
}

/// A fault of the whole world, for the world to carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GlobalFault {
    /// The clock jumps ahead by this much.
    Jump(Duration),
    /// The broker restarts without this many of its newest messages.
    LoseTail(u32),
}

impl Faults {
    /// Adds a rule to the plan.
    pub fn add(&self, rule: FaultRule) {
        self.state().add(rule);
    }

    /// Resets the counters and draws faults at random from now on.
    pub fn begin(&self, mix: Mix) {
        let mut state = self.state();
        state.reset_counters();
        state.mix = Some(mix);
    }

    /// Resets the counters and adds these rules: their `skip` counts calls from now on.
    pub fn plan(&self, rules: impl IntoIterator<Item = FaultRule>) {
        let mut state = self.state();
        state.reset_counters();
        rules.into_iter().for_each(|rule| state.add(rule));
    }

    /// Injects this effect into the call with this number, counted from 0 over all ports of
    /// all services. Takes precedence over rules and the mix, and survives
    /// [`heal`](Self::heal).
    pub fn inject_at_call(&self, number: u64, effect: Effect) {
        self.state().at_call = Some((number, effect));
    }

    /// Number of calls so far that were open to faults.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Number of calls so far by service, operation and target, in that order.
    pub fn places(&self) -> Vec<(&'static str, Operation, String, u32)> {
        let state = self.state();
        let places = state.places.iter().flat_map(|(&(service, operation), targets)| {
            targets.iter().map(move |(target, &n)| (service, operation, target.clone(), n))
        });
        places.collect()
    }

    /// Cuts a service (`None` for all) off from a port until [`heal`](Self::heal).
    pub fn cut(&self, service: Option<&str>, port: Port) {
        let service = service.map(str::to_owned);
        let mut state = self.state();
        state.cuts.push(Cut { service, port, until: None });
        state.cuts_begun += 1;
    }

    /// The number of calls of [`cut`](Self::cut): such a cut is not in the trace.
    pub fn cuts_begun(&self) -> usize {
        self.state().cuts_begun
    }

    /// Ends all cuts and drops all pending rules and the mix. A fault that was requested by
    /// [`inject_at_call`](Self::inject_at_call) stays, because that count includes the calls
    /// made after this.
    pub fn heal(&self) {
        let mut state = self.state();
        state.cuts.clear();
        state.rules.clear();
        state.mix = None;
    }

    /// The faults injected so far, in order, each as a rule that names the exact call.
    pub fn injected(&self) -> Vec<FaultRule> {
        self.state().injected.clone()
    }

    /// The fault requested by [`inject_at_call`](Self::inject_at_call), once it was injected.
    pub fn injected_at_call(&self) -> Option<FaultRule> {
        self.state().injected_at_call.clone()
    }

    /// The rules that have not been used up yet. A scenario that plans a fault fails if it is
    /// never injected.
    pub fn not_injected(&self) -> Vec<FaultRule> {
        self.state().rules.iter().map(|pending| pending.rule.clone()).collect()
    }

    /// Requests the crash of an instance; the world carries it out.
    pub fn bring_down(&self, instance: InstanceId) {
        self.state().crashes.push(instance);
        self.0.crashed.notify_one();
    }

    /// Takes the crashes requested since the last call, for the world to carry out.
    pub fn take_crashes(&self) -> Vec<InstanceId> {
        std::mem::take(&mut self.state().crashes)
    }

    /// Takes the global faults since the last call, for the world to carry out.
    pub fn take_global_faults(&self) -> Vec<GlobalFault> {
        std::mem::take(&mut self.state().global_faults)
    }

    /// Completes when a fault has crashed an instance; [`take_crashes`](Self::take_crashes)
    /// says which.
    pub async fn crashed(&self) {
        self.0.crashed.notified().await;
    }

    /// Whether the service is cut off from the port now.
    pub(super) fn is_cut(&self, service: &str, port: Port, clock: &dyn Clock) -> bool {
        let state = self.state();
        if state.cuts.is_empty() {
            return false;
        }
        let now = clock.now();
        state.cuts.iter().any(|cut| {
            cut.service.as_deref().is_none_or(|cut| cut == service)
                && cut.port == port
                && cut.until.is_none_or(|until| now < until)
        })
    }

    /// Decides on one call. An effect that is wider than the call begins here.
    pub(super) fn inject(
        &self,
        instance: InstanceId,
        operation: Operation,
        target: &str,
        clock: &dyn Clock,
    ) -> Option<Effect> {
        let mut state = self.state();
        let effect = state.inject(instance, operation, target)?;
        let (scope, lasts) = match effect {
            Effect::Partition(lasts) => (Some(instance.service.to_owned()), lasts),
            Effect::Outage(lasts) => (None, lasts),
            Effect::Jump(by) => {
                state.global_faults.push(GlobalFault::Jump(by));
                return Some(effect);
            }
            Effect::LoseTail(messages) => {
                state.global_faults.push(GlobalFault::LoseTail(messages));
                return Some(effect);
            }
            _ => return Some(effect),
        };
        let until = Some(after(clock.now(), lasts));
        state.cuts.push(Cut { service: scope, port: operation.port(), until });
        Some(effect)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }
}

impl State {
    fn add(&mut self, rule: FaultRule) {
        self.rules.push(PendingRule { rule, matched: 0 });
    }

    fn reset_counters(&mut self) {
        self.places.clear();
        self.injected.clear();
        self.injected_at_call = None;
        self.calls = 0;
    }

    fn inject(
        &mut self,
        instance: InstanceId,
        operation: Operation,
        target: &str,
    ) -> Option<Effect> {
        let skip = self.count(instance.service, operation, target);
        let by_number = self.at_call.take_if(|(number, _)| *number + 1 == self.calls);
        let is_by_number = by_number.is_some();
        let effect = by_number
            .map(|(_, effect)| effect)
            .or_else(|| self.by_rule(instance, operation, target))
            .or_else(|| self.mix.as_mut()?.roll(operation))?;
        let rule = FaultRule {
            service: Some(instance.service.to_owned()),
            operation,
            target: Some(target.to_owned()),
            skip,
            times: 1,
            effect,
        };
        if is_by_number {
            self.injected_at_call = Some(rule.clone());
        }
        self.injected.push(rule);
        Some(effect)
    }

    /// Counts a call; returns the number of earlier calls of the same service, operation and
    /// target.
    fn count(&mut self, service: &'static str, operation: Operation, target: &str) -> u32 {
        self.calls += 1;
        let targets = self.places.entry((service, operation)).or_default();
        match targets.get_mut(target) {
            Some(calls) => {
                *calls += 1;
                *calls - 1
            }
            None => {
                targets.insert(target.to_owned(), 1);
                0
            }
        }
    }

    /// The effect of the first rule that applies to this call. Every rule that matches counts
    /// the call, also where another rule wins.
    fn by_rule(
        &mut self,
        instance: InstanceId,
        operation: Operation,
        target: &str,
    ) -> Option<Effect> {
        let mut effect = None;
        self.rules.retain_mut(|PendingRule { rule, matched }| {
            let matches = rule.operation == operation
                && rule.service.as_deref().is_none_or(|service| service == instance.service)
                && rule.target.as_deref().is_none_or(|wanted| wanted == target);
            if !matches {
                return true;
            }
            *matched += 1;
            if *matched > rule.skip && effect.is_none() {
                effect = Some(rule.effect);
                rule.times -= 1;
            }
            rule.times > 0
        });
        effect
    }
}
