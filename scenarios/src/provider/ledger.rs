//! The provider's own ledger: charges and refunds with their states, and their JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use ports::Timestamp;
use ports::clock::after;
use serde_json::{Value, json};

/// The state of a charge or a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// On its way.
    Pending {
        /// The time at which it ends.
        until: Timestamp,
        /// Whether it then succeeds.
        succeeds: bool,
    },
    /// The money has moved.
    Succeeded,
    /// No money has moved, or it was returned.
    Failed,
}

/// A charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCharge {
    /// The provider's id of the charge.
    pub id: String,
    /// The order id in `metadata[orderId]`; empty for none.
    pub order_id: String,
    /// In cents.
    pub amount: i64,
    /// Its state. A declined charge has failed.
    pub status: Status,
    /// Whether it was pending at first, so that nobody knew how it would end.
    pub was_pending: bool,
    /// Its refunds, oldest first.
    pub refunds: Vec<LedgerRefund>,
    /// Whether the buyer has disputed it, so that it cannot be refunded.
    pub disputed: bool,
    /// The idempotency key of the request; empty for none.
    pub idempotency_key: String,
    pub(super) currency: String,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) created: Timestamp,
}

/// A refund of a whole charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRefund {
    /// The provider's id of the refund.
    pub id: String,
    /// Its state.
    pub status: Status,
    pub(super) created: Timestamp,
}

impl Status {
    /// The state of what ends after this time.
    pub(super) fn pending(now: Timestamp, time: Duration, succeeds: bool) -> Self {
        Self::Pending { until: after(now, time), succeeds }
    }

    /// The state at a later time.
    fn settle(&mut self, now: Timestamp) {
        if let Self::Pending { until, succeeds } = *self
            && until <= now
        {
            *self = if succeeds { Self::Succeeded } else { Self::Failed };
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pending { .. } => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl LedgerCharge {
    /// A charge of an order that succeeded, for tests of invariants.
    #[cfg(test)]
    pub(crate) fn succeeded(id: &str, order_id: &str, amount: i64) -> Self {
        Self {
            id: id.to_owned(),
            order_id: order_id.to_owned(),
            amount,
            status: Status::Succeeded,
            was_pending: false,
            refunds: Vec::new(),
            disputed: false,
            idempotency_key: String::new(),
            currency: "usd".to_owned(),
            metadata: BTreeMap::new(),
            created: Timestamp::UNIX_EPOCH,
        }
    }

    /// The same charge after its refund, for tests of invariants.
    #[cfg(test)]
    pub(crate) fn refunded(mut self) -> Self {
        let (id, created) = ("re_test".to_owned(), Timestamp::UNIX_EPOCH);
        self.refunds.push(LedgerRefund { id, status: Status::Succeeded, created });
        self
    }

    /// The same charge after a dispute, for tests of invariants.
    #[cfg(test)]
    pub(crate) fn disputed(mut self) -> Self {
        self.disputed = true;
        self
    }

    /// Whether its money is back.
    pub fn is_refunded(&self) -> bool {
        self.refunds.iter().any(|refund| refund.status == Status::Succeeded)
    }

    /// Whether its money has moved and is not back.
    pub fn is_kept(&self) -> bool {
        self.status == Status::Succeeded && !self.is_refunded()
    }

    /// Whether its money has ever moved.
    pub fn has_moved(&self) -> bool {
        self.status == Status::Succeeded
    }

    /// The code with which the provider has refused to return its money for good; `None` where
    /// it has not.
    pub fn refusal(&self) -> Option<&'static str> {
        match self.refunds.last() {
            _ if self.is_refunded() => None,
            _ if self.disputed => Some("charge_disputed"),
            Some(refund) if refund.status == Status::Failed => Some(FAILED_REFUND),
            _ => None,
        }
    }

    /// Ends what was pending until now.
    pub(super) fn settle(&mut self, now: Timestamp) {
        self.status.settle(now);
        self.refunds.iter_mut().for_each(|refund| refund.status.settle(now));
    }

    /// The charge as JSON.
    pub(super) fn json(&self) -> Value {
        let is_refunded = self.is_refunded();
        let failure = (self.status == Status::Failed).then_some("card_declined");
        json!({
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": if self.has_moved() { self.amount } else { 0 },
            "amount_refunded": if is_refunded { self.amount } else { 0 },
            "captured": self.status != Status::Failed,
            "created": self.created.as_second(),
            "currency": self.currency,
            "disputed": self.disputed,
            "failure_code": failure,
            "livemode": false,
            "metadata": self.metadata,
            "paid": self.has_moved(),
            "refunded": is_refunded,
            "status": self.status.name(),
        })
    }
}

/// The reason of a failed refund.
pub(super) const FAILED_REFUND: &str = "expired_or_canceled_card";

impl LedgerRefund {
    /// The refund of this charge as JSON.
    pub(super) fn json(&self, charge: &LedgerCharge) -> Value {
        let failure = (self.status == Status::Failed).then_some(FAILED_REFUND);
        json!({
            "id": self.id,
            "object": "refund",
            "amount": charge.amount,
            "charge": charge.id,
            "created": self.created.as_second(),
            "currency": charge.currency,
            "failure_reason": failure,
            "metadata": {},
            "status": self.status.name(),
        })
    }
}

/// A page of objects, the newest first.
pub(super) fn page(path: &str, mut objects: Vec<Value>, limit: usize) -> Value {
    let has_more = objects.len() > limit;
    objects.truncate(limit);
    json!({ "object": "list", "url": path, "has_more": has_more, "data": objects })
}
