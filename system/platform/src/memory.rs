//! The documents that an instance has written last, so that its next change of one of them begins
//! without a read.
//!
//! A remembered document is a guess: another instance may have written it since. So only a
//! conditional write, which the store refuses if the guess is wrong, may rest on it, or the decision
//! that an event is superseded, which no later state changes. Whatever else is decided on a guess
//! is decided again on a read.

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::Document;
use parking_lot::Mutex;

/// The most documents that are remembered.
const MOST: usize = 1_000;

/// The remembered documents of one collection. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Documents>>);

#[derive(Debug, Default)]
struct Documents {
    by_id: BTreeMap<String, (u64, Document)>,
    /// The ids in the order in which they were remembered.
    by_age: BTreeMap<u64, String>,
    remembered: u64,
}

impl Memory {
    /// Remembers a document as the store has it, without its outbox.
    pub(crate) fn keep(&self, id: &str, mut document: Document) {
        document.remove("outbox");
        let mut documents = self.0.lock();
        documents.forget(id);
        documents.remembered += 1;
        let age = documents.remembered;
        documents.by_id.insert(id.to_owned(), (age, document));
        documents.by_age.insert(age, id.to_owned());
        if documents.by_age.len() > MOST
            && let Some((_, oldest)) = documents.by_age.pop_first()
        {
            documents.by_id.remove(&oldest);
        }
    }

    /// The document as it was remembered.
    pub(crate) fn get(&self, id: &str) -> Option<Document> {
        self.0.lock().by_id.get(id).map(|(_, document)| document.clone())
    }

    /// Forgets a document that was found to be stale, or that may be.
    pub(crate) fn forget(&self, id: &str) {
        self.0.lock().forget(id);
    }
}

impl Documents {
    fn forget(&mut self, id: &str) {
        if let Some((age, _)) = self.by_id.remove(id) {
            self.by_age.remove(&age);
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn the_newest_state_is_remembered_without_its_outbox() {
        let memory = Memory::default();
        memory.keep("a", doc! { "_id": "a", "x": 1, "outbox": [1] });
        memory.keep("a", doc! { "_id": "a", "x": 2, "outbox": [2] });
        assert_eq!(memory.get("a"), Some(doc! { "_id": "a", "x": 2 }));
        memory.forget("a");
        assert_eq!(memory.get("a"), None);
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let memory = Memory::default();
        for number in 0..=MOST {
            memory.keep(&number.to_string(), Document::new());
        }
        assert_eq!(memory.get("0"), None);
        assert!(memory.get("1").is_some());
        assert!(memory.get(&MOST.to_string()).is_some());
    }
}
