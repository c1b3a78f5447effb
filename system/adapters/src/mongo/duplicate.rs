//! The name of the unique index that refused a write.
//!
//! The server reports the fields of the index (`keyPattern`), and its name only inside a
//! message, from which no name can be cut safely. The name is looked up by the fields: among the
//! indexes that this process has ensured, then among those of the server. [`Store::ensure`]
//! allows one unique index for a list of fields, so the fields tell them apart.
//!
//! [`Store::ensure`]: ports::store::Store::ensure

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::{Document, RawDocument};
use mongodb::IndexModel;
use parking_lot::Mutex;
use ports::store::Index;

/// The name of the index that every collection has.
const ID_INDEX: &str = "_id_";

/// The fields of an index, in order.
pub(super) type Fields = Vec<String>;

/// The unique indexes of each collection that are known by name. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownIndexes(Arc<Mutex<BTreeMap<String, BTreeMap<Fields, String>>>>);

impl KnownIndexes {
    /// Adds the indexes of a collection that exist.
    pub(super) fn remember(
        &self,
        collection: &str,
        unique: impl IntoIterator<Item = (Fields, String)>,
    ) {
        self.0.lock().entry(collection.to_owned()).or_default().extend(unique);
    }

    /// The name of the unique index on these fields.
    pub(super) fn name(&self, collection: &str, fields: &Fields) -> Option<String> {
        if fields.iter().eq(["_id"]) {
            return Some(ID_INDEX.to_owned());
        }
        self.0.lock().get(collection)?.get(fields).cloned()
    }
}

/// The unique ones of these indexes.
pub(super) fn unique(indexes: &[Index]) -> impl Iterator<Item = (Fields, String)> {
    let unique = indexes.iter().filter(|index| index.unique);
    unique.map(|index| (owned(index.keys.iter().copied()), index.name.to_owned()))
}

/// The fields and the name, if this index of the server is unique.
pub(super) fn unique_model(model: &IndexModel) -> Option<(Fields, String)> {
    let options = model.options.as_ref().filter(|options| options.unique == Some(true))?;
    Some((owned(model.keys.keys().map(String::as_str)), options.name.clone()?))
}

/// The reported fields of the index, in the response to a failed command.
pub(super) fn reported(response: &RawDocument) -> Option<Fields> {
    let pattern = response.get_document("keyPattern").ok()?;
    let fields = pattern.iter_elements().filter_map(Result::ok);
    Some(fields.map(|field| field.key().as_str().to_owned()).collect())
}

/// The reported fields of the index, in a write error of a successful command.
pub(super) fn reported_in(error: &Document) -> Option<Fields> {
    let pattern = error.get_document("keyPattern").ok()?;
    Some(owned(pattern.keys().map(String::as_str)))
}

fn owned<'a>(fields: impl Iterator<Item = &'a str>) -> Fields {
    fields.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use bson::{doc, rawdoc};

    use super::*;

    #[test]
    fn the_reported_fields_name_the_index_whatever_its_name_contains() {
        let odd = "a index: b dup key: { a: 1 }";
        let keys = &["state", "at"];
        let known = KnownIndexes::default();
        let plain = Index { name: "plain", keys, unique: false, partial: None, expires: false };
        let indexes =
            [plain, Index { name: odd, keys, unique: true, partial: None, expires: false }];
        known.remember("things", unique(&indexes));
        let report = rawdoc! { "code": 11000, "keyPattern": { "state": 1, "at": 1.0 } };
        let fields = reported(&report).expect("the report has the fields");
        assert_eq!(known.name("things", &fields).as_deref(), Some(odd));
        let report = doc! { "code": 11000, "keyPattern": { "at": 1, "state": 1 } };
        let fields = reported_in(&report).expect("the report has the fields");
        assert_eq!(known.name("things", &fields), None, "the order counts");
        assert_eq!(known.name("things", &vec!["_id".to_owned()]).as_deref(), Some("_id_"));
        assert_eq!(reported(&rawdoc! { "ok": 1 }), None);
    }
}
