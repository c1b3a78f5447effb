//! Sessions and bans: the identity of a caller, and whether that user may still act.
//!
//! A session is a signed token in a cookie ([`session`]). A ban is an event that every instance
//! of every service receives and remembers for as long as a token can live ([`bans`]).
//! This crate issues and verifies; it stores nothing and has no routes.

pub mod bans;
pub mod session;
mod token;
