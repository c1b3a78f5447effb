//! Faults: what goes wrong, where and how often. Decided here, in both worlds alike, and
//! carried out by decorators around the ports, so a service cannot tell.
//!
//! A fault strikes because a [`FaultRule`] names the call, because a [`Mix`] chose it by chance, or
//! because it is the call of a number ([`Faults::inject_at_call`]). Whatever struck is remembered
//! as rules that name the very calls ([`Faults::injected`]).
//!
//! Next: [`rule`] (one fault as data), [`mix`] (chance), and `store`, `bus`, `http` for what
//! each fault does.

mod bus;
mod http;
pub mod mix;
pub mod rule;
mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ports::clock::after;
use ports::{Ports, Timestamp};
use tokio::sync::Notify;

use crate::trace::recorder::Recorder;
use crate::trace::{InstanceId, RecordKind};

pub use mix::{FaultKind, Mix};
pub use rule::{Effect, FaultRule, Operation, Reach};

/// The faults of one run. Clones are the same plan.
#[derive(Clone, Default)]
pub struct Faults(Arc<Plan>);

#[derive(Default)]
struct Plan {
    state: Mutex<State>,
    crashed: Notify,
}

#[derive(Default)]
struct State {
    rules: Vec<Planned>,
    mix: Option<Mix>,
    nth: Option<(u64, Effect)>,
    cuts: Vec<Cut>,
    crashes: Vec<InstanceId>,
    global_faults: Vec<GlobalFault>,
    injected: Vec<FaultRule>,
    injected_at_call: Option<FaultRule>,
    calls: u64,
    /// How many calls there were at each place.
    places: BTreeMap<(&'static str, Operation), BTreeMap<String, u32>>,
}

/// A fault to come, and how many calls it has let go well.
struct Planned {
    rule: FaultRule,
    seen: u32,
}

/// Who cannot reach what, and until when.
struct Cut {
    service: Option<String>,
    reach: Reach,
    until: Option<Timestamp>,
}

/// What happens to the whole world at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobalFault {
    /// The clock jumps ahead.
    Jump(Duration),
    /// The broker restarts without this many of its newest messages.
    LoseTail(u32),
}

impl Faults {
    /// Adds a fault to come.
    pub fn add(&self, rule: FaultRule) {
        self.state().rules.push(Planned { rule, seen: 0 });
    }

    /// Forgets what was counted, and from now on lets faults strike by chance.
    pub fn begin(&self, mix: Mix) {
        let mut state = self.state();
        state.begin();
        state.mix = Some(mix);
    }

    /// Forgets what was counted, and plans these faults.
    pub fn plan(&self, rules: impl IntoIterator<Item = FaultRule>) {
        let mut state = self.state();
        state.begin();
        state.rules.extend(rules.into_iter().map(|rule| Planned { rule, seen: 0 }));
    }

    /// Lets this strike the call of this number, counted over all ports of all services from 0.
    pub fn inject_at_call(&self, number: u64, effect: Effect) {
        self.state().nth = Some((number, effect));
    }

    /// How many calls there were so far, at which a fault could have struck.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How many calls there were of each operation at each target of each service.
    pub fn places(&self) -> Vec<(&'static str, Operation, String, u32)> {
        let state = self.state();
        let places = state.places.iter().flat_map(|(&(service, operation), targets)| {
            targets.iter().map(move |(target, &n)| (service, operation, target.clone(), n))
        });
        places.collect()
    }

    /// Cuts a service (`None` for all) off from a port until [`heal`](Self::heal).
    pub fn cut(&self, service: Option<&str>, reach: Reach) {
        let service = service.map(str::to_owned);
        self.state().cuts.push(Cut { service, reach, until: None });
    }

    /// Ends all cuts and forgets all faults to come, but for that of a number: whoever counts
    /// calls counts those after this too.
    pub fn heal(&self) {
        let mut state = self.state();
        state.cuts.clear();
        state.rules.clear();
        state.mix = None;
    }

    /// What has struck so far, in order, each as a rule that strikes at that very call.
    pub fn injected(&self) -> Vec<FaultRule> {
        self.state().injected.clone()
    }

    /// What struck the call of the number that was given, as [`injected`](Self::struck) has it.
    pub fn injected_at_call(&self) -> Option<FaultRule> {
        self.state().injected_at_call.clone()
    }

    /// Those faults that have not struck yet: a scenario that plans one expects it to strike.
    pub fn not_injected(&self) -> Vec<FaultRule> {
        self.state().rules.iter().map(|planned| planned.rule.clone()).collect()
    }

    /// Has the world bring this instance down.
    pub fn bring_down(&self, who: InstanceId) {
        self.state().crashes.push(who);
        self.0.crashed.notify_one();
    }

    /// The instances that crashed since the last look, for the world to bring down.
    pub fn take_crashes(&self) -> Vec<InstanceId> {
        std::mem::take(&mut self.state().crashes)
    }

    /// What has happened to the whole world since the last look, for the world to carry out.
    pub fn take_global_faults(&self) -> Vec<GlobalFault> {
        std::mem::take(&mut self.state().global_faults)
    }

    /// Waits until an instance crashes by a fault.
    pub async fn crashed(&self) {
        self.0.crashed.notified().await;
    }

    /// These ports, with this plan's faults, for the instance that `recorder` records.
    pub fn around(&self, ports: Ports, recorder: &Recorder) -> Ports {
        let at = Site {
            faults: self.clone(),
            recorder: recorder.clone(),
            clock: Arc::clone(&ports.clock),
        };
        Ports {
            store: Arc::new(store::FaultyStore { at: at.clone(), inner: ports.store }),
            bus: Arc::new(bus::FaultyBus { at: at.clone(), inner: ports.bus }),
            http: Arc::new(http::FaultyHttp { at, inner: ports.http }),
            ..ports
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().expect("no panic holds this lock")
    }
}

/// The faults as one instance meets them.
#[derive(Clone)]
pub(crate) struct Site {
    faults: Faults,
    recorder: Recorder,
    clock: Arc<dyn ports::clock::Clock>,
}

impl Site {
    /// Whether this instance is cut off from the port.
    fn is_cut(&self, reach: Reach) -> bool {
        let state = self.faults.state();
        if state.cuts.is_empty() {
            return false;
        }
        let now = self.clock.now();
        state.cuts.iter().any(|cut| {
            let here = cut.service.as_deref().is_none_or(|at| at == self.recorder.who.service);
            here && cut.reach == reach && cut.until.is_none_or(|until| now < until)
        })
    }

    /// What strikes this call, if anything. What strikes more than the call is set going here,
    /// and the call itself then fails or goes on.
    fn inject(&self, operation: Operation, target: &str) -> Option<Effect> {
        let who = self.recorder.who;
        let mut state = self.faults.state();
        let effect = state.inject(who, operation, target)?;
        let mut cut = |service: Option<&str>, lasts| {
            let until = Some(after(self.clock.now(), lasts));
            let service = service.map(str::to_owned);
            state.cuts.push(Cut { service, reach: operation.reach(), until });
            Some(Effect::Fail)
        };
        let left = match effect {
            Effect::Partition(lasts) => cut(Some(who.service), lasts),
            Effect::Outage(lasts) => cut(None, lasts),
            Effect::Jump(by) => {
                state.global_faults.push(GlobalFault::Jump(by));
                None
            }
            Effect::LoseTail(messages) => {
                state.global_faults.push(GlobalFault::LoseTail(messages));
                None
            }
            other => Some(other),
        };
        drop(state);
        let target = target.to_owned();
        self.recorder.add(RecordKind::Fault { operation, target, effect });
        left
    }

    /// Crashes this instance: whatever called never goes on.
    async fn crash(&self) -> ! {
        self.faults.bring_down(self.recorder.who);
        std::future::pending().await
    }
}

impl State {
    fn begin(&mut self) {
        self.places.clear();
        self.injected.clear();
        self.injected_at_call = None;
        self.calls = 0;
    }

    fn inject(&mut self, who: InstanceId, operation: Operation, target: &str) -> Option<Effect> {
        let skip = self.count(who.service, operation, target);
        let by_number = self.nth.take_if(|(number, _)| *number + 1 == self.calls);
        let is_by_number = by_number.is_some();
        let effect = by_number
            .map(|(_, effect)| effect)
            .or_else(|| self.planned(who, operation, target))
            .or_else(|| self.mix.as_mut()?.roll(operation))?;
        let rule = FaultRule {
            service: Some(who.service.to_owned()),
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

    /// Counts a call; returns how many there were at this place before.
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

    /// The first rule that strikes this call. Every rule that matches counts it.
    fn planned(&mut self, who: InstanceId, operation: Operation, target: &str) -> Option<Effect> {
        let mut effect = None;
        self.rules.retain_mut(|Planned { rule, seen }| {
            let matches = rule.operation == operation
                && rule.service.as_deref().is_none_or(|service| service == who.service)
                && rule.target.as_deref().is_none_or(|wanted| wanted == target);
            if !matches {
                return true;
            }
            *seen += 1;
            if *seen > rule.skip && effect.is_none() {
                effect = Some(rule.effect);
                rule.times -= 1;
            }
            rule.times > 0
        });
        effect
    }
}
