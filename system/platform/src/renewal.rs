//! Renewal: the newest event of a document is published again before it leaves the stream, as
//! long as the document may still change, and once after that. Then the document itself may leave.
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
//! [`crate::collection`] writes.
//!
//! The last renewal also writes the field `leaves`: the time at which the store removes the
//! document ([`Policy::documents`] after its end). It is a write that happens anyway, and comes long
//! after the end, so a document that seemed to have ended and changed again is not affected. A
//! document whose events are not all published stays. An event that could bring a document back
//! is too old to be handled ([`Policy::horizon`]).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bson::{Document, doc};
use parking_lot::Mutex;

use crate::collection::{Aggregate, Collection, LEAVES, PUBLISHED, decode};
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

/// The time of the newest event of a document that has been renewed for the last time: never old.
const RENEWED: Timestamp = Timestamp::MAX;

/// The same for a document that is kept for ever, because documents do not leave. Should they
/// later, it is found by this.
fn renewed_and_kept() -> Timestamp {
    before(RENEWED, Duration::from_secs(24 * 60 * 60))
}

/// The indexes that find the documents whose newest event is old, and remove those whose time has
/// come and whose events are published.
pub(crate) fn indexes() -> [Index; 2] {
    let is_published = doc! { LEAVES: { "$exists": true }, "outbox": [] };
    let plain =
        Index { name: PUBLISHED, keys: &[PUBLISHED], unique: false, partial: None, expires: false };
    let leaves = Index {
        name: LEAVES,
        keys: &[LEAVES],
        partial: Some(is_published),
        expires: true,
        ..plain
    };
    [plain, leaves]
}

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

    /// Returns true if the document may be removed some time after its end.
    fn may_leave(&self) -> bool {
        self.has_ended()
    }
}

/// The ages at which documents are renewed and removed.
#[derive(Debug, Clone, Copy)]
struct Ages {
    /// [`Policy::renewal_age`].
    renewal: Duration,
    /// [`Policy::horizon`].
    rest: Option<Duration>,
}

/// The renewal of one collection.
pub struct Renewal<T> {
    documents: Collection<T>,
    clock: Arc<dyn Clock>,
    /// `None` where no event leaves the stream.
    ages: Mutex<Option<Ages>>,
    /// The time of the next read; `None` before the first step, which leaves the start of an
    /// instance to other work.
    next: Mutex<Option<Timestamp>>,
}

impl<T: Renewed> Renewal<T> {
    pub(crate) fn new(documents: Collection<T>, clock: Arc<dyn Clock>) -> Self {
        Self { documents, clock, ages: Mutex::default(), next: Mutex::default() }
    }

    /// Renews a batch of documents; returns whether there may be more.
    async fn renew(&self, now: Timestamp, ages: Ages) -> Result<bool, StepError> {
        let old = doc! { PUBLISHED: { "$lt": date::to_bson(before(now, ages.renewal)) } };
        // A document of an earlier release does not say when its newest event was published.
        let unknown = doc! { PUBLISHED: null };
        let mut filter = vec![old, unknown];
        if ages.rest.is_some() {
            filter.push(doc! { PUBLISHED: date::to_bson(renewed_and_kept()) });
        }
        let filter = doc! { "$or": filter };
        let find = Find { filter, sort: doc! { PUBLISHED: 1 }, limit: BATCH };
        let found: Vec<Document> = self.documents.store().find(T::COLLECTION, find).await?;
        let is_full = found.len() == BATCH as usize;
        let kept = date::to_bson(renewed_and_kept());
        for document in found {
            let state = decode::<T>(document.clone())?;
            let published = match ages.rest {
                _ if !state.has_ended() => now,
                Some(_) => RENEWED,
                None => renewed_and_kept(),
            };
            let was_kept = document.get_datetime(PUBLISHED).ok() == Some(&kept);
            let events = if was_kept { Vec::new() } else { state.newest() };
            let leaves = ages.rest.filter(|_| state.has_ended() && state.may_leave());
            let leaves = leaves.map(|rest| after(now, rest));
            self.documents.publish_again(&document, events, published, leaves).await?;
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
        let rest = policy.horizon();
        *self.ages.lock() = policy.renewal_age().map(|renewal| Ages { renewal, rest });
    }

    async fn step(&self) -> Result<Step, StepError> {
        let Some(ages) = *self.ages.lock() else { return Ok(Step::Idle { next: None }) };
        let now = self.clock.now();
        let later = after(now, MAX_INTERVAL.min(ages.renewal / 16));
        let next = *self.next.lock().get_or_insert(later);
        if next > now {
            return Ok(Step::Idle { next: Some(next) });
        }
        if self.renew(now, ages).await? {
            return Ok(Step::Worked);
        }
        *self.next.lock() = Some(later);
        Ok(Step::Idle { next: Some(later) })
    }
}
