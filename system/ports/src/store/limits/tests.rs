//! The size is the encoded size; depth, names and indexes at their limits and past them.

use bson::spec::BinarySubtype;
use bson::{Binary, DateTime, doc, oid::ObjectId};

use super::*;

/// A value this many levels deep.
fn nested(levels: usize) -> Bson {
    (0..levels).fold(Bson::Int32(1), |inner, _| doc! { "x": inner }.into())
}

#[test]
fn the_size_is_the_encoded_size() {
    let list: Vec<i32> = (0..1_234).collect();
    let binary = Binary { subtype: BinarySubtype::Generic, bytes: vec![1; 300] };
    let documents = [
        doc! {},
        doc! { "_id": "ä", "whole": 1, "long": 2_i64, "real": 0.5, "yes": true, "": Bson::Null },
        doc! { "list": list, "inner": { "deep": [[], {}, [{ "x": "y" }]] } },
        doc! { "time": DateTime::MAX, "id": ObjectId::from_bytes([1; 12]), "bytes": binary },
        doc! { "least": Bson::MinKey, "most": Bson::MaxKey, "code": Bson::JavaScriptCode("1".into()) },
    ];
    for document in documents {
        let encoded = document.to_vec().expect("no name has a null byte");
        assert_eq!(size(&document, MAX_LEVELS), Ok(encoded.len()), "{document}");
    }
}

#[test]
fn a_document_is_as_deep_as_the_limit_and_no_deeper() {
    assert_eq!(document(&doc! { "x": nested(MAX_LEVELS - 1) }), Ok(()));
    let deep = doc! { "x": nested(MAX_LEVELS) };
    assert_eq!(document(&deep), Err(Exceeded::Levels(MAX_LEVELS)));
}

#[test]
fn a_null_byte_is_found_in_names_at_any_depth_but_not_in_values() {
    assert_eq!(document(&doc! { "x": "a\0b" }), Ok(()));
    let name = "a\0b";
    for bad in [doc! { name: 1 }, doc! { "x": { name: 1 } }, doc! { "x": [[{ name: 1 }]] }] {
        assert_eq!(document(&bad), Err(Exceeded::NullByte(name.to_owned())), "{bad:?}");
    }
}

#[test]
fn names_have_limits_and_reserved_words() {
    let long = |length: usize| "x".repeat(length);
    assert_eq!(names(&long(63), &long(191)), Ok(()));
    assert_eq!(names("shop", "a system"), Ok(()));
    for database in ["", "a.b", "a b", "a$b", "a\0b", "a/b", &long(64)] {
        let expected = Err(Exceeded::Database(database.to_owned()));
        assert_eq!(names(database, "things"), expected);
    }
    for collection in ["", ".a", "a$b", "a\0b", "system.x", "a.system.b", &long(251)] {
        let expected = Err(Exceeded::Collection(collection.to_owned()));
        assert_eq!(names("shop", collection), expected);
    }
}
