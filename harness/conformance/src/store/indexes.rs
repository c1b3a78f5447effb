//! Indexes: the documents that exclude each other.

use std::sync::Arc;

use bson::{Bson, doc};
use futures::future::join_all;
use ports::store::{Find, Index, Store};

use super::case::{Case, THINGS, duplicate, insert_all, rejected, update, upsert};
use crate::outcome::{Outcome, same};

const EMAIL: Index =
    Index { name: "email", keys: &["email"], unique: true, partial: None, expires: false };
const FENCE: Index =
    Index { name: "fence", keys: &["slot", "number"], unique: true, partial: None, expires: false };
const WAITING: Index =
    Index { name: "outbox", keys: &["outbox.id"], unique: false, partial: None, expires: false };
const TAGS: Index =
    Index { name: "tags", keys: &["tags"], unique: true, partial: None, expires: false };

/// A lock: at most one document per slot is holding.
pub(super) fn lock() -> Index {
    let partial = Some(doc! { "holding": true });
    Index { name: "lock", keys: &["slot"], unique: true, partial, expires: false }
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a unique index refuses a second document with the same key", unique),
        Case::new("a unique index refuses an update to a taken key", unique_update),
        Case::new("an update frees the previous key of its document", freed),
        Case::new("an update that keeps the key of its document is accepted", own_key),
        Case::new("equal numbers of different types are the same key", numbers),
        Case::new("a missing field and null are the same key", missing),
        Case::new("a compound key conflicts only as a whole", compound),
        Case::new("a partial index covers only the documents that match", held_once),
        Case::new("leaving a partial index frees the key, and re-entering needs it free", release),
        Case::new("a unique index refuses an upsert", upserted),
        Case::new("a partial index on existence excludes documents without the field", existing),
        Case::new("a duplicate names the violated index", two_indexes),
        Case::new("a duplicate id takes precedence over a duplicate key", id_first),
        Case::new("a unique index on an array has a key for each element", multikey),
        Case::new("a document may contain the same key twice", repeated),
        Case::new("a refused write takes no key", nothing_left),
        Case::new("a compound index rejects two arrays in one document", parallel),
        Case::new("ensure is idempotent", repeat),
        Case::new("ensure without indexes is idempotent", no_indexes),
        Case::new("concurrent ensures all succeed", at_once),
        Case::new("ensure adds an index to existing ones", adds),
        Case::new("ensure names the unique index that existing documents violate", broken),
        Case::new("ensure rejects an index with the same name and different keys", other_keys),
        Case::new("ensure rejects the same index under a different name", other_name),
        Case::new("an index that is not unique refuses no write", not_unique),
    ]
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
    insert_all(&*store, both).await?;
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
    insert_all(&*store, apart).await?;
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
    insert_all(&*store, allowed).await?;
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
    insert_all(&*store, allowed).await?;
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
    rejected(store.insert(THINGS, doc! { "_id": "b", "slot": ["t"], "number": [1] }).await)
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
    insert_all(&*store, both).await?;
    same("ensure", &store.ensure(THINGS, &[WAITING, EMAIL]).await, &duplicate("email"))?;
    Ok(store.insert(THINGS, doc! { "_id": "c", "email": "x" }).await?)
}

async fn other_keys(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    let other = Index { name: "email", ..TAGS };
    rejected(store.ensure(THINGS, &[other]).await)
}

async fn other_name(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[EMAIL]).await?;
    let other = Index { name: "mail", ..EMAIL };
    rejected(store.ensure(THINGS, &[other]).await)
}

async fn not_unique(store: Arc<dyn Store>) -> Outcome {
    store.ensure(THINGS, &[WAITING]).await?;
    let equal = [
        doc! { "_id": "a", "outbox": [{ "id": "1" }] },
        doc! { "_id": "b", "outbox": [{ "id": "1" }] },
        doc! { "_id": "c", "outbox": [] },
    ];
    insert_all(&*store, equal).await?;
    let filter = doc! { "outbox.id": { "$gt": "" } };
    let found = store.find(THINGS, Find { filter, ..Find::default() }).await?;
    same("the number found", &found.len(), &2)
}
