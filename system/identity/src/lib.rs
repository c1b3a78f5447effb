//! Sessions and bans: who sends a request, and whether that user may still act.
//!
//! A session is a signed token in a cookie ([`session`]). A ban is an event that every instance
//! of every service receives and remembers for as long as a token can live ([`bans`]).
//! It issues and verifies; it stores nothing.

pub mod bans;
pub mod session;
