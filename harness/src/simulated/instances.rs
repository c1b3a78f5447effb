//! The instances of a simulated world: how they start, and how they go down.
//!
//! A start is work like any other: its calls are decided on among all others, and a fault may
//! strike it.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::FutureExt;
use futures::future::{AbortHandle, Abortable};
use futures::task::LocalSpawnExt;
use platform::activity::Activity;
use platform::chain::Chain;
use platform::http::unknown_route;
use platform::run::{self, Running, StartError};
use ports::Ports;
use ports::clock::{Clock, after};
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, Simulated};
use crate::faults::GlobalFault;
use crate::system::ServiceSpec;
use crate::trace::recorder::Recorder;
use crate::trace::{InstanceId, RecordKind};
use crate::world::{World, WorldError};
use sim::bus::SimBus;
use sim::entropy::SimEntropy;
use sim::external::SimHttp;
use sim::store::SimStore;

/// The pause before a failed start is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// A running instance.
pub(super) struct Instance {
    pub(super) who: InstanceId,
    pub(super) routes: Router,
    pub(super) activity: Arc<Activity>,
    pub(super) work: Vec<AbortHandle>,
}

/// An instance that is on its way up.
pub(super) struct Starting {
    pub(super) who: InstanceId,
    result: Rc<RefCell<Option<Result<Running, StartError>>>>,
    work: AbortHandle,
}

impl Simulated {
    /// The service of this name.
    pub(super) fn part(&self, service: &str) -> Result<ServiceSpec, WorldError> {
        let part = self.system.services.iter().find(|part| part.name == service).cloned();
        part.ok_or_else(|| WorldError(format!("there is no service {service}")))
    }

    /// Begins to start an instance of this service.
    pub(super) fn begin_start(&mut self, part: &ServiceSpec) {
        self.started += 1;
        let who = InstanceId { service: part.name, instance: self.started };
        let (ports, policy) = (self.ports(who), self.system.policy.clone());
        let (build, patient) = (Arc::clone(&part.build), self.revives);
        let result = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&result);
        let work = self.spawn(who, async move {
            let stop = CancellationToken::new();
            loop {
                let service = build(&ports, "http://outside.test");
                let started = run::start(service, &ports, &policy, &stop).await;
                if started.is_ok() || !patient {
                    *slot.borrow_mut() = Some(started);
                    return;
                }
                ports.clock.sleep(PAUSE).await;
            }
        });
        self.starting.push(Starting { who, result, work });
    }

    /// Runs until all that is on its way up is up.
    pub(super) fn finish_starts(&mut self) -> Result<(), WorldError> {
        let results: Vec<_> = self.starting.iter().map(|s| (s.who, Rc::clone(&s.result))).collect();
        // One whose start failed, or that a fault brought down, is not waited for.
        let ended = |result: &Rc<RefCell<Option<_>>>| {
            Rc::strong_count(result) == 1 || result.borrow().is_some()
        };
        let horizon = after(self.kernel.now(), PATIENCE);
        self.run(horizon, || results.iter().all(|(_, result)| ended(result)));
        for (who, result) in results {
            if let Some(Err(why)) = &*result.borrow() {
                return Err(WorldError(format!("{who} did not start: {}", Chain(why))));
            }
        }
        match self.starting.first() {
            Some(Starting { who, .. }) => Err(WorldError(format!("{who} did not start in time"))),
            None => Ok(()),
        }
    }

    /// Lets everything that can go on without a decision do so, and follows up what that
    /// brings about: instances that came up, and those that a fault took down.
    pub(super) fn poll(&mut self) {
        loop {
            self.pool.run_until_stalled();
            for fault in self.faults.take_global_faults() {
                match fault {
                    GlobalFault::Jump(by) => self.kernel.jump_to(after(self.kernel.now(), by)),
                    GlobalFault::LoseTail(messages) => self.broker.lose_tail(messages),
                }
            }
            let crashed = self.faults.take_crashes();
            for who in &crashed {
                self.bring_down(|other| other == *who);
                if self.revives {
                    let part = self.part(who.service).expect("it was one of its instances");
                    self.begin_start(&part);
                }
            }
            if !self.install_started() && crashed.is_empty() {
                return;
            }
        }
    }

    /// Takes in what has started; returns whether anything has.
    fn install_started(&mut self) -> bool {
        let ended = |starting: &Starting| starting.result.borrow().is_some();
        if !self.starting.iter().any(ended) {
            return false;
        }
        let (ended, starting) =
            std::mem::take(&mut self.starting).into_iter().partition(|s| ended(s));
        self.starting = starting;
        let ended: Vec<Starting> = ended;
        for Starting { who, result, .. } in ended {
            let running = match &mut *result.borrow_mut() {
                running @ Some(Ok(_)) => running.take(),
                _ => None,
            };
            if let Some(Ok(running)) = running {
                self.install(who, running);
            }
        }
        true
    }

    fn install(&mut self, who: InstanceId, running: Running) {
        let work = running.loops.into_iter().map(|(_, work)| self.spawn(who, work)).collect();
        self.trace.add(self.kernel.now(), Some(who), RecordKind::Start);
        self.instances.push(Instance {
            who,
            routes: running.routes.fallback(unknown_route),
            activity: running.activity,
            work,
        });
    }

    fn ports(&self, who: InstanceId) -> Ports {
        let (kernel, instance) = (self.kernel.clone(), who.instance);
        let database = self.databases[who.service].clone();
        let clock: Arc<dyn Clock> = self.clock.clone();
        let ports = Ports {
            store: Arc::new(SimStore::new(kernel.clone(), instance, who.service, database)),
            bus: Arc::new(SimBus::new(kernel.clone(), instance, self.broker.clone())),
            entropy: Arc::new(SimEntropy::new(kernel.clone(), self.seed, instance)),
            http: Arc::new(SimHttp { kernel, instance, service: self.system.external.clone() }),
            clock: Arc::clone(&clock),
        };
        let recorder = Recorder { trace: self.trace.clone(), clock, who };
        self.system.decorate(self.faults.around(recorder.around(ports), &recorder))
    }

    /// Runs work of an instance; a panic in it brings the instance down.
    pub(super) fn spawn(
        &self,
        who: InstanceId,
        work: impl Future<Output = ()> + 'static,
    ) -> AbortHandle {
        let (handle, registration) = AbortHandle::new_pair();
        let (trace, faults, kernel) =
            (self.trace.clone(), self.faults.clone(), self.kernel.clone());
        let guarded = async move {
            if let Err(panic) = AssertUnwindSafe(work).catch_unwind().await {
                let message = panic_message(&*panic);
                trace.add(kernel.now(), Some(who), RecordKind::Panic { message });
                faults.bring_down(who);
            }
        };
        let abortable = Abortable::new(guarded, registration).map(drop);
        self.pool.spawner().spawn_local(abortable).expect("the pool lives as long as the world");
        handle
    }

    pub(super) fn bring_down(&mut self, which: impl Fn(InstanceId) -> bool) -> usize {
        let (down, up) =
            std::mem::take(&mut self.instances).into_iter().partition(|i| which(i.who));
        self.instances = up;
        let down: Vec<Instance> = down;
        let (failed, starting) =
            std::mem::take(&mut self.starting).into_iter().partition(|s| which(s.who));
        self.starting = starting;
        let failed: Vec<Starting> = failed;
        for Starting { who, work, .. } in &failed {
            work.abort();
            self.trace.add(self.kernel.now(), Some(*who), RecordKind::Crash);
        }
        for instance in &down {
            instance.work.iter().for_each(AbortHandle::abort);
            self.trace.add(self.kernel.now(), Some(instance.who), RecordKind::Crash);
        }
        // Aborted work lets go of what it holds when it is next polled.
        self.pool.run_until_stalled();
        down.len()
    }

    /// Whether some service has no instance, nor one on its way up.
    pub(super) fn is_down(&self) -> bool {
        let starts = |part: &ServiceSpec| self.starting.iter().any(|s| s.who.service == part.name);
        self.system.services.iter().any(|part| self.instances(part.name) == 0 && !starts(part))
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
