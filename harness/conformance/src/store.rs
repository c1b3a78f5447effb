//! What a store promises: cases that MongoDB and its simulation both pass.
//!
//! Each case runs on an empty database of its own. Where the two could differ, MongoDB is
//! right, and a case says what it does. The cases name no service; they are the rules that
//! services rely on.

mod filters;
mod indexes;
mod ordering;
mod paths;
mod races;
mod updates;
mod upserts;
mod writes;

use std::fmt::Debug;
use std::sync::Arc;

use bson::{Document, doc};
use futures::future::BoxFuture;
use ports::store::{Find, ReadError, Store, Update, WriteError};

/// The collection that most cases use.
const THINGS: &str = "things";

/// How a case ends.
pub type Outcome = Result<(), Failure>;

/// What a store did against the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Something else was expected.
    #[error("{0}")]
    Differs(String),
    /// A read failed that should not.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A write failed that should not.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// One rule, and how to see whether a store keeps it.
pub struct Case {
    /// The rule, as a sentence.
    pub name: &'static str,
    run: Box<dyn Fn(Arc<dyn Store>) -> BoxFuture<'static, Outcome> + Send + Sync>,
}

impl Case {
    /// Tries the rule on this store, whose database must be empty.
    pub fn run(&self, store: Arc<dyn Store>) -> BoxFuture<'static, Outcome> {
        (self.run)(store)
    }

    fn new<F>(name: &'static str, run: impl Fn(Arc<dyn Store>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        Self { name, run: Box::new(move |store| Box::pin(run(store))) }
    }

    /// The filter finds these of the documents.
    fn finds(
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

    /// The filter is refused, even where there is no document.
    fn refuses_filter(name: &'static str, filter: Document) -> Self {
        Self::new(name, move |store| {
            let filter = filter.clone();
            async move {
                let found = store.find(THINGS, Find { filter, ..Find::default() }).await;
                same("rejected", &matches!(found, Err(ReadError::Rejected(_))), &true)
            }
        })
    }

    /// The change makes the one document into the other.
    fn changes(name: &'static str, before: Document, change: Document, after: Document) -> Self {
        Self::new(name, move |store| {
            let (before, change, after) = (before.clone(), change.clone(), after.clone());
            async move {
                let id = before.get_str("_id").unwrap_or_default().to_owned();
                store.insert(THINGS, before).await?;
                let returned = update(&*store, doc! { "_id": &id }, change).await?;
                identical("the document returned", returned.as_ref(), &after)?;
                identical("the document kept", store.get(THINGS, &id).await?.as_ref(), &after)
            }
        })
    }

    /// The change is refused, and the document stays as it is.
    fn refuses_change(name: &'static str, before: Document, change: Document) -> Self {
        Self::new(name, move |store| {
            let (before, change) = (before.clone(), change.clone());
            async move {
                let id = before.get_str("_id").unwrap_or_default().to_owned();
                store.insert(THINGS, before.clone()).await?;
                let refused = update(&*store, doc! { "_id": &id }, change).await;
                same("rejected", &matches!(refused, Err(WriteError::Rejected(_))), &true)?;
                identical("the document kept", store.get(THINGS, &id).await?.as_ref(), &before)
            }
        })
    }
}

/// All cases.
pub fn cases() -> Vec<Case> {
    let rooms = [
        writes::cases(),
        filters::cases(),
        paths::cases(),
        updates::cases(),
        upserts::cases(),
        indexes::cases(),
        ordering::cases(),
        races::cases(),
    ];
    rooms.into_iter().flatten().collect()
}

async fn insert_all(store: &dyn Store, documents: Vec<Document>) -> Result<(), WriteError> {
    for document in documents {
        store.insert(THINGS, document).await?;
    }
    Ok(())
}

async fn update(
    store: &dyn Store,
    filter: Document,
    change: Document,
) -> Result<Option<Document>, WriteError> {
    store.update(THINGS, Update { filter, change, upsert: false }).await
}

async fn upsert(
    store: &dyn Store,
    filter: Document,
    change: Document,
) -> Result<Option<Document>, WriteError> {
    store.update(THINGS, Update { filter, change, upsert: true }).await
}

fn ids_of(documents: &[Document]) -> Vec<&str> {
    documents.iter().map(|document| document.get_str("_id").unwrap_or("?")).collect()
}

fn duplicate<T>(index: &str) -> Result<T, WriteError> {
    Err(WriteError::Duplicate { index: index.to_owned() })
}

fn same<T: PartialEq + Debug>(what: &str, actual: &T, expected: &T) -> Outcome {
    if actual == expected {
        return Ok(());
    }
    Err(Failure::Differs(format!("{what}: {actual:?}, expected {expected:?}")))
}

/// The same fields with the same types, in the same order.
fn identical(what: &str, actual: Option<&Document>, expected: &Document) -> Outcome {
    let actual = actual.map_or_else(|| "none".to_owned(), |found| format!("{found:?}"));
    same(what, &actual, &format!("{expected:?}"))
}
