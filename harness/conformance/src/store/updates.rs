//! What updates do to a document.

use std::sync::Arc;

use bson::{Bson, Document, doc};
use ports::store::Store;

use super::{Case, Outcome, THINGS, identical, same, update};

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
            "$set replaces in place and adds at the end",
            doc! { "_id": "a", "x": 1, "y": 2 },
            doc! { "$set": { "z": 4, "x": 3 } },
            doc! { "_id": "a", "x": 3, "y": 2, "z": 4 },
        ),
        Case::changes(
            "new fields are added in the order of their names",
            doc! { "_id": "a" },
            doc! { "$set": { "c": 1, "a": 2 }, "$inc": { "b": 3 } },
            doc! { "_id": "a", "a": 2, "b": 3, "c": 1 },
        ),
        Case::changes(
            "$set may change the type",
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
            "$set makes the documents on its path",
            doc! { "_id": "a" },
            doc! { "$set": { "x.y.z": 1 } },
            doc! { "_id": "a", "x": { "y": { "z": 1 } } },
        ),
        Case::changes(
            "$set reaches into a document",
            doc! { "_id": "a", "x": { "y": 1, "z": 2 } },
            doc! { "$set": { "x.y": 3 } },
            doc! { "_id": "a", "x": { "y": 3, "z": 2 } },
        ),
        Case::changes(
            "$set reaches an element of an array",
            doc! { "_id": "a", "x": [{ "y": 1 }, 2] },
            doc! { "$set": { "x.0.y": 3, "x.1": 4 } },
            doc! { "_id": "a", "x": [{ "y": 3 }, 4] },
        ),
        Case::changes(
            "$set behind the end of an array fills with nulls",
            doc! { "_id": "a", "x": [1] },
            doc! { "$set": { "x.3": 4 } },
            doc! { "_id": "a", "x": [1, Bson::Null, Bson::Null, 4] },
        ),
        Case::changes(
            "$set of nothing changes nothing",
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
            "$unset takes a field away",
            doc! { "_id": "a", "x": 1, "y": { "z": 1, "w": 2 } },
            doc! { "$unset": { "x": "", "y.z": "", "v": "" } },
            doc! { "_id": "a", "y": { "w": 2 } },
        ),
        Case::changes(
            "$unset of an element leaves a null",
            doc! { "_id": "a", "x": [1, 2] },
            doc! { "$unset": { "x.0": "" } },
            doc! { "_id": "a", "x": [Bson::Null, 2] },
        ),
        Case::changes(
            "$unset through a plain value changes nothing",
            doc! { "_id": "a", "x": 1 },
            doc! { "$unset": { "x.y": "" } },
            doc! { "_id": "a", "x": 1 },
        ),
        Case::changes(
            "$setOnInsert leaves a document that is there",
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
            "$inc of what is missing sets it",
            doc! { "_id": "a" },
            doc! { "$inc": { "n": 2_i64 } },
            doc! { "_id": "a", "n": 2_i64 },
        ),
        Case::changes(
            "$inc takes the wider type",
            doc! { "_id": "a", "i": 1, "l": 1_i64, "r": 1.5 },
            doc! { "$inc": { "i": 1_i64, "l": 1, "r": 1 } },
            doc! { "_id": "a", "i": 2_i64, "l": 2_i64, "r": 2.5 },
        ),
        Case::changes(
            "$inc goes over to the longer type rather than overflow",
            doc! { "_id": "a", "n": i32::MAX },
            doc! { "$inc": { "n": 1 } },
            doc! { "_id": "a", "n": 2_147_483_648_i64 },
        ),
        Case::refuses_change(
            "$inc that overflows is rejected",
            doc! { "_id": "a", "n": i64::MAX },
            doc! { "$inc": { "n": 1 } },
        ),
        Case::refuses_change(
            "$inc of a string is rejected",
            doc! { "_id": "a", "n": "1" },
            doc! { "$inc": { "n": 1 } },
        ),
        Case::refuses_change(
            "$inc of null is rejected",
            doc! { "_id": "a", "n": Bson::Null },
            doc! { "$inc": { "n": 1 } },
        ),
        Case::refuses_change(
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
            "$push appends",
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
            "$push with $each appends all, in order",
            doc! { "_id": "a", "x": [1] },
            doc! { "$push": { "x": { "$each": [2, { "y": 3 }] } } },
            doc! { "_id": "a", "x": [1, 2, { "y": 3 }] },
        ),
        Case::changes(
            "$push makes the array",
            doc! { "_id": "a" },
            doc! { "$push": { "x.y": { "z": 1 } } },
            doc! { "_id": "a", "x": { "y": [{ "z": 1 }] } },
        ),
        Case::changes(
            "$push of $each nothing makes an empty array",
            doc! { "_id": "a" },
            doc! { "$push": { "x": { "$each": [] } } },
            doc! { "_id": "a", "x": [] },
        ),
        Case::changes(
            "$pull removes the published events and keeps the order of the rest",
            outbox(),
            doc! { "$pull": { "outbox": { "id": { "$in": ["1", "3", "9"] } } } },
            doc! { "_id": "a", "outbox": [{ "id": "2", "n": 1 }] },
        ),
        Case::changes(
            "$pull by fields removes documents that have them all",
            outbox(),
            doc! { "$pull": { "outbox": { "n": 1, "id": "2" } } },
            doc! { "_id": "a", "outbox": [{ "id": "1", "n": 1 }, { "id": "3", "n": 2 }] },
        ),
        Case::changes(
            "$pull by $or removes documents that match",
            outbox(),
            doc! { "$pull": { "outbox": { "$or": [{ "n": 2 }, { "id": "1" }] } } },
            doc! { "_id": "a", "outbox": [{ "id": "2", "n": 1 }] },
        ),
        Case::changes(
            "$pull by value removes equal elements of all number types",
            doc! { "_id": "a", "x": [1, 2, 1.0, "1", [1]] },
            doc! { "$pull": { "x": 1_i64 } },
            doc! { "_id": "a", "x": [2, "1", [1]] },
        ),
        Case::changes(
            "$pull by operators removes elements for which they hold",
            doc! { "_id": "a", "x": [1, 5, "a", 9] },
            doc! { "$pull": { "x": { "$gte": 5 } } },
            doc! { "_id": "a", "x": [1, "a"] },
        ),
        Case::changes(
            "$pull of fields leaves elements that are no documents",
            doc! { "_id": "a", "x": [1, { "y": 1 }] },
            doc! { "$pull": { "x": { "y": 1 } } },
            doc! { "_id": "a", "x": [1] },
        ),
        Case::changes(
            "$pull of what is not there changes nothing",
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
        Case::refuses_change(
            "$push to what is no array is rejected",
            doc! { "_id": "a", "x": 1 },
            doc! { "$push": { "x": 1 } },
        ),
        Case::refuses_change(
            "$push to null is rejected",
            doc! { "_id": "a", "x": Bson::Null },
            doc! { "$push": { "x": 1 } },
        ),
        Case::refuses_change(
            "$pull from what is no array is rejected",
            doc! { "_id": "a", "x": 1 },
            doc! { "$pull": { "x": 1 } },
        ),
        Case::refuses_change(
            "$pull through a plain value is rejected",
            doc! { "_id": "a", "x": 1 },
            doc! { "$pull": { "x.y": 1 } },
        ),
        Case::refuses_change(
            "$pull by $not alone is rejected",
            doc! { "_id": "a", "x": [1] },
            doc! { "$pull": { "x": { "$not": { "$gt": 1 } } } },
        ),
        Case::refuses_change(
            "$each of no array is rejected",
            doc! { "_id": "a", "x": [] },
            doc! { "$push": { "x": { "$each": 1 } } },
        ),
    ]
}

fn conditions() -> Vec<Case> {
    vec![
        Case::new("an update under a revision happens once", revision),
        Case::new("only a newer version replaces an older", newer),
        Case::new("an update changes one document of those that match", one_of_many),
        Case::new("state, revision and events change in one write", one_write),
    ]
}

async fn revision(store: Arc<dyn Store>) -> Outcome {
    store.insert(THINGS, doc! { "_id": "a", "revision": 0_i64 }).await?;
    let gate = || doc! { "_id": "a", "revision": 0_i64 };
    let change = || doc! { "$set": { "by": "me" }, "$inc": { "revision": 1_i64 } };
    let first = update(&*store, gate(), change()).await?;
    let after = doc! { "_id": "a", "revision": 1_i64, "by": "me" };
    identical("the first update", first.as_ref(), &after)?;
    same("the second update", &update(&*store, gate(), change()).await?, &None)?;
    identical("the document", store.get(THINGS, "a").await?.as_ref(), &after)
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
    identical("the document", updated.as_ref(), &after)
}

fn refusals() -> Vec<Case> {
    let before = || doc! { "_id": "a", "x": 1, "y": { "z": 1 }, "l": [1], "n": Bson::Null };
    vec![
        Case::refuses_change(
            "an unknown operator of an update is rejected",
            before(),
            doc! { "$grow": { "x": 1 } },
        ),
        Case::refuses_change("an update without operators is rejected", before(), doc! { "x": 2 }),
        Case::refuses_change("an empty update is rejected", before(), doc! {}),
        Case::refuses_change(
            "two operators on one path are rejected",
            before(),
            doc! { "$set": { "x": 2 }, "$inc": { "x": 1 } },
        ),
        Case::refuses_change(
            "operators on a path and below it are rejected",
            before(),
            doc! { "$set": { "y": {} }, "$inc": { "y.z": 1 } },
        ),
        Case::refuses_change(
            "a change of the id is rejected",
            before(),
            doc! { "$set": { "_id": "b" } },
        ),
        Case::refuses_change(
            "taking the id away is rejected",
            before(),
            doc! { "$unset": { "_id": "" } },
        ),
        Case::refuses_change(
            "$set through a plain value is rejected",
            before(),
            doc! { "$set": { "x.y": 1 } },
        ),
        Case::refuses_change(
            "$set through null is rejected",
            before(),
            doc! { "$set": { "n.y": 1 } },
        ),
        Case::refuses_change(
            "$set of a field of an array is rejected",
            before(),
            doc! { "$set": { "l.y": 1 } },
        ),
        Case::refuses_change(
            "a path with an empty part is rejected",
            before(),
            doc! { "$set": { "y..z": 1 } },
        ),
        Case::refuses_change(
            "an operator without a document is rejected",
            before(),
            doc! { "$set": 1 },
        ),
        Case::refuses_change(
            "an unknown operator within $pull is rejected",
            before(),
            doc! { "$pull": { "l": { "$above": 1 } } },
        ),
        Case::new(
            "an unknown operator is rejected where no document matches",
            |store: Arc<dyn Store>| async move {
                let refused =
                    update(&*store, doc! { "_id": "a" }, doc! { "$grow": { "x": 1 } }).await;
                same("rejected", &refused.is_err(), &true)
            },
        ),
    ]
}
