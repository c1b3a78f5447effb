//! Updates of several documents: which documents change, and how a refusal in between ends.

use std::sync::Arc;

use bson::{Document, doc};
use ports::store::{Store, WriteError};

use super::case::{Case, THINGS, identical, insert_all, rejected};
use crate::outcome::{Outcome, same};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("an update of several changes exactly those with its ids", changes_its_ids),
        Case::new("an update of several without ids changes nothing", changes_none),
        Case::new("an id that occurs twice counts once", counts_once),
        Case::new("a document that a change leaves as it is counts too", counts_unchanged),
        Case::new("an unknown operator is rejected without a document to change", unknown_operator),
        Case::new("the documents before one that refuses stay changed", stops_at_a_refusal),
        Case::new("several outboxes are cleared of what was published", clears_outboxes),
    ]
}

async fn update(store: &dyn Store, ids: &[&str], change: Document) -> Result<u64, WriteError> {
    let ids: Vec<String> = ids.iter().map(|&id| id.to_owned()).collect();
    store.update_many(THINGS, &ids, change).await
}

async fn is_stored(store: &dyn Store, expected: Document) -> Outcome {
    let id = expected.get_str("_id").unwrap_or_default();
    identical("the stored document", store.get(THINGS, id).await?, &expected)
}

async fn changes_its_ids(store: Arc<dyn Store>) -> Outcome {
    let store = &*store;
    insert_all(store, ["a", "b", "c"].map(|id| doc! { "_id": id, "x": 1 })).await?;
    let updated = update(store, &["c", "a", "d"], doc! { "$inc": { "x": 1 } }).await?;
    same("the number of documents", &updated, &2)?;
    is_stored(store, doc! { "_id": "a", "x": 2 }).await?;
    is_stored(store, doc! { "_id": "b", "x": 1 }).await?;
    is_stored(store, doc! { "_id": "c", "x": 2 }).await?;
    same("the document of the unknown id", &store.get(THINGS, "d").await?, &None)
}

async fn changes_none(store: Arc<dyn Store>) -> Outcome {
    insert_all(&*store, [doc! { "_id": "a", "x": 1 }]).await?;
    let updated = update(&*store, &[], doc! { "$set": { "x": 2 } }).await?;
    same("the number of documents", &updated, &0)?;
    is_stored(&*store, doc! { "_id": "a", "x": 1 }).await
}

async fn counts_once(store: Arc<dyn Store>) -> Outcome {
    insert_all(&*store, [doc! { "_id": "a", "x": 1 }]).await?;
    let updated = update(&*store, &["a", "a"], doc! { "$inc": { "x": 1 } }).await?;
    same("the number of documents", &updated, &1)?;
    is_stored(&*store, doc! { "_id": "a", "x": 2 }).await
}

async fn counts_unchanged(store: Arc<dyn Store>) -> Outcome {
    insert_all(&*store, [doc! { "_id": "a", "x": [1] }, doc! { "_id": "b" }]).await?;
    let updated = update(&*store, &["a", "b"], doc! { "$pull": { "x": 2 } }).await?;
    same("the number of documents", &updated, &2)?;
    is_stored(&*store, doc! { "_id": "b" }).await
}

async fn unknown_operator(store: Arc<dyn Store>) -> Outcome {
    rejected(update(&*store, &["a"], doc! { "$reverse": { "x": 1 } }).await)?;
    rejected(update(&*store, &["a"], Document::new()).await)
}

async fn stops_at_a_refusal(store: Arc<dyn Store>) -> Outcome {
    let store = &*store;
    let things = [doc! { "_id": "a", "x": [1] }, doc! { "_id": "b", "x": 1 }, doc! { "_id": "c" }];
    insert_all(store, things).await?;
    let change = doc! { "$push": { "x": 2 } };
    rejected(update(store, &["c", "b", "a"], change).await)?;
    is_stored(store, doc! { "_id": "a", "x": [1, 2] }).await?;
    is_stored(store, doc! { "_id": "b", "x": 1 }).await?;
    is_stored(store, doc! { "_id": "c" }).await
}

async fn clears_outboxes(store: Arc<dyn Store>) -> Outcome {
    let store = &*store;
    let outbox = |id: &str, events: &[&str]| {
        let events: Vec<Document> = events.iter().map(|event| doc! { "id": *event }).collect();
        doc! { "_id": id, "outbox": events }
    };
    insert_all(store, [outbox("a", &["1", "2"]), outbox("b", &["3"])]).await?;
    let published = doc! { "$in": ["1", "3"] };
    let change = doc! { "$pull": { "outbox": { "id": published } } };
    same("the number of documents", &update(store, &["a", "b"], change).await?, &2)?;
    is_stored(store, outbox("a", &["2"])).await?;
    is_stored(store, outbox("b", &[])).await
}
