//! The mapping of tickets to the database: collection, indexes and queries.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use ports::store::{Find, Index, ReadError};

use crate::model::Ticket;

impl Aggregate for Ticket {
    const COLLECTION: &'static str = "tickets";

    fn indexes() -> Vec<Index> {
        vec![Index { name: "for-sale", keys: &["orderId", "_id"], unique: false, partial: None }]
    }

    fn id(&self) -> &str {
        &self.id
    }
}

/// Returns the tickets that no order holds, newest first; with `after`, those listed before it.
pub async fn for_sale(
    tickets: &Collection<Ticket>,
    limit: u32,
    after: Option<String>,
) -> Result<Vec<Ticket>, ReadError> {
    let mut filter = doc! { "orderId": null };
    if let Some(after) = after {
        filter.insert("_id", doc! { "$lt": after });
    }
    tickets.find(Find { filter, sort: doc! { "_id": -1 }, limit }).await
}
