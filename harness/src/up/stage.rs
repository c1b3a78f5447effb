//! The stage: a world on a thread of its own, as the routes reach it.

use std::io;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::coop::unconstrained;

use super::ask::Ask;
use super::command::{Command, Refused};
use super::feed::Feed;
use super::journal::{Entry, Journal};
use super::live::{Live, Outage, Replied};
use super::playing::Playing;
use crate::subject::AnySubject;
use crate::world::WorldError;

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The system gives no thread or runtime.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A server does not answer, or a service does not start.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The services panicked while they started.
    #[error("the services panicked while they started")]
    Panicked,
}

/// The world.
#[derive(Clone)]
pub(super) struct Stage {
    asks: UnboundedSender<Ask>,
    /// The end of the world, which one caller waits for.
    outage: Arc<Mutex<Option<oneshot::Receiver<Outage>>>>,
}

impl Stage {
    /// Starts a world of this subject, which ends with the last clone of the stage.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub(super) async fn open<S, F>(
        subject: &AnySubject,
        feed: Arc<Feed>,
        journal: Option<(Journal, Vec<Entry>)>,
        start: S,
    ) -> Result<Self, StageError>
    where
        S: FnOnce() -> F + Send + 'static,
        F: Future<Output = Result<Box<dyn Live>, WorldError>>,
    {
        let (asks, asked) = unbounded_channel();
        let (ready, started) = oneshot::channel();
        let (ending, outage) = oneshot::channel();
        let subject = subject.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let run = move || {
            // A simulated world polls its services until none can go on, and a budget of this
            // runtime would stop them at any place.
            runtime.block_on(unconstrained(async {
                let live = match start().await {
                    Ok(live) => live,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                let playing = Playing::new(subject, live, feed, journal).await;
                _ = ready.send(Ok(()));
                if let Err(outage) = playing.run(asked).await {
                    _ = ending.send(outage);
                }
            }));
        };
        thread::Builder::new().name("world".to_owned()).spawn(run)?;
        started.await.map_err(|_| StageError::Panicked)??;
        Ok(Self { asks, outage: Arc::new(Mutex::new(Some(outage))) })
    }

    /// Carries out a command.
    pub(super) async fn command(&self, command: Command) -> Result<(), Refused> {
        self.ask(|answer| Ask::Command(command, answer)).await.ok_or(Refused::Ended)?
    }

    /// Sends a request to the services; `None` from a world that has ended.
    pub(super) async fn request(&self, request: http::Request<Bytes>) -> Option<Replied> {
        self.ask(|answer| Ask::Request(Box::new(request), answer)).await
    }

    /// The documents of all services.
    pub(super) async fn documents(&self) -> Option<Value> {
        self.ask(Ask::Documents).await
    }

    /// Ends the world.
    pub(super) async fn end(&self) {
        _ = self.ask(Ask::End).await;
    }

    /// Waits until the world cannot go on; `None` if it has ended otherwise.
    pub(super) async fn outage(&self) -> Option<Outage> {
        let outage = self.outage.lock().take()?;
        outage.await.ok()
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.asks.send(ask(sender)).ok()?;
        answer.await.ok()
    }
}
