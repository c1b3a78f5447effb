//! A case of the store contract, and the vocabulary that cases are written in.

use std::fmt;
use std::sync::Arc;

use bson::{Document, doc};
use futures::future::BoxFuture;
use ports::clock::Clock;
use ports::store::{Find, ReadError, Store, Update, WriteError};

use crate::outcome::{Outcome, holds, same};

/// The collection that most cases use.
pub(super) const THINGS: &str = "things";

/// Checks a rule on a store, whose time is that of the clock.
type Check = dyn Fn(Arc<dyn Store>, Arc<dyn Clock>) -> BoxFuture<'static, Outcome> + Send + Sync;

/// One rule of the contract, and the way to check it.
pub struct Case {
    /// The rule as a sentence.
    pub name: &'static str,
    run: Box<Check>,
}

impl Case {
    /// Checks the rule on this store, whose database must be empty, and whose time is that of this
    /// clock.
    ///
    /// # Errors
    ///
    /// When the adapter deviates from the rule.
    pub async fn run(&self, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
        (self.run)(store, clock).await
    }

    /// A case in which time passes.
    pub(super) fn timed<F>(
        name: &'static str,
        run: impl Fn(Arc<dyn Store>, Arc<dyn Clock>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        Self { name, run: Box::new(move |store, clock| Box::pin(run(store, clock))) }
    }

    pub(super) fn new<F>(
        name: &'static str,
        run: impl Fn(Arc<dyn Store>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        Self { name, run: Box::new(move |store, _| Box::pin(run(store))) }
    }

    /// The filter finds these documents.
    pub(super) fn finds(
        name: &'static str,
        documents: Vec<Document>,
        filter: Document,
        ids: &'static [&'static str],
    ) -> Self {
        Self::new(name, move |store| {
            let (documents, filter) = (documents.clone(), filter.clone());
            async move {
                insert_all(&*store, documents).await?;
                let found = store.find(THINGS, Find { filter, ..Find::default() }).await?;
                let mut found = ids_of(&found);
                found.sort_unstable();
                same("the documents found", &found, &ids.to_vec())
            }
        })
    }

    /// The filter is rejected, even where there is no document.
    pub(super) fn rejects_filter(name: &'static str, filter: Document) -> Self {
        Self::new(name, move |store| {
            let filter = filter.clone();
            async move { rejected_read(store.find(THINGS, Find { filter, ..Find::default() }).await) }
        })
    }

    /// The change turns one document into the other.
    pub(super) fn changes(
        name: &'static str,
        before: Document,
        change: Document,
        after: Document,
    ) -> Self {
        Self::new(name, move |store| {
            let (before, change, after) = (before.clone(), change.clone(), after.clone());
            async move {
                let id = before.get_str("_id").unwrap_or_default().to_owned();
                store.insert(THINGS, before).await?;
                let returned = update(&*store, doc! { "_id": &id }, change).await?;
                identical("the returned document", returned, &after)?;
                identical("the stored document", store.get(THINGS, &id).await?, &after)
            }
        })
    }

    /// The change is rejected, and the document stays as it is.
    pub(super) fn rejects_change(name: &'static str, before: Document, change: Document) -> Self {
        Self::new(name, move |store| {
            let (before, change) = (before.clone(), change.clone());
            async move {
                let id = before.get_str("_id").unwrap_or_default().to_owned();
                store.insert(THINGS, before.clone()).await?;
                rejected(update(&*store, doc! { "_id": &id }, change).await)?;
                identical("the stored document", store.get(THINGS, &id).await?, &before)
            }
        })
    }
}

/// A document that equals another only with the same types and the same order of fields.
#[derive(Clone)]
pub struct Exact(pub Document);

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.0.to_vec(), other.0.to_vec()), (Ok(own), Ok(other)) if own == other)
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

pub(super) async fn insert_all(
    store: &dyn Store,
    documents: impl IntoIterator<Item = Document>,
) -> Result<(), WriteError> {
    for document in documents {
        store.insert(THINGS, document).await?;
    }
    Ok(())
}

pub(super) async fn update(
    store: &dyn Store,
    filter: Document,
    change: Document,
) -> Result<Option<Document>, WriteError> {
    store.update(THINGS, Update { filter, change, upsert: false }).await
}

pub(super) async fn upsert(
    store: &dyn Store,
    filter: Document,
    change: Document,
) -> Result<Option<Document>, WriteError> {
    store.update(THINGS, Update { filter, change, upsert: true }).await
}

pub(super) fn ids_of(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.get_str("_id").unwrap_or("?")).collect()
}

pub(super) fn duplicate<T>(index: &str) -> Result<T, WriteError> {
    Err(WriteError::Duplicate { index: index.to_owned() })
}

/// Fails unless the write was rejected.
pub(super) fn rejected<T: fmt::Debug>(written: Result<T, WriteError>) -> Outcome {
    let rejected = matches!(written, Err(WriteError::Rejected(_)));
    holds(rejected, || format!("found {written:?}, expected a rejection"))
}

/// Fails unless the read was rejected.
pub(super) fn rejected_read<T: fmt::Debug>(read: Result<T, ReadError>) -> Outcome {
    let rejected = matches!(read, Err(ReadError::Rejected(_)));
    holds(rejected, || format!("found {read:?}, expected a rejection"))
}

/// Fails unless the document is found with the same types and order of fields.
pub(super) fn identical(name: &str, found: Option<Document>, expected: &Document) -> Outcome {
    same(name, &found.map(Exact), &Some(Exact(expected.clone())))
}
