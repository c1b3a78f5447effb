//! What filters find below dotted paths and in arrays.

use bson::{Bson, doc};

use super::Case;
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
            "a waiting event is found through the array",
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
            "$ne on an array is that no element is equal",
            outboxes(),
            doc! { "outbox.id": { "$ne": "1" } },
            &["a", "c", "e"],
        ),
        Case::finds(
            "null below an array is a document without the field",
            outboxes(),
            doc! { "outbox.id": Bson::Null },
            &["c", "e"],
        ),
        Case::finds(
            "$exists reaches into arrays",
            outboxes(),
            doc! { "outbox.id": { "$exists": true } },
            &["b", "d"],
        ),
        Case::finds(
            "a position in an array is a path",
            outboxes(),
            doc! { "outbox.1.id": "2" },
            &["b"],
        ),
        Case::finds(
            "an empty array is equal to an empty array",
            outboxes(),
            doc! { "outbox": [] },
            &["a"],
        ),
        Case::finds(
            "the first element exists where the array is not empty",
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
            "equality with an array is exact, or an element",
            lists(),
            doc! { "v": [2] },
            &["b", "d"],
        ),
        Case::finds(
            "bounds may be met by different elements",
            lists(),
            doc! { "v": { "$gt": 8, "$lt": 2 } },
            &["e"],
        ),
        Case::finds(
            "a path reaches into documents",
            vec![
                doc! { "_id": "a", "parcel": { "slot": { "id": "t" } } },
                doc! { "_id": "b", "parcel": { "slot": "t" } },
                doc! { "_id": "c", "parcel": Bson::Null },
            ],
            doc! { "parcel.slot.id": "t" },
            &["a"],
        ),
        Case::finds(
            "a path through a plain value leads to nothing",
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
