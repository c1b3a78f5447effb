//! Finds while others write: a find is no snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bson::{Document, doc};
use futures::future::join;
use ports::store::{Find, Index, Store};

use super::case::{Case, THINGS, ids_of, insert_all, update};
use crate::outcome::{Outcome, holds, same};

/// More documents than the server returns at once, so that writes pass between two batches.
const DOCUMENTS: i32 = 150;
/// The most finds until each deviation from a snapshot must have been observed.
const FINDS: usize = 3_000;

const PLACE: Index =
    Index { name: "place", keys: &["n"], unique: false, partial: None, expires: false };
const TAGS: Index =
    Index { name: "tags", keys: &["tags"], unique: false, partial: None, expires: false };

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("a find may miss or repeat a document that moves in an index", moves),
        Case::new("a find in the order of an index may miss or repeat a document", sorted),
        Case::new("a find in the order of the ids misses and repeats nothing", by_id),
        Case::new(
            "a find through an index on arrays may miss a document, but repeats none",
            tagged,
        ),
        Case::new("a find may return documents as they never were at one moment", moments),
    ]
}

/// The observations of finds of the document that moves.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Observed {
    missed: bool,
    repeated: bool,
}

fn id(n: i32) -> String {
    format!("{n:04}")
}

/// Finds again and again while one document is written, until `enough` was observed or this many
/// times. All other documents must be found exactly once.
async fn watch(
    store: &dyn Store,
    find: Find,
    write: impl Fn(bool) -> Document,
    enough: Observed,
    finds: usize,
) -> Outcome<Observed> {
    let done = AtomicBool::new(false);
    let writer = async {
        let mut low = false;
        while !done.load(Ordering::SeqCst) {
            update(store, doc! { "_id": "moving" }, write(low)).await?;
            low = !low;
        }
        Ok(())
    };
    let finder = async {
        let mut observed = Observed::default();
        for _ in 0..finds {
            let found = store.find(THINGS, find.clone()).await;
            let found = found.inspect_err(|_| done.store(true, Ordering::SeqCst))?;
            let mut ids = ids_of(&found);
            let all = ids.len();
            ids.retain(|id| *id != "moving");
            match all - ids.len() {
                0 => observed.missed = true,
                1 => {}
                _ => observed.repeated = true,
            }
            ids.sort_unstable();
            let rest: Vec<String> = (0..DOCUMENTS).map(id).collect();
            let complete = ids == rest;
            if !complete || observed == enough {
                done.store(true, Ordering::SeqCst);
                holds(complete, || format!("documents that are not written: found {ids:?}"))?;
                break;
            }
        }
        done.store(true, Ordering::SeqCst);
        Ok(observed)
    };
    let (written, observed): (Outcome, Outcome<Observed>) = join(writer, finder).await;
    written?;
    observed
}

/// The documents, with a place in the middle and one tag each, and the one that moves.
async fn prepared(store: &dyn Store, index: Index) -> Outcome {
    store.ensure(THINGS, &[index]).await?;
    let documents = (0..DOCUMENTS).map(|n| doc! { "_id": id(n), "n": n, "tags": [n, n] });
    insert_all(store, documents).await?;
    Ok(store.insert(THINGS, doc! { "_id": "moving", "n": -1, "tags": [-1, -2] }).await?)
}

fn place(low: bool) -> Document {
    doc! { "$set": { "n": if low { -1 } else { DOCUMENTS } } }
}

const BOTH: Observed = Observed { missed: true, repeated: true };

async fn moves(store: Arc<dyn Store>) -> Outcome {
    prepared(&*store, PLACE).await?;
    let find = Find { filter: doc! { "n": { "$gte": -1 } }, ..Find::default() };
    same("observed", &watch(&*store, find, place, BOTH, FINDS).await?, &BOTH)
}

async fn sorted(store: Arc<dyn Store>) -> Outcome {
    prepared(&*store, PLACE).await?;
    let find = Find { sort: doc! { "n": -1 }, ..Find::default() };
    same("observed", &watch(&*store, find, place, BOTH, FINDS).await?, &BOTH)
}

async fn by_id(store: Arc<dyn Store>) -> Outcome {
    prepared(&*store, PLACE).await?;
    let find = Find { sort: doc! { "_id": 1 }, ..Find::default() };
    same("observed", &watch(&*store, find, place, BOTH, 30).await?, &Observed::default())
}

async fn tagged(store: Arc<dyn Store>) -> Outcome {
    prepared(&*store, TAGS).await?;
    let find = Find { filter: doc! { "tags": { "$gte": -2 } }, ..Find::default() };
    let write = |low| {
        let at = if low { -2 } else { DOCUMENTS };
        doc! { "$set": { "tags": [at, at + 1] } }
    };
    let enough = Observed { missed: true, repeated: false };
    same("observed", &watch(&*store, find, write, enough, FINDS).await?, &enough)
}

async fn moments(store: Arc<dyn Store>) -> Outcome {
    let documents = (0..DOCUMENTS).map(|n| doc! { "_id": id(n), "n": 0 });
    insert_all(&*store, documents).await?;
    let (first, last) = (id(0), id(DOCUMENTS - 1));
    let done = AtomicBool::new(false);
    let writer = async {
        while !done.load(Ordering::SeqCst) {
            for id in [&first, &last] {
                update(&*store, doc! { "_id": id }, doc! { "$inc": { "n": 1 } }).await?;
            }
        }
        Ok(())
    };
    let finder = async {
        let mut newer = false;
        for _ in 0..FINDS {
            let found = store.find(THINGS, Find::default()).await;
            let found = found.inspect_err(|_| done.store(true, Ordering::SeqCst))?;
            let n = |id: &String| {
                let document =
                    found.iter().find(|found| found.get_str("_id").is_ok_and(|own| own == id));
                document.and_then(|document| document.get_i32("n").ok())
            };
            // The last document is always written after the first.
            newer = n(&last) > n(&first);
            if newer {
                break;
            }
        }
        done.store(true, Ordering::SeqCst);
        Ok(newer)
    };
    let (written, newer): (Outcome, Outcome<bool>) = join(writer, finder).await;
    written?;
    same("the last document is newer than the first", &newer?, &true)
}
