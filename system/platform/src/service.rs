//! The declaration of a service: routes, collections, listeners and background tasks.
//!
//! A service is plain data until [`crate::run::start`] runs it. All of it is public, so that a
//! harness can read what a service owns and consumes without knowing the service.

use std::sync::Arc;

use axum::Router;
use serde::de::DeserializeOwned;

use crate::collection::{Aggregate, Collection, CollectionSpec};
use crate::copy;
use crate::event::EventGroup;
use crate::http::route::{DeclaredRoute, Routes};
use crate::listen::{HandleError, Listener};
use crate::renewal::{self, Renewal, Renewed};
use crate::task::Task;

/// A service, assembled from ports and ready to run.
pub struct Service {
    /// The name of its database, the prefix of its consumers and the source of its events.
    pub name: &'static str,
    /// The path prefixes of its routes, for an ingress; empty for a service without HTTP.
    pub paths: &'static [&'static str],
    /// Its HTTP routes.
    pub routes: Router,
    /// The routes that describe themselves; none for a service of bare routes.
    pub declared: Vec<DeclaredRoute>,
    /// The collections that it owns, in the order in which they are created.
    pub collections: Vec<CollectionSpec>,
    /// Its listeners, in the order in which their consumers are opened.
    pub listeners: Vec<Listener>,
    /// Its background tasks, including the relays of its outboxes.
    pub tasks: Vec<Arc<dyn Task>>,
}

impl Service {
    /// Declares a service with this name and nothing else.
    #[must_use]
    pub fn named(name: &'static str) -> Self {
        Self {
            name,
            paths: &[],
            routes: Router::new(),
            declared: Vec::new(),
            collections: Vec::new(),
            listeners: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// Sets the routes, all of which lie under one of these path prefixes: a table that describes
    /// them, or a bare router.
    #[must_use]
    pub fn routes(self, paths: &'static [&'static str], routes: impl Into<Routes>) -> Self {
        let Routes { served, declared } = routes.into();
        Self { paths, routes: served, declared, ..self }
    }

    /// Adds a collection, and the relay that publishes its events.
    #[must_use]
    pub fn collection<T: Aggregate + 'static>(mut self, collection: &Collection<T>) -> Self {
        self.collections.push(CollectionSpec::of::<T>());
        let relay = collection.relay(self.name);
        self.task(relay)
    }

    /// Publishes the newest events of a collection's documents again before they leave the stream,
    /// and lets the documents leave some time after their end.
    ///
    /// # Panics
    ///
    /// If the collection has not been added.
    #[must_use]
    pub fn renewing<T: Renewed + 'static>(mut self, collection: &Collection<T>) -> Self {
        let spec = self.collections.iter_mut().find(|spec| spec.name == T::COLLECTION);
        spec.expect("the collection was added").indexes.extend(renewal::indexes());
        self.task(Renewal::new(collection.clone(), collection.clock()))
    }

    /// Adds a collection of copies of another service's documents: the payload of each of these
    /// events, read as a `T`, replaces an older version. A `T` may leave out fields, but not the
    /// one with the version.
    #[must_use]
    pub fn copy<P, T: Aggregate + Clone + 'static>(
        mut self,
        events: EventGroup<P>,
        collection: &Collection<T>,
        version: &'static str,
    ) -> Self {
        self.collections.push(CollectionSpec::of::<T>());
        self.listeners.extend(copy::listeners(events, collection, version));
        self
    }

    /// Adds a durable listener for each event type in the group; `handle` receives a clone of
    /// `state` and the decoded payload.
    #[must_use]
    pub fn on<S, P, F>(mut self, events: EventGroup<P>, state: &S, handle: fn(S, P) -> F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        P: DeserializeOwned + 'static,
        F: Future<Output = Result<(), HandleError>> + Send + 'static,
    {
        self.listeners.extend(Listener::durable(events, state, handle));
        self
    }

    /// Adds a listener.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Adds a background task.
    #[must_use]
    pub fn task(mut self, task: impl Task + 'static) -> Self {
        self.tasks.push(Arc::new(task));
        self
    }
}
