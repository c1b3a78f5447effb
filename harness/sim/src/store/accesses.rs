//! The accesses of each call on the store, for partial order reduction. Nothing here changes
//! the store.
//!
//! A write records the accesses that it could have had under another schedule, too: those that
//! differ only because another step refused it or kept it from matching. Otherwise a read could
//! appear independent of a write merely because a third step came in between, and the reduction
//! would lose schedules; see [`crate::scheduler::exhaustive::independence`]. Hence
//!
//! - a refused insert or update records the write that it attempted, with all of its keys;
//! - an update records the values that it sets whatever the previous document, instead of the
//!   document that resulted;
//! - an update that does not specify an `_id` conflicts with every call in its collection.

use bson::{Bson, Document};
use ports::causality::Causality;
use ports::store::Update;

use super::collection::Collection;
use super::filter::Filter;
use super::index::{Affected, StoredIndex};
use super::update::Change;
use crate::access::{Access, Content, DocumentWrite, Resource};
use crate::digest::Digest;

/// Determines the accesses of one instance in one collection.
#[derive(Clone, Copy)]
pub(super) struct Accesses<'a> {
    pub(super) database: &'a str,
    pub(super) collection: &'a str,
    pub(super) instance: u32,
}

/// The accesses of a write, before its outcome is known.
#[derive(Default)]
pub(super) struct Attempt {
    accesses: Vec<Access>,
    update: Option<DocumentWrite>,
    insert: Option<DocumentWrite>,
}

/// The outcome of a write.
pub(super) enum Outcome<'a> {
    Refused,
    Unmatched,
    Updated(&'a Document),
    Inserted(&'a Document),
}

impl Accesses<'_> {
    /// A new index may refuse any other write in the collection. A removal of what has expired
    /// counts as the same.
    pub(super) fn ensured(self) -> Vec<Access> {
        vec![Access::Write(self.indexes())]
    }

    pub(super) fn got(self, id: &str) -> Vec<Access> {
        vec![Access::Read(self.indexes()), Access::Read(self.document(id))]
    }

    pub(super) fn found(self, filter: &Document) -> Vec<Access> {
        let task = Causality::peek(|_| ()).is_none().then_some(self.instance);
        let collection = self.contents();
        let find = Access::Find { collection, filter: filter.clone(), task };
        vec![Access::Read(self.indexes()), find]
    }

    /// An insert into this collection, before it is carried out.
    pub(super) fn inserting(self, found: &Collection, document: &Document) -> Attempt {
        let mut attempt = Attempt::default();
        attempt.accesses.push(Access::Read(self.indexes()));
        self.insert(found, document, &mut attempt);
        attempt
    }

    /// An update of this collection, before it is carried out.
    pub(super) fn updating(self, found: &Collection, update: &Update) -> Attempt {
        let mut attempt = Attempt::default();
        let Some(Bson::String(id)) = update.filter.get("_id") else {
            attempt.accesses.push(Access::Write(self.indexes()));
            attempt.update = Some(self.write());
            return attempt;
        };
        attempt.accesses.push(Access::Read(self.indexes()));
        let (Ok(filter), Ok(change)) =
            (Filter::read(&update.filter), Change::read(update.change.clone()))
        else {
            // Rejected under every schedule.
            return attempt;
        };
        let current = found.get(id);
        let matched = current.filter(|document| filter.matches(document));
        // Whether it matches depends on this document alone.
        let access = if matched.is_some() { Access::Write } else { Access::Read };
        attempt.accesses.push(access(self.document(id)));
        let known = change.known(id);
        if let Some(current) = current {
            for index in found.unique_indexes() {
                self.change_keys(index, current, &change, &known, &mut attempt);
            }
        }
        attempt.update = Some(DocumentWrite {
            before: matched.cloned(),
            after: current.map(|_| Content::Changed { known, paths: change.paths() }),
            // Every change of state increments the revision; only the relay's removal of
            // published events does not, and it wakes no task.
            wakes: change.touches("revision").then_some(self.instance),
            ..self.write()
        });
        if update.upsert
            && let Ok(document) = Collection::upserted(&filter, change)
        {
            self.insert(found, &document, &mut attempt);
        }
        attempt
    }

    /// The accesses of a write with this outcome.
    pub(super) fn written(self, attempt: Attempt, outcome: &Outcome<'_>) -> Vec<Access> {
        let Attempt { mut accesses, update, insert } = attempt;
        let refused = matches!(outcome, Outcome::Refused);
        let digest = |document: &Document| Digest::new("content").document(document).finish();
        if let Some(write) = update {
            let content = match outcome {
                Outcome::Updated(document) => Some(digest(document)),
                _ => None,
            };
            accesses.push(Access::Document(DocumentWrite { refused, content, ..write }));
        }
        if let Some(write) = insert {
            let content = match outcome {
                Outcome::Inserted(document) => Some(digest(document)),
                _ => None,
            };
            // Documents are kept in order of insertion.
            let order = Resource::new(self.of("order"));
            let inserted = content.is_some();
            accesses.push(if inserted { Access::Write(order) } else { Access::Read(order) });
            accesses.push(Access::Document(DocumentWrite { refused, content, ..write }));
        }
        accesses
    }

    /// The insertion of this document.
    fn insert(self, found: &Collection, document: &Document, attempt: &mut Attempt) {
        let Ok(id) = document.get_str("_id") else { return };
        let exists = found.get(id).is_some();
        let access = if exists { Access::Read } else { Access::Write };
        attempt.accesses.push(access(self.document(id)));
        for index in found.unique_indexes() {
            attempt.accesses.push(Access::Read(self.index(index)));
            for key in index.unique_keys(document).unwrap_or_default() {
                self.take_key(index, &key, attempt);
            }
        }
        attempt.insert = Some(DocumentWrite {
            after: Some(Content::Whole(document.clone())),
            wakes: Some(self.instance),
            ..self.write()
        });
    }

    /// The keys that the update of this document frees and takes.
    fn change_keys(
        self,
        index: &StoredIndex,
        current: &Document,
        change: &Change,
        known: &Document,
        attempt: &mut Attempt,
    ) {
        match index.affected(current, change, known) {
            Affected::Nothing => {}
            Affected::Keys { freed, taken } => {
                attempt.accesses.push(Access::Read(self.index(index)));
                let freed = freed.iter().map(|key| Access::Write(self.key(index, key)));
                attempt.accesses.extend(freed);
                taken.iter().for_each(|key| self.take_key(index, key, attempt));
            }
            Affected::Everything => attempt.accesses.push(Access::Write(self.index(index))),
        }
    }

    /// A key that is taken already refuses the write, which then only reads it.
    fn take_key(self, index: &StoredIndex, key: &[Bson], attempt: &mut Attempt) {
        let access = if index.is_taken(key) { Access::Read } else { Access::Write };
        attempt.accesses.push(access(self.key(index, key)));
    }

    /// A write of unknown effect.
    fn write(self) -> DocumentWrite {
        let collection = self.contents();
        let (before, after) = (None, None);
        DocumentWrite { collection, before, after, wakes: None, refused: false, content: None }
    }

    fn of(self, kind: &str) -> Digest {
        Digest::new(kind).text(self.database).text(self.collection)
    }

    fn contents(self) -> Resource {
        Resource::collection(self.database, self.collection)
    }

    /// The set of indexes.
    fn indexes(self) -> Resource {
        Resource::new(self.of("indexes"))
    }

    /// One unique index as a whole.
    fn index(self, index: &StoredIndex) -> Resource {
        Resource::new(self.of("index").text(index.name()))
    }

    /// One key of a unique index.
    fn key(self, index: &StoredIndex, key: &[Bson]) -> Resource {
        Resource::new(index.add_key(self.of("key"), key))
    }

    fn document(self, id: &str) -> Resource {
        Resource::new(self.of("document").text(id))
    }
}
