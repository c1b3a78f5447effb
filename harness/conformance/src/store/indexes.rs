//! Indexes: what may not be together.

use std::sync::Arc;

use bson::{Bson, Document, doc};
use futures::future::join_all;
use ports::store::{Find, Index, Store, WriteError};

use super::{Case, Outcome, THINGS, duplicate, insert_all, same, update, upsert};

const EMAIL: Index = Index { name: "email", keys: &["email"], unique: true, partial: None };
const FENCE: Index =
    Index { name: "fence", keys: &["slot", "number"], unique: true, partial: None };
const WAITING: Index = Index { name: "outbox", keys: &["outbox.id"], unique: false, partial: None };
const TAGS: Index = Index { name: "tags", keys: &["tags"], unique: true, partial: None };

/// The lock: one document that holds for each slot.
pub(super) fn lock() -> Index {
    let partial = Some(doc! { "holding": true });
    Index { name: "lock", keys: &["slot"], unique: true, partial }
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a unique index refuses a second document with the key", unique),
        Case::new("a unique index refuses an update onto a taken key", unique_update),
        Case::new("a key is free once its document has left it", freed),
        Case::new("an update that keeps its own key is allowed", own_key),
        Case::new("equal numbers of different types are one key", numbers),
        Case::new("missing and null are one key", missing),
        Case::new("a compound key is taken only as a whole", compound),
        Case::new("only holding documents are in the lock's index", held_once),
        Case::new("releasing frees the lock, and holding again needs it free", release),
        Case::new("an upsert can be refused by a unique index", upserted),
        Case::new("a partial index on existence leaves out what is missing", existing),
        Case::new("of two unique indexes the broken one is named", two_indexes),
        Case::new("where the id and a key are taken, the id is named", id_first),
        Case::new("a unique index on an array takes each element", multikey),
        Case::new("a document may repeat a key within itself", repeated),
        Case::new("a refused write leaves no key behind", nothing_left),
        Case::new("an index over two arrays refuses the document", parallel),
        Case::new("ensure can be repeated", repeat),
        Case::new("ensure of no indexes can be repeated", no_indexes),
        Case::new("ensure by several instances at once succeeds for all", at_once),
        Case::new("ensure adds an index to those that are there", adds),
        Case::new("ensure names the unique index that the documents break", broken),
        Case::new("ensure rejects an index of the same name with other keys", other_keys),
        Case::new("ensure rejects the same index under another name", other_name),
        Case::new("an index that is not unique refuses nothing", not_unique),
    ]
}

fn things(documents: impl IntoIterator<Item = Document>) -> Vec<Document> {
    documents.into_iter().collect()
}

async fn unique(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    store.insert(THINGS, doc! { "_id": "a", "email": "x" }).await?;
    let second = store.insert(THINGS, doc! { "_id": "b", "email": "x" }).await;
    same("the second", &second, &duplicate("email"))?;
    same("the document", &store.get(THINGS, "b").await?, &None)?;
    Ok(store.insert(THINGS, doc! { "_id": "b", "email": "y" }).await?)
}

async fn unique_update(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    let both = [doc! { "_id": "a", "email": "x" }, doc! { "_id": "b", "email": "y" }];
    insert_all(&*store, things(both)).await?;
    let change = doc! { "$set": { "email": "x", "n": 1 } };
    let updated = update(&*store, doc! { "_id": "b" }, change).await;
    same("the update", &updated, &duplicate("email"))?;
    let kept = store.get(THINGS, "b").await?;
    same("the document", &kept, &Some(doc! { "_id": "b", "email": "y" }))
}

async fn freed(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    store.insert(THINGS, doc! { "_id": "a", "email": "x" }).await?;
    update(&*store, doc! { "_id": "a" }, doc! { "$set": { "email": "y" } }).await?;
    Ok(store.insert(THINGS, doc! { "_id": "b", "email": "x" }).await?)
}

async fn own_key(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    store.insert(THINGS, doc! { "_id": "a", "email": "x" }).await?;
    let change = doc! { "$set": { "email": "x", "n": 1 } };
    let updated = update(&*store, doc! { "_id": "a" }, change).await?;
    same("updated", &updated.is_some(), &true)
}

async fn numbers(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    store.insert(THINGS, doc! { "_id": "a", "email": 1 }).await?;
    let long = store.insert(THINGS, doc! { "_id": "b", "email": 1_i64 }).await;
    same("as a long", &long, &duplicate("email"))?;
    let real = store.insert(THINGS, doc! { "_id": "b", "email": 1.0 }).await;
    same("as a double", &real, &duplicate("email"))?;
    Ok(store.insert(THINGS, doc! { "_id": "b", "email": "1" }).await?)
}

async fn missing(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    store.insert(THINGS, doc! { "_id": "a" }).await?;
    let null = store.insert(THINGS, doc! { "_id": "b", "email": Bson::Null }).await;
    same("null beside missing", &null, &duplicate("email"))
}

async fn compound(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[FENCE]).await?;
    let apart = [
        doc! { "_id": "a", "slot": "t", "number": 1_i64 },
        doc! { "_id": "b", "slot": "t", "number": 3_i64 },
        doc! { "_id": "c", "slot": "u", "number": 1_i64 },
    ];
    insert_all(&*store, things(apart)).await?;
    let taken = store.insert(THINGS, doc! { "_id": "d", "slot": "t", "number": 3_i64 }).await;
    same("the taken key", &taken, &duplicate("fence"))
}

async fn held_once(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[lock()]).await?;
    let allowed = [
        doc! { "_id": "a", "slot": "t", "holding": true },
        doc! { "_id": "b", "slot": "t", "holding": false },
        doc! { "_id": "c", "slot": "t", "holding": false },
        doc! { "_id": "d", "slot": "t" },
        doc! { "_id": "e", "slot": "u", "holding": true },
    ];
    insert_all(&*store, things(allowed)).await?;
    let second = doc! { "_id": "f", "slot": "t", "holding": true };
    same("a second holder", &store.insert(THINGS, second).await, &duplicate("lock"))
}

async fn release(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[lock()]).await?;
    store.insert(THINGS, doc! { "_id": "a", "slot": "t", "holding": true }).await?;
    let next = doc! { "_id": "b", "slot": "t", "holding": true };
    same("while held", &store.insert(THINGS, next.clone()).await, &duplicate("lock"))?;
    update(&*store, doc! { "_id": "a" }, doc! { "$set": { "holding": false } }).await?;
    store.insert(THINGS, next).await?;
    let again = update(&*store, doc! { "_id": "a" }, doc! { "$set": { "holding": true } }).await;
    same("holding again", &again, &duplicate("lock"))
}

async fn upserted(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[lock()]).await?;
    store.insert(THINGS, doc! { "_id": "a", "slot": "t", "holding": true }).await?;
    let change = doc! { "$set": { "slot": "t", "holding": true } };
    let refused = upsert(&*store, doc! { "_id": "b" }, change).await;
    same("the upsert", &refused, &duplicate("lock"))
}

async fn existing(store: Arc<dyn Store>) -> Outcome {
    let partial = Some(doc! { "email": { "$exists": true } });
    store.ensure(THINGS, &[Index { partial, ..EMAIL }]).await?;
    let allowed = [doc! { "_id": "a" }, doc! { "_id": "b" }, doc! { "_id": "c", "email": "x" }];
    insert_all(&*store, things(allowed)).await?;
    let second = store.insert(THINGS, doc! { "_id": "d", "email": "x" }).await;
    same("the second", &second, &duplicate("email"))
}

async fn two_indexes(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL, lock(), FENCE]).await?;
    let first = doc! { "_id": "a", "email": "x", "slot": "t", "number": 1, "holding": true };
    store.insert(THINGS, first).await?;
    let broken = [
        ("email", doc! { "email": "x", "slot": "u", "number": 1, "holding": true }),
        ("lock", doc! { "email": "y", "slot": "t", "number": 2, "holding": true }),
        ("fence", doc! { "email": "y", "slot": "t", "number": 1, "holding": false }),
        ("email", doc! { "email": "x", "slot": "t", "number": 1, "holding": true }),
        ("lock", doc! { "email": "y", "slot": "t", "number": 1, "holding": true }),
    ];
    for (index, mut document) in broken {
        document.insert("_id", "b");
        same(index, &store.insert(THINGS, document).await, &duplicate(index))?;
    }
    Ok(())
}

async fn id_first(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    store.insert(THINGS, doc! { "_id": "a", "email": "x" }).await?;
    let again = store.insert(THINGS, doc! { "_id": "a", "email": "x" }).await;
    same("the second", &again, &duplicate("_id_"))
}

async fn multikey(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[TAGS]).await?;
    store.insert(THINGS, doc! { "_id": "a", "tags": ["x", "y"] }).await?;
    let one = store.insert(THINGS, doc! { "_id": "b", "tags": ["z", "y"] }).await;
    same("a shared element", &one, &duplicate("tags"))?;
    let plain = store.insert(THINGS, doc! { "_id": "b", "tags": "x" }).await;
    same("a plain value", &plain, &duplicate("tags"))?;
    update(&*store, doc! { "_id": "a" }, doc! { "$pull": { "tags": "y" } }).await?;
    store.insert(THINGS, doc! { "_id": "b", "tags": ["z", "y"] }).await?;
    store.insert(THINGS, doc! { "_id": "c", "tags": [] }).await?;
    let empty = store.insert(THINGS, doc! { "_id": "d", "tags": [] }).await;
    same("a second empty array", &empty, &duplicate("tags"))?;
    Ok(store.insert(THINGS, doc! { "_id": "d" }).await?)
}

async fn repeated(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[TAGS]).await?;
    store.insert(THINGS, doc! { "_id": "a", "tags": ["x", "x"] }).await?;
    let updated = update(&*store, doc! { "_id": "a" }, doc! { "$push": { "tags": "x" } }).await?;
    same("updated", &updated.is_some(), &true)
}

async fn nothing_left(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL, FENCE]).await?;
    store.insert(THINGS, doc! { "_id": "a", "email": "x", "slot": "t", "number": 1 }).await?;
    let refused = doc! { "_id": "b", "email": "y", "slot": "t", "number": 1 };
    same("the second", &store.insert(THINGS, refused).await, &duplicate("fence"))?;
    Ok(store.insert(THINGS, doc! { "_id": "c", "email": "y", "slot": "t", "number": 3 }).await?)
}

async fn parallel(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[FENCE]).await?;
    store.insert(THINGS, doc! { "_id": "a", "slot": ["t"], "number": 1 }).await?;
    let both = store.insert(THINGS, doc! { "_id": "b", "slot": ["t"], "number": [1] }).await;
    same("rejected", &matches!(both, Err(WriteError::Rejected(_))), &true)
}

async fn repeat(store: Arc<dyn Store>) -> Outcome {
    for _ in 0..3 {
        store.ensure(THINGS, &[EMAIL, lock(), WAITING]).await?;
    }
    store.insert(THINGS, doc! { "_id": "a", "email": "x" }).await?;
    store.ensure(THINGS, &[EMAIL, lock(), WAITING]).await?;
    let second = store.insert(THINGS, doc! { "_id": "b", "email": "x" }).await;
    same("the second", &second, &duplicate("email"))
}

async fn no_indexes(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[]).await?;
    store.ensure(THINGS, &[]).await?;
    same("the documents", &store.find(THINGS, Find::default()).await?, &Vec::new())
}

async fn at_once(store: Arc<dyn Store>) -> Outcome {
    let (indexes, none) = ([EMAIL, lock(), WAITING], []);
    let some = (0..6).map(|_| store.ensure(THINGS, &indexes));
    let empty = (0..6).map(|_| store.ensure("others", &none));
    for ensured in join_all(some.chain(empty)).await {
        ensured?;
    }
    store.insert(THINGS, doc! { "_id": "a", "email": "x" }).await?;
    let second = store.insert(THINGS, doc! { "_id": "b", "email": "x" }).await;
    same("the second", &second, &duplicate("email"))
}

async fn adds(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    store.insert(THINGS, doc! { "_id": "a", "email": "x", "tags": "1" }).await?;
    store.ensure(THINGS, &[TAGS]).await?;
    let second = store.insert(THINGS, doc! { "_id": "b", "email": "y", "tags": "1" }).await;
    same("by the new index", &second, &duplicate("tags"))?;
    let third = store.insert(THINGS, doc! { "_id": "b", "email": "x", "tags": "2" }).await;
    same("by the old index", &third, &duplicate("email"))
}

async fn broken(store: Arc<dyn Store>) -> Outcome {
    let both = [doc! { "_id": "a", "email": "x" }, doc! { "_id": "b", "email": "x" }];
    insert_all(&*store, things(both)).await?;
    same("ensure", &store.ensure(THINGS, &[WAITING, EMAIL]).await, &duplicate("email"))?;
    Ok(store.insert(THINGS, doc! { "_id": "c", "email": "x" }).await?)
}

async fn other_keys(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    let other = Index { name: "email", ..TAGS };
    let refused = store.ensure(THINGS, &[other]).await;
    same("rejected", &matches!(refused, Err(WriteError::Rejected(_))), &true)
}

async fn other_name(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    let other = Index { name: "mail", ..EMAIL };
    let refused = store.ensure(THINGS, &[other]).await;
    same("rejected", &matches!(refused, Err(WriteError::Rejected(_))), &true)
}

async fn not_unique(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[WAITING]).await?;
    let equal = [
        doc! { "_id": "a", "outbox": [{ "id": "1" }] },
        doc! { "_id": "b", "outbox": [{ "id": "1" }] },
        doc! { "_id": "c", "outbox": [] },
    ];
    insert_all(&*store, things(equal)).await?;
    let filter = doc! { "outbox.id": { "$gt": "" } };
    let found = store.find(THINGS, Find { filter, ..Find::default() }).await?;
    same("the number found", &found.len(), &2)
}
