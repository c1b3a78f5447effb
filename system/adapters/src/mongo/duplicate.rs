//! The name of the unique index that refused a write.
//!
//! The server reports the fields of the index (`keyPattern`), but its name only inside the
//! message. The driver keeps the report for updates and index builds, and drops it for inserts.
//! So the name comes from the report where there is one, and otherwise from the message, in
//! which the known names of the collection are recognized before anything is cut out of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::RawDocument;
use mongodb::Namespace;
use mongodb::error::Error;
use parking_lot::Mutex;
use ports::store::Index;

/// The index that every collection has.
const ID_INDEX: KnownIndex = KnownIndex { name: "_id_", keys: &["_id"] };

/// The indexes that this process has ensured, by collection. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownIndexes(Arc<Mutex<BTreeMap<String, Vec<KnownIndex>>>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KnownIndex {
    name: &'static str,
    keys: &'static [&'static str],
}

impl KnownIndexes {
    /// Adds the indexes of a collection.
    pub(super) fn remember(&self, collection: &str, indexes: &[Index]) {
        let mut known = self.0.lock();
        let known = known.entry(collection.to_owned()).or_default();
        for &Index { name, keys, .. } in indexes {
            let index = KnownIndex { name, keys };
            if !known.contains(&index) {
                known.push(index);
            }
        }
    }

    /// The name of the index that caused a duplicate key error with this message.
    pub(super) fn refusing(&self, namespace: &Namespace, error: &Error, message: &str) -> String {
        let mut known = self.0.lock().get(&namespace.coll).cloned().unwrap_or_default();
        known.push(ID_INDEX);
        let response: Option<&RawDocument> = error.server_response().map(AsRef::as_ref);
        by_keys(&known, response)
            .or_else(|| by_message(&known, &namespace.to_string(), message))
            .unwrap_or("unnamed")
            .to_owned()
    }
}

/// The only known index on the reported fields. Several may share them, if each holds other
/// documents.
fn by_keys(known: &[KnownIndex], response: Option<&RawDocument>) -> Option<&'static str> {
    let pattern = response?.get_document("keyPattern").ok()?;
    let fields = pattern.iter_elements().filter_map(Result::ok).map(|field| field.key().as_str());
    let fields: Vec<&str> = fields.collect();
    let mut found = known.iter().filter(|index| index.keys == fields);
    found.next().filter(|_| found.next().is_none()).map(|index| index.name)
}

/// The name in `E11000 duplicate key error collection: orders.orders index: ticket dup key: {
/// ticketId: "t" }`. The namespace is matched whole, because it may contain ` index: `.
fn by_message<'a>(known: &[KnownIndex], namespace: &str, message: &'a str) -> Option<&'a str> {
    let start = format!("E11000 duplicate key error collection: {namespace} index: ");
    let (_, rest) = message.split_once(&start)?;
    let named = |index: &&KnownIndex| {
        rest.strip_prefix(index.name).is_some_and(|rest| rest.starts_with(" dup key: "))
    };
    match known.iter().filter(named).map(|index| index.name.len()).max() {
        Some(length) => rest.get(..length),
        None => Some(rest.split_once(" dup key: ").map_or(rest, |(name, _)| name)),
    }
}

#[cfg(test)]
mod tests {
    use bson::{RawDocumentBuf, rawdoc};

    use super::*;

    const KNOWN: [KnownIndex; 5] = [
        ID_INDEX,
        KnownIndex { name: "email", keys: &["email"] },
        KnownIndex { name: "an index: odd dup key: { a: 1 }", keys: &["odd"] },
        KnownIndex { name: "waiting", keys: &["state", "at"] },
        KnownIndex { name: "running", keys: &["state", "at"] },
    ];

    fn report(pattern: RawDocumentBuf) -> RawDocumentBuf {
        rawdoc! { "ok": 0.0, "code": 11000, "keyPattern": pattern }
    }

    #[test]
    fn the_reported_fields_name_the_index() {
        let name = |pattern| by_keys(&KNOWN, Some(&report(pattern)));
        assert_eq!(name(rawdoc! { "_id": 1 }), Some("_id_"));
        assert_eq!(name(rawdoc! { "email": 1.0 }), Some("email"));
        assert_eq!(name(rawdoc! { "odd": 1 }), Some("an index: odd dup key: { a: 1 }"));
    }

    #[test]
    fn ambiguous_or_missing_reports_leave_it_to_the_message() {
        assert_eq!(by_keys(&KNOWN, Some(&report(rawdoc! { "state": 1, "at": 1 }))), None);
        assert_eq!(by_keys(&KNOWN, Some(&report(rawdoc! { "at": 1, "state": 1 }))), None);
        assert_eq!(by_keys(&KNOWN, Some(&rawdoc! { "ok": 1.0, "writeErrors": [] })), None);
        assert_eq!(by_keys(&KNOWN, None), None);
    }

    #[test]
    fn the_message_names_the_index_whatever_the_names_contain() {
        let cases = [
            ("shop.things", "email", r#"{ email: "an index: odd dup key: {" }"#),
            ("shop.things", "an index: odd dup key: { a: 1 }", "{ odd: 1 }"),
            ("shop.an index: email dup key: x", "running", "{ state: 1, at: 1 }"),
            ("shop.things", "unknown", "{ a: 1 }"),
        ];
        for (namespace, name, key) in cases {
            let message = format!(
                "E11000 duplicate key error collection: {namespace} index: {name} dup key: {key}"
            );
            assert_eq!(by_message(&KNOWN, namespace, &message), Some(name), "{message}");
            let build = format!("Index build failed: caused by :: {message}");
            assert_eq!(by_message(&KNOWN, namespace, &build), Some(name), "{build}");
        }
        assert_eq!(by_message(&KNOWN, "shop.things", "E11000 duplicate key error"), None);
    }
}
