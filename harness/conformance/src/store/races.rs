//! Concurrent writers: exactly one obtains what only one can have.

use std::sync::Arc;

use bson::{Bson, Document, doc};
use futures::future::join_all;
use ports::store::{Store, WriteError};

use super::case::{Case, THINGS, duplicate, update, upsert};
use super::indexes::lock;
use crate::outcome::{Outcome, same};

/// The number of concurrent writers.
const WRITERS: i64 = 12;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("exactly one of several concurrent inserts of one id succeeds", inserts),
        Case::new("exactly one of several concurrent inserts of one key succeeds", holders),
        Case::new("exactly one of several concurrent updates of one revision succeeds", revisions),
        Case::new("concurrent upserts insert one document and lose no increment", upserts),
        Case::new("concurrent upserts of increasing versions keep the newest", versions),
        Case::new("concurrent increments are all counted", increments),
        Case::new("concurrent pushes and pulls lose no element", outbox),
        Case::new("concurrent releases and holds never leave two holders", releases),
    ]
}

fn winners<T>(results: &[Result<T, WriteError>], index: &str) -> Outcome<usize>
where
    T: std::fmt::Debug,
{
    for result in results {
        if let Err(error) = result {
            same("a loser", error, &WriteError::Duplicate { index: index.to_owned() })?;
        }
    }
    Ok(results.iter().filter(|result| result.is_ok()).count())
}

async fn inserts(store: Arc<dyn Store>) -> Outcome {
    let writers = (0..WRITERS).map(|n| store.insert(THINGS, doc! { "_id": "a", "n": n }));
    same("the winners", &winners(&join_all(writers).await, "_id_")?, &1)
}

async fn holders(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[lock()]).await?;
    let parcel = |n: i64| doc! { "_id": n.to_string(), "slot": "t", "holding": true };
    let writers = (0..WRITERS).map(|n| store.insert(THINGS, parcel(n)));
    same("the winners", &winners(&join_all(writers).await, "lock")?, &1)
}

async fn revisions(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "revision": 0_i64 }).await?;
    let writers = (0..WRITERS).map(|n| {
        let gate = doc! { "_id": "a", "revision": 0_i64 };
        update(&*store, gate, doc! { "$set": { "by": n }, "$inc": { "revision": 1_i64 } })
    });
    let mut won: Vec<Document> = Vec::new();
    for result in join_all(writers).await {
        won.extend(result?);
    }
    same("the winners", &won.len(), &1)?;
    same("the document", &store.get(THINGS, "a").await?, &won.pop())
}

async fn upserts(store: Arc<dyn Store>) -> Outcome {
    let writers =
        (0..WRITERS).map(|_| upsert(&*store, doc! { "_id": "a" }, doc! { "$inc": { "n": 1_i64 } }));
    let results = join_all(writers).await;
    let counted = i64::try_from(winners(&results, "_id_")?).unwrap_or_default();
    let kept = store.get(THINGS, "a").await?;
    same("the document", &kept, &Some(doc! { "_id": "a", "n": counted }))
}

async fn versions(store: Arc<dyn Store>) -> Outcome {
    let writers = (1..=WRITERS).map(|version| {
        let store = Arc::clone(&store);
        async move {
            let gate = || doc! { "_id": "a", "version": { "$lt": version } };
            let change = || doc! { "$set": { "version": version } };
            let first = upsert(&*store, gate(), change()).await;
            // A duplicate is an equal or newer version, or another's insert of an older one.
            if first == duplicate("_id_") { update(&*store, gate(), change()).await } else { first }
        }
    });
    for result in join_all(writers).await {
        result?;
    }
    let kept = store.get(THINGS, "a").await?;
    same("the document", &kept, &Some(doc! { "_id": "a", "version": WRITERS }))
}

async fn increments(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "n": 0_i64 }).await?;
    let writers =
        (0..WRITERS).map(|_| update(&*store, doc! { "_id": "a" }, doc! { "$inc": { "n": 1_i64 } }));
    for result in join_all(writers).await {
        result?;
    }
    let kept = store.get(THINGS, "a").await?;
    same("the document", &kept, &Some(doc! { "_id": "a", "n": WRITERS }))
}

async fn outbox(store: Arc<dyn Store>) -> Outcome {
    let first: Vec<Bson> = (0..WRITERS).map(|n| doc! { "id": format!("old {n}") }.into()).collect();
    store.insert(THINGS, doc! { "_id": "a", "outbox": first }).await?;
    let writers = (0..WRITERS).flat_map(|n| {
        let push = doc! { "$push": { "outbox": { "$each": [{ "id": format!("new {n:02}") }] } } };
        let pull = doc! { "$pull": { "outbox": { "id": { "$in": [format!("old {n}")] } } } };
        [update(&*store, doc! { "_id": "a" }, push), update(&*store, doc! { "_id": "a" }, pull)]
    });
    for result in join_all(writers).await {
        same("updated", &result?.is_some(), &true)?;
    }
    let kept = store.get(THINGS, "a").await?.unwrap_or_default();
    let left = kept.get_array("outbox").into_iter().flatten();
    let mut left: Vec<String> = left.map(ToString::to_string).collect();
    left.sort_unstable();
    let expected = (0..WRITERS).map(|n| Bson::from(doc! { "id": format!("new {n:02}") }));
    let expected: Vec<String> = expected.map(|event| event.to_string()).collect();
    same("the events left", &left, &expected)
}

async fn releases(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[lock()]).await?;
    store.insert(THINGS, doc! { "_id": "first", "slot": "t", "holding": true }).await?;
    let release = async {
        let change = doc! { "$set": { "holding": false } };
        update(&*store, doc! { "_id": "first" }, change).await
    };
    let parcel = |n: i64| doc! { "_id": n.to_string(), "slot": "t", "holding": true };
    let inserts = join_all((0..WRITERS).map(|n| store.insert(THINGS, parcel(n))));
    let (released, inserted) = futures::future::join(release, inserts).await;
    same("released", &released?.is_some(), &true)?;
    let won = winners(&inserted, "lock")?;
    same("at most one won", &(won <= 1), &true)?;
    let last = store.insert(THINGS, parcel(WRITERS)).await;
    same("the lock afterwards", &last, &if won == 1 { duplicate("lock") } else { Ok(()) })
}
