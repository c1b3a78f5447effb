//! One instance in the real world: its start, its tasks and its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use platform::activity::Activity;
use platform::run::{self, Policy, Running};
use platform::service::Service;
use ports::Ports;
use ports::clock::Clock;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::serve;
use crate::faults::Faults;
use crate::instance::InstanceId;
use crate::system::Build;
use crate::trace::{RecordKind, Trace};
use crate::world::WorldError;

/// Pause before a failed start is retried.
const START_RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// A running instance.
pub(super) struct Instance {
    pub(super) id: InstanceId,
    pub(super) address: SocketAddr,
    pub(super) activity: Arc<Activity>,
    _work: Vec<AbortOnDrop>,
}

/// An instance that is starting. Dropping it aborts the start.
pub(super) struct Starting {
    pub(super) id: InstanceId,
    _start: AbortOnDrop,
}

/// The end of a start.
pub(super) struct StartEnded {
    pub(super) id: InstanceId,
    pub(super) result: Result<Started, WorldError>,
}

/// A started service with its socket, not yet part of the world.
pub(super) struct Started {
    running: Running,
    address: SocketAddr,
    serving: AbortOnDrop,
}

/// The inputs of a start.
pub(super) struct Start {
    pub(super) id: InstanceId,
    pub(super) build: Build,
    pub(super) ports: Ports,
    /// Base URL of the external services.
    pub(super) external: String,
    pub(super) policy: Policy,
    /// Whether a failed start is retried until it succeeds.
    pub(super) retries: bool,
}

impl Start {
    /// A fresh instance of the service, not started.
    pub(super) fn build(&self) -> Service {
        (self.build)(&self.ports, &self.external)
    }

    /// Begins to start this service; `ended` receives the result.
    pub(super) fn begin(self, service: Service, ended: UnboundedSender<StartEnded>) -> Starting {
        let id = self.id;
        let start = tokio::spawn(async move {
            let mut result = self.attempt(service).await;
            while let Err(error) = &result
                && self.retries
            {
                tracing::debug!(%error, "retrying the start");
                tokio::time::sleep(START_RETRY_INTERVAL).await;
                result = self.attempt(self.build()).await;
            }
            // The world may have ended meanwhile.
            drop(ended.send(StartEnded { id, result }));
        });
        Starting { id, _start: AbortOnDrop::of(&start) }
    }

    async fn attempt(&self, service: Service) -> Result<Started, WorldError> {
        let instance = self.id;
        let stop = CancellationToken::new();
        let running = run::start(service, &self.ports, &self.policy, &stop).await;
        let running = running.map_err(|source| WorldError::Start { instance, source })?;
        let serving = serve::serve(running.routes.clone()).await;
        let (address, serving) =
            serving.map_err(|source| WorldError::Serve { instance, source: Arc::new(source) })?;
        let serving = AbortOnDrop::of(&tokio::spawn(serving));
        Ok(Started { running, address, serving })
    }
}

impl Instance {
    /// Runs the loops of a started service; a panic in one of them crashes the instance.
    pub(super) fn run(
        id: InstanceId,
        started: Started,
        trace: &Trace,
        faults: &Faults,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let Started { running, address, serving } = started;
        let mut work = vec![serving];
        for (_, service_loop) in running.loops {
            let service_loop = tokio::spawn(service_loop);
            work.push(AbortOnDrop::of(&service_loop));
            let (trace, faults, clock) = (trace.clone(), faults.clone(), Arc::clone(clock));
            tokio::spawn(async move {
                if let Err(end) = service_loop.await
                    && let Ok(panic) = end.try_into_panic()
                {
                    trace.add(clock.now(), Some(id), RecordKind::panic(&*panic));
                    faults.bring_down(id);
                }
            });
        }
        trace.add(clock.now(), Some(id), RecordKind::Start);
        Self { id, address, activity: running.activity, _work: work }
    }
}

/// Aborts a task when it is dropped.
struct AbortOnDrop(AbortHandle);

impl AbortOnDrop {
    fn of(task: &JoinHandle<()>) -> Self {
        Self(task.abort_handle())
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
