//! Every event of the ticketing system once: its subject, its payload, its producer and its
//! consumers; and the texts on which services and their clients agree.
//!
//! The payload types are the contract: the JSON Schemas come from them, and services publish
//! and consume only them. An event carries the whole state that its readers copy, with the
//! version of its origin. Nothing here acts.
//!
//! Next: [`catalogue`] for the list, then [`order`] for the busiest part of it.

pub mod catalogue;
pub mod charge;
pub mod expiration;
pub mod messages;
pub mod money;
pub mod order;
pub mod ticket;
pub mod user;

pub use charge::{CHARGE_EVENTS, ChargeCreated, ChargeState, ChargeStatus, ChargeUpdated};
pub use expiration::{EXPIRATION_EVENTS, Expiry, OrderExpired};
pub use money::{Cents, Price, PriceInput};
pub use order::{
    ORDER_EVENTS, OrderCancelled, OrderCompleted, OrderCreated, OrderReason, OrderState,
    OrderStatus, OrderTicket, OrderUpdated,
};
pub use ticket::{TICKET_EVENTS, TicketCreated, TicketState, TicketUpdated};
pub use user::{
    BAN_EVENTS, BanState, SESSION_EVENTS, SIGN_UP_EVENTS, SessionEnd, USER_EVENTS, UserBanned,
    UserCreated, UserSignedOut, UserState, UserUnbanned, UserUpdated,
};
