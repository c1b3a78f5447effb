//! Properties of every parser that reads what strangers send. Each is a function of bytes that
//! panics if the property is false, so a fuzzer and an ordinary test call the same code.
//!
//! Services are the real ones, on ports at which nothing answers. A handler that has accepted its
//! input asks a port and waits forever, so "still waiting after one poll" means "accepted".

mod cookie;
mod event;
mod feature;
mod inert;
mod query;
mod replay;
mod request;

pub use cookie::cookie;
pub use event::{envelope, event};
pub use feature::feature;
pub use query::query;
pub use replay::replay;
pub use request::request;

/// A property by name, which is also the name of its fuzz target and of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// All properties.
pub const TARGETS: [Target; 7] = [
    ("cookie", cookie),
    ("envelope", envelope),
    ("event", event),
    ("feature", feature),
    ("query", query),
    ("replay", replay),
    ("request", request),
];
