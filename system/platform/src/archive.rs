//! The archive: the documents of a collection that leave within a period, in a stable order and in
//! pages.
//!
//! Documents leave at a time that their last renewal writes, long before ([`crate::renewal`]). So
//! once a period is nearer than that, no document is added to it, and each archive of it is equal.
//! It reads and changes nothing.

use std::ops::Range;

use bson::{Bson, DateTime, Document, doc};

use crate::collection::LEAVES;
use crate::date;
use ports::Timestamp;
use ports::store::{Find, ReadError, Store};

/// The number of documents per page. A page grows while all of it leaves at one moment.
const PAGE: u32 = 1_000;

/// Documents that leave within a period: by that time, then by id.
pub struct Leaving<'s> {
    store: &'s dyn Store,
    collection: &'s str,
    from: DateTime,
    until: DateTime,
    page: u32,
    is_done: bool,
}

impl<'s> Leaving<'s> {
    /// The documents of this collection that leave within this period.
    #[must_use]
    pub fn new(store: &'s dyn Store, collection: &'s str, period: &Range<Timestamp>) -> Self {
        let (from, until) = (date::to_bson(period.start), date::to_bson(period.end));
        Self { store, collection, from, until, page: PAGE, is_done: false }
    }

    /// The same with pages of this size.
    #[must_use]
    pub fn in_pages_of(self, page: u32) -> Self {
        Self { page, ..self }
    }

    /// Returns the next page; an empty one is the last.
    ///
    /// # Errors
    ///
    /// [`ReadError`], after which the same page can be read again.
    pub async fn next(&mut self) -> Result<Vec<Document>, ReadError> {
        while !self.is_done {
            // Only documents whose events are published leave, and the index has only those.
            let within = doc! { "$gte": self.from, "$lt": self.until };
            let filter = doc! { LEAVES: within, "outbox": [] };
            let find = Find { filter, sort: doc! { LEAVES: 1 }, limit: self.page };
            let mut found = self.store.find(self.collection, find).await?;
            self.is_done = found.len() < self.page as usize;
            if let (Some(last), false) = (found.last().and_then(leaves), self.is_done) {
                // More documents may leave at the same moment: they belong to the next page.
                found.retain(|document| leaves(document) < Some(last));
                self.from = last;
            }
            found.sort_by(|one, other| key(one).cmp(&key(other)));
            // The result of a find is no snapshot.
            found.dedup_by(|one, other| key(one) == key(other));
            if !found.is_empty() {
                return Ok(found);
            }
            self.page = self.page.saturating_mul(2);
        }
        Ok(Vec::new())
    }
}

fn leaves(document: &Document) -> Option<DateTime> {
    document.get_datetime(LEAVES).ok().copied()
}

fn key(document: &Document) -> (Option<DateTime>, Option<&str>) {
    (leaves(document), document.get("_id").and_then(Bson::as_str))
}
