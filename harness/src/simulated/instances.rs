//! Starts and crashes of instances in the simulated world.
//!
//! A start is work like any other: its calls are scheduled among all others, and faults can be
//! injected into them.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{AbortHandle, Abortable};
use futures::task::LocalSpawnExt;
use platform::http::unknown_route;
use platform::run::{self, Running};
use ports::Ports;
use ports::clock::{Clock, after};
use tokio_util::sync::CancellationToken;

use super::instance::{Instance, Starting};
use super::{Simulated, TIMEOUT};
use crate::faults::GlobalFault;
use crate::system::ServiceSpec;
use crate::trace::recorder::Recorder;
use crate::trace::{InstanceId, RecordKind};
use crate::world::WorldError;
use sim::bus::SimBus;
use sim::entropy::SimEntropy;
use sim::external::SimHttp;
use sim::store::SimStore;

/// Pause before a failed start is retried.
const START_RETRY_INTERVAL: Duration = Duration::from_secs(1);

impl Simulated {
    /// Begins to start an instance of this service.
    pub(super) fn begin_start(&mut self, spec: &ServiceSpec) {
        self.started += 1;
        let id = InstanceId { service: spec.name, instance: self.started };
        let (ports, policy) = (self.ports(id), self.system.policy.clone());
        let (build, retries) = (Arc::clone(&spec.build), self.revives);
        let result = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&result);
        let work = self.spawn(id, async move {
            let stop = CancellationToken::new();
            loop {
                let service = build(&ports, "http://external.test");
                let started = run::start(service, &ports, &policy, &stop).await;
                if started.is_ok() || !retries {
                    *slot.borrow_mut() = Some(started);
                    return;
                }
                ports.clock.sleep(START_RETRY_INTERVAL).await;
            }
        });
        self.starting.push(Starting { id, result, work });
    }

    /// Runs until every starting instance is up.
    pub(super) fn finish_starts(&mut self) -> Result<(), WorldError> {
        let results: Vec<_> = self.starting.iter().map(|s| (s.id, Rc::clone(&s.result))).collect();
        // Once only this list holds a result, the instance crashed while starting.
        let ended = |result: &Rc<RefCell<Option<_>>>| {
            Rc::strong_count(result) == 1 || result.borrow().is_some()
        };
        let horizon = after(self.kernel.now(), TIMEOUT);
        self.run(horizon, || results.iter().all(|(_, result)| ended(result)));
        for (instance, result) in results {
            if let Some(Err(source)) = &*result.borrow() {
                return Err(WorldError::Start { instance, source: source.clone() });
            }
        }
        match self.starting.first() {
            Some(starting) => Err(WorldError::StartTimeout(starting.id)),
            None => Ok(()),
        }
    }

    /// Runs all work that needs no decision, and carries out its consequences: global faults,
    /// crashes, and instances that came up.
    pub(super) fn poll(&mut self) {
        loop {
            self.pool.run_until_stalled();
            self.expire();
            for fault in self.faults.take_global_faults() {
                match fault {
                    GlobalFault::Jump(by) => self.kernel.jump_to(after(self.kernel.now(), by)),
                    GlobalFault::LoseTail(messages) => {
                        self.broker.lose_tail(messages, self.kernel.now());
                    }
                }
            }
            let crashed = self.faults.take_crashes();
            for id in &crashed {
                self.bring_down(|other| other == *id);
                if self.revives {
                    let spec = self.system.service(id.service).expect("an instance has a service");
                    self.begin_start(&spec.clone());
                }
            }
            if !self.install_started() && crashed.is_empty() {
                return;
            }
        }
    }

    /// Installs the instances whose start has ended; returns whether there were any.
    fn install_started(&mut self) -> bool {
        let ended = |starting: &Starting| starting.result.borrow().is_some();
        if !self.starting.iter().any(ended) {
            return false;
        }
        let ended: Vec<Starting> = self.starting.extract_if(.., |s| ended(s)).collect();
        for Starting { id, result, .. } in ended {
            let running = match &mut *result.borrow_mut() {
                running @ Some(Ok(_)) => running.take(),
                _ => None,
            };
            if let Some(Ok(running)) = running {
                self.install(id, running);
            }
        }
        true
    }

    fn install(&mut self, id: InstanceId, running: Running) {
        let work = running.loops.into_iter().map(|(_, work)| self.spawn(id, work)).collect();
        self.trace.add(self.kernel.now(), Some(id), RecordKind::Start);
        self.instances.push(Instance {
            id,
            routes: running.routes.fallback(unknown_route),
            activity: running.activity,
            work,
        });
    }

    fn ports(&self, id: InstanceId) -> Ports {
        let (kernel, instance) = (self.kernel.clone(), id.instance);
        let database = self.databases[id.service].clone();
        let bus = SimBus::new(kernel.clone(), instance, self.broker.clone());
        let policy = &self.system.policy;
        let clock: Arc<dyn Clock> = self.clock.clone();
        let ports = Ports {
            store: Arc::new(SimStore::new(kernel.clone(), instance, id.service, database)),
            bus: Arc::new(bus.keeping(policy.events, policy.dead_letters)),
            entropy: Arc::new(SimEntropy::new(kernel.clone(), instance)),
            http: Arc::new(SimHttp { kernel, instance, service: self.system.external.clone() }),
            clock: Arc::clone(&clock),
        };
        let recorder = Recorder { trace: self.trace.clone(), clock, instance: id };
        self.system.ports_for(recorder.decorate(ports), &self.faults, &recorder)
    }

    /// Spawns work of an instance; a panic in it crashes the instance.
    pub(super) fn spawn(
        &self,
        id: InstanceId,
        work: impl Future<Output = ()> + 'static,
    ) -> AbortHandle {
        let (handle, registration) = AbortHandle::new_pair();
        let (trace, faults, kernel) =
            (self.trace.clone(), self.faults.clone(), self.kernel.clone());
        let guarded = async move {
            if let Err(panic) = AssertUnwindSafe(work).catch_unwind().await {
                trace.add(kernel.now(), Some(id), RecordKind::panic(&*panic));
                faults.bring_down(id);
            }
        };
        let abortable = Abortable::new(guarded, registration).map(drop);
        self.pool.spawner().spawn_local(abortable).expect("the pool lives as long as the world");
        handle
    }

    /// Crashes these instances, running or starting; returns the number that were running.
    pub(super) fn bring_down(&mut self, which: impl Fn(InstanceId) -> bool) -> usize {
        let down: Vec<Instance> = self.instances.extract_if(.., |i| which(i.id)).collect();
        let failed: Vec<Starting> = self.starting.extract_if(.., |s| which(s.id)).collect();
        for Starting { id, work, .. } in &failed {
            work.abort();
            self.trace.add(self.kernel.now(), Some(*id), RecordKind::Crash);
        }
        for instance in &down {
            instance.work.iter().for_each(AbortHandle::abort);
            self.trace.add(self.kernel.now(), Some(instance.id), RecordKind::Crash);
        }
        // Aborted work releases what it holds when it is next polled.
        self.pool.run_until_stalled();
        down.len()
    }

    /// Whether some service has neither a running nor a starting instance.
    pub(super) fn is_down(&self) -> bool {
        let running = self.instances.iter().map(|instance| instance.id);
        self.system.is_down(running.chain(self.starting.iter().map(|starting| starting.id)))
    }
}
