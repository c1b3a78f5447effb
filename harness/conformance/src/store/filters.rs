//! What filters find.

use bson::{Bson, DateTime, Document, doc};

use super::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = comparisons();
    cases.extend(nothing());
    cases.extend(combinations());
    cases.extend(refusals());
    cases
}

pub(super) fn each(values: impl IntoIterator<Item = Bson>) -> Vec<Document> {
    let ids = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    ids.iter().zip(values).map(|(id, v)| doc! { "_id": id, "v": v }).collect()
}

fn comparisons() -> Vec<Case> {
    let numbers = || each([1.into(), 2_i64.into(), 2.0.into(), 2.5.into(), 3.into()]);
    let mixed = || {
        each([
            5.into(),
            "5".into(),
            Bson::Null,
            true.into(),
            DateTime::from_millis(5).into(),
            doc! { "x": 5 }.into(),
            vec![Bson::Int32(5)].into(),
        ])
    };
    let big = || each([9_007_199_254_740_993_i64.into(), 9_007_199_254_740_992.0.into()]);
    vec![
        Case::finds(
            "the filter of nothing finds everything",
            numbers(),
            doc! {},
            &["a", "b", "c", "d", "e"],
        ),
        Case::finds(
            "equality finds equal numbers of all types",
            numbers(),
            doc! { "v": 2 },
            &["b", "c"],
        ),
        Case::finds(
            "large numbers are equal only if exactly so",
            big(),
            doc! { "v": 9_007_199_254_740_992_i64 },
            &["b"],
        ),
        Case::finds("$eq is equality", numbers(), doc! { "v": { "$eq": 2.0 } }, &["b", "c"]),
        Case::finds(
            "$ne finds all others, and those without a value",
            {
                let mut all = numbers();
                all.push(doc! { "_id": "f" });
                all
            },
            doc! { "v": { "$ne": 2 } },
            &["a", "d", "e", "f"],
        ),
        Case::finds("$gt excludes the bound", numbers(), doc! { "v": { "$gt": 2 } }, &["d", "e"]),
        Case::finds(
            "$gte includes the bound",
            numbers(),
            doc! { "v": { "$gte": 2 } },
            &["b", "c", "d", "e"],
        ),
        Case::finds(
            "$lt excludes the bound",
            numbers(),
            doc! { "v": { "$lt": 2.5 } },
            &["a", "b", "c"],
        ),
        Case::finds(
            "$lte includes the bound",
            numbers(),
            doc! { "v": { "$lte": 2.5 } },
            &["a", "b", "c", "d"],
        ),
        Case::finds(
            "bounds on both sides all hold",
            numbers(),
            doc! { "v": { "$gt": 1, "$lt": 2.5 } },
            &["b", "c"],
        ),
        Case::finds(
            "a comparison stays within the type of its operand",
            mixed(),
            doc! { "v": { "$gt": "" } },
            &["b"],
        ),
        Case::finds(
            "a comparison with a number finds numbers, in arrays too",
            mixed(),
            doc! { "v": { "$gte": 5 } },
            &["a", "g"],
        ),
        Case::finds(
            "a comparison with a time finds times",
            mixed(),
            doc! { "v": { "$lt": DateTime::from_millis(6) } },
            &["e"],
        ),
        Case::finds(
            "strings compare by their bytes",
            each(["B".into(), "a".into(), "ä".into(), "z".into()]),
            doc! { "v": { "$gt": "a" } },
            &["c", "d"],
        ),
        Case::finds(
            "false is less than true",
            each([false.into(), true.into()]),
            doc! { "v": { "$lt": true } },
            &["a"],
        ),
        Case::finds(
            "$in finds any of the values",
            numbers(),
            doc! { "v": { "$in": [1, 3, 9] } },
            &["a", "e"],
        ),
        Case::finds("$in of nothing finds nothing", numbers(), doc! { "v": { "$in": [] } }, &[]),
        Case::finds(
            "$nin finds all others",
            numbers(),
            doc! { "v": { "$nin": [2, 3] } },
            &["a", "d"],
        ),
        Case::finds(
            "equality with a document is exact, with the order of its fields",
            each([
                doc! { "x": 1, "y": 2 }.into(),
                doc! { "y": 2, "x": 1 }.into(),
                doc! { "x": 1 }.into(),
                doc! { "x": 1_i64, "y": 2.0 }.into(),
            ]),
            doc! { "v": { "x": 1, "y": 2 } },
            &["a", "d"],
        ),
        Case::finds(
            "not a number is equal to itself only",
            each([f64::NAN.into(), 1.into()]),
            doc! { "v": { "$lte": f64::NAN } },
            &["a"],
        ),
    ]
}

fn nothing() -> Vec<Case> {
    let documents = || {
        vec![
            doc! { "_id": "a", "v": Bson::Null },
            doc! { "_id": "b" },
            doc! { "_id": "c", "v": 0 },
            doc! { "_id": "d", "v": [] },
            doc! { "_id": "e", "v": [1, Bson::Null] },
        ]
    };
    vec![
        Case::finds(
            "equality with null finds null, and what is missing",
            documents(),
            doc! { "v": Bson::Null },
            &["a", "b", "e"],
        ),
        Case::finds(
            "$ne null finds only what is there",
            documents(),
            doc! { "v": { "$ne": Bson::Null } },
            &["c", "d"],
        ),
        Case::finds(
            "$in with null finds what is missing",
            documents(),
            doc! { "v": { "$in": [0, Bson::Null] } },
            &["a", "b", "c", "e"],
        ),
        Case::finds(
            "$gte null finds null, and what is missing",
            documents(),
            doc! { "v": { "$gte": Bson::Null } },
            &["a", "b", "e"],
        ),
        Case::finds(
            "$exists finds null too",
            documents(),
            doc! { "v": { "$exists": true } },
            &["a", "c", "d", "e"],
        ),
        Case::finds(
            "$exists: false finds only what is missing",
            documents(),
            doc! { "v": { "$exists": false } },
            &["b"],
        ),
        Case::finds(
            "$lt never finds what is missing",
            documents(),
            doc! { "v": { "$lt": 5 } },
            &["c", "e"],
        ),
        Case::finds(
            "$not finds what is missing",
            documents(),
            doc! { "v": { "$not": { "$lt": 5 } } },
            &["a", "b", "d"],
        ),
    ]
}

fn combinations() -> Vec<Case> {
    let documents = || {
        vec![
            doc! { "_id": "a", "n": 1, "s": "x" },
            doc! { "_id": "b", "n": 2, "s": "x" },
            doc! { "_id": "c", "n": 3, "s": "y" },
        ]
    };
    vec![
        Case::finds(
            "all fields of a filter hold",
            documents(),
            doc! { "n": { "$gt": 1 }, "s": "x" },
            &["b"],
        ),
        Case::finds(
            "the id may be one of the conditions",
            documents(),
            doc! { "_id": "b", "s": "y" },
            &[],
        ),
        Case::finds(
            "ids can be compared",
            documents(),
            doc! { "_id": { "$gt": "a" } },
            &["b", "c"],
        ),
        Case::finds(
            "$and is all",
            documents(),
            doc! { "$and": [{ "n": { "$gt": 1 } }, { "n": { "$lt": 3 } }] },
            &["b"],
        ),
        Case::finds(
            "$or is any",
            documents(),
            doc! { "$or": [{ "n": 1 }, { "s": "y" }] },
            &["a", "c"],
        ),
        Case::finds(
            "$nor is none",
            documents(),
            doc! { "$nor": [{ "n": 1 }, { "s": "y" }] },
            &["b"],
        ),
        Case::finds(
            "$or within $and, beside a field",
            documents(),
            doc! {
                "s": "x",
                "$and": [{ "$or": [{ "n": 1 }, { "n": 3 }] }],
            },
            &["a"],
        ),
        Case::finds(
            "$not is all that the operators are not, together",
            documents(),
            doc! { "n": { "$not": { "$gt": 1, "$lt": 3 } } },
            &["a", "c"],
        ),
    ]
}

fn refusals() -> Vec<Case> {
    vec![
        Case::refuses_filter(
            "an unknown operator on a field is rejected",
            doc! { "n": { "$above": 1 } },
        ),
        Case::refuses_filter(
            "an unknown operator at the top is rejected",
            doc! { "$xor": [{ "n": 1 }] },
        ),
        Case::refuses_filter(
            "an operator beside a plain field is rejected",
            doc! { "n": { "$gt": 1, "m": 2 } },
        ),
        Case::refuses_filter("$in of no array is rejected", doc! { "n": { "$in": 1 } }),
        Case::refuses_filter("$or of nothing is rejected", doc! { "$or": [] }),
        Case::refuses_filter("$and of no filters is rejected", doc! { "$and": [1] }),
        Case::refuses_filter("$not of no operators is rejected", doc! { "n": { "$not": 5 } }),
        Case::refuses_filter(
            "an operator within $in is rejected",
            doc! { "n": { "$in": [{ "$gt": 1 }] } },
        ),
    ]
}
