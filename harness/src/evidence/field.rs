//! Fields of documents, read with a default where they are missing.

use bson::{Bson, Document};

/// The `_id`; empty where it is no string.
pub fn id(document: &Document) -> &str {
    text(document, "_id")
}

/// A text field; empty where there is none.
pub fn text<'a>(document: &'a Document, field: &str) -> &'a str {
    document.get_str(field).unwrap_or_default()
}

/// An integer field; -1 where there is none.
pub fn integer(document: &Document, field: &str) -> i64 {
    match document.get(field) {
        Some(Bson::Int32(number)) => i64::from(*number),
        Some(Bson::Int64(number)) => *number,
        _ => -1,
    }
}
