//! How copies of orders and their charges lie in the database, and what is asked of them
//! there.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use platform::date;
use ports::Timestamp;
use ports::store::{Find, Index, ReadError};

use crate::model::Order;

impl Aggregate for Order {
    const COLLECTION: &'static str = "orders";

    fn indexes() -> Vec<Index> {
        vec![Index { name: "due", keys: &["due"], unique: false, partial: None }]
    }

    fn id(&self) -> &str {
        &self.id
    }
}

/// The orders whose charges are not at their end, the longest waiting first.
pub async fn unsettled(orders: &Collection<Order>, limit: u32) -> Result<Vec<Order>, ReadError> {
    // A comparison with a date meets only dates: an order with nothing to settle has none.
    let filter = doc! { "due": { "$gt": date::to_bson(Timestamp::UNIX_EPOCH) } };
    orders.find(Find { filter, sort: doc! { "due": 1 }, limit }).await
}
