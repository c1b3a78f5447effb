//! Upserts: updates that insert a document where none matches.

use std::sync::Arc;

use bson::{Bson, doc};
use ports::store::Store;

use super::case::{Case, THINGS, duplicate, identical, rejected, upsert};
use crate::outcome::{Outcome, same};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("an upsert inserts the filter's equalities and the change", inserts),
        Case::new("an upsert updates a matching document", updates),
        Case::new(
            "an upsert of a document that exists but does not match is a duplicate id",
            other_state,
        ),
        Case::new("an upsert inserts the first version and accepts only newer ones", newest_wins),
        Case::new("an upsert ignores inequalities of the filter", inequalities),
        Case::new("an upsert uses equalities from $and, $eq and single-valued $in", equalities),
        Case::new("an upsert may set the id itself", own_id),
        Case::new("an upsert that changes the id of its filter is rejected", changed_id),
        Case::new("an upsert without an id is rejected", no_id),
        Case::new("an upsert creates documents from dotted paths", dotted),
        Case::new("an upsert takes the value of $in if it has only one", one_of),
        Case::new("an upsert with an equality on a field without a name is rejected", nameless),
    ]
}

async fn inserts(store: Arc<dyn Store>) -> Outcome {
    let change = doc! { "$set": { "n": 1 }, "$setOnInsert": { "first": true }, "$inc": { "count": 2 }, "$push": { "list": 3 } };
    let inserted = upsert(&*store, doc! { "z": 5, "_id": "a" }, change).await?;
    let after = doc! { "_id": "a", "z": 5, "count": 2, "first": true, "list": [3], "n": 1 };
    identical("the returned document", inserted, &after)?;
    identical("the stored document", store.get(THINGS, "a").await?, &after)
}

async fn updates(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "n": 1 }).await?;
    let change = doc! { "$inc": { "n": 1 }, "$setOnInsert": { "first": true } };
    let updated = upsert(&*store, doc! { "_id": "a" }, change).await?;
    identical("the document", updated, &doc! { "_id": "a", "n": 2 })
}

async fn other_state(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "state": "done" }).await?;
    let filter = doc! { "_id": "a", "state": "open" };
    let refused = upsert(&*store, filter, doc! { "$set": { "n": 1 } }).await;
    same("the upsert", &refused, &duplicate("_id_"))?;
    let kept = store.get(THINGS, "a").await?;
    identical("the document", kept, &doc! { "_id": "a", "state": "done" })
}

async fn newest_wins(store: Arc<dyn Store>) -> Outcome {
    for (version, applied) in [(2_i64, true), (1, false), (2, false), (3, true)] {
        let gate = doc! { "_id": "a", "version": { "$lt": version } };
        let written = upsert(&*store, gate, doc! { "$set": { "version": version } }).await;
        let after = doc! { "_id": "a", "version": version };
        let expected = if applied { Ok(Some(after)) } else { duplicate("_id_") };
        same(&format!("version {version}"), &written, &expected)?;
    }
    Ok(())
}

async fn inequalities(store: Arc<dyn Store>) -> Outcome {
    let filter = doc! { "_id": "a", "v": { "$gt": 1 }, "w": { "$exists": false }, "x": { "$ne": 1 }, "y": { "$in": [1, 2] }, "$or": [{ "z": 1 }, { "z": 2 }] };
    let inserted = upsert(&*store, filter, doc! { "$set": { "n": 1 } }).await?;
    identical("the document", inserted, &doc! { "_id": "a", "n": 1 })
}

async fn equalities(store: Arc<dyn Store>) -> Outcome {
    let filter = doc! { "_id": "a", "$and": [{ "d": 1 }, { "c": { "$eq": 2 } }], "b": Bson::Null, "a": { "$in": [4] } };
    let inserted = upsert(&*store, filter, doc! { "$set": { "n": 1 } }).await?;
    let after = doc! { "_id": "a", "a": 4, "b": Bson::Null, "c": 2, "d": 1, "n": 1 };
    identical("the document", inserted, &after)
}

async fn own_id(store: Arc<dyn Store>) -> Outcome {
    let change = doc! { "$setOnInsert": { "_id": "a" }, "$set": { "n": 1 } };
    let inserted = upsert(&*store, doc! { "slot": "t" }, change).await?;
    identical("the document", inserted, &doc! { "_id": "a", "slot": "t", "n": 1 })
}

async fn changed_id(store: Arc<dyn Store>) -> Outcome {
    rejected(upsert(&*store, doc! { "_id": "a" }, doc! { "$set": { "_id": "b" } }).await)
}

async fn no_id(store: Arc<dyn Store>) -> Outcome {
    rejected(upsert(&*store, doc! { "n": 1 }, doc! { "$set": { "m": 1 } }).await)
}

async fn dotted(store: Arc<dyn Store>) -> Outcome {
    let filter = doc! { "_id": "a", "parcel.id": "o" };
    let inserted = upsert(&*store, filter, doc! { "$set": { "parcel.n": 1 } }).await?;
    let after = doc! { "_id": "a", "parcel": { "id": "o", "n": 1 } };
    identical("the document", inserted, &after)
}

async fn one_of(store: Arc<dyn Store>) -> Outcome {
    let filter = doc! { "_id": "a", "x": { "$in": [[], []] }, "y": { "$in": [1, 1.0] }, "z": { "$in": [1, 2] } };
    let inserted = upsert(&*store, filter, doc! { "$set": { "n": 1 } }).await?;
    identical("the document", inserted, &doc! { "_id": "a", "x": [], "y": 1, "n": 1 })
}

async fn nameless(store: Arc<dyn Store>) -> Outcome {
    rejected(upsert(&*store, doc! { "_id": "a", "": 1 }, doc! { "$set": { "n": 1 } }).await)?;
    let inserted =
        upsert(&*store, doc! { "_id": "a", "x.": 1 }, doc! { "$set": { "n": 1 } }).await?;
    identical("the document", inserted, &doc! { "_id": "a", "x": { "": 1 }, "n": 1 })
}
