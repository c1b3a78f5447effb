//! When two steps are independent: swapping them, one right after the other, can make no
//! difference to any store, to the broker, or to what any caller sees.
//!
//! A step is everything from one decision to the next: a call has its effect, and its caller
//! goes on to its next call. The rules, each with its reason:
//!
//! - **Databases, collections.** Steps in different ones share nothing.
//! - **One document.** Reads commute. A write and anything else on the same document do not; a
//!   condition that fails is a read.
//! - **A search** depends on a write only where the document matched before it or matches after
//!   it: no other write can change what is found, whatever the order and the limit.
//! - **Two new documents** of one collection depend on each other: a search without an order
//!   finds them as they came.
//! - **Unique indexes.** A write depends on whatever gives up or takes one of its keys. A
//!   refused insert has looked at all of its keys; a refused update may have looked at all
//!   documents.
//! - **Messages.** Two that some consumer both hears depend on each other, as they queue in the
//!   order in which they come. Two with the same id do, because the second is dropped. Positions
//!   in the stream are names only.
//! - **Deliveries.** Two of one consumer depend on each other. A message that comes in and one
//!   that is taken meet at different ends of the queue; where nothing was there to take, the
//!   taker has looked at both ends. An answer to a delivery is about that delivery only, unless
//!   the consumer had as much in flight as it may, or is to deliver again.
//! - **Opening** a consumer, or looking at all, depends on every call on the bus; so does
//!   creating an index on every call in its collection.
//! - **The world outside** keeps books of its own: all requests to it depend on each other.
//! - **Memory.** What broadcasts tell is kept in memory: hearing one depends on the requests
//!   that begin in that instance, which look there who is banned.
//! - **Chance.** Each request, each event and the background of an instance draw from streams
//!   of their own; two steps that draw from the same one depend on each other.
//! - **Tasks.** A background task that searches a collection is woken by the writes of its
//!   instance there. Whichever comes first wakes it, so these writes depend on each other. But
//!   waking twice is waking once: whether a task looks once more, and finds nothing new, makes
//!   no difference to anybody, so a look depends on what it may find like any other search.
//!   Where a service has several instances a further look may find what another instance wrote:
//!   there, a look depends on every write that may have woken it. See [`Coupling::Looks`].
//! - **Planned faults** count calls. With any planned, the steps of one instance depend on each
//!   other, or all of them do: see [`Coupling`].
//!
//! What an instance counts for its metrics is not looked at. Whoever puts state of his own
//! around a port, as some planted bugs do, must not rely on these rules.

use bson::Document;

use crate::access::{Access, Resource, digest};
use crate::store::may_match;

/// Which steps are taken to depend on each other, whatever they touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Coupling {
    /// None.
    #[default]
    Free,
    /// A look of a background task and every write that may have woken it.
    Looks,
    /// Those of one instance.
    Instances,
    /// All.
    All,
}

/// What a step touched, made ready for comparison.
#[derive(Debug, Clone, Default)]
pub struct Footprint {
    instance: u32,
    things: Vec<(Resource, bool)>,
    searches: Vec<(Resource, Document, Option<u32>)>,
    writes: Vec<Written>,
    /// What it changed for good.
    lasting: Vec<(Resource, u64)>,
    /// One bit for each thing and collection: disjoint footprints are most often told apart by
    /// it alone.
    mask: u64,
}

#[derive(Debug, Clone)]
struct Written {
    collection: Resource,
    before: Option<Document>,
    after: Document,
    wakes: Option<u32>,
}

impl Footprint {
    /// The footprint of a step of this instance.
    pub fn new(instance: u32, accesses: &[Access]) -> Self {
        let mut print = Self { instance, ..Self::default() };
        accesses.iter().for_each(|touch| print.add(touch));
        print
    }

    fn add(&mut self, touch: &Access) {
        let thing = match touch {
            &Access::Read(thing) => {
                self.things.push((thing, false));
                thing
            }
            &Access::Write(thing) => {
                self.things.push((thing, true));
                thing
            }
            &Access::DurableWrite(thing, value) => {
                self.things.push((thing, true));
                self.lasting.push((thing, value));
                thing
            }
            Access::Find { collection, filter, task } => {
                self.searches.push((*collection, filter.clone(), *task));
                *collection
            }
            Access::Wrote { collection, before, after, wakes } => {
                self.lasting.push((*collection, content(after)));
                self.writes.push(Written {
                    collection: *collection,
                    before: before.clone(),
                    after: after.clone(),
                    wakes: *wakes,
                });
                *collection
            }
        };
        self.mask |= 1 << (thing.number() % 64);
    }

    /// What it changed for good, each with a digest of what to.
    pub fn lasting(&self) -> &[(Resource, u64)] {
        &self.lasting
    }

    /// The searches of background tasks in it, which are repeated a while after.
    pub fn looks(&self) -> impl Iterator<Item = u64> {
        self.searches.iter().filter_map(|(collection, filter, task)| {
            Some(digest((collection, content(filter), (*task)?)))
        })
    }

    /// Whether the two steps may not be swapped.
    pub fn depends_on(&self, other: &Self, coupling: Coupling) -> bool {
        match coupling {
            Coupling::All => return true,
            Coupling::Instances if self.instance == other.instance => return true,
            _ => {}
        }
        if self.mask & other.mask == 0 {
            return false;
        }
        let meets = |&(thing, writes): &(Resource, bool)| {
            let same = |&&(other, _): &&(Resource, bool)| thing == other;
            other.things.iter().filter(same).any(|(_, other_writes)| writes || *other_writes)
        };
        self.things.iter().any(meets)
            || self.finds(other, coupling)
            || other.finds(self, coupling)
            || self.wakes_what(other)
    }

    /// Whether both may wake the same task.
    fn wakes_what(&self, other: &Self) -> bool {
        self.writes.iter().any(|own| {
            let same = |write: &Written| {
                own.wakes.is_some()
                    && (own.collection, own.wakes) == (write.collection, write.wakes)
            };
            other.writes.iter().any(same)
        })
    }

    /// Whether a search of this step may find something else for a write of the other.
    fn finds(&self, other: &Self, coupling: Coupling) -> bool {
        self.searches.iter().any(|(collection, filter, task)| {
            other.writes.iter().filter(|write| write.collection == *collection).any(|write| {
                let wakes = coupling >= Coupling::Looks && task.is_some() && *task == write.wakes;
                let matched = write.before.as_ref().is_some_and(|was| may_match(filter, was));
                wakes || matched || may_match(filter, &write.after)
            })
        })
    }
}

fn content(document: &Document) -> u64 {
    // Every document of ours can be encoded; one that cannot is told apart by its text.
    document.to_vec().map_or_else(|_| digest(format!("{document:?}")), digest)
}
