//! The clients of a run as the engine holds them, without their type.

use std::any::Any;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use ports::Timestamp;

use super::clients::{Clients, Unprepared};
use super::operation::AnyOperation;
use crate::evidence::{Documents, Facts};
use crate::world::{Reply, World};

/// The clients of a run, without their type.
#[async_trait(?Send)]
pub trait AnyClients {
    /// The clients, to be downcast.
    fn any(&self) -> &dyn Any;
    /// The clients, to be downcast and changed.
    fn any_mut(&mut self) -> &mut dyn Any;
    /// As [`Clients::prepare`].
    async fn prepare(
        &mut self,
        clients: &[String],
        world: &mut dyn World,
    ) -> Result<(), Unprepared>;
    /// As [`Clients::is_prepared`].
    fn is_prepared(&self, client: &str) -> bool;
    /// As [`Clients::context`].
    fn context(&self, operation: &AnyOperation, now: Timestamp) -> Option<Box<dyn Any>>;
    /// As [`Clients::arrange`].
    fn arrange(&mut self, operation: &AnyOperation, now: Timestamp) -> bool;
    /// As [`Clients::request`].
    fn request(&self, operation: &AnyOperation) -> Option<Request<Bytes>>;
    /// As [`Clients::learn`].
    fn learn(&mut self, operation: &AnyOperation, reply: &Reply, now: Timestamp);
    /// As [`Clients::heal`].
    fn heal(&mut self);
    /// As [`Clients::unfinished`].
    fn unfinished(&self, documents: &Documents, now: Timestamp) -> Option<Duration>;
    /// As [`Clients::survey`].
    async fn survey(&mut self, facts: &Facts, world: &mut dyn World);
}

#[async_trait(?Send)]
impl<C: Clients> AnyClients for C {
    fn any(&self) -> &dyn Any {
        self
    }

    fn any_mut(&mut self) -> &mut dyn Any {
        self
    }

    async fn prepare(
        &mut self,
        clients: &[String],
        world: &mut dyn World,
    ) -> Result<(), Unprepared> {
        Clients::prepare(self, clients, world).await
    }

    fn is_prepared(&self, client: &str) -> bool {
        Clients::is_prepared(self, client)
    }

    fn context(&self, operation: &AnyOperation, now: Timestamp) -> Option<Box<dyn Any>> {
        let operation = operation.downcast()?;
        Some(Box::new(Clients::context(self, operation, now)))
    }

    fn arrange(&mut self, operation: &AnyOperation, now: Timestamp) -> bool {
        operation.downcast().is_some_and(|operation| Clients::arrange(self, operation, now))
    }

    fn request(&self, operation: &AnyOperation) -> Option<Request<Bytes>> {
        Clients::request(self, operation.downcast()?)
    }

    fn learn(&mut self, operation: &AnyOperation, reply: &Reply, now: Timestamp) {
        if let Some(operation) = operation.downcast() {
            Clients::learn(self, operation, reply, now);
        }
    }

    fn heal(&mut self) {
        Clients::heal(self);
    }

    fn unfinished(&self, documents: &Documents, now: Timestamp) -> Option<Duration> {
        Clients::unfinished(self, documents, now)
    }

    async fn survey(&mut self, facts: &Facts, world: &mut dyn World) {
        Clients::survey(self, facts, world).await;
    }
}
