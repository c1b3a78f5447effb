//! Filters on dotted paths and arrays.

use bson::{Bson, doc};

use super::case::Case;
use super::filters::each;

pub(super) fn cases() -> Vec<Case> {
    let outboxes = || {
        vec![
            doc! { "_id": "a", "outbox": [] },
            doc! { "_id": "b", "outbox": [{ "id": "1" }, { "id": "2" }] },
            doc! { "_id": "c" },
            doc! { "_id": "d", "outbox": { "id": "1" } },
            doc! { "_id": "e", "outbox": [{ "n": 1 }, 7] },
        ]
    };
    let lists = || {
        each([
            vec![Bson::Int32(1), Bson::Int32(2)].into(),
            vec![Bson::Int32(2)].into(),
            2.into(),
            Bson::Array(vec![Bson::Array(vec![Bson::Int32(2)])]),
            vec![Bson::Int32(1), Bson::Int32(9)].into(),
        ])
    };
    vec![
        Case::finds(
            "a comparison reaches into the documents of an array",
            outboxes(),
            doc! { "outbox.id": { "$gt": "" } },
            &["b", "d"],
        ),
        Case::finds(
            "equality reaches into the documents of an array",
            outboxes(),
            doc! { "outbox.id": "2" },
            &["b"],
        ),
        Case::finds(
            "a dot at the end of a path to an array changes nothing",
            lists(),
            doc! { "v.": 2 },
            &["a", "b"],
        ),
        Case::finds(
            "$ne requires that no array element is equal",
            outboxes(),
            doc! { "outbox.id": { "$ne": "1" } },
            &["a", "c", "e"],
        ),
        Case::finds(
            "null below an array finds an element without the field",
            outboxes(),
            doc! { "outbox.id": Bson::Null },
            &["c", "e"],
        ),
        Case::finds(
            "$exists reaches into the documents of an array",
            outboxes(),
            doc! { "outbox.id": { "$exists": true } },
            &["b", "d"],
        ),
        Case::finds(
            "an array position may be part of a path",
            outboxes(),
            doc! { "outbox.1.id": "2" },
            &["b"],
        ),
        Case::finds(
            "an empty array equals an empty array",
            outboxes(),
            doc! { "outbox": [] },
            &["a"],
        ),
        Case::finds(
            "the first element exists only in a non-empty array",
            outboxes(),
            doc! { "outbox.0": { "$exists": true } },
            &["b", "e"],
        ),
        Case::finds(
            "equality finds an array that contains the value",
            lists(),
            doc! { "v": 2 },
            &["a", "b", "c"],
        ),
        Case::finds(
            "equality with an array finds that array, or an array that contains it",
            lists(),
            doc! { "v": [2] },
            &["b", "d"],
        ),
        Case::finds(
            "different array elements may meet different bounds",
            lists(),
            doc! { "v": { "$gt": 8, "$lt": 2 } },
            &["e"],
        ),
        Case::finds(
            "a path reaches into nested documents",
            vec![
                doc! { "_id": "a", "parcel": { "slot": { "id": "t" } } },
                doc! { "_id": "b", "parcel": { "slot": "t" } },
                doc! { "_id": "c", "parcel": Bson::Null },
            ],
            doc! { "parcel.slot.id": "t" },
            &["a"],
        ),
        Case::finds(
            "a path through a scalar finds a missing field",
            vec![
                doc! { "_id": "a", "parcel": 5 },
                doc! { "_id": "b", "parcel": { "id": 1 } },
                doc! { "_id": "c", "parcel": [5] },
            ],
            doc! { "parcel.id": Bson::Null },
            &["a"],
        ),
    ]
}
