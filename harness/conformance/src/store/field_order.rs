//! The order in which an update makes new fields, and which of them it writes.

use bson::{Bson, doc};

use super::case::Case;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::changes(
            "new fields with numbers as names are appended in the order of the numbers",
            doc! { "_id": "a" },
            doc! { "$set": { "h.10": 1, "h.9": 2, "h.100": 3, "h.1": 4 } },
            doc! { "_id": "a", "h": { "1": 4, "9": 2, "10": 1, "100": 3 } },
        ),
        Case::changes(
            "a number with leading zeros is ordered as a text",
            doc! { "_id": "a" },
            doc! { "$set": { "h.10": 1, "h.09": 2, "d.8": 3, "d.007": 4, "d.0": 5, "d.00": 6 } },
            doc! { "_id": "a", "d": { "0": 5, "00": 6, "007": 4, "8": 3 }, "h": { "09": 2, "10": 1 } },
        ),
        Case::changes(
            "a number with a sign is ordered as a text",
            doc! { "_id": "a" },
            doc! { "$set": { "9": 1, "-1": 2, "+1": 3 } },
            doc! { "_id": "a", "+1": 3, "-1": 2, "9": 1 },
        ),
        Case::changes(
            "of two names that begin with a digit the shorter is first",
            doc! { "_id": "a" },
            doc! { "$set": { "1x": 1, "10": 2, "9": 3, "1": 4, "11a": 5, "2a": 6, "1-": 7 } },
            doc! { "_id": "a", "1": 4, "9": 3, "1-": 7, "10": 2, "1x": 1, "2a": 6, "11a": 5 },
        ),
        Case::changes(
            "names are ordered by their bytes",
            doc! { "_id": "a" },
            doc! { "$set": { "é": 1, "z": 2, "Z": 3, "~": 4, "a b": 5, "a": 6, "a-": 7 } },
            doc! { "_id": "a", "Z": 3, "a": 6, "a b": 5, "a-": 7, "z": 2, "~": 4, "é": 1 },
        ),
        Case::changes(
            "paths are ordered by their components, not as texts",
            doc! { "_id": "a" },
            doc! { "$set": { "x-.a": 1, "x.b": 2, "x.a": 3 }, "$inc": { "x!.a": 4 } },
            doc! { "_id": "a", "x": { "a": 3, "b": 2 }, "x!": { "a": 4 }, "x-": { "a": 1 } },
        ),
        Case::rejects_change(
            "a refused update that adds and removes fields changes nothing",
            doc! { "_id": "a", "b": 1, "c": 2, "z": "text" },
            doc! { "$set": { "a": 1, "c": 3, "d.x": 4 }, "$unset": { "b": "" }, "$inc": { "z": 1 } },
        ),
        Case::changes(
            "$inc to an equal number keeps the sign of a zero",
            doc! { "_id": "a", "x": -0.0, "y": 0.0, "z": -0.0 },
            doc! { "$inc": { "x": 0, "y": -0.0, "z": 0.0 } },
            doc! { "_id": "a", "x": -0.0, "y": 0.0, "z": -0.0 },
        ),
        Case::changes(
            "a position to write at may have leading zeros",
            doc! { "_id": "a", "x": [1, [2], 3] },
            doc! { "$set": { "x.00": 4, "x.01.00": 5 }, "$unset": { "x.002": "" }, "$inc": { "x.04": 6 } },
            doc! { "_id": "a", "x": [4, [5], Bson::Null, Bson::Null, 6] },
        ),
        Case::changes(
            "elements past the end of an array are written in the order of their positions",
            doc! { "_id": "a", "x": [] },
            doc! { "$set": { "x.10": 1, "x.9": 2 }, "$push": { "y": 1 } },
            doc! { "_id": "a", "x": padded(), "y": [1] },
        ),
    ]
}

/// Nine nulls and two elements.
fn padded() -> Vec<Bson> {
    let mut items = vec![Bson::Null; 9];
    items.extend([Bson::Int32(2), Bson::Int32(1)]);
    items
}
