//! Sessions and revocations: the identity of a caller, and whether that user may still act.
//!
//! A session is a signed token in a cookie ([`session`]). A ban, a sign-out and a new password
//! are events that every instance of every service receives and remembers for as long as a token
//! can live ([`revocations`]).
//! This crate issues and verifies; it stores nothing and has no routes.

pub mod revocations;
pub mod session;
mod token;
