//! What a service is: routes, collections, listeners and background tasks.
//!
//! A service is plain data until [`crate::run::start`] runs it, in production, against real
//! servers in a test, or in the simulation.

use std::sync::Arc;

use axum::Router;

use crate::collection::CollectionSpec;
use crate::listen::Listener;
use crate::task::Task;

/// A service, assembled from ports and ready to run.
pub struct Service {
    /// Its name: of its database, its consumers and its events' source.
    pub name: &'static str,
    /// HTTP in.
    pub routes: Router,
    /// The collections it owns.
    pub collections: Vec<CollectionSpec>,
    /// Events in.
    pub listeners: Vec<Listener>,
    /// Background work, the outbox relays among it.
    pub tasks: Vec<Arc<dyn Task>>,
}
