//! The evidence of a run, with accessors for ticketing's collections.

use bson::Document;

use crate::provider::LedgerCharge;
use crate::system::Ticketing;

pub(crate) use harness::evidence::field::{by_id, id, integer as number, text};

/// The evidence of one run of ticketing.
pub type Evidence<'a> = harness::subject::Evidence<'a, Ticketing>;

/// Ticketing's collections and the provider's ledger.
pub(crate) trait Records {
    /// `tickets.tickets`.
    fn tickets(&self) -> &[Document];
    /// `orders.orders`.
    fn orders(&self) -> &[Document];
    /// `payments.orders`.
    fn order_copies(&self) -> &[Document];
    /// `expiration.timers`.
    fn timers(&self) -> &[Document];
    /// `auth.users`.
    fn users(&self) -> &[Document];
    /// The provider's ledger.
    fn ledger(&self) -> Vec<LedgerCharge>;
}

impl Records for Evidence<'_> {
    fn tickets(&self) -> &[Document] {
        self.documents.of("tickets", "tickets")
    }

    fn orders(&self) -> &[Document] {
        self.documents.of("orders", "orders")
    }

    fn order_copies(&self) -> &[Document] {
        self.documents.of("payments", "orders")
    }

    fn timers(&self) -> &[Document] {
        self.documents.of("expiration", "timers")
    }

    fn users(&self) -> &[Document] {
        self.documents.of("auth", "users")
    }

    fn ledger(&self) -> Vec<LedgerCharge> {
        self.clients.provider.charges()
    }
}
