//! Writes and publishes that finish although their caller crashes.
//!
//! A crash aborts the tasks of an instance. A call that has left for a server takes effect there
//! all the same; were it aborted with its task, its record would be missing from the trace, and a
//! run would be judged without a version that others have read.

use std::panic;
use std::sync::Arc;

use async_trait::async_trait;
use bson::Document;
use ports::Ports;
use ports::bus::{
    Bus, BusError, Consumer, Message, Pending, PublishError, Published, Stream, StreamState,
    Subscription,
};
use ports::causality::Causality;
use ports::store::{Find, Index, ReadError, Store, Update, WriteError};

/// Decorates recorded ports so that every effect on a server is recorded.
pub(super) fn decorate(recorded: Ports) -> Ports {
    Ports {
        store: Arc::new(Finished(recorded.store)),
        bus: Arc::new(Finished(recorded.bus)),
        ..recorded
    }
}

struct Finished<P: ?Sized>(Arc<P>);

/// Runs a call in a task of its own, under the origin of its caller.
async fn finish<T: Send + 'static>(call: impl Future<Output = T> + Send + 'static) -> T {
    let task = match Causality::current() {
        Some(origin) => tokio::spawn(Causality::clone(&origin).scope(call)),
        None => tokio::spawn(call),
    };
    task.await.unwrap_or_else(|error| panic::resume_unwind(error.into_panic()))
}

#[async_trait]
impl Store for Finished<dyn Store> {
    async fn ensure(&self, collection: &str, indexes: &[Index]) -> Result<(), WriteError> {
        self.0.ensure(collection, indexes).await
    }

    async fn insert(&self, collection: &str, document: Document) -> Result<(), WriteError> {
        let (store, collection) = (Arc::clone(&self.0), collection.to_owned());
        finish(async move { store.insert(&collection, document).await }).await
    }

    async fn get(&self, collection: &str, id: &str) -> Result<Option<Document>, ReadError> {
        self.0.get(collection, id).await
    }

    async fn find(&self, collection: &str, find: Find) -> Result<Vec<Document>, ReadError> {
        self.0.find(collection, find).await
    }

    async fn update(
        &self,
        collection: &str,
        update: Update,
    ) -> Result<Option<Document>, WriteError> {
        let (store, collection) = (Arc::clone(&self.0), collection.to_owned());
        finish(async move { store.update(&collection, update).await }).await
    }

    async fn update_many(
        &self,
        collection: &str,
        ids: &[String],
        change: Document,
    ) -> Result<u64, WriteError> {
        let (store, collection, ids) = (Arc::clone(&self.0), collection.to_owned(), ids.to_vec());
        finish(async move { store.update_many(&collection, &ids, change).await }).await
    }

    async fn ping(&self) -> Result<(), ReadError> {
        self.0.ping().await
    }
}

#[async_trait]
impl Bus for Finished<dyn Bus> {
    async fn ensure(&self) -> Result<(), BusError> {
        self.0.ensure().await
    }

    async fn publish(&self, stream: Stream, message: Message) -> Result<Published, PublishError> {
        let bus = Arc::clone(&self.0);
        finish(async move { bus.publish(stream, message).await }).await
    }

    async fn subscribe(&self, consumer: Consumer) -> Result<Box<dyn Subscription>, BusError> {
        self.0.subscribe(consumer).await
    }

    async fn remove(&self, stream: Stream, sequence: u64) -> Result<bool, BusError> {
        let bus = Arc::clone(&self.0);
        finish(async move { bus.remove(stream, sequence).await }).await
    }

    async fn state(&self, stream: Stream) -> Result<StreamState, BusError> {
        self.0.state(stream).await
    }

    async fn pending(&self) -> Result<Vec<Pending>, BusError> {
        self.0.pending().await
    }

    async fn ping(&self) -> Result<(), BusError> {
        self.0.ping().await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_call_finishes_under_its_origin_although_its_caller_is_aborted() {
        let (begin, began) = oneshot::channel();
        let (answer, answered) = oneshot::channel::<()>();
        let (record, recorded) = oneshot::channel();
        let origin = Causality { correlation: "0f".repeat(16), cause: "a request".to_owned() };
        let caller = tokio::spawn(origin.clone().scope(finish(async move {
            begin.send(()).expect("the test waits");
            answered.await.expect("the server answers");
            record.send(Causality::current()).expect("the test waits");
        })));
        began.await.expect("the call begins");
        caller.abort();
        assert!(caller.await.is_err_and(|error| error.is_cancelled()));
        answer.send(()).expect("the call goes on");
        let recorded = tokio::time::timeout(Duration::from_secs(10), recorded).await;
        assert_eq!(
            recorded.expect("it is recorded").expect("it finishes").as_deref(),
            Some(&origin)
        );
    }
}
