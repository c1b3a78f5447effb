//! Reverting an update that is refused when it is half done.
//!
//! Updates are applied in place, because copying the document would dominate their cost.

use bson::{Bson, Document};

use super::path::split;

/// The previous state of a document.
#[derive(Debug, Default)]
pub(super) struct Undo {
    /// The changed fields, in order of change.
    fields: Vec<(String, Option<Bson>)>,
    /// The whole document after those changes, from where on the order of its fields could not
    /// be restored otherwise.
    whole: Option<Document>,
}

impl Undo {
    /// Saves the whole document.
    pub(super) fn keep_all(&mut self, document: &Document) {
        if self.whole.is_none() {
            self.whole = Some(document.clone());
        }
    }

    /// Saves the top-level field of the path.
    pub(super) fn keep(&mut self, document: &Document, path: &str) {
        let field = split(path).0;
        if self.whole.is_none() {
            self.fields.push((field.to_owned(), document.get(field).cloned()));
        }
    }

    /// Saves a field whose value was replaced.
    pub(super) fn keep_replaced(&mut self, field: String, old: Option<Bson>) {
        if self.whole.is_none() {
            self.fields.push((field, old));
        }
    }

    /// Restores the document.
    pub(super) fn revert(self, document: &mut Document) {
        if let Some(whole) = self.whole {
            *document = whole;
        }
        for (field, old) in self.fields.into_iter().rev() {
            match old {
                Some(value) => drop(document.insert(field, value)),
                None => drop(document.remove(field)),
            }
        }
    }
}
