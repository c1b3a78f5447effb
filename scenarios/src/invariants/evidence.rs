//! What the checks look at: the final documents, the trace, the provider's ledger, and what
//! buyers were shown. Gathered once, then only read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bson::Document;
use contracts::Cents;
use harness::trace::{Record, RecordKind};
use harness::world::{World, WorldError};
use platform::deadletter::DeadLetter;
use ports::Timestamp;
use ports::bus::{Message, PublishError, Published, Stream};
use serde::Deserialize;
use serde_json::Value;

use crate::provider::LedgerCharge;
use crate::script::Act;

/// What somebody did, and what they were told.
#[derive(Debug, Clone)]
pub struct Told {
    /// What they did.
    pub act: Act,
    /// Who, as a user's id.
    pub by: String,
    /// The ticket or the order that it was about, by id; empty where it was about none.
    pub about: String,
    /// When they asked.
    pub at: Timestamp,
    /// When all who asked with them had been answered.
    pub until: Timestamp,
    /// When they had been answered that they are signed in.
    pub signed_in: Option<Timestamp>,
    /// How many records there were when they asked.
    pub asked: usize,
    /// How many there were when all who asked with them had been answered.
    pub answered: usize,
    /// The status; `None` for no answer.
    pub status: Option<u16>,
    /// The body; null where there is none.
    pub body: Value,
}

/// What somebody new finds when all has come to rest.
#[derive(Debug, Clone, Default)]
pub struct Sale {
    /// The tickets that are listed.
    pub listed: BTreeSet<String>,
    /// What is answered when they reserve each ticket.
    pub offered: BTreeMap<String, Option<u16>>,
}

/// The evidence of one run that has come to rest.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// When it was gathered.
    pub now: Timestamp,
    /// Whether the order of the records is exactly the order in which things took effect:
    /// so in simulation, while on real servers calls overlap.
    pub exact: bool,
    /// `tickets.tickets`.
    pub tickets: Vec<Document>,
    /// `orders.tickets`.
    pub ticket_copies: Vec<Document>,
    /// `orders.orders`.
    pub orders: Vec<Document>,
    /// `payments.orders`.
    pub order_copies: Vec<Document>,
    /// `expiration.timers`.
    pub timers: Vec<Document>,
    /// `auth.users`.
    pub users: Vec<Document>,
    /// The price that each order's buyer was shown, by order id.
    pub shown: BTreeMap<String, Cents>,
    /// What people did and were told, where a script says so.
    pub told: Vec<Told>,
    /// What somebody new found in the end; `None` where nobody looked.
    pub sale: Option<Sale>,
    /// How long an order holds its ticket, where that is known.
    pub window: Option<Duration>,
    /// What was given up on.
    pub letters: Vec<DeadLetter>,
    /// The provider's ledger.
    pub ledger: Vec<LedgerCharge>,
    /// Aggregates that a dead letter is about: their copies are known to be behind.
    pub given_up: BTreeSet<String>,
    /// The record.
    pub trace: Arc<Vec<Record>>,
}

impl Evidence {
    /// Gathers the evidence of a world at rest.
    ///
    /// # Errors
    ///
    /// When the world cannot be read.
    pub async fn gather(
        world: &mut dyn World,
        exact: bool,
        ledger: Vec<LedgerCharge>,
        shown: BTreeMap<String, Cents>,
    ) -> Result<Self, WorldError> {
        let letters = world.dead_letters().await?;
        let about = |header: &str| {
            letters.iter().filter_map(|l| l.message.headers.get(header).cloned()).collect()
        };
        Ok(Self {
            now: world.now(),
            exact,
            tickets: world.documents("tickets", "tickets").await?,
            ticket_copies: world.documents("orders", "tickets").await?,
            orders: world.documents("orders", "orders").await?,
            order_copies: world.documents("payments", "orders").await?,
            timers: world.documents("expiration", "timers").await?,
            users: world.documents("auth", "users").await?,
            shown,
            told: Vec::new(),
            sale: None,
            window: None,
            given_up: about("ce-subject"),
            letters,
            ledger,
            trace: world.trace().records(),
        })
    }

    /// The events that services published, each attempt, and what the bus said.
    pub(crate) fn published(&self) -> impl Iterator<Item = (&Message, &PublishOutcome)> {
        // What a person publishes again has been told before.
        let of_services = self.trace.iter().filter(|record| record.instance.is_some());
        of_services.filter_map(|record| match &record.kind {
            RecordKind::Publish { stream: Stream::Events, message, outcome } => {
                Some((message, outcome))
            }
            _ => None,
        })
    }

    /// Whether a charge or a refund is yet to be carried on.
    pub fn is_money_under_way(&self) -> bool {
        self.order_copies.iter().any(|order| order.get_datetime("due").is_ok())
    }

    /// Every collection with its name, for checks that look at all.
    pub(crate) fn collections(&self) -> [(&'static str, &[Document]); 6] {
        [
            ("tickets.tickets", &self.tickets),
            ("orders.tickets", &self.ticket_copies),
            ("orders.orders", &self.orders),
            ("payments.orders", &self.order_copies),
            ("expiration.timers", &self.timers),
            ("auth.users", &self.users),
        ]
    }
}

/// What the bus said to a message.
type PublishOutcome = Result<Published, PublishError>;

/// What an event says that it tells of.
#[derive(Debug, Deserialize)]
pub(crate) struct Change<'a> {
    /// Whose change.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// Its number.
    pub version: i64,
}

impl<'a> Change<'a> {
    /// The change that a message tells of, with its noun; `None` where it tells of none.
    pub(crate) fn of(message: &'a Message) -> Option<(&'a str, Self)> {
        let noun = message.subject.split('.').next()?;
        Some((noun, serde_json::from_slice(&message.payload).ok()?))
    }
}

/// The `_id` of a document.
pub(crate) fn id(document: &Document) -> &str {
    text(document, "_id")
}

/// A text field; empty where there is none.
pub(crate) fn text<'a>(document: &'a Document, field: &str) -> &'a str {
    document.get_str(field).unwrap_or_default()
}

/// A whole number; -1 where there is none.
pub(crate) fn number(document: &Document, field: &str) -> i64 {
    match document.get(field) {
        Some(bson::Bson::Int32(number)) => i64::from(*number),
        Some(bson::Bson::Int64(number)) => *number,
        _ => -1,
    }
}

/// The documents by id.
pub(crate) fn by_id(documents: &[Document]) -> BTreeMap<&str, &Document> {
    documents.iter().map(|document| (id(document), document)).collect()
}
