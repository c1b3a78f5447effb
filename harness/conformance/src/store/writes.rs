//! Inserts and reads by id.

use std::sync::Arc;

use bson::{Bson, DateTime, doc};
use ports::store::Store;

use super::case::{Case, THINGS, duplicate, identical, rejected, update};
use crate::outcome::{Outcome, same};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a store responds to ping", |store: Arc<dyn Store>| async move {
            Ok(store.ping().await?)
        }),
        Case::new("an inserted document can be read", got),
        Case::new("a missing document is not found", absent),
        Case::new("a second insert of an id is refused", taken),
        Case::new("two collections may contain the same id", collections),
        Case::new("the id is stored as the first field", id_first),
        Case::new("a document without an id is rejected", |store: Arc<dyn Store>| async move {
            rejected(store.insert(THINGS, doc! { "n": 1 }).await)
        }),
        Case::new("an id that is not a string is rejected", |store: Arc<dyn Store>| async move {
            rejected(store.insert(THINGS, doc! { "_id": 1 }).await)
        }),
        Case::new("a read observes the latest write", newest),
        Case::new("an update that matches no document changes nothing", update_of_nothing),
    ]
}

async fn got(store: Arc<dyn Store>) -> Outcome {
    let document = doc! {
        "_id": "a", "text": "ä", "whole": 1, "long": 2_i64, "real": 1.5, "yes": true,
        "nothing": Bson::Null, "time": DateTime::from_millis(1_234),
        "list": [1, "two", { "three": 3 }, []], "inner": { "b": 1, "a": {} },
    };
    store.insert(THINGS, document.clone()).await?;
    identical("the document", store.get(THINGS, "a").await?, &document)
}

async fn absent(store: Arc<dyn Store>) -> Outcome {
    same("in no collection", &store.get(THINGS, "a").await?, &None)?;
    store.insert(THINGS, doc! { "_id": "a" }).await?;
    same("in a collection", &store.get(THINGS, "b").await?, &None)
}

async fn taken(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "n": 1 }).await?;
    let again = store.insert(THINGS, doc! { "_id": "a", "n": 2 }).await;
    same("the second insert", &again, &duplicate("_id_"))?;
    let kept = store.get(THINGS, "a").await?;
    identical("the document", kept, &doc! { "_id": "a", "n": 1 })
}

async fn collections(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "n": 1 }).await?;
    store.insert("others", doc! { "_id": "a", "n": 2 }).await?;
    let kept = store.get("others", "a").await?;
    identical("the other document", kept, &doc! { "_id": "a", "n": 2 })
}

async fn id_first(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "b": 1, "_id": "a", "a": 2 }).await?;
    let kept = store.get(THINGS, "a").await?;
    identical("the document", kept, &doc! { "_id": "a", "b": 1, "a": 2 })
}

async fn newest(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "n": 0 }).await?;
    for n in 1..20 {
        update(&*store, doc! { "_id": "a" }, doc! { "$set": { "n": n } }).await?;
        let kept = store.get(THINGS, "a").await?;
        identical("the document", kept, &doc! { "_id": "a", "n": n })?;
    }
    Ok(())
}

async fn update_of_nothing(store: Arc<dyn Store>) -> Outcome {
    let updated = update(&*store, doc! { "_id": "a" }, doc! { "$set": { "n": 1 } }).await?;
    same("the update", &updated, &None)?;
    same("the document", &store.get(THINGS, "a").await?, &None)
}
