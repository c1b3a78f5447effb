//! The event of expiration: it reports that a reservation has expired, and orders decides what
//! that means.

use platform::event::{Event, EventGroup, EventType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every event of expiration.
pub const EXPIRATION_EVENTS: EventGroup<OrderExpired> =
    EventGroup::new(&[EventType::of::<OrderExpired>()]);

/// The reservation window of an order has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderExpired {
    /// The order's id.
    pub id: String,
}

impl Event for OrderExpired {
    const NAME: &'static str = "OrderExpired";
    const SUBJECT: &'static str = "order.expired";

    fn aggregate(&self) -> &str {
        &self.id
    }
}
