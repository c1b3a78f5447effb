//! Inquiries at the provider, and the life of an idempotency key.
//!
//! Stripe keeps the result of the first request under a key, errors with status 500 included, and
//! forgets it once it is at least 24 hours old; a request that comes later is carried out anew.
//! So a key is used for less than a day. A key that has aged, or whose kept result is an error, is
//! replaced only after a search has found that it created nothing.

use std::time::Duration;

use ports::Timestamp;
use ports::clock::after;
use serde::{Deserialize, Serialize};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The age up to which an attempt is repeated under its key.
pub const KEY_USE: Duration = HOUR.saturating_mul(22);

/// The age from which on the provider is searched for what an attempt created. No request is sent
/// in the hour before, so none is still on its way; and the key is not forgotten for another one.
pub const KEY_RETIREMENT: Duration = HOUR.saturating_mul(23);

/// A transfer of money that the provider is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// From the buyer.
    Charge,
    /// Back to the buyer.
    Refund,
}

/// The requests for a transfer under one idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// The time at which it was written, which is before the first use of its key.
    #[serde(with = "platform::date")]
    pub since: Timestamp,
}

/// A question to the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// The transfer in question.
    pub transfer: Transfer,
    /// The number of its attempt.
    pub attempt: u32,
    /// The way to ask.
    pub how: How,
}

/// A way to ask the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Ask for the transfer under this idempotency key.
    Request {
        /// The key.
        key: String,
    },
    /// Search for what earlier requests have created.
    Search,
    /// Read the object that was pending.
    Read {
        /// The provider's id.
        id: String,
    },
    /// Ask nothing yet: the key is too old for a request, and requests may still be on their way.
    Wait {
        /// The time of the search.
        until: Timestamp,
    },
}

/// A definite answer of the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The money has moved.
    Succeeded {
        /// The provider's id of the charge or refund; `None` for a refund made by somebody else.
        id: Option<String>,
    },
    /// The money is on its way, and may still not arrive.
    Pending {
        /// The provider's id of the charge or refund.
        id: String,
    },
    /// No money has moved, and none will.
    Failed {
        /// The reason: `card_declined`, `charge_disputed`.
        code: String,
    },
    /// The result that is kept under the key is an error, which does not say whether money has
    /// moved. Only a search does.
    KeySpent,
    /// A search has found nothing.
    Absent,
}

impl Attempt {
    /// The first attempt.
    #[must_use]
    pub fn first(now: Timestamp) -> Self {
        Self { number: 1, since: now }
    }

    /// The next attempt, under a key of its own.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        Self { number: self.number + 1, since: now }
    }

    /// The next inquiry about a transfer of this charge. `pending` is the provider's id of the
    /// transfer, if it has one.
    pub(super) fn inquiry(
        self,
        transfer: Transfer,
        charge: &str,
        pending: Option<&str>,
        now: Timestamp,
    ) -> Inquiry {
        let until = after(self.since, KEY_RETIREMENT);
        let how = match pending {
            Some(id) => How::Read { id: id.to_owned() },
            None if now < after(self.since, KEY_USE) => {
                How::Request { key: self.key(transfer, charge) }
            }
            None if now < until => How::Wait { until },
            None => How::Search,
        };
        Inquiry { transfer, attempt: self.number, how }
    }

    /// The idempotency key of a transfer of this charge.
    fn key(self, transfer: Transfer, charge: &str) -> String {
        let name = match transfer {
            Transfer::Charge => charge.to_owned(),
            Transfer::Refund => format!("{charge}-refund"),
        };
        if self.number == 1 { name } else { format!("{name}-{}", self.number) }
    }
}
