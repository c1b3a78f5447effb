//! Copies of another service's documents: of several versions, the newest wins, whatever the
//! order in which their events arrive.
//!
//! Each event is one conditional write, whose filter decides; nothing is read before. It keeps a
//! copy that was about to leave. An event of the same version completes a copy that an earlier
//! release wrote with fewer fields: a renewal is such an event.

use bson::{Document, doc};

use crate::collection::{Aggregate, Collection, LEAVES, PRIMARY_KEY, PUBLISHED, encode};
use crate::date;
use crate::event::EventGroup;
use crate::listen::{HandleError, Listener};
use ports::store::{Update, WriteError};

/// Creates a durable listener for each type in the group: the payload, read as a `T`, replaces an
/// older version of the document. `version` is the field with the version, a number.
pub fn listeners<P, T: Aggregate + Clone + 'static>(
    events: EventGroup<P>,
    copies: &Collection<T>,
    version: &'static str,
) -> Vec<Listener> {
    let events = EventGroup::new(events.types(), events.from, events.to);
    let state = (copies.clone(), version);
    Listener::durable(events, &state, copy::<T>).collect()
}

async fn copy<T: Aggregate>(
    (copies, version): (Collection<T>, &'static str),
    state: T,
) -> Result<(), HandleError> {
    let mut fields = encode(&state);
    let id = fields.remove("_id").expect("an encoded document has an id");
    fields.insert(PUBLISHED, date::to_bson(copies.clock().now()));
    let newest = fields.get(version).cloned();
    let is_older = doc! { version: { "$lt": newest.clone() } };
    let replace = |condition: Document, upsert| {
        let change = doc! {
            "$set": fields.clone(),
            "$unset": { LEAVES: "" },
            "$inc": { "revision": 1_i64 },
        };
        let mut filter = doc! { "_id": id.clone() };
        filter.extend(condition);
        copies.store().update(T::COLLECTION, Update { filter, change, upsert })
    };
    match replace(is_older.clone(), true).await {
        // There is a copy. It has this version or a newer one, unless another event has inserted
        // an older one at the same moment.
        Err(WriteError::Duplicate { index }) if index == PRIMARY_KEY => {
            let lacks = |field| doc! { field: { "$exists": false } };
            let is_incomplete: Vec<Document> = fields.keys().map(lacks).collect();
            let is_same = doc! { version: newest, "$or": is_incomplete };
            replace(doc! { "$or": [is_older, is_same] }, false).await?
        }
        replaced => replaced?,
    };
    Ok(())
}
