//! Fields of documents, read with a default where they are missing.

use std::collections::BTreeMap;

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

/// True for a field that a collection keeps in the record of a document, beside the fields of the
/// document itself.
pub fn is_bookkeeping(field: &str) -> bool {
    ["leaves", "outbox", "published", "revision"].contains(&field)
}

/// The documents by id.
pub fn by_id(documents: &[Document]) -> BTreeMap<&str, &Document> {
    documents.iter().map(|document| (id(document), document)).collect()
}
