//! Copies of another service's documents: of several versions, the newest wins, whatever the
//! order in which their events arrive.
//!
//! Each event is one conditional write, whose filter decides; nothing is read before. It keeps a
//! copy that was about to leave.

use bson::doc;

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
    let filter = doc! { "_id": id, version: { "$lt": fields.get(version).cloned() } };
    let replace = |upsert| {
        let change = doc! {
            "$set": fields.clone(),
            "$unset": { LEAVES: "" },
            "$inc": { "revision": 1_i64 },
        };
        let filter = filter.clone();
        copies.store().update(T::COLLECTION, Update { filter, change, upsert })
    };
    match replace(true).await {
        // There is a copy. It has this version or a newer one, unless another event has inserted
        // an older one at the same moment.
        Err(WriteError::Duplicate { index }) if index == PRIMARY_KEY => replace(false).await?,
        replaced => replaced?,
    };
    Ok(())
}
