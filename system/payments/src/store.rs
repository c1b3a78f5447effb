//! The mapping of orders and their charges to the database: collection, indexes and queries.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use platform::date;
use ports::Timestamp;
use ports::store::{Find, Index, ReadError};

use crate::model::Order;

impl Aggregate for Order {
    const COLLECTION: &'static str = "orders";

    fn indexes() -> Vec<Index> {
        vec![Index { name: "due", keys: &["due"], unique: false, partial: None, expires: false }]
    }
}

/// Returns the orders whose charges are unsettled, longest due first.
pub async fn unsettled(orders: &Collection<Order>, limit: u32) -> Result<Vec<Order>, ReadError> {
    // A comparison with a date matches only dates, and a settled order has none.
    let filter = doc! { "due": { "$gt": date::to_bson(Timestamp::UNIX_EPOCH) } };
    orders.find_to_change(Find { filter, sort: doc! { "due": 1 }, limit }).await
}
