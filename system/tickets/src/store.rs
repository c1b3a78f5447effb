//! The mapping of tickets to the database: collection, indexes and queries.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use platform::http::Page;
use ports::store::{Index, ReadError};

use crate::model::Ticket;

impl Aggregate for Ticket {
    const COLLECTION: &'static str = "tickets";

    fn indexes() -> Vec<Index> {
        vec![Index {
            name: "for-sale",
            keys: &["orderId", "_id"],
            unique: false,
            partial: None,
            expires: false,
        }]
    }
}

/// Returns a page of the tickets that no order holds.
pub async fn for_sale(tickets: &Collection<Ticket>, page: Page) -> Result<Vec<Ticket>, ReadError> {
    tickets.find(page.of(doc! { "orderId": null })).await
}
