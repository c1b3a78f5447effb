//! Filters: comparisons, missing fields and combinations.

use bson::{Bson, DateTime, Document, doc};

use super::case::Case;

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
            "an empty filter finds everything",
            numbers(),
            doc! {},
            &["a", "b", "c", "d", "e"],
        ),
        Case::finds(
            "equality compares numbers across types",
            numbers(),
            doc! { "v": 2 },
            &["b", "c"],
        ),
        Case::finds(
            "large numbers compare exactly",
            big(),
            doc! { "v": 9_007_199_254_740_992_i64 },
            &["b"],
        ),
        Case::finds("$eq finds equal values", numbers(), doc! { "v": { "$eq": 2.0 } }, &["b", "c"]),
        Case::finds(
            "$ne also finds documents without the field",
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
            "several bounds on one field must all hold",
            numbers(),
            doc! { "v": { "$gt": 1, "$lt": 2.5 } },
            &["b", "c"],
        ),
        Case::finds(
            "a comparison finds only values of the operand's type",
            mixed(),
            doc! { "v": { "$gt": "" } },
            &["b"],
        ),
        Case::finds(
            "a comparison with a number also finds numbers in arrays",
            mixed(),
            doc! { "v": { "$gte": 5 } },
            &["a", "g"],
        ),
        Case::finds(
            "a comparison with a time finds only times",
            mixed(),
            doc! { "v": { "$lt": DateTime::from_millis(6) } },
            &["e"],
        ),
        Case::finds(
            "strings compare by their UTF-8 bytes",
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
        Case::finds(
            "$in with no values finds nothing",
            numbers(),
            doc! { "v": { "$in": [] } },
            &[],
        ),
        Case::finds(
            "$nin finds all other values",
            numbers(),
            doc! { "v": { "$nin": [2, 3] } },
            &["a", "d"],
        ),
        Case::finds(
            "equality with a document includes the order of its fields",
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
            "NaN compares equal to itself only",
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
            "equality with null also finds a missing field",
            documents(),
            doc! { "v": Bson::Null },
            &["a", "b", "e"],
        ),
        Case::finds(
            "$ne null finds only fields with a value",
            documents(),
            doc! { "v": { "$ne": Bson::Null } },
            &["c", "d"],
        ),
        Case::finds(
            "$in with null also finds a missing field",
            documents(),
            doc! { "v": { "$in": [0, Bson::Null] } },
            &["a", "b", "c", "e"],
        ),
        Case::finds(
            "$gte null also finds a missing field",
            documents(),
            doc! { "v": { "$gte": Bson::Null } },
            &["a", "b", "e"],
        ),
        Case::finds(
            "$exists: true also finds null",
            documents(),
            doc! { "v": { "$exists": true } },
            &["a", "c", "d", "e"],
        ),
        Case::finds(
            "$exists: false finds only a missing field",
            documents(),
            doc! { "v": { "$exists": false } },
            &["b"],
        ),
        Case::finds(
            "$lt never finds a missing field",
            documents(),
            doc! { "v": { "$lt": 5 } },
            &["c", "e"],
        ),
        Case::finds(
            "$not also finds a missing field",
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
            "all conditions of a filter must hold",
            documents(),
            doc! { "n": { "$gt": 1 }, "s": "x" },
            &["b"],
        ),
        Case::finds(
            "a filter may combine the id with other conditions",
            documents(),
            doc! { "_id": "b", "s": "y" },
            &[],
        ),
        Case::finds(
            "ids can be compared by range",
            documents(),
            doc! { "_id": { "$gt": "a" } },
            &["b", "c"],
        ),
        Case::finds(
            "$and requires all branches",
            documents(),
            doc! { "$and": [{ "n": { "$gt": 1 } }, { "n": { "$lt": 3 } }] },
            &["b"],
        ),
        Case::finds(
            "$or requires any branch",
            documents(),
            doc! { "$or": [{ "n": 1 }, { "s": "y" }] },
            &["a", "c"],
        ),
        Case::finds(
            "$nor requires no branch",
            documents(),
            doc! { "$nor": [{ "n": 1 }, { "s": "y" }] },
            &["b"],
        ),
        Case::finds(
            "$or may be nested in $and next to a field",
            documents(),
            doc! {
                "s": "x",
                "$and": [{ "$or": [{ "n": 1 }, { "n": 3 }] }],
            },
            &["a"],
        ),
        Case::finds(
            "$not negates the conjunction of its operators",
            documents(),
            doc! { "n": { "$not": { "$gt": 1, "$lt": 3 } } },
            &["a", "c"],
        ),
    ]
}

fn refusals() -> Vec<Case> {
    vec![
        Case::rejects_filter(
            "an unknown operator on a field is rejected",
            doc! { "n": { "$above": 1 } },
        ),
        Case::rejects_filter(
            "an unknown top-level operator is rejected",
            doc! { "$xor": [{ "n": 1 }] },
        ),
        Case::rejects_filter(
            "a mix of operators and plain fields is rejected",
            doc! { "n": { "$gt": 1, "m": 2 } },
        ),
        Case::rejects_filter("$in without an array is rejected", doc! { "n": { "$in": 1 } }),
        Case::rejects_filter("$or without branches is rejected", doc! { "$or": [] }),
        Case::rejects_filter(
            "$and of values that are not filters is rejected",
            doc! { "$and": [1] },
        ),
        Case::rejects_filter("$not without operators is rejected", doc! { "n": { "$not": 5 } }),
        Case::rejects_filter(
            "an operator nested in $in is rejected",
            doc! { "n": { "$in": [{ "$gt": 1 }] } },
        ),
    ]
}
