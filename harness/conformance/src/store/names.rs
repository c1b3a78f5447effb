//! The names of collections and indexes, and the limits of indexes.

use std::sync::Arc;

use bson::{Document, doc};
use ports::store::limits::{MAX_INDEX_FIELDS, MAX_INDEXES, MAX_NAMESPACE};
use ports::store::{Find, Index, Store, Update};

use super::case::{Case, THINGS, duplicate, insert_all, rejected, rejected_read, upsert};
use crate::outcome::{Outcome, same};

/// A name that resembles the server's message about a duplicate key.
const ODD: &str = "a index: b dup key";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a name that the server cannot use is rejected for a collection", bad_names),
        Case::new("other names of a collection are accepted", good_names),
        Case::new("a duplicate names the index whatever the names contain", odd_names),
        Case::new("a name that the server cannot use is rejected for an index", bad_indexes),
        Case::new("the name of an index may be long", long_index_name),
        Case::new("two unique indexes on the same fields are rejected", twins),
        Case::new("indexes that are not unique may share their fields", plain_twins),
        Case::new("a collection has 63 indexes at most besides the one of the id", number),
        Case::new("an index has 32 fields at most", fields),
    ]
}

fn index(name: &'static str, keys: &'static [&'static str]) -> Index {
    Index { name, keys, unique: false, partial: None, expires: false }
}

/// Texts that live as long as the definition of an index requires.
fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

async fn bad_names(store: Arc<dyn Store>) -> Outcome {
    let long = "x".repeat(MAX_NAMESPACE);
    for name in ["", ".", ".a", "$a", "a$b", "a\0b", "system.things", "a.system.b", &long] {
        rejected(store.ensure(name, &[]).await)?;
        rejected(store.ensure(name, &[index("a", &["a"])]).await)?;
        rejected(store.insert(name, doc! { "_id": "a" }).await)?;
        rejected_read(store.get(name, "a").await)?;
        rejected_read(store.find(name, Find::default()).await)?;
        for upsert in [false, true] {
            let (filter, change) = (doc! { "_id": "a" }, doc! { "$set": { "x": 1 } });
            rejected(store.update(name, Update { filter, change, upsert }).await)?;
        }
    }
    Ok(())
}

async fn good_names(store: Arc<dyn Store>) -> Outcome {
    let long = "x".repeat(190);
    for name in ["a b", "a.", "a..b", "ä", "a/b", "a\\b", "a\"b", "system", "systems.a", &long] {
        store.ensure(name, &[index("a", &["a"])]).await?;
        store.insert(name, doc! { "_id": "a" }).await?;
        same("the document", &store.get(name, "a").await?, &Some(doc! { "_id": "a" }))?;
    }
    Ok(())
}

async fn odd_names(store: Arc<dyn Store>) -> Outcome {
    let odd = Index { unique: true, ..index("x dup key: { b: 1 }", &["a"]) };
    let plain = Index { unique: true, ..index("b", &["b"]) };
    for collection in [THINGS, ODD] {
        store.ensure(collection, &[odd.clone(), plain.clone()]).await?;
        store.insert(collection, doc! { "_id": "a", "a": 1, "b": 1 }).await?;
        let tries = [
            (doc! { "_id": "b", "a": 1, "b": 2 }, odd.name),
            (doc! { "_id": "b", "a": 2, "b": 1 }, plain.name),
            (doc! { "_id": "a", "a": 2, "b": 2 }, "_id_"),
        ];
        for (document, name) in tries {
            let refused = store.insert(collection, document.clone()).await;
            same("the insert", &refused, &duplicate(name))?;
            let filter = doc! { "_id": document.get("_id"), "missing": true };
            let change: Document = document.into_iter().filter(|(name, _)| name != "_id").collect();
            let update = Update { filter, change: doc! { "$set": change }, upsert: true };
            same("the upsert", &store.update(collection, update).await, &duplicate(name))?;
        }
    }
    let equal = ["c", "d"].map(|id| doc! { "_id": id, "c": 1 });
    store.ensure("others", &[]).await?;
    for document in equal {
        store.insert("others", document).await?;
    }
    let built = store.ensure("others", &[Index { unique: true, ..index(ODD, &["c"]) }]).await;
    same("the build", &built, &duplicate(ODD))
}

async fn bad_indexes(store: Arc<dyn Store>) -> Outcome {
    let bad = [
        index("", &["a"]),
        index("*", &["a"]),
        index("_id_", &["a"]),
        index("a\0b", &["a"]),
        index("none", &[]),
        index("empty", &[""]),
        index("dot", &["."]),
        index("start", &[".a"]),
        index("end", &["a."]),
        index("middle", &["a..b"]),
        index("dollar", &["$a"]),
        index("below", &["a.$b"]),
        index("null", &["a\0b"]),
        index("id", &["_id"]),
        index("again", &["a", "b", "a"]),
    ];
    for index in bad {
        rejected(store.ensure(THINGS, std::slice::from_ref(&index)).await)?;
        rejected(store.ensure(THINGS, &[Index { unique: true, ..index }]).await)?;
    }
    rejected(store.ensure(THINGS, &[index("a", &["a"]), index("a", &["b"])]).await)?;
    rejected(store.ensure(THINGS, &[index("a", &["a"]), index("a", &["a"])]).await)?;
    Ok(store.ensure(THINGS, &[index("a", &["a"]), index("b", &["_id", "b"])]).await?)
}

async fn long_index_name(store: Arc<dyn Store>) -> Outcome {
    let name = leaked("n".repeat(1_000));
    store.ensure(THINGS, &[Index { unique: true, ..index(name, &["a"]) }]).await?;
    insert_all(&*store, [doc! { "_id": "a", "a": 1 }]).await?;
    let second = store.insert(THINGS, doc! { "_id": "b", "a": 1 }).await;
    same("the second", &second, &duplicate(name))
}

async fn twins(store: Arc<dyn Store>) -> Outcome {
    let of = |name, state: &str| Index {
        unique: true,
        partial: Some(doc! { "state": state }),
        ..index(name, &["a", "b"])
    };
    rejected(store.ensure(THINGS, &[of("x", "open"), of("y", "held")]).await)?;
    store.ensure(THINGS, &[of("x", "open")]).await?;
    rejected(store.ensure(THINGS, &[of("y", "held")]).await)?;
    store.ensure(THINGS, &[of("x", "open")]).await?;
    let other = Index { unique: true, ..index("z", &["b", "a"]) };
    store.ensure(THINGS, &[other]).await?;
    store.insert(THINGS, doc! { "_id": "a", "a": 1, "b": 1, "state": "held" }).await?;
    let change = doc! { "$set": { "a": 1, "b": 1 } };
    same("the twin", &upsert(&*store, doc! { "_id": "b" }, change).await, &duplicate("z"))
}

async fn plain_twins(store: Arc<dyn Store>) -> Outcome {
    let of =
        |name, state: &str| Index { partial: Some(doc! { "state": state }), ..index(name, &["a"]) };
    store.ensure(THINGS, &[of("x", "open"), of("y", "held")]).await?;
    store.ensure(THINGS, &[Index { unique: true, ..index("z", &["a"]) }]).await?;
    store.insert(THINGS, doc! { "_id": "a", "a": 1 }).await?;
    let second = store.insert(THINGS, doc! { "_id": "b", "a": 1, "state": "open" }).await;
    same("the second", &second, &duplicate("z"))
}

async fn number(store: Arc<dyn Store>) -> Outcome {
    let all: Vec<Index> = (0..=MAX_INDEXES)
        .map(|number| {
            let name = leaked(format!("i{number}"));
            index(name, Vec::leak(vec![name]))
        })
        .collect();
    rejected(store.ensure(THINGS, &all).await)?;
    store.ensure(THINGS, &all[..MAX_INDEXES]).await?;
    rejected(store.ensure(THINGS, &all[MAX_INDEXES..]).await)?;
    Ok(store.ensure(THINGS, &all[..MAX_INDEXES]).await?)
}

async fn fields(store: Arc<dyn Store>) -> Outcome {
    let keys = |count| -> &'static [&'static str] {
        Vec::leak((0..count).map(|field| leaked(format!("f{field}"))).collect())
    };
    rejected(store.ensure(THINGS, &[index("many", keys(MAX_INDEX_FIELDS + 1))]).await)?;
    Ok(store.ensure(THINGS, &[index("many", keys(MAX_INDEX_FIELDS))]).await?)
}
