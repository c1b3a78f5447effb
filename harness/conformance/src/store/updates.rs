//! Update operators.

use std::sync::Arc;

use bson::{Bson, Document, doc};
use ports::store::Store;

use super::case::{Case, THINGS, identical, update};
use crate::outcome::{Outcome, same};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = fields();
    cases.extend(numbers());
    cases.extend(arrays());
    cases.extend(conditions());
    cases.extend(refusals());
    cases
}

fn fields() -> Vec<Case> {
    vec![
        Case::changes(
            "$set replaces fields in place and appends new ones",
            doc! { "_id": "a", "x": 1, "y": 2 },
            doc! { "$set": { "z": 4, "x": 3 } },
            doc! { "_id": "a", "x": 3, "y": 2, "z": 4 },
        ),
        Case::changes(
            "new fields are appended in the order of their names",
            doc! { "_id": "a" },
            doc! { "$set": { "c": 1, "a": 2 }, "$inc": { "b": 3 } },
            doc! { "_id": "a", "a": 2, "b": 3, "c": 1 },
        ),
        Case::changes(
            "$set may change the type of a field",
            doc! { "_id": "a", "x": 1 },
            doc! { "$set": { "x": { "y": [1] } } },
            doc! { "_id": "a", "x": { "y": [1] } },
        ),
        Case::changes(
            "$set of an equal number of another type changes the type",
            doc! { "_id": "a", "x": 1 },
            doc! { "$set": { "x": 1_i64 } },
            doc! { "_id": "a", "x": 1_i64 },
        ),
        Case::changes(
            "$set creates the documents on its path",
            doc! { "_id": "a" },
            doc! { "$set": { "x.y.z": 1 } },
            doc! { "_id": "a", "x": { "y": { "z": 1 } } },
        ),
        Case::changes(
            "$set reaches into a nested document",
            doc! { "_id": "a", "x": { "y": 1, "z": 2 } },
            doc! { "$set": { "x.y": 3 } },
            doc! { "_id": "a", "x": { "y": 3, "z": 2 } },
        ),
        Case::changes(
            "$set reaches into an array",
            doc! { "_id": "a", "x": [{ "y": 1 }, 2] },
            doc! { "$set": { "x.0.y": 3, "x.1": 4 } },
            doc! { "_id": "a", "x": [{ "y": 3 }, 4] },
        ),
        Case::changes(
            "$set past the end of an array pads it with nulls",
            doc! { "_id": "a", "x": [1] },
            doc! { "$set": { "x.3": 4 } },
            doc! { "_id": "a", "x": [1, Bson::Null, Bson::Null, 4] },
        ),
        Case::changes(
            "an empty $set changes nothing",
            doc! { "_id": "a", "x": 1 },
            doc! { "$set": {} },
            doc! { "_id": "a", "x": 1 },
        ),
        Case::changes(
            "$set of the same id changes nothing",
            doc! { "_id": "a", "x": 1 },
            doc! { "$set": { "_id": "a" } },
            doc! { "_id": "a", "x": 1 },
        ),
        Case::changes(
            "$unset removes a field",
            doc! { "_id": "a", "x": 1, "y": { "z": 1, "w": 2 } },
            doc! { "$unset": { "x": "", "y.z": "", "v": "" } },
            doc! { "_id": "a", "y": { "w": 2 } },
        ),
        Case::changes(
            "$unset of an array element leaves a null",
            doc! { "_id": "a", "x": [1, 2] },
            doc! { "$unset": { "x.0": "" } },
            doc! { "_id": "a", "x": [Bson::Null, 2] },
        ),
        Case::changes(
            "$unset through a scalar changes nothing",
            doc! { "_id": "a", "x": 1 },
            doc! { "$unset": { "x.y": "" } },
            doc! { "_id": "a", "x": 1 },
        ),
        Case::changes(
            "$setOnInsert does not change an existing document",
            doc! { "_id": "a", "x": 1 },
            doc! { "$setOnInsert": { "x": 2, "y": 3 } },
            doc! { "_id": "a", "x": 1 },
        ),
    ]
}

fn numbers() -> Vec<Case> {
    vec![
        Case::changes(
            "$inc adds",
            doc! { "_id": "a", "n": 1 },
            doc! { "$inc": { "n": 2 } },
            doc! { "_id": "a", "n": 3 },
        ),
        Case::changes(
            "$inc of a missing field sets it",
            doc! { "_id": "a" },
            doc! { "$inc": { "n": 2_i64 } },
            doc! { "_id": "a", "n": 2_i64 },
        ),
        Case::changes(
            "$inc yields the wider type",
            doc! { "_id": "a", "i": 1, "l": 1_i64, "r": 1.5 },
            doc! { "$inc": { "i": 1_i64, "l": 1, "r": 1 } },
            doc! { "_id": "a", "i": 2_i64, "l": 2_i64, "r": 2.5 },
        ),
        Case::changes(
            "$inc widens a 32-bit integer rather than overflow",
            doc! { "_id": "a", "n": i32::MAX },
            doc! { "$inc": { "n": 1 } },
            doc! { "_id": "a", "n": 2_147_483_648_i64 },
        ),
        Case::rejects_change(
            "$inc that overflows is rejected",
            doc! { "_id": "a", "n": i64::MAX },
            doc! { "$inc": { "n": 1 } },
        ),
        Case::rejects_change(
            "$inc of a string is rejected",
            doc! { "_id": "a", "n": "1" },
            doc! { "$inc": { "n": 1 } },
        ),
        Case::rejects_change(
            "$inc of null is rejected",
            doc! { "_id": "a", "n": Bson::Null },
            doc! { "$inc": { "n": 1 } },
        ),
        Case::rejects_change(
            "$inc by a string is rejected",
            doc! { "_id": "a", "n": 1 },
            doc! { "$inc": { "n": "1" } },
        ),
    ]
}

fn arrays() -> Vec<Case> {
    let outbox = || doc! { "_id": "a", "outbox": [{ "id": "1", "n": 1 }, { "id": "2", "n": 1 }, { "id": "3", "n": 2 }] };
    vec![
        Case::changes(
            "$push appends an element",
            doc! { "_id": "a", "x": [1] },
            doc! { "$push": { "x": 2 } },
            doc! { "_id": "a", "x": [1, 2] },
        ),
        Case::changes(
            "$push of an array appends one element",
            doc! { "_id": "a", "x": [1] },
            doc! { "$push": { "x": [2, 3] } },
            doc! { "_id": "a", "x": [1, [2, 3]] },
        ),
        Case::changes(
            "$push with $each appends all elements in order",
            doc! { "_id": "a", "x": [1] },
            doc! { "$push": { "x": { "$each": [2, { "y": 3 }] } } },
            doc! { "_id": "a", "x": [1, 2, { "y": 3 }] },
        ),
        Case::changes(
            "$push creates the array",
            doc! { "_id": "a" },
            doc! { "$push": { "x.y": { "z": 1 } } },
            doc! { "_id": "a", "x": { "y": [{ "z": 1 }] } },
        ),
        Case::changes(
            "$push with an empty $each creates an empty array",
            doc! { "_id": "a" },
            doc! { "$push": { "x": { "$each": [] } } },
            doc! { "_id": "a", "x": [] },
        ),
        Case::changes(
            "$pull keeps the order of the remaining elements",
            outbox(),
            doc! { "$pull": { "outbox": { "id": { "$in": ["1", "3", "9"] } } } },
            doc! { "_id": "a", "outbox": [{ "id": "2", "n": 1 }] },
        ),
        Case::changes(
            "$pull by fields removes documents that match all of them",
            outbox(),
            doc! { "$pull": { "outbox": { "n": 1, "id": "2" } } },
            doc! { "_id": "a", "outbox": [{ "id": "1", "n": 1 }, { "id": "3", "n": 2 }] },
        ),
        Case::changes(
            "$pull by $or removes documents that match any branch",
            outbox(),
            doc! { "$pull": { "outbox": { "$or": [{ "n": 2 }, { "id": "1" }] } } },
            doc! { "_id": "a", "outbox": [{ "id": "2", "n": 1 }] },
        ),
        Case::changes(
            "$pull by value compares numbers across types",
            doc! { "_id": "a", "x": [1, 2, 1.0, "1", [1]] },
            doc! { "$pull": { "x": 1_i64 } },
            doc! { "_id": "a", "x": [2, "1", [1]] },
        ),
        Case::changes(
            "$pull by operators removes the matching elements",
            doc! { "_id": "a", "x": [1, 5, "a", 9] },
            doc! { "$pull": { "x": { "$gte": 5 } } },
            doc! { "_id": "a", "x": [1, "a"] },
        ),
        Case::changes(
            "$pull by fields keeps elements that are not documents",
            doc! { "_id": "a", "x": [1, { "y": 1 }] },
            doc! { "$pull": { "x": { "y": 1 } } },
            doc! { "_id": "a", "x": [1] },
        ),
        Case::changes(
            "$pull of a missing element changes nothing",
            doc! { "_id": "a", "x": [1] },
            doc! { "$pull": { "x": 2, "y": 1, "z.w": 1 } },
            doc! { "_id": "a", "x": [1] },
        ),
        Case::changes(
            "$pull may leave an empty array",
            doc! { "_id": "a", "x": [1, 1] },
            doc! { "$pull": { "x": 1 } },
            doc! { "_id": "a", "x": [] },
        ),
        Case::rejects_change(
            "$push to a scalar is rejected",
            doc! { "_id": "a", "x": 1 },
            doc! { "$push": { "x": 1 } },
        ),
        Case::rejects_change(
            "$push to null is rejected",
            doc! { "_id": "a", "x": Bson::Null },
            doc! { "$push": { "x": 1 } },
        ),
        Case::rejects_change(
            "$pull from a scalar is rejected",
            doc! { "_id": "a", "x": 1 },
            doc! { "$pull": { "x": 1 } },
        ),
        Case::rejects_change(
            "$pull through a scalar is rejected",
            doc! { "_id": "a", "x": 1 },
            doc! { "$pull": { "x.y": 1 } },
        ),
        Case::rejects_change(
            "$pull by $not alone is rejected",
            doc! { "_id": "a", "x": [1] },
            doc! { "$pull": { "x": { "$not": { "$gt": 1 } } } },
        ),
        Case::rejects_change(
            "$each without an array is rejected",
            doc! { "_id": "a", "x": [] },
            doc! { "$push": { "x": { "$each": 1 } } },
        ),
    ]
}

fn conditions() -> Vec<Case> {
    vec![
        Case::new("an update conditional on a revision takes effect once", revision),
        Case::new("only a newer version replaces an older one", newer),
        Case::new("an update changes one of several matching documents", one_of_many),
        Case::new("state, revision and events change in one write", one_write),
    ]
}

async fn revision(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "revision": 0_i64 }).await?;
    let gate = || doc! { "_id": "a", "revision": 0_i64 };
    let change = || doc! { "$set": { "by": "me" }, "$inc": { "revision": 1_i64 } };
    let first = update(&*store, gate(), change()).await?;
    let after = doc! { "_id": "a", "revision": 1_i64, "by": "me" };
    identical("the first update", first, &after)?;
    same("the second update", &update(&*store, gate(), change()).await?, &None)?;
    identical("the document", store.get(THINGS, "a").await?, &after)
}

async fn newer(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "version": 3_i64 }).await?;
    for (version, applied) in [(2_i64, false), (3, false), (5, true), (4, false), (6, true)] {
        let gate = doc! { "_id": "a", "version": { "$lt": version } };
        let updated = update(&*store, gate, doc! { "$set": { "version": version } }).await?;
        same(&format!("version {version} applied"), &updated.is_some(), &applied)?;
    }
    Ok(())
}

async fn one_of_many(store: Arc<dyn Store>) -> Outcome {
    for id in ["a", "b", "c"] {
        store.insert(THINGS, doc! { "_id": id, "done": false }).await?;
    }
    for left in [Some(()), Some(()), Some(()), None] {
        let change = doc! { "$set": { "done": true } };
        let updated = update(&*store, doc! { "done": false }, change).await?;
        same("one was updated", &updated.map(drop), &left)?;
    }
    Ok(())
}

async fn one_write(store: Arc<dyn Store>) -> Outcome {
    let before: Document =
        doc! { "_id": "a", "state": "held", "revision": 4_i64, "outbox": [{ "id": "1" }] };
    store.insert(THINGS, before).await?;
    let change = doc! {
        "$set": { "state": "released" },
        "$inc": { "revision": 1_i64 },
        "$push": { "outbox": { "$each": [{ "id": "2" }, { "id": "3" }] } },
    };
    let updated = update(&*store, doc! { "_id": "a", "revision": 4_i64 }, change).await?;
    let after = doc! {
        "_id": "a", "state": "released", "revision": 5_i64,
        "outbox": [{ "id": "1" }, { "id": "2" }, { "id": "3" }],
    };
    identical("the document", updated, &after)
}

fn refusals() -> Vec<Case> {
    let before = || doc! { "_id": "a", "x": 1, "y": { "z": 1 }, "l": [1], "n": Bson::Null };
    vec![
        Case::rejects_change(
            "an unknown update operator is rejected",
            before(),
            doc! { "$grow": { "x": 1 } },
        ),
        Case::rejects_change("an update without operators is rejected", before(), doc! { "x": 2 }),
        Case::rejects_change("an empty update is rejected", before(), doc! {}),
        Case::rejects_change(
            "two operators on one path are rejected",
            before(),
            doc! { "$set": { "x": 2 }, "$inc": { "x": 1 } },
        ),
        Case::rejects_change(
            "operators on a path and on its prefix are rejected",
            before(),
            doc! { "$set": { "y": {} }, "$inc": { "y.z": 1 } },
        ),
        Case::rejects_change(
            "a change of the id is rejected",
            before(),
            doc! { "$set": { "_id": "b" } },
        ),
        Case::rejects_change(
            "removing the id is rejected",
            before(),
            doc! { "$unset": { "_id": "" } },
        ),
        Case::rejects_change(
            "$set through a scalar is rejected",
            before(),
            doc! { "$set": { "x.y": 1 } },
        ),
        Case::rejects_change(
            "$set through null is rejected",
            before(),
            doc! { "$set": { "n.y": 1 } },
        ),
        Case::rejects_change(
            "$set of a named field of an array is rejected",
            before(),
            doc! { "$set": { "l.y": 1 } },
        ),
        Case::rejects_change(
            "a path with an empty component is rejected",
            before(),
            doc! { "$set": { "y..z": 1 } },
        ),
        Case::rejects_change(
            "an operator without a document is rejected",
            before(),
            doc! { "$set": 1 },
        ),
        Case::rejects_change(
            "an unknown operator nested in $pull is rejected",
            before(),
            doc! { "$pull": { "l": { "$above": 1 } } },
        ),
        Case::new(
            "an unknown operator is rejected even where no document matches",
            |store: Arc<dyn Store>| async move {
                let refused =
                    update(&*store, doc! { "_id": "a" }, doc! { "$grow": { "x": 1 } }).await;
                same("rejected", &refused.is_err(), &true)
            },
        ),
    ]
}
