//! The limits of documents and of single calls: sizes, depths and names of fields.

use std::sync::Arc;

use bson::{Bson, DateTime, Document, doc};
use ports::store::limits::{MAX_CALL_LEVELS, MAX_LEVELS, MAX_PATH, MAX_SIZE};
use ports::store::{Find, Index, Store};

use super::case::{Case, THINGS, identical, rejected, rejected_read, update, upsert};
use crate::outcome::{Outcome, same};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a document of 16 MiB is stored, and one byte more is rejected", inserts),
        Case::new("an update to 16 MiB is accepted, and to one byte more is rejected", updates),
        Case::new("a push that makes a document too large changes nothing", pushes),
        Case::new("a call of 50 MB is rejected, and disturbs no other", too_large),
        Case::new("a document is 180 levels deep at most", deep_inserts),
        Case::new("an updated document is 180 levels deep at most", deep_updates),
        Case::new("a filter is 199 levels deep at most", deep_filters),
        Case::new("a path has 180 components at most", long_paths),
        Case::new("a path to write at has no empty and no positional component", targets),
        Case::new("a null byte in the name of a field is rejected", null_bytes),
        Case::new("a value may contain a null byte", null_values),
        Case::new("a name may begin with a dollar sign", dollars),
        Case::new("a name may be empty or contain dots", odd_names),
        Case::new("an id and a key of an index may be large", large_keys),
        Case::new("any time can be stored and compared", times),
        Case::new("any limit is accepted", limits),
    ]
}

/// A document with this encoded size.
fn of_size(id: &str, size: usize) -> Document {
    let empty = doc! { "_id": id, "x": "" }.to_vec().map_or(0, |bytes| bytes.len());
    doc! { "_id": id, "x": "x".repeat(size - empty) }
}

/// A value this many levels deep.
fn nested(levels: usize) -> Bson {
    (0..levels).fold(Bson::Int32(1), |inner, _| doc! { "x": inner }.into())
}

fn path(components: usize) -> String {
    vec!["x"; components].join(".")
}

async fn find(
    store: &dyn Store,
    filter: Document,
) -> Result<Vec<Document>, ports::store::ReadError> {
    store.find(THINGS, Find { filter, ..Find::default() }).await
}

async fn inserts(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, of_size("a", MAX_SIZE)).await?;
    rejected(store.insert(THINGS, of_size("b", MAX_SIZE + 1)).await)?;
    rejected(store.insert(THINGS, of_size("b", MAX_SIZE + 1_000_000)).await)?;
    same("the document", &store.get(THINGS, "b").await?, &None)
}

async fn updates(store: Arc<dyn Store>) -> Outcome {
    let half = of_size("a", MAX_SIZE / 2);
    store.insert(THINGS, half.clone()).await?;
    let rest = MAX_SIZE - MAX_SIZE / 2 - "1y0".len() - 4 - 1;
    let set = |length: usize| doc! { "$set": { "y": "y".repeat(length) } };
    rejected(update(&*store, doc! { "_id": "a" }, set(rest + 1)).await)?;
    identical("the document", store.get(THINGS, "a").await?, &half)?;
    let updated = update(&*store, doc! { "_id": "a" }, set(rest)).await?;
    let size = updated.and_then(|document| document.to_vec().ok()).map(|bytes| bytes.len());
    same("the size", &size, &Some(MAX_SIZE))?;
    rejected(update(&*store, doc! { "_id": "a" }, doc! { "$set": { "z": 1 } }).await)
}

async fn pushes(store: Arc<dyn Store>) -> Outcome {
    let push = || doc! { "$push": { "x": "x".repeat(9_000_000) } };
    store.insert(THINGS, doc! { "_id": "a" }).await?;
    update(&*store, doc! { "_id": "a" }, push()).await?;
    rejected(update(&*store, doc! { "_id": "a" }, push()).await)?;
    let kept = store.get(THINGS, "a").await?.unwrap_or_default();
    same("the elements", &kept.get_array("x").map_or(0, Vec::len), &1)
}

async fn too_large(store: Arc<dyn Store>) -> Outcome {
    let large = || "x".repeat(50_000_000);
    rejected(store.insert(THINGS, doc! { "_id": "a", "x": large() }).await)?;
    rejected(upsert(&*store, doc! { "_id": "a" }, doc! { "$set": { "x": large() } }).await)?;
    rejected(
        update(&*store, doc! { "_id": "a", "x": large() }, doc! { "$set": { "y": 1 } }).await,
    )?;
    rejected_read(find(&*store, doc! { "x": large() }).await)?;
    same("the document", &store.get(THINGS, "a").await?, &None)
}

async fn deep_inserts(store: Arc<dyn Store>) -> Outcome {
    let document = |id, levels| doc! { "_id": id, "x": nested(levels) };
    store.insert(THINGS, document("a", MAX_LEVELS - 1)).await?;
    rejected(store.insert(THINGS, document("b", MAX_LEVELS)).await)?;
    rejected(store.insert(THINGS, document("b", 1_000)).await)?;
    let kept = store.get(THINGS, "a").await?;
    identical("the document", kept, &document("a", MAX_LEVELS - 1))
}

async fn deep_updates(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a" }).await?;
    let half = MAX_LEVELS / 2;
    let too_deep = [
        doc! { "$set": { "y": nested(MAX_LEVELS) } },
        doc! { "$set": { path(half): nested(MAX_LEVELS - half + 1) } },
        doc! { "$push": { "y": nested(MAX_LEVELS - 1) } },
    ];
    for change in too_deep {
        rejected(update(&*store, doc! { "_id": "a" }, change.clone()).await)?;
        rejected(upsert(&*store, doc! { "_id": "b" }, change).await)?;
    }
    identical("the document", store.get(THINGS, "a").await?, &doc! { "_id": "a" })?;
    let deepest = [
        doc! { "$set": { "y": nested(MAX_LEVELS - 1) } },
        doc! { "$set": { path(half): nested(MAX_LEVELS - half) } },
        doc! { "$push": { "z": nested(MAX_LEVELS - 2) } },
    ];
    for change in deepest {
        let updated = update(&*store, doc! { "_id": "a" }, change).await?;
        same("updated", &updated.is_some(), &true)?;
    }
    Ok(())
}

async fn deep_filters(store: Arc<dyn Store>) -> Outcome {
    let and = |levels| (0..levels).fold(doc! { "x": 1 }, |inner, _| doc! { "$and": [inner] });
    for filter in [doc! { "x": nested(MAX_CALL_LEVELS - 1) }, and((MAX_CALL_LEVELS - 1) / 2)] {
        same("the documents", &find(&*store, filter).await?.len(), &0)?;
    }
    for filter in [doc! { "x": nested(MAX_CALL_LEVELS) }, and(MAX_CALL_LEVELS / 2 + 1)] {
        rejected_read(find(&*store, filter).await)?;
    }
    Ok(())
}

async fn long_paths(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a" }).await?;
    let (longest, too_long) = (path(MAX_PATH), path(MAX_PATH + 1));
    let set = |path: &str| doc! { "$set": { path: 1 } };
    let sorted = |path: &str| Find { sort: doc! { path: 1 }, ..Find::default() };
    same("found", &find(&*store, doc! { &longest: { "$gt": 1 } }).await?.len(), &0)?;
    same("sorted", &store.find(THINGS, sorted(&longest)).await?.len(), &1)?;
    same("updated", &update(&*store, doc! { "_id": "a" }, set(&longest)).await?.is_some(), &true)?;
    rejected_read(find(&*store, doc! { &too_long: 1 }).await)?;
    rejected_read(find(&*store, doc! { "$or": [{ &too_long: 1 }] }).await)?;
    rejected_read(store.find(THINGS, sorted(&too_long)).await)?;
    rejected(update(&*store, doc! { "_id": "a" }, set(&too_long)).await)?;
    // The server counts the components in one byte.
    rejected(update(&*store, doc! { "_id": "a" }, set(&path(257))).await)
}

async fn targets(store: Arc<dyn Store>) -> Outcome {
    let before = doc! { "_id": "a", "x": [1] };
    store.insert(THINGS, before.clone()).await?;
    for path in ["", ".", "x.", ".x", "x..y", "$x", "x.$", "x.$[]", "x.$y", "y.$z"] {
        for operator in ["$set", "$setOnInsert", "$unset", "$inc", "$push", "$pull"] {
            let change = || doc! { operator: { path: 1 } };
            rejected(update(&*store, doc! { "_id": "a" }, change()).await)?;
            rejected(update(&*store, doc! { "_id": "b" }, change()).await)?;
            rejected(upsert(&*store, doc! { "_id": "b" }, change()).await)?;
        }
    }
    identical("the document", store.get(THINGS, "a").await?, &before)
}

async fn null_bytes(store: Arc<dyn Store>) -> Outcome {
    let name = "a\0b";
    store.insert(THINGS, doc! { "_id": "a" }).await?;
    rejected(store.insert(THINGS, doc! { "_id": "b", name: 1 }).await)?;
    rejected(store.insert(THINGS, doc! { "_id": "b", "x": [{ name: 1 }] }).await)?;
    for change in [
        doc! { "$set": { name: 1 } },
        doc! { "$set": { "x": { name: 1 } } },
        doc! { "$unset": { name: "" } },
        doc! { "$push": { "x": { "$each": [{ name: 1 }] } } },
        doc! { name: { "x": 1 } },
    ] {
        rejected(update(&*store, doc! { "_id": "a" }, change.clone()).await)?;
        rejected(upsert(&*store, doc! { "_id": "b" }, change).await)?;
    }
    rejected(update(&*store, doc! { "_id": "a", name: 1 }, doc! { "$set": { "x": 1 } }).await)?;
    for filter in [doc! { name: 1 }, doc! { "x": { name: 1 } }, doc! { "$or": [{ name: 1 }] }] {
        rejected_read(find(&*store, filter).await)?;
    }
    let sort = doc! { name: 1 };
    rejected_read(store.find(THINGS, Find { sort, ..Find::default() }).await)?;
    identical("the document", store.get(THINGS, "a").await?, &doc! { "_id": "a" })?;
    same("the other document", &store.get(THINGS, "b").await?, &None)
}

async fn null_values(store: Arc<dyn Store>) -> Outcome {
    let document = doc! { "_id": "a\0b", "x": "\0" };
    store.insert(THINGS, document.clone()).await?;
    identical("the document", store.get(THINGS, "a\0b").await?, &document)?;
    same("found", &find(&*store, doc! { "x": "\0" }).await?.len(), &1)
}

async fn dollars(store: Arc<dyn Store>) -> Outcome {
    let document = doc! { "_id": "a", "$a": 1, "x": { "$b": 1 } };
    store.insert(THINGS, document.clone()).await?;
    identical("the document", store.get(THINGS, "a").await?, &document)?;
    let change = doc! { "$set": { "x": { "$c": 1 } }, "$push": { "y": { "$d": 1 } } };
    let updated = update(&*store, doc! { "_id": "a" }, change).await?;
    let after = doc! { "_id": "a", "$a": 1, "x": { "$c": 1 }, "y": [{ "$d": 1 }] };
    identical("the updated document", updated, &after)
}

async fn odd_names(store: Arc<dyn Store>) -> Outcome {
    let document = doc! { "_id": "a", "": 1, "x.y": 2, "z": { "": 3, ".": 4 } };
    store.insert(THINGS, document.clone()).await?;
    identical("the document", store.get(THINGS, "a").await?, &document)?;
    same("with a dot", &find(&*store, doc! { "x.y": 2 }).await?.len(), &0)?;
    same("empty", &find(&*store, doc! { "": 1 }).await?.len(), &1)?;
    same("empty below", &find(&*store, doc! { "z.": 3 }).await?.len(), &1)?;
    let updated = update(&*store, doc! { "_id": "a" }, doc! { "$set": { "x.y": 5 } }).await?;
    let after = doc! { "_id": "a", "": 1, "x.y": 2, "z": { "": 3, ".": 4 }, "x": { "y": 5 } };
    identical("the updated document", updated, &after)
}

async fn large_keys(store: Arc<dyn Store>) -> Outcome {
    let index = Index { name: "large", keys: &["x"], unique: true, partial: None, expires: false };
    store.ensure(THINGS, &[index]).await?;
    let large = "x".repeat(1_000_000);
    store.insert(THINGS, doc! { "_id": &large, "x": &large }).await?;
    let again = store.insert(THINGS, doc! { "_id": "b", "x": &large }).await;
    same("the key again", &again, &super::case::duplicate("large"))?;
    same("found", &store.get(THINGS, &large).await?.is_some(), &true)
}

async fn times(store: Arc<dyn Store>) -> Outcome {
    for (id, at) in [("a", DateTime::MIN), ("b", DateTime::MAX), ("c", DateTime::from_millis(0))] {
        store.insert(THINGS, doc! { "_id": id, "at": at }).await?;
        let kept = store.get(THINGS, id).await?;
        identical("the document", kept, &doc! { "_id": id, "at": at })?;
    }
    let later = doc! { "at": { "$gt": DateTime::MIN, "$lte": DateTime::MAX } };
    same("found", &find(&*store, later).await?.len(), &2)
}

async fn limits(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a" }).await?;
    for limit in [0, 1, u32::MAX] {
        let sort = doc! { "_id": 1 };
        let found = store.find(THINGS, Find { limit, sort, ..Find::default() }).await?;
        same("found", &found.len(), &1)?;
    }
    Ok(())
}
