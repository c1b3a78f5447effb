//! The catalogue entry of an event: everything that is known of it without running anything.

use schemars::Schema;

/// One event of a system.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its type.
    pub name: &'static str,
    /// Its subject, without the namespace.
    pub subject: &'static str,
    /// The service that publishes it.
    pub from: &'static str,
    /// The services that consume it.
    pub to: &'static [&'static str],
    /// The schema of its payload.
    pub schema: Schema,
}
