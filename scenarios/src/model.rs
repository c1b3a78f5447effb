//! The contract as an executable model: state and rules, no I/O, one file a service.
//!
//! Each function takes one request and one possible state, and returns the one [`Answer`] that
//! the contract allows for them: status, body field by field, cookie, and the document that the
//! request must leave. It knows no time interval and no concurrency: [`crate::oracle`] asks it
//! about every state that a request may have met.
//!
//! The model shares no code with the services that it judges.

pub mod answer;
pub mod auth;
pub mod input;
pub mod orders;
pub mod payments;
pub mod rules;
pub mod session;
pub mod tickets;

use bson::{Bson, Document};
use serde_json::{Number, Value};

pub use answer::{Answer, Body, Cookie, Effect};
pub use rules::Rule;
pub use session::Caller;

/// An amount in cents as the contract shows it: a JSON number with at most two decimals.
pub fn money(cents: i64) -> Value {
    if cents % 100 == 0 {
        return Value::from(cents / 100);
    }
    let digits = format!("{}.{:02}", cents / 100, cents % 100);
    let number = digits.parse().ok().and_then(Number::from_f64);
    number.map_or(Value::Null, Value::Number)
}

/// A date field as the contract shows it; null where there is none.
pub fn date(document: &Document, field: &str) -> Value {
    let at = document.get_datetime(field).ok().map(|at| at.timestamp_millis());
    let at = at.and_then(|at| ports::Timestamp::from_millisecond(at).ok());
    at.map_or(Value::Null, |at| Value::from(at.to_string()))
}

/// The document with these fields changed.
fn changed<const N: usize>(before: &Document, fields: [(&str, Bson); N]) -> Document {
    let mut next = before.clone();
    next.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    next
}
