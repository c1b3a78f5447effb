//! Renewal: the newest event of a document is published again before it leaves the stream, as
//! long as the document may still change, and once after that.
//!
//! Messages leave the event stream at an age ([`Policy::events`]). A service that is added later,
//! or restored from nothing, reads the stream from its start, so it could not build its copies of
//! what has not changed for longer than that. A renewal closes this: at every moment, the stream
//! has the newest event of every document that has not ended. It is the same state with the same
//! version under a new id, so that consumers which have it already ignore it as superseded.
//!
//! A document that has ended is renewed once, so that its end also reaches a consumer that was
//! away for longer than an event stays. More often would cost more with every document for ever.
//!
//! The time of the newest event is the field `published` of a document, which
//! [`crate::collection`] writes. Nothing here removes a document.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bson::{Document, doc};
use parking_lot::Mutex;

use crate::collection::{Aggregate, Collection, PUBLISHED, decode};
use crate::date;
use crate::event::Emit;
use crate::policy::Policy;
use crate::task::{Step, StepError, Task};
use crate::wake::Wake;
use ports::Timestamp;
use ports::clock::{Clock, after, before};
use ports::store::{Find, Index};

/// Upper bound on documents per step.
const BATCH: u32 = 100;
/// The longest time between two reads of the store.
const MAX_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The index that finds the documents whose newest event is old.
pub(crate) const INDEX: Index =
    Index { name: "published", keys: &[PUBLISHED], unique: false, partial: None, expires: false };

/// A document whose consumers need its newest events however old they are.
pub trait Renewed: Aggregate {
    /// Returns the events that lead a new consumer to this state: usually the newest one, with
    /// the same version. None for a document that has published nothing.
    fn newest(&self) -> Vec<Emit>;

    /// Returns true if this is probably the last state of the document. A later change is
    /// renewed all the same.
    fn has_ended(&self) -> bool {
        false
    }
}

/// The renewal of one collection.
pub struct Renewal<T> {
    documents: Collection<T>,
    clock: Arc<dyn Clock>,
    /// The age at which an event leaves the stream; `None` where none does.
    max_age: Mutex<Option<Duration>>,
    /// The time of the next read; `None` before the first step, which leaves the start of an
    /// instance to other work.
    next: Mutex<Option<Timestamp>>,
}

impl<T: Renewed> Renewal<T> {
    pub(crate) fn new(documents: Collection<T>, clock: Arc<dyn Clock>) -> Self {
        Self { documents, clock, max_age: Mutex::default(), next: Mutex::default() }
    }

    /// Renews a batch of documents; returns whether there may be more.
    async fn renew(&self, now: Timestamp, max_age: Duration) -> Result<bool, StepError> {
        let old = doc! { PUBLISHED: { "$lt": date::to_bson(before(now, max_age * 4 / 5)) } };
        // A document of an earlier release does not say when its newest event was published.
        let unknown = doc! { PUBLISHED: null };
        let filter = doc! { "$or": [old, unknown] };
        let find = Find { filter, sort: doc! { PUBLISHED: 1 }, limit: BATCH };
        let found: Vec<Document> = self.documents.store().find(T::COLLECTION, find).await?;
        let is_full = found.len() == BATCH as usize;
        for document in found {
            let state = decode::<T>(document.clone())?;
            let published = if state.has_ended() { Timestamp::MAX } else { now };
            self.documents.publish_again(&document, state.newest(), published).await?;
        }
        Ok(is_full)
    }
}

#[async_trait]
impl<T: Renewed> Task for Renewal<T> {
    fn name(&self) -> String {
        format!("renewal of {}", T::COLLECTION)
    }

    fn wake(&self) -> Wake {
        Wake::default()
    }

    fn configure(&self, policy: &Policy) {
        *self.max_age.lock() = policy.events.max_age;
    }

    async fn step(&self) -> Result<Step, StepError> {
        let Some(max_age) = *self.max_age.lock() else { return Ok(Step::Idle { next: None }) };
        let now = self.clock.now();
        let later = after(now, MAX_INTERVAL.min(max_age / 20));
        let next = *self.next.lock().get_or_insert(later);
        if next > now {
            return Ok(Step::Idle { next: Some(next) });
        }
        if self.renew(now, max_age).await? {
            return Ok(Step::Worked);
        }
        *self.next.lock() = Some(later);
        Ok(Step::Idle { next: Some(later) })
    }
}
