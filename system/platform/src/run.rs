//! Starts a service: creates its collections and streams, opens its consumers, and turns
//! listeners and tasks into loops for the caller to spawn.
//!
//! It spawns nothing itself, so production, tests on real servers and the simulation run the
//! same code. Next: `consumer.rs` and [`crate::task`], the two kinds of loop.

use std::sync::Arc;

use axum::Router;
use futures::future::{BoxFuture, try_join, try_join_all};
use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::consumer::ConsumerLoop;
use crate::metrics::Metrics;
use crate::service::Service;
use crate::{http, task};
use ports::Ports;
use ports::bus::BusError;
use ports::store::WriteError;

pub use crate::policy::{Policy, RetentionError};

/// A failed start. Starting again is safe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A collection or one of its indexes could not be created.
    #[error("the collection {collection} could not be created")]
    Collection {
        /// The collection.
        collection: &'static str,
        /// The failed write.
        source: WriteError,
    },
    /// The policy contradicts itself.
    #[error(transparent)]
    Retention(#[from] RetentionError),
    /// The streams or a consumer could not be created.
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// A started service. Dropping the loops stops it at once, as a crash does; cancelling the
/// token lets each loop finish the work in flight.
pub struct Running {
    /// The service's name.
    pub name: &'static str,
    /// Its routes, instrumented.
    pub routes: Router,
    /// Its outstanding work.
    pub activity: Arc<Activity>,
    /// Its counters.
    pub metrics: Arc<Metrics>,
    /// Its consumer loops and tasks, by name. None of them makes progress until it is spawned.
    pub loops: Vec<(String, BoxFuture<'static, ()>)>,
}

/// Creates the streams, collections and consumers of a service, replays the backlog of its
/// broadcast consumers, and returns the loops to spawn.
pub async fn start(
    service: Service,
    ports: &Ports,
    policy: &Policy,
    stop: &CancellationToken,
) -> Result<Running, StartError> {
    policy.check()?;
    let collections = service.collections.iter().map(|spec| async {
        let ensured = ports.store.ensure(spec.name, &spec.indexes).await;
        ensured.map_err(|source| StartError::Collection { collection: spec.name, source })
    });
    let streams = async { ports.bus.ensure().await.map_err(StartError::from) };
    try_join(try_join_all(collections), streams).await?;

    let activity = Arc::new(Activity::default());
    let mut metrics = Metrics::new(service.name, &activity);
    let consumers = service.listeners.into_iter().map(|listener| {
        let name = listener.consumer(service.name);
        let consumer = ConsumerLoop {
            deliveries: metrics.consumer(&name),
            name,
            listener,
            ports: ports.clone(),
            policy: policy.clone(),
            activity: Arc::clone(&activity),
            stop: stop.clone(),
        };
        async {
            let subscription = consumer.open().await?;
            Ok::<_, StartError>((consumer, subscription))
        }
    });
    let mut loops: Vec<(String, BoxFuture<'static, ()>)> = Vec::new();
    let opening: Vec<_> = consumers.collect();
    for (consumer, subscription) in try_join_all(opening).await? {
        loops.push((consumer.name.clone(), Box::pin(consumer.run(subscription))));
    }
    for task in service.tasks {
        let name = task.name();
        activity.add_task(&name, task.wake());
        task.configure(policy);
        if let Some((collection, figures)) = task.relay() {
            metrics.relay(collection, figures);
        }
        task.abandoned().into_iter().for_each(|abandoned| metrics.abandoned(abandoned));
        let (clock, activity) = (Arc::clone(&ports.clock), Arc::clone(&activity));
        let run = task::run(task, clock, activity, policy.sweep, stop.clone());
        loops.push((name, Box::pin(run)));
    }
    let metrics = Arc::new(metrics);
    Ok(Running {
        name: service.name,
        routes: http::instrumented(service.routes, ports, &activity, &metrics),
        activity,
        metrics,
        loops,
    })
}
