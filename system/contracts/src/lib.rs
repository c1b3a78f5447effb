//! Every event once: its subject, its payload, who sends it and who hears it.
//!
//! The payload types are the contract: the JSON Schemas come from them, services send and
//! hear only them. Nothing here acts. An event carries the whole state that its readers copy,
//! with its origin's version.
//!
//! Next: [`catalogue`] for the list, then [`order`] for the busiest of them.

pub mod catalogue;
pub mod charge;
pub mod expiration;
pub mod money;
pub mod order;
pub mod ticket;
pub mod user;

pub use charge::{ChargeCreated, ChargeState, ChargeStatus, ChargeUpdated};
pub use expiration::OrderExpired;
pub use money::Cents;
pub use order::{
    OrderCancelled, OrderCompleted, OrderCreated, OrderReason, OrderState, OrderStatus,
    OrderTicket, OrderUpdated,
};
pub use ticket::{TicketCreated, TicketState, TicketUpdated};
pub use user::{BanState, UserBanned, UserCreated, UserState, UserUnbanned, UserUpdated};

/// Declares event types that share a state: each is the state under its own name and subject.
macro_rules! events {
    ($state:ident by $id:ident: $($(#[$doc:meta])* $name:ident = $subject:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub $state);

        impl platform::event::Event for $name {
            const NAME: &'static str = stringify!($name);
            const SUBJECT: &'static str = $subject;

            fn aggregate(&self) -> &str {
                &self.0.$id
            }
        }
    )+};
}
pub(crate) use events;
