//! The event of expiration: it says that time is up, and orders decides what that means.

use platform::event::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order's time is up.
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
