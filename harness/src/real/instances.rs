//! Starts and crashes of instances in the real world.
//!
//! Crashes and ended starts are carried out while clients wait or time passes, so that a
//! service can come up while others are in use.

use std::sync::Arc;
use std::time::Duration;

use adapters::reqwest::Reqwest;
use adapters::system::SystemEntropy;
use ports::Ports;

use super::finished;
use super::instance::{Instance, Start, StartEnded};
use super::world::Real;
use crate::system::ServiceSpec;
use crate::trace::recorder::Recorder;
use crate::trace::{InstanceId, RecordKind};
use crate::world::WorldError;

/// Time after which a start is given up.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Time after which a service gives up on an external service.
const EXTERNAL_TIMEOUT: Duration = Duration::from_secs(2);

/// A change of the set of instances, to be carried out.
pub(super) enum Change {
    /// Faults have crashed instances.
    Crashes,
    StartEnded(StartEnded),
}

impl Real {
    /// Begins to start an instance of this service.
    pub(super) fn begin_start(&mut self, spec: &ServiceSpec) {
        self.started += 1;
        let id = InstanceId { service: spec.name, instance: self.started };
        let start = Start {
            id,
            build: Arc::clone(&spec.build),
            ports: self.ports(id),
            external: self.external.uri(),
            policy: self.system.policy.clone(),
            retries: self.revives,
        };
        let service = start.build();
        let names = service.collections.iter().map(|spec| spec.name).collect();
        self.collections.insert(spec.name, names);
        self.starting.push(start.begin(service, self.start_ended.0.clone()));
    }

    /// Waits until every starting instance is up.
    pub(super) async fn finish_starts(&mut self) -> Result<(), WorldError> {
        let deadline = tokio::time::Instant::now() + START_TIMEOUT;
        while let Some(id) = self.starting.first().map(|starting| starting.id) {
            let change = tokio::time::timeout_at(deadline, self.change()).await;
            self.carry_out(change.map_err(|_| WorldError::StartTimeout(id))?)?;
        }
        Ok(())
    }

    /// Waits for the next change of the set of instances.
    pub(super) async fn change(&mut self) -> Change {
        tokio::select! {
            biased;
            () = self.faults.crashed() => Change::Crashes,
            ended = self.start_ended.1.recv() => {
                Change::StartEnded(ended.expect("the world holds a sender"))
            }
        }
    }

    /// Carries out a change. Returns the error of a start that failed.
    fn carry_out(&mut self, change: Change) -> Result<(), WorldError> {
        match change {
            Change::Crashes => self.carry_out_crashes(),
            Change::StartEnded(StartEnded { id, result }) => {
                // An instance that crashed while starting is no longer in the list.
                if self.starting.extract_if(.., |starting| starting.id == id).next().is_some() {
                    let (trace, faults) = (&self.trace, &self.faults);
                    self.instances.push(Instance::run(id, result?, trace, faults, &self.clock));
                }
            }
        }
        Ok(())
    }

    /// Carries out a change while clients wait or time passes: a failed start leaves the
    /// service down, and [`Drive::quiesce`] reports that.
    pub(super) fn carry_out_meanwhile(&mut self, change: Change) {
        if let Err(error) = self.carry_out(change) {
            tracing::warn!(%error, "not started");
        }
    }

    pub(super) fn carry_out_crashes(&mut self) {
        for id in self.faults.take_crashes() {
            self.bring_down(|other| other == id);
            if self.revives {
                let spec = self.system.service(id.service).expect("an instance has a service");
                self.begin_start(&spec.clone());
            }
        }
    }

    /// Crashes these instances, running or starting; returns the number that were running.
    pub(super) fn bring_down(&mut self, which: impl Fn(InstanceId) -> bool) -> usize {
        let starting = self.starting.extract_if(.., |s| which(s.id)).map(|s| s.id);
        let mut down: Vec<InstanceId> = starting.collect();
        let starting = down.len();
        down.extend(self.instances.extract_if(.., |i| which(i.id)).map(|i| i.id));
        for &id in &down {
            self.trace.add(self.clock.now(), Some(id), RecordKind::Crash);
        }
        down.len() - starting
    }

    fn ports(&self, id: InstanceId) -> Ports {
        let ports = Ports {
            store: Arc::new(self.store(id.service)),
            bus: self.bus.clone(),
            http: Arc::new(Reqwest::new(EXTERNAL_TIMEOUT)),
            clock: Arc::clone(&self.clock),
            entropy: Arc::new(SystemEntropy),
        };
        let (trace, clock) = (self.trace.clone(), Arc::clone(&self.clock));
        let recorder = Recorder { trace, clock, instance: id };
        let recorded = finished::decorate(recorder.decorate(ports));
        self.system.ports_for(recorded, &self.faults, &recorder)
    }

    /// Whether some service has neither a running nor a starting instance.
    pub(super) fn is_down(&self) -> bool {
        let running = self.instances.iter().map(|instance| instance.id);
        self.system.is_down(running.chain(self.starting.iter().map(|starting| starting.id)))
    }
}
