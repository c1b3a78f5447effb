//! The ticketing system as a subject type, and its deadlines.

use std::time::Duration;

/// The time for which an unpaid order holds its ticket.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);

/// The time for which a session token is valid.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The previous key of sessions, whose tokens are still accepted.
pub const PREVIOUS_KEY: &str = "the key before it";
/// A day: the provider forgets its idempotency keys after one.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The ticketing system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ticketing;
