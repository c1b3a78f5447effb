//! Random values, documents, filters and changes.

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, DateTime, Document, doc};
use ports::store::limits::MAX_SIZE;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub(super) fn id() -> impl Strategy<Value = &'static str> {
    select(vec!["1", "2", "3", "4", "5"])
}

fn field() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        20 => select(vec!["a", "b", "c"]),
        1 => select(vec!["10", "9", "09", "-1", "1x", "", "a.x", "$a", "$set", "é"]),
    ]
}

/// A path to write at.
fn path() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        12 => select(vec!["a", "b", "c", "a.x", "b.x", "c.y", "b.0", "b.1.x", "a.x.y", "c.2", "b.0.0"]),
        3 => select(vec!["a.10", "a.9", "a.09", "a.1x", "a.-1", "b.10", "b.9", "10", "9", "09"]),
        1 => select(vec!["", ".", "a.", ".a", "a..b", "_id", "_id.x", "$a", "a.$a", "a.$", "a\0"]),
    ]
}

fn scalar() -> impl Strategy<Value = Bson> {
    prop_oneof![
        4 => select(vec![
            Bson::Null,
            Bson::Int32(0),
            Bson::Int32(1),
            Bson::Int64(1),
            Bson::Int64(2),
            Bson::Double(1.0),
            Bson::Double(1.5),
            Bson::Double(-0.0),
            Bson::Double(f64::NAN),
            Bson::String(String::new()),
            Bson::String("a".to_owned()),
            Bson::String("b".to_owned()),
            Bson::Boolean(true),
            Bson::Boolean(false),
            Bson::DateTime(DateTime::from_millis(1)),
        ]),
        1 => select(vec![
            Bson::Int32(i32::MAX),
            Bson::Int32(i32::MIN),
            Bson::Int64(i64::MAX),
            Bson::Int64(i64::MIN),
            Bson::Int64((1 << 53) + 1),
            Bson::Double(9_007_199_254_740_992.0),
            Bson::Double(9_223_372_036_854_775_808.0),
            Bson::Double(f64::INFINITY),
            Bson::Double(f64::NEG_INFINITY),
            Bson::Double(f64::MIN_POSITIVE),
            Bson::DateTime(DateTime::MIN),
            Bson::DateTime(DateTime::MAX),
            Bson::DateTime(DateTime::from_millis(-1)),
            Bson::String("a\0".to_owned()),
            Bson::String("ä".to_owned()),
            Bson::ObjectId(ObjectId::from_bytes([0; 12])),
            Bson::ObjectId(ObjectId::from_bytes([1; 12])),
            binary(BinarySubtype::Generic, 1),
            binary(BinarySubtype::Generic, 2),
            binary(BinarySubtype::Uuid, 16),
        ]),
    ]
}

fn binary(subtype: BinarySubtype, length: usize) -> Bson {
    Bson::Binary(Binary { subtype, bytes: vec![7; length] })
}

fn value() -> impl Strategy<Value = Bson> {
    let name = || {
        prop_oneof![
            20 => select(vec!["x", "y"]),
            1 => select(vec!["0", "10", "", "x.y", "$x"]),
        ]
    };
    let small = scalar().prop_recursive(2, 8, 3, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Bson::Array),
            vec((name(), inner), 0..3).prop_map(|fields| {
                Bson::Document(fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
            }),
        ]
    });
    prop_oneof![80 => small, 1 => deep()]
}

/// A value about as deep as the limits.
fn deep() -> impl Strategy<Value = Bson> {
    let levels = select(vec![90_usize, 98, 176, 177, 178, 179, 180, 181, 197, 198, 199, 200, 201]);
    (levels, any::<bool>(), any::<bool>()).prop_map(|(levels, in_array, empty)| {
        let leaf = if empty { Bson::Document(Document::new()) } else { Bson::Int32(1) };
        (0..levels).fold(leaf, |inner, _| match in_array {
            true => Bson::Array(vec![inner]),
            false => Bson::Document(doc! { "x": inner }),
        })
    })
}

/// A text about as large as the limits, or half of that.
pub(super) fn large() -> impl Strategy<Value = String> {
    // The encoded document has 20 to 40 bytes besides the text.
    let sizes = vec![MAX_SIZE / 2, MAX_SIZE - 20_000, MAX_SIZE - 16_000, MAX_SIZE - 40, MAX_SIZE];
    select(sizes).prop_map(|size| "x".repeat(size))
}

pub(super) fn fields() -> impl Strategy<Value = Document> {
    vec((field(), value()), 0..4)
        .prop_map(|fields| fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
}

fn operators() -> impl Strategy<Value = Document> {
    let comparison = select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]);
    let one = prop_oneof![
        4 => (comparison, value()).prop_map(|(name, value)| doc! { name: value }),
        2 => (select(vec!["$in", "$nin"]), vec(value(), 0..3))
            .prop_map(|(name, values)| doc! { name: values }),
        1 => any::<bool>().prop_map(|there| doc! { "$exists": there }),
    ];
    let more =
        one.prop_recursive(1, 2, 1, |inner| inner.prop_map(|operators| doc! { "$not": operators }));
    vec(more, 1..3).prop_map(|all| all.into_iter().flatten().collect())
}

fn condition() -> impl Strategy<Value = Document> {
    let operand = prop_oneof![value(), operators().prop_map(Bson::Document)];
    let path = prop_oneof![
        12 => select(vec!["a", "b", "c", "a.x", "b.x", "c.y", "b.0", "b.1.x", "a.x.y", "c.2", "b.0.0"]),
        1 => select(vec!["a.10", "09", "", "a.", ".", "a..x"]),
    ];
    (path, operand).prop_map(|(path, operand)| doc! { path: operand })
}

pub(super) fn filter() -> impl Strategy<Value = Document> {
    let branches = (select(vec!["$and", "$or", "$nor"]), vec(condition(), 0..3));
    let part = prop_oneof![
        5 => condition(),
        1 => branches.prop_map(|(name, branches)| doc! { name: branches }),
    ];
    vec(part, 0..3).prop_map(|parts| parts.into_iter().flatten().collect())
}

pub(super) fn change() -> impl Strategy<Value = Document> {
    let pulled = prop_oneof![
        value(),
        operators().prop_map(Bson::Document),
        (select(vec!["x", "y"]), operators()).prop_map(|(n, v)| doc! { n: v }.into()),
    ];
    let step = prop_oneof![
        40 => (path(), value()).prop_map(|(path, v)| doc! { "$set": { path: v } }),
        10 => (path(), value()).prop_map(|(path, v)| doc! { "$setOnInsert": { path: v } }),
        10 => path().prop_map(|path| doc! { "$unset": { path: "" } }),
        20 => (path(), scalar()).prop_map(|(path, v)| doc! { "$inc": { path: v } }),
        10 => (path(), value()).prop_map(|(path, v)| doc! { "$push": { path: v } }),
        10 => (path(), vec(value(), 0..3))
            .prop_map(|(path, v)| doc! { "$push": { path: { "$each": v } } }),
        20 => (path(), pulled).prop_map(|(path, v)| doc! { "$pull": { path: v } }),
        3 => (select(vec!["$set", "$setOnInsert"]), id())
            .prop_map(|(operator, id)| doc! { operator: { "_id": id } }),
        1 => select(vec![doc! { "a": 1 }, doc! { "$set": 1 }, doc! { "$grow": { "a": 1 } }]),
    ];
    vec(step, 1..5).prop_map(|steps| {
        let mut change = Document::new();
        for (operator, operand) in steps.into_iter().flatten() {
            match (change.get_mut(&operator), operand) {
                (Some(Bson::Document(already)), Bson::Document(more)) => already.extend(more),
                (_, operand) => drop(change.insert(operator, operand)),
            }
        }
        change
    })
}

/// The id breaks ties, so that the order is unique.
pub(super) fn sort() -> impl Strategy<Value = Document> {
    let direction = || select(vec![1, -1]);
    let path = prop_oneof![
        12 => select(vec!["a", "b", "c", "a.x", "b.x", "c.y", "a.x.y"]),
        1 => select(vec!["", "a.", ".a", "a..x", "$a", "a\0"]),
    ];
    (option::of((path, direction())), direction()).prop_map(|(first, last)| {
        let mut sort = Document::new();
        if let Some((path, direction)) = first {
            sort.insert(path, direction);
        }
        sort.insert("_id", last);
        sort
    })
}
