//! The independence relation: two steps are independent if swapping them, one right after the
//! other, makes no difference to any store, to the broker, or to any caller.
//!
//! A step is everything from one decision to the next: a call takes effect, and its caller runs
//! up to its next call. The rules, each with its reason:
//!
//! - **Databases, collections.** Steps in different ones share nothing.
//! - **One document.** Reads commute. A write and anything else on the same document do not; an
//!   update whose filter does not match is a read.
//! - **A search** depends on a write only where the document matched before it, or where the
//!   write may make it match: no other write can change the result, whatever the order and the
//!   limit. Each of the two steps of a search of several documents is a search.
//! - **Two new documents** of one collection are dependent: a search without an order returns
//!   them in order of insertion.
//! - **Unique indexes.** Two writes are dependent if one takes or frees a key that the other
//!   wants. A key that is taken already is only read.
//! - **Updates without an `_id`** in their filter may change any document: they depend on every
//!   call in their collection. So does the creation of an index.
//! - **Messages.** Two messages of one stream are dependent: a consumer that is opened later
//!   receives them in their order, and of two with the same id the second is dropped. Positions
//!   in the stream are names only.
//! - **Deliveries.** Two of one consumer are dependent. A message that arrives and one that is
//!   taken meet at different ends of the queue; a taker that finds the queue empty has read both
//!   ends, and a subscriber that waits reads the end at which messages are taken. The answer to
//!   a delivery concerns that delivery only, unless the consumer had reached its bound in
//!   flight, or the message is due for redelivery. A call that may serve a request whose caller
//!   has dropped its wait depends on every call on the bus.
//! - **Opening and closing** a consumer, and reading the progress of all, depends on every call
//!   on the bus.
//! - **External services** keep state of their own: all requests to them are dependent.
//! - **Memory.** An instance keeps the content of broadcasts in memory: a broadcast delivery
//!   depends on the requests that begin in that instance, because they read it.
//! - **Remembered documents.** An instance may decide on a document as it last wrote it, and the
//!   conditional write that follows confirms that. A write of the same document right before the
//!   decision or right after it makes no difference but one: after it, the conditional write is
//!   refused, and the decision is made again on the same document that it would have been made on
//!   before. These two are not told apart.
//! - **Entropy.** Each request, each event and the background of an instance draw from streams
//!   of their own; two steps that draw from the same stream are dependent.
//! - **Tasks.** A background task that searches a collection is woken by the writes of its
//!   instance there. The first of them wakes it, so these writes are dependent, even those that
//!   match no document. But waking twice is waking once: one more search that finds nothing
//!   new makes no difference, so the search of a task depends on what it may find, like any
//!   other. Where a service has several instances, one more search may find the write of another
//!   instance: there, it depends on every write that may have woken the task. See
//!   [`Coupling::Looks`].
//! - **Planned faults** count calls. With any planned, the steps of one instance are dependent,
//!   or all steps are: see [`Coupling`].
//!
//! **Conditional effects.** A dependence must not vanish because of a third step: if a step
//! depends on the one right before it, it must still do so when a step that is independent of
//! that one runs between the two. This is the last condition on a valid happens-before
//! assignment. But the effect of a call is conditional: a unique index refuses it, its filter
//! does not match, or the document that it updates has another content. A write therefore counts
//! with the effects that it may have under other schedules, except for those that depend on a
//! document or key alone that the other step accesses as well. Refused writes are an exception:
//! two of them that want no common key are independent, because neither wakes a task or
//! determines the order of insertion.
//!
//! The metrics of an instance are ignored. Decorators with internal state, as some planted bugs
//! are, invalidate the relation.

use bson::Document;

use crate::access::{Access, DocumentWrite, Resource};
use crate::digest::Digest;
use crate::store::filter::{matches, may_begin_to_match};

/// The steps that are dependent whatever they access; each level adds to the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Coupling {
    /// None.
    #[default]
    Free,
    /// The search of a background task, and every write that may have woken it.
    Looks,
    /// In addition, the steps of one instance.
    Instances,
    /// All steps.
    All,
}

/// The accesses of a step, prepared for comparison.
#[derive(Debug, Clone, Default)]
pub struct Footprint {
    instance: u32,
    /// Each with whether it was written.
    resources: Vec<(Resource, bool)>,
    searches: Vec<(Resource, Document, Option<u32>)>,
    writes: Vec<DocumentWrite>,
    durable: Vec<(Resource, u64)>,
    /// One bit for each resource and collection, as in a Bloom filter: most disjoint footprints
    /// are told apart by it alone.
    mask: u64,
}

impl Footprint {
    /// The footprint of a step of this instance.
    pub fn new(instance: u32, accesses: &[Access]) -> Self {
        let mut footprint = Self { instance, ..Self::default() };
        accesses.iter().for_each(|access| footprint.add(access));
        footprint
    }

    fn add(&mut self, access: &Access) {
        let resource = match access {
            &Access::Read(resource) => {
                self.resources.push((resource, false));
                resource
            }
            &Access::Write(resource) => {
                self.resources.push((resource, true));
                resource
            }
            &Access::DurableWrite(resource, value) => {
                self.resources.push((resource, true));
                self.durable.push((resource, value));
                resource
            }
            Access::Find { collection, filter, task } => {
                self.searches.push((*collection, filter.clone(), *task));
                *collection
            }
            Access::Document(write) => {
                self.durable.extend(write.content.map(|content| (write.collection, content)));
                self.writes.push(write.clone());
                write.collection
            }
        };
        self.mask |= 1 << (resource.number() % 64);
    }

    /// The durable changes, each with a digest of the new content.
    pub fn durable(&self) -> &[(Resource, u64)] {
        &self.durable
    }

    /// The identities of the searches of background tasks, which repeat them after a pause.
    pub fn background_searches(&self) -> impl Iterator<Item = u64> {
        self.searches.iter().filter_map(|(collection, filter, task)| {
            let search = Digest::new("search").number(collection.number()).document(filter);
            Some(search.number(u64::from((*task)?)).finish())
        })
    }

    /// Whether the two steps must not be swapped.
    pub fn depends_on(&self, other: &Self, coupling: Coupling) -> bool {
        match coupling {
            Coupling::All => return true,
            Coupling::Instances if self.instance == other.instance => return true,
            _ => {}
        }
        if self.mask & other.mask == 0 {
            return false;
        }
        let conflicts = |&(resource, writes): &(Resource, bool)| {
            let same = |&&(other, _): &&(Resource, bool)| resource == other;
            other.resources.iter().filter(same).any(|(_, other_writes)| writes || *other_writes)
        };
        self.resources.iter().any(conflicts)
            || self.finds(other, coupling)
            || other.finds(self, coupling)
            || self.wakes_task_of(other)
    }

    /// Whether both may wake the same task, and at least one did.
    fn wakes_task_of(&self, other: &Self) -> bool {
        self.writes.iter().any(|own| {
            let same = |write: &DocumentWrite| {
                own.wakes.is_some()
                    && (own.collection, own.wakes) == (write.collection, write.wakes)
                    && !(own.refused && write.refused)
            };
            other.writes.iter().any(same)
        })
    }

    /// Whether a write of the other step may change the result of a search of this one.
    fn finds(&self, other: &Self, coupling: Coupling) -> bool {
        self.searches.iter().any(|(collection, filter, task)| {
            other.writes.iter().filter(|write| write.collection == *collection).any(|write| {
                let wakes = coupling >= Coupling::Looks && task.is_some() && *task == write.wakes;
                let matched = write.before.as_ref().is_some_and(|was| matches(filter, was));
                let matching =
                    write.after.as_ref().is_some_and(|after| may_begin_to_match(filter, after));
                wakes || matched || matching
            })
        })
    }
}
