//! Indexes that remove documents: what leaves, when, and what stays.

use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, DateTime, Document, doc};
use ports::Timestamp;
use ports::clock::{Clock, after, before};
use ports::store::{Find, Index, Store};

use super::case::{Case, THINGS, duplicate, identical, insert_all, rejected, update};
use crate::outcome::{Outcome, holds, same};

/// The most time after its date until a document is removed: the server looks once a minute, unless
/// it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(150);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// A time that is over, or far from over.
const HOUR: Duration = Duration::from_secs(60 * 60);

const LEAVES: Index =
    Index { name: "leaves", keys: &["at"], unique: false, partial: None, expires: true };

fn unique() -> Index {
    Index { name: "slot", keys: &["slot"], unique: true, partial: None, expires: false }
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::timed("a document leaves after its date and not before", leaves),
        Case::timed("only a date lets a document leave", only_dates),
        Case::timed("any date in an array lets its document leave", arrays),
        Case::timed("a partial index removes only documents that match", partial),
        Case::timed("a document stays until its array is empty, where the index says so", emptied),
        Case::timed("a nested date lets its document leave", nested),
        Case::timed("a later date keeps a document, and its removal too", postponed),
        Case::timed("an index that is added removes what is there", added),
        Case::timed("the keys and the id of a document that has left are free", freed),
        Case::timed("an update of a document that has left matches nothing", unmatched),
        Case::new("ensure of an index that removes documents is idempotent", repeat),
        Case::new("ensure rejects an index that begins or ceases to remove documents", other),
        Case::new("ensure rejects an index of two fields that removes documents", compound),
    ]
}

fn date(at: Timestamp) -> Bson {
    DateTime::from_millis(at.as_millisecond()).into()
}

fn past(clock: &dyn Clock) -> Bson {
    date(before(clock.now(), HOUR))
}

fn future(clock: &dyn Clock) -> Bson {
    date(after(clock.now(), HOUR))
}

async fn ids(store: &dyn Store) -> Outcome<Vec<String>> {
    let sort = doc! { "_id": 1 };
    let found = store.find(THINGS, Find { sort, ..Find::default() }).await?;
    Ok(found
        .iter()
        .filter_map(|document| document.get_str("_id").ok())
        .map(str::to_owned)
        .collect())
}

/// Waits until only these documents are left, and a little longer.
async fn left(store: &dyn Store, clock: &dyn Clock, expected: &[&str]) -> Outcome {
    let limit = after(clock.now(), PATIENCE);
    while ids(store).await? != expected && clock.now() < limit {
        clock.sleep(PAUSE).await;
    }
    // What leaves too much would leave at the same look, or at the next.
    clock.sleep(Duration::from_millis(1500)).await;
    let expected: Vec<String> = expected.iter().map(|&id| id.to_owned()).collect();
    same("the documents that are left", &ids(store).await?, &expected)
}

async fn leaves(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    store.ensure(THINGS, &[LEAVES]).await?;
    let at = after(clock.now(), Duration::from_secs(2));
    store.insert(THINGS, doc! { "_id": "a", "at": date(at) }).await?;
    store.insert(THINGS, doc! { "_id": "b", "at": future(&*clock) }).await?;
    let mut last_seen = clock.now();
    let limit = after(at, PATIENCE);
    while clock.now() < limit {
        let asked = clock.now();
        if store.get(THINGS, "a").await?.is_none() {
            break;
        }
        last_seen = asked;
        clock.sleep(PAUSE).await;
    }
    holds(after(last_seen, PAUSE * 2) >= at, || format!("seen last at {last_seen}, before {at}"))?;
    left(&*store, &*clock, &["b"]).await
}

async fn only_dates(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    store.ensure(THINGS, &[LEAVES]).await?;
    let values = [
        ("date", past(&*clock)),
        ("epoch", DateTime::from_millis(0).into()),
        ("before 1970", DateTime::from_millis(-1_000_000_000_000).into()),
        ("later", future(&*clock)),
        ("null", Bson::Null),
        ("text", "2000-01-01T00:00:00Z".into()),
        ("number", Bson::Int64(946_684_800_000)),
        ("truth", true.into()),
        ("document", doc! { "x": past(&*clock) }.into()),
    ];
    let all = values.map(|(id, value)| doc! { "_id": id, "at": value });
    insert_all(&*store, all).await?;
    store.insert(THINGS, doc! { "_id": "missing" }).await?;
    let rest = ["document", "later", "missing", "null", "number", "text", "truth"];
    left(&*store, &*clock, &rest).await
}

async fn arrays(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    store.ensure(THINGS, &[LEAVES]).await?;
    let (past, future) = (past(&*clock), future(&*clock));
    let values = [
        ("later and past", vec![future.clone(), past.clone()]),
        ("text and past", vec!["x".into(), past.clone()]),
        ("later", vec![future.clone(), future.clone()]),
        ("null and later", vec![Bson::Null, future]),
        ("text", vec!["x".into()]),
        ("none", vec![]),
        ("inner", vec![vec![past].into()]),
    ];
    let all = values.map(|(id, value)| doc! { "_id": id, "at": value });
    insert_all(&*store, all).await?;
    let rest = ["inner", "later", "none", "null and later", "text"];
    left(&*store, &*clock, &rest).await
}

async fn partial(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    let partial = Some(doc! { "done": true });
    store.ensure(THINGS, &[Index { partial, ..LEAVES }]).await?;
    let past = past(&*clock);
    let all = [
        doc! { "_id": "done", "at": past.clone(), "done": true },
        doc! { "_id": "not done", "at": past.clone(), "done": false },
        doc! { "_id": "unknown", "at": past },
    ];
    insert_all(&*store, all).await?;
    left(&*store, &*clock, &["not done", "unknown"]).await
}

async fn emptied(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    let partial = Some(doc! { "at": { "$exists": true }, "outbox": [] });
    store.ensure(THINGS, &[Index { partial, ..LEAVES }]).await?;
    let past = past(&*clock);
    let all = [
        doc! { "_id": "empty", "at": past.clone(), "outbox": [] },
        doc! { "_id": "filled", "at": past.clone(), "outbox": [{ "id": 1 }] },
        doc! { "_id": "missing", "at": past.clone() },
        doc! { "_id": "null", "at": past.clone(), "outbox": Bson::Null },
        doc! { "_id": "without date", "outbox": [] },
    ];
    insert_all(&*store, all).await?;
    left(&*store, &*clock, &["filled", "missing", "null", "without date"]).await?;
    let change = doc! { "$pull": { "outbox": { "id": 1 } } };
    update(&*store, doc! { "_id": "filled" }, change).await?;
    left(&*store, &*clock, &["missing", "null", "without date"]).await
}

async fn nested(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    store.ensure(THINGS, &[Index { keys: &["end.at"], ..LEAVES }]).await?;
    let (past, future) = (past(&*clock), future(&*clock));
    let all = [
        doc! { "_id": "one", "end": { "at": past.clone() } },
        doc! { "_id": "some", "end": [{ "at": future.clone() }, { "at": past }] },
        doc! { "_id": "later", "end": [{ "at": future }] },
        doc! { "_id": "none", "end": {} },
    ];
    insert_all(&*store, all).await?;
    left(&*store, &*clock, &["later", "none"]).await
}

async fn postponed(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    store.ensure(THINGS, &[LEAVES]).await?;
    // Long enough for the writes below.
    let soon = date(after(clock.now(), Duration::from_secs(5)));
    let thing = |id: &str| doc! { "_id": id, "at": soon.clone() };
    insert_all(&*store, ["later", "never", "soon"].map(thing)).await?;
    update(&*store, doc! { "_id": "later" }, doc! { "$set": { "at": future(&*clock) } }).await?;
    update(&*store, doc! { "_id": "never" }, doc! { "$unset": { "at": "" } }).await?;
    left(&*store, &*clock, &["later", "never"]).await
}

async fn added(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    let all = [doc! { "_id": "a", "at": past(&*clock) }, doc! { "_id": "b" }];
    insert_all(&*store, all).await?;
    store.ensure(THINGS, &[LEAVES]).await?;
    left(&*store, &*clock, &["b"]).await
}

async fn freed(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    store.ensure(THINGS, &[LEAVES, unique()]).await?;
    let all = [
        doc! { "_id": "a", "slot": 1, "at": past(&*clock) },
        doc! { "_id": "b", "slot": 2 },
        doc! { "_id": "c", "slot": 3, "at": past(&*clock) },
        doc! { "_id": "d", "slot": 4 },
    ];
    insert_all(&*store, all).await?;
    left(&*store, &*clock, &["b", "d"]).await?;
    for (id, slot) in [("e", 2), ("e", 4)] {
        let taken = store.insert(THINGS, doc! { "_id": id, "slot": slot }).await;
        same("a taken key", &taken, &duplicate("slot"))?;
    }
    let again = doc! { "_id": "a", "slot": 3 };
    store.insert(THINGS, again.clone()).await?;
    store.insert(THINGS, doc! { "_id": "f", "slot": 1 }).await?;
    identical("the new document", store.get(THINGS, "a").await?, &again)?;
    identical("another", store.get(THINGS, "d").await?, &doc! { "_id": "d", "slot": 4 })?;
    let moved = update(&*store, doc! { "_id": "d" }, doc! { "$set": { "slot": 2 } }).await;
    same("an update to a taken key", &moved, &duplicate("slot"))
}

async fn unmatched(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Outcome {
    store.ensure(THINGS, &[LEAVES]).await?;
    store.insert(THINGS, doc! { "_id": "a", "at": past(&*clock) }).await?;
    left(&*store, &*clock, &[]).await?;
    let change = doc! { "$set": { "x": 1 } };
    same("the update", &update(&*store, doc! { "_id": "a" }, change.clone()).await?, &None)?;
    let updated = store.update_many(THINGS, &["a".to_owned()], change).await?;
    same("the number updated", &updated, &0)?;
    same("the document", &store.get(THINGS, "a").await?, &None::<Document>)
}

async fn repeat(store: Arc<dyn Store>) -> Outcome {
    for _ in 0..2 {
        store.ensure(THINGS, &[LEAVES]).await?;
    }
    Ok(())
}

async fn other(store: Arc<dyn Store>) -> Outcome {
    let plain = Index { name: "plain", keys: &["plain"], expires: false, ..LEAVES };
    store.ensure(THINGS, &[LEAVES, plain.clone()]).await?;
    rejected(store.ensure(THINGS, &[Index { expires: false, ..LEAVES }]).await)?;
    rejected(store.ensure(THINGS, &[Index { expires: true, ..plain.clone() }]).await)?;
    // Under another name it is no other index.
    rejected(store.ensure(THINGS, &[Index { name: "again", expires: true, ..plain }]).await)
}

async fn compound(store: Arc<dyn Store>) -> Outcome {
    rejected(store.ensure(THINGS, &[Index { keys: &["at", "b"], ..LEAVES }]).await)?;
    store.ensure(THINGS, &[LEAVES]).await.map_err(Into::into)
}
