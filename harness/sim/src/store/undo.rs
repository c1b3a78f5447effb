//! Taking back an update that turns out to be refused when it is half done.
//!
//! Updates are applied in place, because a copy of the document costs more than all the rest.

use bson::{Bson, Document};

use super::path::split;

/// How a document was.
#[derive(Debug, Default)]
pub(super) struct Undo {
    /// All of it, where the order of the fields could not be restored otherwise.
    whole: Option<Document>,
    /// Else the fields that have changed, in order of change.
    fields: Vec<(String, Option<Bson>)>,
}

impl Undo {
    /// Remembers the whole document.
    pub(super) fn keep_all(&mut self, document: &Document) {
        if self.whole.is_none() {
            self.whole = Some(document.clone());
        }
    }

    /// Remembers the field that the path leads into.
    pub(super) fn keep(&mut self, document: &Document, path: &str) {
        let field = split(path).0;
        self.fields.push((field.to_owned(), document.get(field).cloned()));
    }

    /// Remembers a field whose value was replaced.
    pub(super) fn keep_replaced(&mut self, field: String, old: Option<Bson>) {
        self.fields.push((field, old));
    }

    /// Makes the document what it was.
    pub(super) fn revert(self, document: &mut Document) {
        if let Some(whole) = self.whole {
            *document = whole;
            return;
        }
        for (field, old) in self.fields.into_iter().rev() {
            match old {
                Some(value) => drop(document.insert(field, value)),
                None => drop(document.remove(field)),
            }
        }
    }
}
