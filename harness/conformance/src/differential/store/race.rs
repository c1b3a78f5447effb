//! A case in simulation, and the replies that the port allows.
//!
//! A find that runs alone has one reply. A find beside a writer is no snapshot: each document
//! that it returns must have matched, as it is returned, at some moment between its begin and its
//! end, and each that matched all the time and was not written must be there once. A real server
//! may pass a writer between any two documents, so these are the replies allowed of both stores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ports::Timestamp;
use ports::store::Update;
use sim::call::Operation as Called;
use sim::kernel::{Kernel, drive};
use sim::scheduler::{Decision, Fifo, Scheduler, SchedulingPoint};
use sim::store::{SimDatabase, SimStore};

use super::operation::{Operation, Reply, find, id, perform};
use crate::store::Exact;

/// The name of the simulated collection.
const COLLECTION: &str = "case";

/// A call in simulation.
pub(super) struct Step {
    /// True for a call that is compared. An update of any of several documents is not
    /// performed, because each of them may be chosen.
    pub(super) performed: bool,
    pub(super) reply: Reply,
    pub(super) allowed: Allowed,
}

/// The replies that the port allows.
pub(super) enum Allowed {
    Exactly(Reply),
    /// The replies of the find at each moment, and those of the updates.
    Race {
        moments: Vec<Reply>,
        updates: Vec<Reply>,
    },
}

impl Allowed {
    pub(super) fn contains(&self, reply: &Reply) -> bool {
        match (self, reply) {
            (Self::Exactly(own), reply) => own == reply,
            (Self::Race { moments, updates }, Reply::Race(found, updated)) => {
                updated == updates && may_find(moments, found)
            }
            (Self::Race { .. }, _) => false,
        }
    }
}

/// True for a reply that a find through these moments may have.
fn may_find(moments: &[Reply], found: &Reply) -> bool {
    let Reply::Documents(found) = found else { return moments.contains(found) };
    let matching: Vec<BTreeMap<&str, &Exact>> =
        moments.iter().filter_map(documents).map(by_id).collect();
    let states = |id: &str| -> Vec<Option<&Exact>> {
        matching.iter().map(|moment| moment.get(id).copied()).collect()
    };
    let was_so = |document: &Exact| states(id(&document.0)).contains(&Some(document));
    let is_steady = |id: &str| {
        let states = states(id);
        states[0].is_some() && states.windows(2).all(|pair| pair[0] == pair[1])
    };
    let ids: BTreeSet<&str> = matching.iter().flat_map(|moment| moment.keys().copied()).collect();
    let times = |id: &str| found.iter().filter(|document| self::id(&document.0) == id).count();
    found.iter().all(was_so) && ids.into_iter().all(|id| !is_steady(id) || times(id) == 1)
}

fn documents(reply: &Reply) -> Option<&[Exact]> {
    match reply {
        Reply::Documents(documents) => Some(documents),
        _ => None,
    }
}

fn by_id(documents: &[Exact]) -> BTreeMap<&str, &Exact> {
    documents.iter().map(|document| (id(&document.0), document)).collect()
}

/// Runs the calls in simulation.
pub(super) fn simulated(operations: &[Operation]) -> Vec<Step> {
    let database = SimDatabase::new();
    operations.iter().map(|operation| step(&database, operation)).collect()
}

fn step(database: &SimDatabase, operation: &Operation) -> Step {
    let alone = |operation: &Operation| performed(database, operation, Box::new(Fifo));
    match operation {
        Operation::Update(update) if is_ambiguous(database, update) => {
            let reply = Reply::Documents(Vec::new());
            Step { performed: false, allowed: Allowed::Exactly(reply.clone()), reply }
        }
        Operation::Race { find, updates, before, between } => {
            // The moments, on a copy.
            let copy = database.copy();
            let moment = || performed(&copy, &Operation::Find(find.clone()), Box::new(Fifo));
            let mut moments = vec![moment()];
            let mut replies = Vec::with_capacity(updates.len());
            for update in updates {
                let update = Operation::Update(update.clone());
                replies.push(performed(&copy, &update, Box::new(Fifo)));
                moments.push(moment());
            }
            let scheduler = Turns { before: *before, between: *between, updates: 0, finds: 0 };
            let reply = performed(database, operation, Box::new(scheduler));
            Step { performed: true, reply, allowed: Allowed::Race { moments, updates: replies } }
        }
        operation => {
            let reply = alone(operation);
            Step { performed: true, allowed: Allowed::Exactly(reply.clone()), reply }
        }
    }
}

/// True for an update that may choose among several documents.
fn is_ambiguous(database: &SimDatabase, update: &Update) -> bool {
    let find = ports::store::Find { filter: update.filter.clone(), ..Default::default() };
    match performed(database, &Operation::Find(find), Box::new(Fifo)) {
        Reply::Documents(documents) => documents.len() > 1,
        _ => false,
    }
}

fn performed(database: &SimDatabase, operation: &Operation, by: Box<dyn Scheduler>) -> Reply {
    let kernel = Kernel::new(Timestamp::UNIX_EPOCH, by);
    let store = Arc::new(SimStore::new(kernel.clone(), 1, "differential", database.clone()));
    let operation = operation.clone();
    drive(&kernel, async move {
        match &operation {
            Operation::Find(own) => find(&*store, COLLECTION, own).await,
            operation => perform(&*store, COLLECTION, operation).await,
        }
    })
}

/// Lets a find take its steps after this many updates.
struct Turns {
    before: usize,
    between: usize,
    updates: usize,
    finds: usize,
}

impl Scheduler for Turns {
    fn decide(&mut self, point: &SchedulingPoint<'_>) -> Decision {
        let wanted = [self.before, self.between].get(self.finds).copied().unwrap_or(usize::MAX);
        let updates_next = self.updates < wanted;
        let is_find = |at: usize| point.pending[at].operation == Called::Find;
        let next = (0..point.pending.len()).find(|&at| is_find(at) != updates_next).unwrap_or(0);
        if is_find(next) {
            self.finds += 1;
        } else {
            self.updates += 1;
        }
        Decision::run(next)
    }
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::*;

    fn reply(documents: &[Document]) -> Reply {
        Reply::Documents(documents.iter().cloned().map(Exact).collect())
    }

    #[test]
    fn a_document_that_is_not_written_must_be_found_once_and_a_written_one_may_be_missed() {
        let (steady, old, new) =
            (doc! { "_id": "a" }, doc! { "_id": "b", "n": 1 }, doc! { "_id": "b", "n": 2 });
        let moments =
            [reply(&[steady.clone(), old.clone()]), reply(&[steady.clone(), new.clone()])];
        let may = |documents: &[&Document]| {
            let documents: Vec<Document> = documents.iter().copied().cloned().collect();
            may_find(&moments, &reply(&documents))
        };
        assert!(may(&[&steady, &old]) && may(&[&steady]) && may(&[&old, &steady, &new]));
        assert!(!may(&[&old]) && !may(&[&steady, &steady, &old]));
        assert!(!may(&[&steady, &doc! { "_id": "b", "n": 3 }]));
        assert!(
            !may(&[&steady, &doc! { "_id": "c" }])
                && !may_find(&moments, &Reply::Duplicate(String::new()))
        );
    }
}
