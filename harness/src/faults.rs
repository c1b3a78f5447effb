//! Faults: what goes wrong, where and how often. Decided here, in both worlds alike, and
//! carried out by decorators around the ports, so a service cannot tell.
//!
//! Next: [`store`], [`bus`], [`http`] for what each fault does.

pub mod bus;
pub mod http;
pub mod store;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use platform::Ports;
use tokio::sync::Notify;

use crate::trace::ports::Recorder;
use crate::trace::{What, Who};

/// What a service does at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Reads documents.
    Read,
    /// Writes a document.
    Write,
    /// Publishes a message.
    Publish,
    /// Takes a delivery.
    Deliver,
    /// Acknowledges a delivery.
    Ack,
    /// Sends a request outside.
    Send,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The call fails without effect.
    Fail,
    /// The call has its effect and reports failure.
    FailAfter,
    /// The call takes this much longer.
    Delay(Duration),
    /// The acknowledgement is lost on the way: the bus delivers again after the ack wait.
    LoseAck,
    /// The message is delivered once more at once, although it was handled.
    Redeliver,
    /// The instance crashes before the call has its effect.
    CrashBefore,
    /// The instance crashes after the call has had its effect.
    CrashAfter,
}

/// A fault to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// In which service; `None` for any.
    pub service: Option<String>,
    /// At which operation.
    pub operation: Operation,
    /// On which collection, subject or path; `None` for any.
    pub target: Option<String>,
    /// How many matching calls go well first.
    pub skip: u32,
    /// How many times it strikes after that.
    pub times: u32,
    /// What happens.
    pub effect: Effect,
}

/// A port that can be out of reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The database.
    Store,
    /// The broker.
    Bus,
    /// The world outside.
    Outside,
}

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
    rules: Vec<Rule>,
    cuts: Vec<(Option<String>, Reach)>,
    crashes: Vec<Who>,
    struck: u64,
}

impl Faults {
    /// Adds a fault to come.
    pub fn add(&self, rule: Rule) {
        self.state().rules.push(rule);
    }

    /// Cuts a service (`None` for all) off from a port until [`heal`](Self::heal).
    pub fn cut(&self, service: Option<&str>, reach: Reach) {
        self.state().cuts.push((service.map(str::to_owned), reach));
    }

    /// Ends all cuts and forgets all faults to come.
    pub fn heal(&self) {
        let mut state = self.state();
        state.cuts.clear();
        state.rules.clear();
    }

    /// How many faults have struck.
    pub fn struck(&self) -> u64 {
        self.state().struck
    }

    /// Those faults that have not struck yet: a scenario that plans one expects it to strike.
    pub fn unstruck(&self) -> Vec<Rule> {
        self.state().rules.clone()
    }

    /// Has the world bring this instance down.
    pub fn bring_down(&self, who: Who) {
        self.state().crashes.push(who);
        self.0.crashed.notify_one();
    }

    /// The instances that crashed since the last look, for the world to bring down.
    pub fn take_crashes(&self) -> Vec<Who> {
        std::mem::take(&mut self.state().crashes)
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
    clock: Arc<dyn platform::ports::clock::Clock>,
}

impl Site {
    /// Whether this instance is cut off from the port.
    fn is_cut(&self, reach: Reach) -> bool {
        let state = self.faults.state();
        let here = |service: &Option<String>| {
            service.as_deref().is_none_or(|service| service == self.recorder.who.service)
        };
        state.cuts.iter().any(|(service, cut)| *cut == reach && here(service))
    }

    /// What strikes this call, if anything.
    fn strike(&self, operation: Operation, target: &str) -> Option<Effect> {
        let effect = self.faults.state().strike(self.recorder.who, operation, target)?;
        let effect_text = format!("{effect:?} at {operation:?} {target}");
        self.recorder.add(What::Fault { effect: effect_text });
        Some(effect)
    }

    /// Crashes this instance: whatever called never goes on.
    async fn crash(&self) -> ! {
        self.faults.bring_down(self.recorder.who);
        std::future::pending().await
    }
}

impl State {
    fn strike(&mut self, who: Who, operation: Operation, target: &str) -> Option<Effect> {
        let matches = |rule: &Rule| {
            rule.operation == operation
                && rule.service.as_deref().is_none_or(|service| service == who.service)
                && rule.target.as_deref().is_none_or(|wanted| wanted == target)
        };
        let at = self.rules.iter().position(matches)?;
        let rule = &mut self.rules[at];
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        let effect = rule.effect;
        rule.times -= 1;
        if rule.times == 0 {
            self.rules.remove(at);
        }
        self.struck += 1;
        Some(effect)
    }
}
